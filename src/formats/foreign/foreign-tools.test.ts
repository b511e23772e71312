/** JSON of tools that label images, a file an image or a project: what has to come out is what the definition in each reader says. */
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describeRecognised, type Layout } from '../../../test/contracts/layouts.ts';

const json = (value: unknown) => JSON.stringify(value);
const lines = (...values: unknown[]) => values.map((value) => `${json(value)}\n`).join('');

const vottAsset = (name: string, regions: unknown[], state = 2) => ({
  asset: {
    format: 'jpg',
    id: name,
    name,
    path: `file:/data/${name}`,
    size: { width: 100, height: 80 },
    state,
    type: 1,
  },
  regions,
  version: '2.2.0',
});
const corner = { left: 10, top: 20, width: 30, height: 40 };
const VOTT: readonly Layout[] = [
  {
    what: 'vott: several tags, polygons, what nobody opened',
    format: 'vott',
    path: 'a.json',
    files: {
      'a.json': json({
        name: 'project',
        securityToken: 'Token',
        tags: [{ name: 'cat' }],
        assets: {
          one: vottAsset('a b.jpg', [
            { id: 'r', type: 'RECTANGLE', tags: ['cat', 'black'], boundingBox: corner, points: [] },
            {
              id: 's',
              type: 'POLYGON',
              tags: ['cat'],
              boundingBox: corner,
              points: [
                { x: 1, y: 2 },
                { x: 5, y: 2 },
                { x: 5, y: 9 },
              ],
            },
            { id: 'p', type: 'POINT', tags: ['eye'], points: [{ x: 4, y: 6 }] },
            { id: 't', type: 'RECTANGLE', tags: [], boundingBox: corner },
          ]),
          two: vottAsset('b.jpg', [], 0),
        },
      }),
    },
    want: [
      'a b.jpg|/data/a b.jpg - cat 10 20 40 60 100×80',
      'a b.jpg|/data/a b.jpg - cat 1 2 5 9 100×80',
      'a b.jpg|/data/a b.jpg - eye 4 6 4 6 k2 100×80',
      'b.jpg|/data/b.jpg',
    ],
    told: ['object-unreadable', 'image-not-labelled'],
  },
  {
    what: 'vott: a file an asset',
    format: 'vott',
    files: { 'f00-asset.json': json(vottAsset('a.jpg', [{ type: 'SQUARE', tags: ['cat'], boundingBox: corner }])) },
    want: ['a.jpg|/data/a.jpg - cat 10 20 40 60 100×80'],
  },
];

// Three pixels in an L: (0, 0), (0, 1), (1, 1).
const bitmap = await sharp(Buffer.from([255, 0, 255, 255]), { raw: { width: 2, height: 2, channels: 1 } })
  .png()
  .toBuffer();
const SUPERVISELY: readonly Layout[] = [
  {
    what: 'supervisely: rectangles, polygons with a hole, bitmaps, tags of objects and of images',
    format: 'supervisely',
    files: {
      'meta.json': '{"classes":[],"tags":[]}',
      'train/ann/a.jpg.json': json({
        description: '',
        tags: [
          { name: 'sunny', value: null },
          { name: 'hour', value: 7 },
        ],
        size: { height: 80, width: 100 },
        objects: [
          {
            geometryType: 'rectangle',
            classTitle: 'cat',
            tags: [{ name: 'colour', value: 'red' }],
            points: {
              exterior: [
                [10, 20],
                [30, 40],
              ],
              interior: [],
            },
          },
          {
            geometryType: 'polygon',
            classTitle: 'dog',
            tags: [],
            points: {
              exterior: [
                [1, 2],
                [9, 2],
                [9, 8],
              ],
              interior: [
                [
                  [4, 3],
                  [5, 3],
                  [5, 4],
                ],
              ],
            },
          },
          {
            geometryType: 'bitmap',
            classTitle: 'cow',
            tags: [],
            bitmap: { origin: [50, 60], data: deflateSync(bitmap).toString('base64') },
          },
          { geometryType: 'point', classTitle: 'eye', tags: [], points: { exterior: [] } },
          { geometryType: 'cuboid', classTitle: 'box', tags: [], points: { exterior: [] } },
        ],
      }),
      'train/img/a.jpg': '',
    },
    want: [
      'train/img/a.jpg|train/images/a.jpg|a.jpg train cat 10 20 30 40 {"attributes":{"colour":"red"}} 100×80',
      'train/img/a.jpg|train/images/a.jpg|a.jpg train dog 1 2 9 8 100×80',
      'train/img/a.jpg|train/images/a.jpg|a.jpg train cow 50 60 52 62 100×80',
      'train/img/a.jpg|train/images/a.jpg|a.jpg train sunny',
    ],
    told: ['hole-filled', 'object-unreadable', 'object-unreadable'],
  },
];

