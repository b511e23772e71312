/**
 * Files as tools write them whose readers had been tried on them and failed: what has to come out is what the tool's own
 * definition says, named at each group.
 */
import { readFileSync } from 'node:fs';
import { describeLayouts, type Layout } from '../../test/contracts/layouts.ts';

const row = '0 .5 .5 .2 .2\n';
const box = '0.4 0.4 0.6 0.6';
const rect = (rest = '') =>
  `{"id":"r","type":"rectanglelabels","from_name":"label","to_name":"image","original_width":100,"original_height":50,"value":{"x":10,"y":20,"width":30,"height":40,"rotation":0,"rectanglelabels":["cat"]}${rest}}`;
const task = (image: string, rest = '') =>
  `{"id":1,"annotations":[{"id":2,"completed_by":1,"result":[${rect()}]}],"data":{"image":"${image}"}${rest}}`;
const base64 = Buffer.from('s3://bucket/a/p.jpg').toString('base64');

const wide = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

/** Files that Windows' tools saved as "Unicode": what UTF-8 of the same text gives. */
const WIDE: readonly Layout[] = [
  {
    what: 'label-studio in UTF-16',
    format: 'label-studio',
    path: 't.json',
    files: { 't.json': wide(`[${task('a.jpg')}]`) },
    want: ['a.jpg - cat 10 10 40 30 100×50'],
  },
  {
    what: 'cvat in UTF-16 that says UTF-8, high byte first',
    format: 'cvat',
    path: 'a.xml',
    files: {
      'a.xml': wide(
        '<?xml version="1.0" encoding="utf-8"?><annotations><image name="ä.jpg" width="50" height="50"><box label="ñ" xtl="1" ytl="2" xbr="4" ybr="6"/></image></annotations>',
      ).swap16(),
    },
    want: ['ä.jpg - ñ 1 2 4 6 50×50'],
  },
  {
    what: 'yolo with all of its texts in UTF-16',
    format: 'yolo',
    files: { 'data.yaml': wide('names: [ñ]\n'), 'labels/a.txt': wide(row), 'images/a.jpg': '' },
    want: [`images/a.jpg - ñ ${box}`],
  },
  {
    what: 'labelme in UTF-16 without a mark',
    format: 'labelme',
    files: {
      'a.json': Buffer.from(
        '{"imagePath":"a.jpg","shapes":[{"label":"cat","shape_type":"rectangle","points":[[1,2],[4,6]]}]}',
        'utf16le',
      ),
    },
    want: ['a.jpg|a - cat 1 2 4 6'],
  },
];

/** ultralytics/engine/results.py `save_txt`: class, xywhn or xyn, then keypoints as x y confidence, then confidence, track. */
const YOLO: readonly Layout[] = [
  {
    what: 'yolo: the number of the first track, after a confidence, is no coordinate',
    format: 'yolo',
    classNames: ['cat'],
    files: { 'labels/a.txt': '0 0.5 0.5 0.2 0.2 0.91 1\n', 'labels/b.txt': '0 0.1 0.1 0.9 0.1 0.5 0.75\n' },
    want: [`images/a - cat ${box} @0.91 #1`, 'images/b - cat 0.1 0.1 0.9 0.75'],
  },
  {
    what: 'yolo: keypoints of a prediction, whose folder has no kpt_shape',
    format: 'yolo',
    classNames: ['person'],
    files: {
      'labels/a.txt': `0 0.5 0.5 0.4 0.4 ${[0.9, 0.8, 0.7, 0.4, 0.3].map((seen, i) => `0.4${i} 0.5 ${seen}`).join(' ')} 0.93\n`,
    },
    want: ['images/a - person 0.3 0.3 0.7 0.7 @0.93 k2,2,2,1,1'],
    told: ['visibility-from-confidence'],
  },
  {
    what: 'yolo: corners of turned boxes, with the confidence and track of a prediction',
    format: 'yolo',
    classNames: ['cat'],
    files: {
      'labels/a.txt': '0 .5 .25 .75 .5 .5 .75 .25 .5\n\n0 .5 .25 .75 .5 .5 .75 .25 .5 0.9\n',
      'labels/b.txt': '0 .5 .25 .75 .5 .5 .75 .25 .5 0.9 7\n',
    },
    want: [
      `images/a - cat 0.25 0.25 0.75 0.75`,
      `images/a - cat 0.25 0.25 0.75 0.75 @0.9`,
      `images/b - cat 0.25 0.25 0.75 0.75 @0.9 #7`,
    ],
  },
  {
    what: "yolo: Roboflow's darknet, whose classes stand in the folders of the splits",
    format: 'yolo',
    files: {
      'train/_darknet.labels': 'cat\n',
      'train/a.jpg': '',
      'train/a.txt': row,
      'valid/_darknet.labels': 'cat\n',
      'valid/b.jpg': '',
      'valid/b.txt': row,
    },
    want: [`train/a.jpg train cat ${box}`, `valid/b.jpg val cat ${box}`],
  },
  {
    what: 'yolo: settings that are called anything',
    format: 'yolo',
    files: { 'coco8.yaml': 'train: images\nval: images\nnames: {0: cat}\n', 'images/a.jpg': '', 'labels/a.txt': row },
    want: [`images/a.jpg - cat ${box}`],
  },
  {
    what: 'yolo: labels beside pictures whose own picture is not there are no loss without a word',
    format: 'yolo',
    files: { 'classes.txt': 'cat\n', 'a.jpg': '', 'a.txt': row, 'gone.txt': row, 'notes.txt': '2024 was good\n' },
    want: [`a.jpg - cat ${box}`, `gone - cat ${box}`],
  },
];

