/**
 * Layouts and tables as other tools write them, each with what must come out: `FILE SPLIT CLASS BOX`, boxes in the unit of
 * the file. Trouble that people reported publicly about other readers; own inputs.
 */
import { describeLayouts, type Layout } from '../../test/contracts/layouts.ts';

const row = '0 .5 .5 .2 .2\n';
const box = '0.4 0.4 0.6 0.6';
const coco = (file: string, extra = '') =>
  `{"images":[{"id":1,"file_name":"${file}"}],"categories":[{"id":1,"name":"cat"}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1,2,3,4]${extra}}]}`;
const voc = (name: string) =>
  `<annotation><filename>${name}</filename><object><name>cat</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>4</xmax><ymax>6</ymax></bndbox></object></annotation>`;

const LAYOUTS: readonly Layout[] = [
  // YOLO.
  {
    what: 'yolo: labels beside the pictures in images/',
    format: 'yolo',
    files: { 'classes.txt': 'cat\n', 'images/a.jpg': '', 'images/a.txt': row },
    want: [`images/a.jpg - cat ${box}`],
  },
  {
    what: 'yolo: a folder of labels alone, as labelImg leaves it',
    format: 'yolo',
    files: { 'classes.txt': 'cat\n', 'a.txt': row, 'README.txt': 'hello' },
    want: [`a - cat ${box}`],
  },
  {
    what: "yolo: darknet's obj.data, its list naming folders of another machine",
    format: 'yolo',
    files: {
      'obj.data': 'classes = 1\ntrain = data/train.txt\nnames = data/obj.names\n',
      'obj.names': 'cat\n',
      'train.txt': 'data/obj_train_data/a.jpg\n',
      'obj_train_data/a.txt': row,
    },
    want: [`obj_train_data/a.jpg train cat ${box}`],
  },
  {
    what: 'yolo: a list that leads nowhere is told',
    format: 'yolo',
    files: { 'data.yaml': 'names: [cat]\ntrain: train.txt\n', 'train.txt': 'gone/a.jpg\n' },
    want: ['gone/a.jpg train'],
    told: ['label-file-missing'],
  },
  {
    what: 'cvat: an image without a shape is told, one whose shape cannot be read is not called empty',
    format: 'cvat',
    path: 'a.xml',
    files: {
      'a.xml':
        '<annotations><image name="a.jpg" width="9" height="9"></image><image name="b.jpg" width="9" height="9"><box label="cat"/></image></annotations>',
    },
    want: ['a.jpg', 'b.jpg'],
    told: ['nothing-drawn', 'object-unreadable'],
  },
  {
    what: 'yolo: a set that nobody labelled is told, and one that somebody did is not',
    format: 'yolo',
    files: {
      'data.yaml': 'names: [cat]\ntrain: train/images\ntest: test/images\n',
      'train/images/a.jpg': '',
      'train/images/b.jpg': '',
      'train/labels/b.txt': row,
      'test/images/c.jpg': '',
    },
    want: ['train/images/a.jpg train', `train/images/b.jpg train cat ${box}`, 'test/images/c.jpg test'],
    told: ['set-not-labelled'],
  },
  {
    what: 'yolo: paths of Windows and of a notebook, and a test folder that is not there',
    format: 'yolo',
    files: {
      'data.yaml': 'train: .\\train\\images\nval: /content/ds/valid/images\ntest: ../test/images\nnames: [cat]\n',
      'train/images/a.jpg': '',
      'train/labels/a.txt': row,
      'valid/images/b.jpg': '',
      'valid/labels/b.txt': row,
    },
    want: [`train/images/a.jpg train cat ${box}`, `valid/images/b.jpg val cat ${box}`],
    told: ['split-missing'],
  },
  {
    what: 'yolo: predictions with confidences, track numbers and outlines',
    format: 'yolo',
    files: {
      'classes.txt': 'cat\n',
      'labels/a.txt': `0 .5 .5 .2 .2 .9 7\n0 .1 .1 .2 .1 .2 .3 .75\n`,
      'labels/b.txt': '0 .5 .5 .2 .2 1\n0 .5 .5 .2 .2 2\n',
    },
    want: [
      `images/a - cat ${box} @0.9 #7`,
      'images/a - cat 0.1 0.1 0.2 0.3 @0.75',
      `images/b - cat ${box} #1`,
      `images/b - cat ${box} #2`,
    ],
  },
  {
    what: 'yolo: one bad row leaves the others',
    format: 'yolo',
    files: { 'classes.txt': 'cat\n', 'labels/a.txt': `${row}0 .5 nan .1 .1\n9 .5 .5 .1 .1\n${row}` },
    want: [`images/a - cat ${box}`, `images/a - cat ${box}`],
    told: ['row-unreadable', 'row-unreadable'],
  },
  {
    what: 'yolo: keypoints of a prediction have confidences',
    format: 'yolo',
    files: {
      'data.yaml': 'names: [cat]\nkpt_shape: [2, 3]\n',
      'labels/a.txt': '0 .5 .5 .2 .2 .5 .5 0.97 .4 .4 0.31\n',
    },
    want: [`images/a - cat ${box} k2,1`],
    told: ['visibility-from-confidence'],
  },
  // COCO.
  {
    what: 'coco: folders of Roboflow',
    format: 'coco',
    files: { 'train/_annotations.coco.json': coco('a.jpg'), 'valid/_annotations.coco.json': coco('b.jpg') },
    want: ['train/a.jpg|a.jpg train cat 1 2 4 6', 'valid/b.jpg|b.jpg val cat 1 2 4 6'],
  },
  {
    what: 'coco: folders of CVAT and Datumaro; captions and the same objects again are passed over',
    format: 'coco',
    files: {
      'annotations/instances_train2017.json': coco('a.jpg'),
      'annotations/person_keypoints_train2017.json': coco('a.jpg'),
      'annotations/captions_train2017.json': coco('a.jpg'),
    },
    want: ['a.jpg train cat 1 2 4 6'],
    told: ['file-passed-over', 'file-passed-over'],
  },
  {
    what: 'coco: labels.json beside data/, as FiftyOne has it',
    format: 'coco',
    files: { 'labels.json': coco('a.jpg'), 'data/a.jpg': '' },
    want: ['a.jpg - cat 1 2 4 6'],
  },
  {
    what: 'coco: a list of results, by ids of files',
    format: 'coco',
    path: 'r.json',
    files: {
      'r.json':
        '[{"image_id":139,"category_id":17,"bbox":[1,2,3,4],"score":0.5},{"image_id":"b","category_id":999,"bbox":[1,2,3,4]}]',
    },
    want: ['000000000139|139 - cat 1 2 4 6 @0.5'],
    told: ['object-of-no-class'],
  },
  {
    what: 'coco: LVIS names pictures by their address',
    format: 'coco',
    path: 'l.json',
    files: {
      'l.json': coco('x').replace('"file_name":"x"', '"coco_url":"http://images.cocodataset.org/val2017/7.jpg"'),
    },
    want: ['http://images.cocodataset.org/val2017/7.jpg - cat 1 2 4 6'],
  },
  {
    what: 'coco: attributes of CVAT stay with their box',
    format: 'coco',
    path: 'c.json',
    files: { 'c.json': coco('a.jpg', ',"attributes":{"occluded":true,"colour":"red","rotation":0.0}') },
    want: ['a.jpg - cat 1 2 4 6 {"occluded":true,"attributes":{"colour":"red"}}'],
  },
  {
    what: 'coco: a stray annotation and one without a class leave the others',
    format: 'coco',
    path: 'c.json',
    files: {
      'c.json': coco('a.jpg').replace(
        '"annotations":[',
        '"annotations":[{"image_id":7,"category_id":1,"bbox":[1,1,1,1]},{"image_id":1,"category_id":9,"bbox":[1,1,1,1]},',
      ),
    },
    want: ['a.jpg - cat 1 2 4 6'],
    told: ['object-of-no-class', 'object-of-no-image'],
  },
  // Pascal VOC.
  {
    what: 'voc: the name of before, and the picture under that of the XML',
    format: 'voc',
    files: { 'Annotations/1.xml': voc('IMG_7.jpg'), 'JPEGImages/1.jpg': '' },
    want: ['1.jpg|IMG_7.jpg - cat 1 2 4 6'],
  },
  {
    what: 'voc: VOCdevkit, several years deep',
    format: 'voc',
    files: { 'VOCdevkit/VOC2007/Annotations/1.xml': voc('1.jpg'), 'VOCdevkit/VOC2007/ImageSets/Main/val.txt': '1\n' },
    want: ['1.jpg|1|VOCdevkit/VOC2007/JPEGImages/1.jpg val cat 1 2 4 6'],
  },
  {
    what: 'voc: one broken file leaves the others',
    format: 'voc',
    files: { 'Annotations/1.xml': '<annotation><obj', 'Annotations/2.xml': voc('2.jpg') },
    want: ['2.jpg|2 - cat 1 2 4 6'],
    told: ['file-unreadable'],
  },
  // Folders.
  {
    what: 'folders: train and val beside __MACOSX, docs and Thumbs.db',
    format: 'folders',
    files: {
      'train/Thumbs.db': '',
      'train/cat/a.jpg': '',
      'val/cat/b.jpg': '',
      'test/c.jpg': '',
      '__MACOSX/train/a.jpg': '',
      'docs/banner.png': '',
    },
    want: ['test/c.jpg test', 'train/cat/a.jpg train cat', 'val/cat/b.jpg val cat'],
    told: ['file-passed-over'],
  },
  // Tables.
  {
    what: 'csv: Roboflow and TensorFlow',
    format: 'csv',
    path: 't.csv',
    files: { 't.csv': 'filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,160,120,cat,1,2,4,6\n' },
    want: ['a.jpg - cat 1 2 4 6 160×120'],
  },
  {
    what: 'csv: a column a class',
    format: 'csv',
    path: 't.csv',
    files: { 't.csv': 'filename, cat, dog\na.jpg, 1, 0\nb.jpg, 1, 1\n' },
    want: ['a.jpg - cat', 'b.jpg - cat', 'b.jpg - dog'],
  },
  {
    what: 'csv: VIA',
    format: 'csv',
    path: 't.csv',
    files: {
      't.csv':
        'filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n' +
        'a.jpg,9,{},1,0,"{""name"":""rect"",""x"":1,""y"":2,""width"":3,""height"":4}","{""class"":""cat"",""colour"":""red""}"\n',
    },
    want: ['a.jpg - cat 1 2 4 6 {"attributes":{"colour":"red"}}'],
  },
  {
    what: 'csv: Open Images, whose codes have names beside',
    format: 'csv',
    path: 't.csv',
    files: {
      't.csv':
        'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf\na,x,/m/1,1,.1,.3,.2,.4,1,-1,0\n',
      'class-descriptions-boxable.csv': '/m/1,Cat\n',
    },
    want: ['a - Cat 0.1 0.2 0.3 0.4 @1 {"occluded":true}'],
  },
  {
    what: 'csv: corners, a size, and what Kaggle puts into one cell',
    format: 'csv',
    path: 't.csv',
    files: { 't.csv': 'image_id,label,bbox\na,cat,"[1, 2, 3, 4]"\n' },
    want: ['a - cat 1 2 4 6'],
  },
  {
    what: 'hf: metadata.csv in the folder of a split',
    format: 'hf',
    files: { 'train/metadata.csv': 'file_name,label\na.jpg,cat\n' },
    want: ['train/a.jpg train cat'],
  },
  // Label Studio.
  {
    what: 'label-studio: JSON-MIN with a presigned address',
    format: 'label-studio',
    path: 'm.json',
    files: {
      'm.json':
        '[{"id":1,"image":"https://b.s3.amazonaws.com/x/my%20cat.jpg?X-Amz-Signature=1","annotator":3,"label":[{"x":10,"y":20,"width":30,"height":40,"rotation":0,"rectanglelabels":["cat"],"original_width":100,"original_height":100}],"choice":"good"}]',
    },
    want: ['x/my cat.jpg - cat 10 20 40 60 100×100', 'x/my cat.jpg - good'],
  },
  {
    what: 'label-studio: a picture that was turned in the tool is told',
    format: 'label-studio',
    path: 't.json',
    files: {
      't.json':
        '[{"data":{"image":"a.jpg"},"annotations":[{"result":[{"id":"r","type":"rectanglelabels","original_width":100,"original_height":100,"image_rotation":90,"value":{"x":1,"y":2,"width":3,"height":4,"rectanglelabels":["cat"]}}]}]}]',
    },
    want: ['a.jpg - cat 1 2 4 6 100×100'],
    told: ['turned-in-tool'],
  },
  {
    what: 'label-studio: what is said of a region is no class of the picture',
    format: 'label-studio',
    path: 't.json',
    files: {
      't.json':
        '[{"data":{"image":"a.jpg"},"annotations":[{"result":[{"id":"r","type":"rectanglelabels","original_width":100,"original_height":100,"value":{"x":1,"y":2,"width":3,"height":4,"rectanglelabels":["cat"]}},{"id":"r","type":"choices","from_name":"state","value":{"choices":["occluded"]}}]}]}]',
    },
    want: ['a.jpg - cat 1 2 4 6 {"attributes":{"state":"occluded"}} 100×100'],
  },
  {
    what: 'coco: a box of five numbers is one of Detectron2 (XYWHA_ABS, counter-clockwise)',
    format: 'coco',
    path: 'c.json',
    files: { 'c.json': coco('a.jpg').replace(/"bbox":\[[^\]]*\]/, '"bbox":[20,15,20,10,-90]') },
    want: ['a.jpg - cat 15 5 25 25 {"rotatedBox":{"cx":20,"cy":15,"width":20,"height":10,"angleDegrees":90}}'],
    told: ['box-of-five'],
  },
  {
    what: "voc: CVAT's attribute of the angle, which is 0 of most",
    format: 'voc',
    files: {
      'Annotations/1.xml':
        '<annotation><filename>1.jpg</filename><object><name>cat</name><bndbox><xmin>11</xmin><ymin>11</ymin><xmax>30</xmax><ymax>20</ymax></bndbox>' +
        '<attributes><attribute><name>rotation</name><value>90.0</value></attribute></attributes></object>' +
        '<object><name>dog</name><bndbox><xmin>11</xmin><ymin>11</ymin><xmax>30</xmax><ymax>20</ymax></bndbox>' +
        '<attributes><attribute><name>rotation</name><value>0.0</value></attribute></attributes></object></annotation>',
    },
    want: [
      '1.jpg|1 - cat 15 5 25 25 {"rotatedBox":{"cx":20,"cy":15,"width":20,"height":10,"angleDegrees":90}}',
      '1.jpg|1 - dog 10 10 30 20',
    ],
  },
  // CVAT.
  {
    what: 'cvat: a turned box is one region, attributes are its own, odd masks leave the rest',
    format: 'cvat',
    path: 'a.xml',
    files: {
      'a.xml':
        '<annotations><image name="a.jpg" width="50" height="50"><box label="cat" xtl="10" ytl="10" xbr="30" ybr="20" rotation="90" occluded="1"><attribute name="age">old</attribute></box>' +
        '<mask label="dog" rle="4" left="0" top="0" width="2" height="2"/></image></annotations>',
    },
    want: [
      'a.jpg - cat 15 5 25 25 {"occluded":true,"attributes":{"age":"old"},"rotatedBox":{"cx":20,"cy":15,"width":20,"height":10,"angleDegrees":90}} 50×50',
    ],
    told: ['object-unreadable'],
  },
  {
    what: 'cvat: which shape lies above, and which belong together, stay as attributes',
    format: 'cvat',
    path: 'a.xml',
    files: {
      'a.xml':
        '<annotations><image name="a.jpg" width="50" height="50"><box label="cat" xtl="1" ytl="2" xbr="4" ybr="6" z_order="3" group_id="7"/>' +
        '<box label="cat" xtl="2" ytl="2" xbr="4" ybr="6" z_order="0"/></image>' +
        '<track id="3" label="cat" group_id="5"><box frame="0" xtl="1" ytl="2" xbr="4" ybr="6" z_order="2"/></track></annotations>',
    },
    want: [
      'a.jpg - cat 1 2 4 6 {"attributes":{"z_order":3,"group_id":7}} 50×50',
      'a.jpg - cat 2 2 4 6 50×50',
      'frame_000000 - cat 1 2 4 6 #3 {"attributes":{"z_order":2,"group_id":5}}',
    ],
  },
  {
    what: 'labelme: a group of several objects, and one of an object alone, stay as attributes; one that ties shapes is no more',
    format: 'labelme',
    path: 'a.json',
    files: {
      'a.json': JSON.stringify({
        imagePath: 'a.jpg',
        shapes: [
          ['rider', 1],
          ['bike', 1],
          ['cat', 2],
          ['dog', 3],
          ['dog', 3],
        ].map(([label, group_id], i) => ({
          label,
          group_id,
          shape_type: i === 4 ? 'polygon' : 'rectangle',
          points: [
            [i, 0],
            [i + 5, 9],
            [i, 9],
          ].slice(0, i === 4 ? 3 : 2),
        })),
      }),
    },
    want: [
      'a.jpg|a - rider 0 0 5 9 {"attributes":{"group_id":1}}',
      'a.jpg|a - bike 1 0 6 9 {"attributes":{"group_id":1}}',
      'a.jpg|a - cat 2 0 7 9 {"attributes":{"group_id":2}}',
      'a.jpg|a - dog 3 0 8 9',
    ],
  },
  {
    what: 'cvat: tracks of a video, until they leave the picture',
    format: 'cvat',
    path: 'a.xml',
    files: {
      'a.xml':
        '<annotations><track id="3" label="cat"><box frame="0" outside="0" xtl="1" ytl="2" xbr="4" ybr="6"/><box frame="2" outside="0" xtl="1" ytl="2" xbr="4" ybr="7"/><box frame="3" outside="1" xtl="1" ytl="2" xbr="4" ybr="7"/></track></annotations>',
    },
    want: ['frame_000000 - cat 1 2 4 6 #3', 'frame_000002 - cat 1 2 4 7 #3'],
  },
];

describeLayouts('layouts as other tools write them', LAYOUTS);