const DARWIN: readonly Layout[] = [
  {
    what: 'darwin 2: boxes with polygons are one region; tags, skeletons, annotators; masks told',
    format: 'darwin',
    path: 'a.json',
    files: {
      'a.json': json({
        version: '2.0',
        item: { name: 'a.jpg', path: '/birds', slots: [{ type: 'image', slot_name: '0', width: 100, height: 80 }] },
        annotations: [
          {
            name: 'cat',
            bounding_box: { x: 1, y: 2, w: 8, h: 6 },
            polygon: {
              paths: [
                [
                  { x: 1, y: 2 },
                  { x: 9, y: 2 },
                  { x: 9, y: 8 },
                ],
              ],
            },
            instance_id: { value: 3 },
            annotators: [{ email: 'ann@example.org' }],
          },
          { name: 'sunny', tag: {} },
          {
            name: 'dog',
            bounding_box: { x: 1, y: 2, w: 8, h: 6 },
            skeleton: {
              nodes: [
                { name: 'a', x: 2, y: 3, occluded: true },
                { name: 'b', x: 4, y: 5 },
              ],
            },
          },
          { name: '__raster_layer__', raster_layer: { dense_rle: [0, 4] } },
        ],
      }),
    },
    want: [
      'birds/a.jpg|a.jpg - cat 1 2 9 8 {"attributes":{"instance_id":3}} 100×80',
      'birds/a.jpg|a.jpg - dog 1 2 9 8 k1,2 100×80',
      'birds/a.jpg|a.jpg - sunny',
    ],
    told: ['object-unreadable'],
  },
  {
    what: 'darwin 1: a path and further ones',
    format: 'darwin',
    path: 'a.json',
    files: {
      'a.json': json({
        dataset: 'set',
        image: {
          filename: 'a.jpg',
          original_filename: 'a.jpg',
          path: '/',
          width: 100,
          height: 80,
          workview_url: 'https://darwin.v7labs.com',
        },
        annotations: [
          {
            name: 'cat',
            polygon: {
              path: [
                { x: 1, y: 2 },
                { x: 9, y: 2 },
                { x: 9, y: 8 },
              ],
              additional_paths: [
                [
                  { x: 20, y: 20 },
                  { x: 30, y: 20 },
                  { x: 30, y: 30 },
                ],
                [
                  { x: 6, y: 3 },
                  { x: 7, y: 3 },
                  { x: 7, y: 4 },
                ],
              ],
            },
            text: { text: 'of a neighbour' },
          },
        ],
      }),
    },
    want: ['a.jpg - cat 1 2 30 30 100×80'],
    told: ['hole-filled', 'attribute-passed-over'],
  },
];

const LABELBOX: readonly Layout[] = [
  {
    what: 'labelbox: objects with answers, classes of images, masks at an address told',
    format: 'labelbox',
    path: 'a.ndjson',
    files: {
      'a.ndjson': lines({
        data_row: {
          id: 'x',
          external_id: 'a.jpg',
          row_data: 'https://storage.example/a.jpg',
          details: { dataset_split: 'Validate' },
        },
        media_attributes: { width: 100, height: 80 },
        projects: {
          p1: {
            labels: [
              {
                label_details: { created_by: 'ann@example.org' },
                annotations: {
                  objects: [
                    {
                      name: 'cat',
                      bounding_box: { top: 20, left: 10, height: 40, width: 30 },
                      classifications: [{ name: 'colour', radio_answer: { name: 'red', classifications: [] } }],
                    },
                    {
                      name: 'dog',
                      polygon: [
                        { x: 1, y: 2 },
                        { x: 9, y: 2 },
                        { x: 9, y: 8 },
                      ],
                    },
                    { name: 'cow', mask: { url: 'https://api.labelbox.com/masks/1' } },
                  ],
                  classifications: [
                    { name: 'weather', checklist_answers: [{ name: 'sunny' }, { name: 'warm' }] },
                    { name: 'remark', text_answer: { content: 'nice' } },
                  ],
                },
              },
            ],
          },
        },
      }),
    },
    want: [
      'a.jpg|https://storage.example/a.jpg val cat 10 20 40 60 {"attributes":{"colour":"red"}} 100×80',
      'a.jpg|https://storage.example/a.jpg val dog 1 2 9 8 100×80',
      'a.jpg|https://storage.example/a.jpg val sunny',
      'a.jpg|https://storage.example/a.jpg val warm',
    ],
    told: ['object-elsewhere', 'attribute-passed-over'],
  },
  {
    what: 'labelbox: the older list',
    format: 'labelbox',
    path: 'a.json',
    files: {
      'a.json': json([
        {
          ID: '1',
          'External ID': 'a.jpg',
          'Labeled Data': 'https://storage.example/a.jpg',
          Label: {
            objects: [{ title: 'cat', value: 'cat', bbox: { top: 20, left: 10, height: 40, width: 30 } }],
            classifications: [{ title: 'Kind', value: 'kind', answer: { title: 'pet', value: 'pet' } }],
          },
        },
        { ID: '2', 'External ID': 'b.jpg', 'Labeled Data': 'https://storage.example/b.jpg', Label: 'Skip' },
      ]),
    },
    want: [
      'a.jpg|https://storage.example/a.jpg - cat 10 20 40 60',
      'a.jpg|https://storage.example/a.jpg - pet',
      'b.jpg|https://storage.example/b.jpg',
    ],
    told: ['image-not-labelled'],
  },
];

describeRecognised('JSON of labelling tools', [...VOTT, ...SUPERVISELY, ...DARWIN, ...LABELBOX]);