/** cocodataset.org/#format-data, and what `json.dump(default=str)`, labelme2coco and others make of it. */
const COCO: readonly Layout[] = [
  {
    what: 'coco: ids and numbers as text, a class that is a number, polygons as points',
    format: 'coco',
    path: 'a.json',
    files: {
      'a.json':
        '{"images":[{"id":"1","file_name":"a.jpg"}],"categories":[{"id":1,"name":7}],"annotations":[{"image_id":1,"category_id":"1","bbox":["1","2","3","4.5"]},{"image_id":1,"category_id":1,"bbox":[1,1,4,4],"segmentation":[1,1,5,1,5,5]},{"image_id":1,"category_id":1,"segmentation":[[[2,1],[5,1],[5,5]]]}]}',
    },
    want: ['a.jpg - 7 1 2 4 6.5', 'a.jpg - 7 1 1 5 5', 'a.jpg - 7 2 1 5 5'],
    told: ['box-from-shape'],
  },
  {
    what: 'coco: keypoints of results have confidences',
    format: 'coco',
    path: 'a.json',
    classNames: ['person'],
    files: {
      'a.json': '[{"image_id":"a","category_id":0,"bbox":[1,2,3,4],"keypoints":[2,3,0.9,2,4,0.2,0,0,0],"score":0.5}]',
    },
    want: ['a - person 1 2 4 6 @0.5 k2,1,0'],
    told: ['visibility-from-confidence'],
  },
];

/** github.com/tzutalin/labelImg, FiftyOne's and Datumaro's VOC exporters (1.13.12 quotes names with blanks). */
const VOC: readonly Layout[] = [
  {
    what: 'voc: XML of before UTF-8 is read in the encoding that it names',
    format: 'voc',
    path: 'a.xml',
    files: {
      'a.xml': Buffer.concat([
        Buffer.from('<?xml version="1.0" encoding="GBK"?><annotation><filename>a.jpg</filename><object><name>'),
        // 猫咪 in GBK.
        Buffer.from([0xc3, 0xa8, 0xdf, 0xe4]),
        Buffer.from(
          '</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>4</xmax><ymax>6</ymax></bndbox></object></annotation>',
        ),
      ]),
    },
    want: ['a.jpg|a - 猫咪 1 2 4 6'],
  },
  {
    what: 'voc: names with blanks are quoted in the lists of splits',
    format: 'voc',
    files: {
      'Annotations/a b.xml':
        '<annotation><filename>a b.jpg</filename><object><name>cat</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>4</xmax><ymax>6</ymax></bndbox></object></annotation>',
      'ImageSets/Main/train.txt': '"a b"\n',
    },
    want: ['a b.jpg|a b train cat 1 2 4 6'],
  },
];

