/** Tables without a header, and other files that tools write whose readers had been tried on them and failed. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { inTemporaryFolder, writeFiles } from '../../test/contracts/format.ts';
import { assertNotRead, describeRecognised, type Layout } from '../../test/contracts/layouts.ts';
import { recogniseFormat } from './recognise.ts';

const json = (value: unknown) => JSON.stringify(value);

/** fastai's `multi` tables and Kaggle's planet (blanks), pandas' `to_csv` of lists (Python's `repr`), FiftyOne (commas). */
const SEVERAL: readonly Layout[] = [
  ...['cat;dog', 'cat|dog', '"cat,dog"', '"cat, dog"', `"['cat', 'dog']"`, '"[""cat"", ""dog""]"', '"[cat, dog]"'].map(
    (cell): Layout => ({
      what: `csv: several classes in a cell, ${cell}`,
      format: 'csv',
      path: 'labels.csv',
      files: { 'labels.csv': `filename,tags\na.jpg,${cell}\nb.jpg,\nc.jpg,[]\n` },
      want: ['a.jpg - cat', 'a.jpg - dog', 'b.jpg', 'c.jpg'],
    }),
  ),
  {
    what: 'csv: a list as Python writes it is one in any column, with quotes and escapes',
    format: 'csv',
    path: 'labels.csv',
    files: { 'labels.csv': `image,label\na.jpg,"[""driver's seat"", 'wall\\'s, end']"\n` },
    want: ["a.jpg - driver's seat", "a.jpg - wall's, end"],
  },
  {
    what: 'csv: blanks and signs that may be of the name part nothing, and are told',
    format: 'csv',
    path: '.',
    files: {
      'a.csv': 'image,labels\na.jpg,horse person\n',
      'b.csv': 'image,label\nb.jpg,cat|dog\nc.jpg,[draft]\n',
      'c.csv': 'image,labels\nd.jpg,cat;traffic light\ne.jpg,traffic light\n',
    },
    want: [
      'a.jpg - horse person',
      'b.jpg - cat|dog',
      'c.jpg - [draft]',
      'd.jpg - cat',
      'd.jpg - traffic light',
      'e.jpg - traffic light',
    ],
    told: ['cell-as-one-class', 'cell-as-one-class'],
  },
  {
    what: 'csv: two signs that part are a fault of that row',
    format: 'csv',
    path: 'a.csv',
    files: { 'a.csv': 'image,labels\na.jpg,"cat|dog,small"\nb.jpg,cat\n' },
    want: ['b.jpg - cat'],
    told: ['row-unreadable'],
  },
  {
    what: "csv: FiftyOne's tags are no classes where another column has them",
    format: 'csv',
    path: 'a.csv',
    files: { 'a.csv': 'filepath,tags,ground_truth\na.jpg,"validation,easy",cat\n' },
    want: ['a.jpg - cat'],
    told: ['column-passed-over'],
  },
];

/** makesense.ai (`RectLabelsExporter.ts`), cloud.google.com/vision/automl (object detection, CSV), keras-retinanet's README. */
const HEADLESS: readonly Layout[] = [
  {
    what: "csv: makesense.ai's rows",
    format: 'csv',
    path: 'labels.csv',
    files: { 'labels.csv': 'cat,40,30,80,60,a.jpg,160,120\ndog,1,2,3,4,b.jpg,160,120\n' },
    want: ['a.jpg - cat 40 30 120 90 160×120', 'b.jpg - dog 1 2 4 6 160×120'],
  },
  {
    what: "csv: AutoML's rows of two and of four corners",
    format: 'csv',
    path: 'a.csv',
    files: {
      'a.csv':
        'TRAIN,gs://bucket/a.jpg,cat,0.25,0.25,,,0.75,0.75,,\nVALIDATE,gs://bucket/b.jpg,cat,0.1,0.1,0.3,0.1,0.3,0.3,0.1,0.3\n',
    },
    want: ['gs://bucket/a.jpg train cat 0.25 0.25 0.75 0.75', 'gs://bucket/b.jpg val cat 0.1 0.1 0.3 0.3'],
    told: ['box-in-fractions', 'box-in-fractions'],
  },
  {
    what: "csv: keras-retinanet's rows, pictures without an object too",
    format: 'csv',
    path: 'annotations.csv',
    files: { 'annotations.csv': '/data/a.jpg,40,30,120,90,cat\n/data/b.jpg,,,,,\n' },
    want: ['/data/a.jpg - cat 40 30 120 90', '/data/b.jpg'],
  },
  {
    what: 'csv: an address of AutoML and its class',
    format: 'csv',
    path: 'a.csv',
    files: { 'a.csv': 'gs://bucket/a.jpg,cat\ngs://bucket/b.jpg,dog\n' },
    want: ['gs://bucket/a.jpg - cat', 'gs://bucket/b.jpg - dog'],
  },
];

