/** What became of data sets after they were written: pictures converted, files renamed, copied over network storage. As `layouts.test.ts`. */
import { describeLayouts, type Layout } from '../../test/contracts/layouts.ts';

const LAYOUTS: readonly Layout[] = [
  {
    what: 'voc: the picture was converted since, and the XML has the old ending: its stem counts too',
    format: 'voc',
    files: {
      'a.xml':
        '<annotation><filename>a.png</filename><object><name>cat</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>4</xmax><ymax>6</ymax></bndbox></object></annotation>',
    },
    want: ['a.png|a - cat 1 2 4 6'],
  },
  {
    what: 'coco: one file by itself is no split, whatever it is called',
    format: 'coco',
    files: {
      'my-export.json':
        '{"images":[{"id":1,"file_name":"a.jpg"}],"categories":[{"id":1,"name":"cat"}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,2,3,4]}]}',
    },
    want: ['a.jpg - cat 1 2 4 6'],
  },
  {
    what: 'csv: the usual names of splits in any case and form, and any other as it is',
    format: 'csv',
    path: 'a.csv',
    files: { 'a.csv': 'file,class,split\na.jpg,cat,Valid\nb.jpg,cat,TEST\nc.jpg,cat,fold 3\n' },
    want: ['a.jpg val cat', 'b.jpg test cat', 'c.jpg fold 3 cat'],
  },
  {
    what: 'folders: what network storage and Windows leave behind are no classes',
    format: 'folders',
    files: {
      'cat/a.jpg': '',
      'dog/b.jpg': '',
      '@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg': '',
      'cat/@eaDir/a.jpg@SynoEAStream': '',
      '#recycle/c.jpg': '',
      '$RECYCLE.BIN/S-1-5/d.jpg': '',
      'System Volume Information/e.jpg': '',
    },
    want: ['cat/a.jpg - cat', 'dog/b.jpg - dog'],
  },
];

describeLayouts('data sets that went through other hands', LAYOUTS);