/** labelstud.io/guide/export and label_studio_sdk's `data_import`: uploads get eight digits, clouds are proxied. */
const LABEL_STUDIO: readonly Layout[] = [
  {
    what: 'label-studio: a proxied address of a cloud has the stored one in base64',
    format: 'label-studio',
    path: 'a.json',
    files: { 'a.json': `[${task(`/tasks/1/presign/?fileuri=${base64}`)}]` },
    want: ['a/p.jpg - cat 10 10 40 30 100×50'],
  },
  {
    what: 'label-studio: an uploaded picture may be there with the digits or without',
    format: 'label-studio',
    path: 'a.json',
    files: { 'a.json': `[${task('/data/upload/1/1a2b3c4d-p.jpg')}]` },
    want: ['p.jpg|1a2b3c4d-p.jpg - cat 10 10 40 30 100×50'],
  },
  {
    what: 'label-studio: ids in place of predictions, and drafts, are told and leave the rest',
    format: 'label-studio',
    path: 'a.json',
    files: { 'a.json': `[${task('p.jpg', `,"predictions":[12],"drafts":[{"result":[${rect()}]}]`)}]` },
    want: ['p.jpg - cat 10 10 40 30 100×50'],
    told: ['draft-passed-over', 'row-unreadable'],
  },
  {
    what: 'label-studio: one task by itself',
    format: 'label-studio',
    path: 'a.json',
    files: { 'a.json': task('p.jpg') },
    want: ['p.jpg - cat 10 10 40 30 100×50'],
  },
  {
    what: 'csv: of Label Studio, shapes as JSON in a cell',
    format: 'csv',
    path: 'a.csv',
    files: {
      'a.csv':
        'annotation_id,annotator,choice,created_at,id,image,label,lead_time,updated_at\n1,1,indoor,2024,1,s3://b/p.jpg,"[{""x"":10,""y"":20,""width"":30,""height"":40,""rotation"":0,""rectanglelabels"":[""cat""],""original_width"":100,""original_height"":50}]",1.5,2024\n',
    },
    want: ['p.jpg - cat 10 10 40 30 100×50', 'p.jpg - indoor'],
  },
];

const viaRegion =
  '{"shape_attributes":{"name":"rect","x":1,"y":2,"width":3,"height":4},"region_attributes":{"type":"cat"}}';

/** robots.ox.ac.uk/~vgg/software/via, docs.roboflow.com, TensorFlow's object detection tutorial, huggingface.co/docs. */
const TABLES: readonly Layout[] = [
  {
    what: 'csv: of Roboflow, one in the folder of each split',
    format: 'csv',
    files: {
      'train/_annotations.csv': 'filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,50,40,cat,1,2,4,6\n',
      'valid/_annotations.csv': 'filename,width,height,class,xmin,ymin,xmax,ymax\nb.jpg,50,40,cat,1,2,4,6\n',
      'valid/notes.csv': 'when,who\n1,2\n',
    },
    want: ['train/a.jpg|a.jpg train cat 1 2 4 6 50×40', 'valid/b.jpg|b.jpg val cat 1 2 4 6 50×40'],
    told: ['file-passed-over'],
  },
  {
    what: "csv: of TensorFlow's tutorial, a table a split",
    format: 'csv',
    files: {
      'train_labels.csv': 'filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,50,40,cat,1,2,4,6\n',
      'test_labels.csv': 'filename,width,height,class,xmin,ymin,xmax,ymax\nb.jpg,50,40,cat,1,2,4,6\n',
    },
    want: ['b.jpg test cat 1 2 4 6 50×40', 'a.jpg train cat 1 2 4 6 50×40'],
  },
  {
    what: 'csv: fractions, a middle and a size, decimal commas, a line for spreadsheets',
    format: 'csv',
    files: {
      'a.csv': 'filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,0.25,0.5,0.75,1\n',
      'b.csv': 'image,label,x_center,y_center,width,height\nb.jpg,cat,0.5,0.5,0.5,0.5\n',
      'c.csv': 'sep=;\nfilename;class;xmin;ymin;xmax;ymax\nc.jpg;cat;1,5;2;4;6,25\n',
    },
    want: ['a.jpg - cat 0.25 0.5 0.75 1', 'b.jpg - cat 0.25 0.25 0.75 0.75', 'c.jpg - cat 1.5 2 4 6.25'],
    told: ['box-in-fractions', 'box-in-fractions'],
  },
  ...[
    ['its annotations', `{"a.jpg12":{"filename":"a.jpg","size":12,"regions":[${viaRegion}],"file_attributes":{}}}`],
    [
      'its project',
      `{"_via_settings":{},"_via_img_metadata":{"a.jpg12":{"filename":"a.jpg","size":12,"regions":[${viaRegion}],"file_attributes":{}}}}`,
    ],
    ['version 1', `{"a.jpg12":{"filename":"a.jpg","size":12,"regions":{"0":${viaRegion}},"file_attributes":{}}}`],
  ].map(
    ([what, json]): Layout => ({
      what: `csv: JSON of VIA, ${what}`,
      format: 'csv',
      path: 'via.json',
      files: { 'via.json': json },
      want: ['a.jpg - cat 1 2 4 6'],
    }),
  ),
  {
    what: 'hf: objects as a list, classes by number, and a column of which nothing is made',
    format: 'hf',
    classNames: ['cat', 'dog'],
    files: {
      'metadata.jsonl':
        '{"file_name":"a.jpg","text":"two","objects":[{"bbox":[1,2,3,4],"category":1}]}\n{"file_name":"b.jpg","text":"one","label":0}\n',
    },
    want: ['a.jpg - dog 1 2 4 6', 'b.jpg - cat'],
    told: ['column-passed-over'],
  },
];