const OTHERS: readonly Layout[] = [
  {
    what: 'coco: boxes in fractions, as Azure exports them',
    format: 'coco',
    path: 'a.json',
    files: {
      'a.json': json({
        images: [
          { id: 1, file_name: 'a.jpg', width: 160, height: 120 },
          { id: 2, file_name: 'b.jpg', width: 160, height: 120 },
        ],
        annotations: [
          { id: 1, image_id: 1, category_id: 1, bbox: [0.25, 0.25, 0.5, 0.5], area: 0.25 },
          { id: 2, image_id: 2, category_id: 1, bbox: [0, 0, 1, 1] },
          { id: 3, image_id: 2, category_id: 1, bbox: [10, 10, 5, 5] },
        ],
        categories: [{ id: 1, name: 'cat' }],
      }),
    },
    want: ['a.jpg - cat 0.25 0.25 0.75 0.75 160×120', 'b.jpg - cat 0 0 1 1 160×120', 'b.jpg - cat 10 10 15 15 160×120'],
    told: ['box-in-fractions'],
  },
  {
    what: 'label-studio: completions, as annotations were called before 1.0',
    format: 'label-studio',
    path: 'a.json',
    files: {
      'a.json': json([
        {
          id: 1,
          data: { image: 'a.jpg' },
          completions: [
            {
              id: 1,
              result: [
                {
                  from_name: 'label',
                  to_name: 'image',
                  type: 'rectanglelabels',
                  original_width: 160,
                  original_height: 120,
                  value: { x: 25, y: 25, width: 50, height: 50, rotation: 0, rectanglelabels: ['cat'] },
                },
              ],
            },
          ],
        },
      ]),
    },
    want: ['a.jpg - cat 40 30 120 90 160×120'],
  },
  {
    what: "csv: Open Images' names in metadata/classes.csv, as FiftyOne lays them out",
    format: 'csv',
    files: {
      'labels/detections.csv':
        'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\n000a,xclick,/m/01yrx,1,0.25,0.75,0.25,0.75\n',
      'metadata/classes.csv': '/m/01yrx,cat\n',
      'data/000a.jpg': '',
    },
    want: ['labels/000a|000a - cat 0.25 0.25 0.75 0.75 @1'],
    told: ['file-passed-over'],
  },
  {
    what: 'dota: beside a data.yaml, as Roboflow writes it',
    format: 'dota',
    files: {
      'data.yaml': 'names: [cat]\ntrain: ../train/images\n',
      'train/labelTxt/a.txt': '1 2 9 2 9 8 1 8 cat 0\n',
      'train/images/a.jpg': '',
    },
    want: ['train/images/a|train/labelTxt/a train cat 1 2 9 8'],
  },
  {
    what: 'wider-face: in the folder of its download',
    format: 'wider-face',
    files: {
      'wider_face_split/wider_face_val_bbx_gt.txt': '0--Parade/a.jpg\n1\n1 2 3 4 0 0 0 0 0 0\n',
      'WIDER_val/images/0--Parade/a.jpg': '',
    },
    want: ['0--Parade/a.jpg val face 1 2 4 6'],
  },
];

describeRecognised('several classes in a cell', SEVERAL);
describeRecognised('tables without a header', HEADLESS);
describeRecognised('files of further tools', OTHERS);

/** What nobody reads is called what it is, by itself and in a folder; beside labels that are read it is passed over. */
const UNREAD: readonly (readonly [name: string, content: string, says: RegExp])[] = [
  ['y.json', json({ videos: [], annotations: [{ bboxes: [] }], categories: [] }), /labels of videos \(YouTube-VIS\)/],
  [
    'p.json',
    json({ images: [], annotations: [{ segments_info: [{ bbox: [1, 2, 3, 4] }] }], categories: [] }),
    /panoptic/,
  ],
  ['c.json', json({ images: [], annotations: [{ image_id: 1, caption: 'a cat' }] }), /captions/],
  ['s.json', json([{ task_id: 'x', params: {}, response: { annotations: [] } }]), /tasks of Scale/],
  ['gt/gt.txt', '1,1,40,30,80,60,1,1,1.0\n', /tracks of MOT Challenge/],
];
for (const [name, content, says] of UNREAD)
  it(`says what ${name} is, and what to do instead`, () =>
    inTemporaryFolder(async (folder) => {
      await writeFiles(folder, { [name]: content });
      for (const path of [name, '.']) await assertNotRead(join(folder, path), says);
      if (!name.endsWith('.json')) return;
      await writeFiles(folder, { 'z.json': json({ shapes: [], imagePath: 'a.jpg' }) });
      assert.equal((await recogniseFormat(folder)).format, 'labelme');
    }));
