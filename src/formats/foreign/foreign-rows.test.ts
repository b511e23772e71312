/** Text with a row or a line an object or an image, of tools whose formats are only read; what is not read at all. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inTemporaryFolder, readAll, toldOf, writeFiles } from '../../../test/contracts/format.ts';
import { assertNotRead, describeRecognised, type Layout } from '../../../test/contracts/layouts.ts';
import { Reckoning } from '../reckoning.ts';
import { recogniseFormat } from '../recognise.ts';

const json = (value: unknown) => JSON.stringify(value);
const lines = (...values: unknown[]) => values.map((value) => `${json(value)}\n`).join('');

const CREATEML: readonly Layout[] = [
  {
    what: 'createml: boxes are a centre and a size; labelImg and Roboflow',
    format: 'createml',
    path: 'a.json',
    files: {
      'a.json': json([
        {
          image: 'a.jpg',
          verified: false,
          annotations: [{ label: 'cat', coordinates: { x: 30, y: 40, width: 20, height: 10 } }],
        },
        { image: 'b.jpg', annotations: [] },
      ]),
    },
    want: ['a.jpg - cat 20 35 40 45', 'b.jpg'],
  },
  {
    what: "createml: Apple's names, folders of splits, an object that cannot be read",
    format: 'createml',
    files: {
      'train/_annotations.createml.json': json([
        {
          imagefilename: 'a.jpg',
          annotation: [
            { label: 'cat', coordinates: { x: 30, y: 40, width: 20, height: 10 } },
            { label: 'cat', coordinates: { x: 30 } },
          ],
        },
      ]),
      'valid/_annotations.createml.json': json([{ image: 'b.jpg', annotations: [{ label: 'dog' }] }]),
    },
    want: ['train/a.jpg|a.jpg train cat 20 35 40 45', 'valid/b.jpg|b.jpg val dog'],
    told: ['object-unreadable'],
  },
  {
    what: 'createml: fractions of the image are taken as such; classes of an image classifier',
    format: 'createml',
    path: 'a.json',
    files: {
      'a.json': json([
        { image: 'a.jpg', annotations: [{ label: 'cat', coordinates: { x: 0.5, y: 0.5, width: 0.5, height: 0.25 } }] },
        { image: 'b.jpg', annotation: 'dog' },
      ]),
    },
    want: ['a.jpg - cat 0.25 0.375 0.75 0.625', 'b.jpg - dog'],
    told: ['box-in-fractions'],
  },
];

const KITTI_ROW = 'Car 0.00 0 -1.58 587.01 173.33 614.12 200.12 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59';
const ROWS: readonly Layout[] = [
  {
    what: 'kitti: occlusion, truncation, what is of no interest, the box in space told',
    format: 'kitti',
    files: {
      'training/label_2/000001.txt': `${KITTI_ROW}\nCyclist 0.30 2 -10 10 20 30 40 -1 -1 -1 -1000 -1000 -1000 -10\nDontCare -1 -1 -10 503.89 169.71 590.61 190.13 -1 -1 -1 -1000 -1000 -1000 -10\n`,
      'training/label_2/000002.txt': `Van 0 0 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10 0.91\nCar 1\n`,
    },
    want: [
      'training/image_2/000001|training/label_2/000001 train Car 587.01 173.33 614.12 200.12',
      'training/image_2/000001|training/label_2/000001 train Cyclist 10 20 30 40 {"truncated":true,"occluded":true,"attributes":{"truncation":0.3,"occlusion":"large"}}',
      'training/image_2/000002|training/label_2/000002 train Van 1 2 3 4 @0.91',
    ],
    told: ['attribute-passed-over', 'object-ignored', 'object-unreadable'],
  },
  {
    what: 'dota: corners, difficult ones, the head of the file',
    format: 'dota',
    files: {
      'train/labelTxt/P0001.txt':
        'imagesource:GoogleEarth\ngsd:0.146\n10.0 20.0 30.0 20.0 30.0 60.0 10.0 60.0 small-vehicle 0\n1 2 3 4 5 6 7 8 plane 1\n1 2 3 4 plane 1\n',
      'train/images/P0001.png': '',
    },
    want: [
      'train/images/P0001|train/labelTxt/P0001 train small-vehicle 10 20 30 60',
      'train/images/P0001|train/labelTxt/P0001 train plane 1 2 7 8 {"difficult":true}',
    ],
    told: ['object-unreadable'],
  },
  {
    what: 'wider-face: an image without faces, invalid faces, fewer than were said',
    format: 'wider-face',
    path: 'wider_face_train_bbx_gt.txt',
    files: {
      'wider_face_train_bbx_gt.txt':
        '0--Parade/0_Parade_marchingband_1_849.jpg\n1\n449 330 122 149 0 0 0 0 0 0 \n0--Parade/b.jpg\n0\n0 0 0 0 0 0 0 0 0 0 \n1--Handshaking/c.jpg\n2\n1 2 3 4 2 0 0 1 2 0\n5 6 7 8 0 0 0 0 0 0\n1--Handshaking/d.jpg\n3\n1 2 3 4 0 0 0 0 0 0\n',
    },
    want: [
      '0--Parade/0_Parade_marchingband_1_849.jpg train face 449 330 571 479',
      '0--Parade/b.jpg train',
      '1--Handshaking/c.jpg train face 1 2 4 6 {"difficult":true,"occluded":true,"attributes":{"blur":"heavy","occlusion":"heavy"}}',
      '1--Handshaking/c.jpg train face 5 6 12 14',
      '1--Handshaking/d.jpg train face 1 2 4 6',
    ],
    told: ['object-unreadable'],
  },
];

const METADATA = {
  'class-map': { 0: 'dog', 1: 'cat' },
  objects: [{ confidence: 0.9 }, { confidence: 0.4 }],
  type: 'groundtruth/object-detection',
  'human-annotated': 'no',
};
const MANIFESTS: readonly Layout[] = [
  {
    what: 'ground-truth: boxes with confidences, classes of images, several classes, masks told',
    format: 'ground-truth',
    path: 'output.manifest',
    files: {
      'output.manifest': lines(
        {
          'source-ref': 's3://bucket/a.jpg',
          boxes: {
            annotations: [
              { class_id: 1, left: 10, top: 20, width: 30, height: 40 },
              { class_id: 7, left: 1, top: 2, width: 3, height: 4 },
            ],
            image_size: [{ width: 100, height: 80, depth: 3 }],
          },
          'boxes-metadata': METADATA,
        },
        {
          'source-ref': 's3://bucket/b.jpg',
          kind: 0,
          'kind-metadata': {
            'class-name': 'dog',
            confidence: 0,
            type: 'groundtruth/image-classification',
            'human-annotated': 'yes',
          },
        },
        {
          'source-ref': 's3://bucket/c.jpg',
          kinds: [0, 1],
          'kinds-metadata': {
            'class-map': { 0: 'dog', 1: 'cat' },
            'confidence-map': { 0: 0.8, 1: 0.6 },
            'human-annotated': 'no',
            type: 'groundtruth/image-classification-multilabel',
          },
          notes: 'of no job',
          'mask-ref': 's3://bucket/c.png',
          'mask-ref-metadata': { 'internal-color-map': {}, type: 'groundtruth/semantic-segmentation' },
        },
        { source: 'a text' },
      ),
    },
    want: [
      's3://bucket/a.jpg - cat 10 20 40 60 @0.9 100×80',
      's3://bucket/b.jpg - dog',
      's3://bucket/c.jpg - dog',
      's3://bucket/c.jpg - cat',
    ],
    told: ['object-unreadable', 'attribute-passed-over', 'attribute-passed-over', 'row-unreadable'],
  },
  {
    what: 'vertex: boxes in fractions, classes, splits, masks told',
    format: 'vertex',
    path: 'a.jsonl',
    files: {
      'a.jsonl': lines(
        {
          imageGcsUri: 'gs://bucket/a.jpg',
          boundingBoxAnnotations: [{ displayName: 'cat', xMin: 0.1, yMin: 0.2, xMax: 0.3, yMax: 0.4 }],
          dataItemResourceLabels: { 'aiplatform.googleapis.com/ml_use': 'validation' },
        },
        { imageGcsUri: 'gs://bucket/b.jpg', classificationAnnotation: { displayName: 'dog' } },
        { imageGcsUri: 'gs://bucket/c.jpg', segmentationAnnotation: { maskGcsUri: 'gs://bucket/c.png' } },
      ),
    },
    want: ['gs://bucket/a.jpg val cat 0.1 0.2 0.3 0.4', 'gs://bucket/b.jpg - dog', 'gs://bucket/c.jpg'],
    told: ['object-elsewhere'],
  },
  {
    what: 'vertex: a folder with a file a split',
    format: 'vertex',
    files: {
      'test.jsonl': lines({ imageGcsUri: 'gs://bucket/a.jpg', classificationAnnotation: { displayName: 'cat' } }),
      'train.jsonl': lines({ imageGcsUri: 'gs://bucket/b.jpg', classificationAnnotation: { displayName: 'dog' } }),
    },
    want: ['gs://bucket/a.jpg - cat', 'gs://bucket/b.jpg - dog'],
  },
];

describeRecognised('rows and lines of other tools', [...CREATEML, ...ROWS, ...MANIFESTS]);

describe('what is not read', () => {
  for (const [name, says] of [
    ['train.tfrecord-00000-of-00002', /is a TFRecord, and is not read/],
    ['train.tfrecord', /is a TFRecord, and is not read/],
    ['project.vott', /project of VoTT, which has no regions/],
    ['labels.mat', /is a file of MATLAB/],
    ['labels.pkl', /is a pickle of Python/],
    ['labels.xlsx', /is a spreadsheet/],
  ] as const)
    it(`says of ${name} what it is, and what to do instead`, () =>
      inTemporaryFolder(async (folder) => {
        await writeFiles(folder, { [name]: 'x' });
        for (const path of [name, '.']) await assertNotRead(join(folder, path), says);
      }));

  it('takes a tree of classes with a spreadsheet in it for what it is, and tells of that', () =>
    inTemporaryFolder(async (folder) => {
      await writeFiles(folder, { 'cat/a.jpg': '', 'cat/more.mat': 'x', 'labels.xlsx': 'x' });
      assert.equal((await recogniseFormat(folder)).format, 'folders');
      const reckoning = new Reckoning();
      assert.equal((await readAll('folders', folder, { reckoning })).length, 1);
      assert.deepEqual(toldOf(reckoning), [
        'file-passed-over: labels.xlsx: it is a spreadsheet, and is not read; the folders are',
        'file-passed-over: cat/more.mat: it is a file of MATLAB, and is not read; the folders are',
      ]);
    }));

  for (const [what, files, says] of [
    ['a tree of MATLAB files alone', { 'cat/a.mat': 'x', 'dog/b.mat': 'x' }, /cat\/a\.mat is a file of MATLAB/],
    [
      'a tree of spreadsheets alone',
      { 'one/two/a.xlsx': 'x', 'three/b.xls': 'x' },
      /one\/two\/a\.xlsx is a spreadsheet/,
    ],
    // Oxford's flowers and Stanford's cars.
    ['labels beside a folder of pictures', { 'jpg/a.jpg': '', 'imagelabels.mat': 'x' }, /imagelabels\.mat is a file/],
    ['labels beside splits', { 'train/a.jpg': '', 'test/b.jpg': '', 'devkit/a.mat': 'x' }, /devkit\/a\.mat is a file/],
  ] as const)
    it(`takes ${what} for no classes`, () =>
      inTemporaryFolder(async (folder) => {
        await writeFiles(folder, files);
        await assertNotRead(folder, says);
      }));
});