/** cvat.ai/docs (CVAT for images 1.1), github.com/wkentaro/labelme. */
const SHAPES: readonly Layout[] = [
  {
    what: 'cvat: what is no box and no polygon is told',
    format: 'cvat',
    path: 'a.xml',
    files: {
      'a.xml':
        '<annotations><image name="a.jpg"><ellipse label="cat" cx="5" cy="5" rx="4" ry="2"/><polyline label="cat" points="1,2;3,4"/></image></annotations>',
    },
    want: ['a.jpg - cat 1 3 9 7', 'a.jpg - cat 1 2 3 4'],
    told: ['shape-as-box', 'shape-as-box'],
  },
  {
    what: 'labelme: folders of splits',
    format: 'labelme',
    files: {
      'val/a.json':
        '{"shapes":[{"label":"cat","shape_type":"circle","points":[[5,5],[5,8]]}],"imagePath":"a.jpg","imageWidth":50,"imageHeight":40}',
    },
    want: ['val/a.jpg|val/a val cat 2 2 8 8 50×40'],
    told: ['shape-as-box'],
  },
];

describeLayouts('files of other tools', [...YOLO, ...COCO, ...VOC, ...LABEL_STUDIO, ...TABLES, ...SHAPES]);
describeLayouts('texts in UTF-16', WIDE);

const table = (name: string) => readFileSync(new URL(`../../test/fixtures/parquet-${name}.parquet`, import.meta.url));

/** `test/oracles/parquet_tables.py` says what is in the tables. */
const PARQUET: readonly Layout[] = [
  {
    what: 'parquet of a hub: pictures in the table, classes by number, objects as lists, a split a file',
    format: 'parquet',
    files: { 'data/train-00000-of-00001.parquet': table('hub'), 'data/test-00000-of-00001.parquet': table('hub') },
    want: [
      'a.jpg test fish 1 2 4 6',
      'a.jpg test cat',
      'b.jpg test dog',
      'a.jpg train fish 1 2 4 6',
      'a.jpg train cat',
      'b.jpg train dog',
    ],
  },
  {
    what: 'parquet of pandas: the columns of a table of boxes',
    format: 'parquet',
    path: 'x.parquet',
    files: { 'x.parquet': table('pandas') },
    want: ['a.jpg - cat 1 2 11 12', 'b.jpg - dog 2 3 12 13', 'b.jpg - cat 3 4 13 14'],
  },
  {
    what: 'hf: metadata.parquet, one in each split',
    format: 'hf',
    files: {
      'train/metadata.parquet': table('metadata'),
      'train/a.jpg': '',
      'test/metadata.parquet': table('metadata'),
    },
    want: ['test/a.jpg test cat', 'test/b.jpg test dog', 'train/a.jpg train cat', 'train/b.jpg train dog'],
    told: ['column-passed-over', 'column-passed-over'],
  },
];
describeLayouts('tables as Parquet', PARQUET);

/** Label Studio's tasks a line each, as its SDK and `jq -c .[]` write them; one task over several lines stays one. */
const LINES: readonly Layout[] = [
  {
    what: 'label-studio: a task a line, one of which is broken',
    format: 'label-studio',
    path: 't.jsonl',
    files: { 't.jsonl': `${task('a.jpg')}\n\n{"id":\n${task('b.jpg')}\n` },
    want: ['a.jpg - cat 10 10 40 30 100×50', 'b.jpg - cat 10 10 40 30 100×50'],
    told: ['row-unreadable'],
  },
  {
    what: 'label-studio: one task over several lines',
    format: 'label-studio',
    path: 't.json',
    files: { 't.json': JSON.stringify(JSON.parse(task('a.jpg')), null, 1) },
    want: ['a.jpg - cat 10 10 40 30 100×50'],
  },
];
describeLayouts('tasks of Label Studio in lines', LINES);
