/** Files of data sets of streets and of Datumaro, whose formats are only read; and that each such reader is tried. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { describeRecognised, type Layout } from '../../../test/contracts/layouts.ts';
import { FOREIGN_READERS } from './table.ts';

const json = (value: unknown) => JSON.stringify(value);

const FRAMES: readonly Layout[] = [
  {
    what: 'bdd100k: boxes and areas, lanes as boxes, curves and masks told, attributes of frames',
    format: 'bdd100k',
    path: 'bdd100k_labels_images_val.json',
    files: {
      'bdd100k_labels_images_val.json': json([
        {
          name: 'a.jpg',
          attributes: { weather: 'clear' },
          labels: [
            {
              category: 'car',
              attributes: { occluded: true, truncated: false, trafficLightColor: 'none' },
              box2d: { x1: 1, y1: 2, x2: 9, y2: 8 },
            },
            {
              category: 'drivable area',
              attributes: {},
              poly2d: [
                {
                  vertices: [
                    [1, 2],
                    [9, 2],
                    [9, 8],
                  ],
                  types: 'LCC',
                  closed: true,
                },
              ],
            },
            {
              category: 'lane',
              attributes: {},
              poly2d: [
                {
                  vertices: [
                    [1, 2],
                    [9, 8],
                  ],
                  types: 'LL',
                  closed: false,
                },
              ],
            },
            { category: 'sky' },
            { category: 'bus', box2d: { x1: 1, y1: 2, x2: 9, y2: 8 }, rle: { counts: 'a', size: [4, 3] } },
          ],
        },
        { name: 'b.jpg', labels: null },
      ]),
    },
    want: [
      'a.jpg val car 1 2 9 8 {"occluded":true,"attributes":{"trafficLightColor":"none"}}',
      'a.jpg val drivable area 1 2 9 8',
      'a.jpg val lane 1 2 9 8',
      'a.jpg val bus 1 2 9 8',
      'b.jpg val',
    ],
    told: ['shape-as-box', 'curve-as-lines', 'attribute-passed-over', 'object-unreadable'],
  },
  {
    what: 'bdd100k: an object with frames',
    format: 'bdd100k',
    path: 'a.json',
    files: {
      'a.json': json({
        frames: [{ name: 'a.jpg', labels: [{ category: 'car', box2d: { x1: 1, y1: 2, x2: 9, y2: 8 } }] }],
        config: {},
      }),
    },
    want: ['a.jpg - car 1 2 9 8'],
  },
  {
    what: 'datumaro: one region of a group, masks, classes of images',
    format: 'datumaro',
    files: {
      'annotations/train.json': json({
        info: {},
        categories: {
          label: {
            labels: [
              { name: 'cat', parent: '' },
              { name: 'dog', parent: 'pet' },
            ],
          },
        },
        items: [
          {
            id: 'a',
            attr: { frame: 3 },
            annotations: [
              {
                id: 1,
                type: 'bbox',
                attributes: { occluded: true, score: 0.5 },
                group: 1,
                label_id: 0,
                bbox: [1, 2, 8, 6],
              },
              { id: 1, type: 'polygon', attributes: {}, group: 1, label_id: 0, points: [1, 2, 9, 2, 9, 8] },
              { id: 2, type: 'mask', attributes: {}, group: 0, label_id: 1, rle: { counts: [5, 2, 5], size: [4, 3] } },
              { id: 3, type: 'label', attributes: {}, group: 0, label_id: 1 },
              { id: 5, type: 'mask', attributes: {}, group: 0, label_id: 1, rle: { counts: [5, 2, 5], size: [4] } },
              { id: 4, type: 'caption', group: 0, label_id: 9, caption: 'a cat' },
            ],
            image: { path: 'a.jpg', size: [4, 3] },
          },
        ],
      }),
    },
    want: [
      'images/train/a.jpg|a.jpg|a train cat 1 2 9 8 @0.5 {"occluded":true} 3×4',
      'images/train/a.jpg|a.jpg|a train dog 1 1 2 3 3×4',
      'images/train/a.jpg|a.jpg|a train dog',
    ],
    told: ['attribute-passed-over', 'attribute-passed-over', 'object-unreadable', 'object-unreadable'],
  },
];

const CITYSCAPES: readonly Layout[] = [
  {
    what: 'cityscapes: polygons, groups as crowds, what is out of the region of interest',
    format: 'cityscapes',
    files: {
      'gtFine/train/aachen/aachen_000000_000019_gtFine_polygons.json': json({
        imgHeight: 80,
        imgWidth: 100,
        objects: [
          {
            label: 'road',
            polygon: [
              [0, 40],
              [100, 40],
              [100, 80],
              [0, 80],
            ],
          },
          {
            label: 'cargroup',
            polygon: [
              [1, 2],
              [9, 2],
              [9, 8],
            ],
          },
          {
            label: 'out of roi',
            polygon: [
              [0, 0],
              [100, 0],
              [100, 5],
            ],
          },
        ],
      }),
    },
    want: ['road 0 40 100 80', 'car 1 2 9 8'].map(
      (rest) =>
        `leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit|aachen_000000_000019_leftImg8bit|aachen_000000_000019 train ${rest} 100×80`,
    ),
    told: ['object-ignored'],
  },
];

describeRecognised('frames of data sets', [...FRAMES, ...CITYSCAPES]);

test('a file of each reader is tried', async () => {
  const tests = (await readdir(import.meta.dirname)).filter((name) => name.endsWith('.test.ts'));
  const text = (await Promise.all(tests.map((name) => readFile(`${import.meta.dirname}/${name}`, 'utf8')))).join('');
  const missing = FOREIGN_READERS.filter(({ name }) => !text.includes(`format: '${name}',`));
  assert.deepEqual(missing, []);
});
