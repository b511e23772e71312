import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  brokenFiles,
  contextFor,
  inTemporaryFolder,
  readAll,
  streamOf,
  twoImages,
  writeFiles,
} from '../../../test/contracts/format.ts';
import { exportDataset } from '../../stages/export/write.ts';

describe('label-studio', () => {
  it('writes per cent, machines as predictions, polygons under their box', async () => {
    const { images, seeds } = twoImages();
    await inTemporaryFolder(async (folder) => {
      const out = join(folder, 'out');
      await exportDataset('label-studio', out, streamOf(images), contextFor(images, seeds));
      const tasks = JSON.parse(await readFile(join(out, 'tasks.json'), 'utf8')) as {
        data: Record<string, string>;
        annotations: unknown[];
        predictions: {
          result: { type: string; value: Record<string, unknown>; score?: number; parentID?: string }[];
        }[];
      }[];
      assert.equal(tasks.length, 2);
      const [{ data, annotations, predictions }] = tasks as [(typeof tasks)[number]];
      assert.equal(data.image, '/data/local-files/?d=day%201/a.jpg');
      assert.deepEqual(annotations, []);
      const results = predictions[0]?.result ?? [];
      assert.deepEqual(
        results.map(({ type }) => type),
        ['choices', 'choices', 'rectanglelabels', 'rectanglelabels', 'polygonlabels'],
      );
      // The box 10, 20 to 110, 70.5 of an image of 200×100.
      assert.deepEqual(results[2]?.value, {
        x: 5,
        y: 20,
        width: 50,
        height: 50.5,
        rotation: 0,
        rectanglelabels: ['dog'],
      });
      assert.equal(results[2]?.score, 0.9);
      assert.deepEqual(results[4]?.value.points, [
        [0, 0],
        [25, 0],
        [25, 50],
      ]);
      assert.match(await readFile(join(out, 'config.xml'), 'utf8'), /<RectangleLabels .*>\n {4}<Label value="dog"\/>/);
    });
  });

  it('reads the example of labelstud.io/guide/task_format', async () => {
    // Numbers and names of that page's example, the keys that matter.
    const task = {
      id: 1,
      data: { image: 'https://example.com/opensource/label-studio/1.jpg' },
      annotations: [
        {
          id: '1001',
          was_cancelled: false,
          result: [
            {
              from_name: 'tag',
              id: 'Dx_aB91ISN',
              to_name: 'img',
              type: 'rectanglelabels',
              value: {
                height: 10.458911419423693,
                rectanglelabels: ['Moonwalker'],
                rotation: 0,
                width: 12.4,
                x: 50.8,
                y: 5.869797225186766,
              },
            },
          ],
        },
      ],
      predictions: [
        {
          model_version: 'model 1',
          result: [
            {
              from_name: 'tag',
              id: 't5sp3TyXPo',
              type: 'rectanglelabels',
              value: {
                height: 11.612284069097889,
                rectanglelabels: ['Moonwalker'],
                rotation: 0,
                width: 39.6,
                x: 13.2,
                y: 34.702495201535505,
              },
            },
          ],
        },
      ],
    };
    await inTemporaryFolder(async (folder) => {
      await writeFiles(folder, { 'x.json': JSON.stringify([task]) });
      const [image] = await readAll('label-studio', join(folder, 'x.json'));
      assert.equal(image?.file, 'opensource/label-studio/1.jpg');
      assert.equal(image?.regions.length, 2);
      const [said, guessed] = image?.regions ?? [];
      assert.equal(said?.unit, 'fractions');
      assert.ok(Math.abs((said?.box[2] ?? 0) - 0.632) < 1e-12);
      assert.deepEqual(said?.labels[0], { className: 'Moonwalker', confidence: null, origin: null, task: null });
      assert.equal(guessed?.labels[0]?.origin, 'model');
    });
  });

  describe('a shape and its label from two tags', () => {
    // What Label Studio writes for <Rectangle name="shape"/> beside <Labels name="kind"/> and choices per region
    // (labelstud.io/tags/rectangle): each result repeats the geometry, and the id where there are ids.
    const place = { x: 50, y: 10, width: 20, height: 10, rotation: 90 };
    const size = { to_name: 'image', original_width: 200, original_height: 100 };
    const results = (place: object) => [
      { ...size, from_name: 'shape', type: 'rectangle', value: place },
      { ...size, from_name: 'kind', type: 'labels', value: { ...place, labels: ['cat'] } },
      { ...size, from_name: 'mood', type: 'choices', value: { ...place, choices: ['cross'] } },
    ];
    const regionsIn = async (task: object) => {
      let found: unknown[] = [];
      await inTemporaryFolder(async (folder) => {
        await writeFiles(folder, { 'x.json': JSON.stringify([task]) });
        const images = await readAll('label-studio', join(folder, 'x.json'));
        found = images.flatMap((image) =>
          image.regions.map(({ box, labels, details }) => [
            box.map((edge) => Number(edge.toFixed(6))),
            labels.map(({ className }) => className),
            details?.attributes,
            details?.rotatedBox?.angleDegrees,
          ]),
        );
      });
      return found;
    };
    // 40 by 10 pixels at 100, 10, turned clockwise around that corner.
    const want = [[[90, 10, 100, 50], ['cat'], { mood: 'cross' }, 90]];
    const taskOf = (result: readonly object[]) => ({ data: { image: 'a.jpg' }, annotations: [{ result }] });

    it('is one region by its id', async () => {
      assert.deepEqual(await regionsIn(taskOf(results(place).map((one) => ({ id: 'r', ...one })))), want);
    });

    it('is one region by its geometry where there are no ids, in any order', async () => {
      assert.deepEqual(await regionsIn(taskOf(results(place))), want);
      assert.deepEqual(await regionsIn(taskOf(results(place).reverse())), want);
    });

    it('is one region in JSON-MIN', async () => {
      const [shape, kind, mood] = results(place).map(({ value }) => [
        { ...value, original_width: 200, original_height: 100 },
      ]);
      assert.deepEqual(await regionsIn({ id: 1, image: 'a.jpg', annotator: 1, shape, kind, mood }), want);
    });

    it('is two where one tag drew it twice or the places differ', async () => {
      const boxes = results(place).slice(1, 2);
      assert.equal((await regionsIn(taskOf([...boxes, ...boxes]))).length, 2);
      assert.equal((await regionsIn(taskOf([...boxes, ...results({ ...place, rotation: 80 }).slice(0, 1)]))).length, 2);
    });

    it('holds for points and their label too', async () => {
      const at = { x: 50, y: 10, width: 1 };
      const point = [
        { ...size, id: 'k', from_name: 'point', type: 'keypoint', value: at },
        { ...size, id: 'k', from_name: 'kind', type: 'labels', value: { ...at, labels: ['eye'] } },
      ];
      const [region, ...others] = await regionsIn(taskOf(point));
      assert.deepEqual(others, []);
      assert.deepEqual(region, [[100, 10, 100, 10], ['eye'], undefined, undefined]);
    });
  });

  it('takes the annotation for the prediction that it was made of, and another prediction beside it', async () => {
    const box = (id: string, name: string) => {
      const value = { x: 1, y: 1, width: 20, height: 10, rectanglelabels: [name] };
      return { id, type: 'rectanglelabels', original_width: 100, original_height: 100, value };
    };
    const prediction = { id: 7, result: [box('a', 'kept'), box('b', 'deleted')] };
    const other = { id: 8, result: [box('c', 'other')] };
    const classesOf = async (annotation: object) => {
      const task = { data: { image: 'a.jpg' }, annotations: [annotation], predictions: [prediction, other] };
      let found: (string | undefined)[] = [];
      await inTemporaryFolder(async (folder) => {
        await writeFiles(folder, { 'x.json': JSON.stringify([task]) });
        const [image] = await readAll('label-studio', join(folder, 'x.json'));
        found = image?.regions.map(({ labels }) => labels[0]?.className) ?? [];
      });
      return found;
    };
    assert.deepEqual(await classesOf({ id: 1, result: [box('a', 'kept')] }), ['kept', 'other']);
    assert.deepEqual(await classesOf({ id: 1, parent_prediction: 7, result: [] }), ['other'], 'all of it was deleted');
    assert.deepEqual(
      await classesOf({ id: 1, parent_prediction: 7, was_cancelled: true, result: [] }),
      ['kept', 'deleted', 'other'],
      'one that was skipped says nothing',
    );
    assert.deepEqual(await classesOf({ id: 1, result: [box('z', 'new')] }), ['new', 'kept', 'deleted', 'other']);
  });

  it('turns rectangles clockwise around their top left, and takes uploads by their names', async () => {
    const value = { x: 50, y: 50, width: 20, height: 10, rotation: 90, rectanglelabels: ['a'] };
    const result = { id: 'r', type: 'rectanglelabels', original_width: 100, original_height: 100, value };
    const choice = { id: 'c', type: 'choices', value: { choices: ['b', 'c'] } };
    const task = {
      data: { image: '/data/upload/3/0a1b2c3d-my%20dog.jpg' },
      annotations: [{ result: [result, choice] }],
    };
    await inTemporaryFolder(async (folder) => {
      await writeFiles(folder, { 'x.json': JSON.stringify([task]) });
      const [image] = await readAll('label-studio', join(folder, 'x.json'));
      assert.equal(image?.file, 'my dog.jpg');
      // By Label Studio's documentation x, y is the corner the box is turned about: 90° puts it to the left and below.
      assert.deepEqual(
        image?.regions[0]?.box.map((edge) => Math.round(edge)),
        [40, 50, 50, 70],
      );
      assert.deepEqual(
        image?.labels.map(({ className }) => className),
        ['b', 'c'],
      );
    });
  });
});

const withResult = (result: string) => ({
  'x.json': `[{"data":{"image":"a.jpg"},"annotations":[{"result":[${result}]}]}]`,
});
const box = (value: string) =>
  withResult(`{"id":"r","type":"rectanglelabels","original_width":10,"original_height":10,"value":{${value}}}`);

brokenFiles('label-studio', [
  { what: 'an object', files: { 'x.json': '{"a":1}' }, path: 'x.json', message: /x\.json .*a JSON list was expected/ },
  {
    what: 'cut',
    files: { 'x.json': '[{"data":{"image":"a"}},{"da' },
    path: 'x.json',
    message: /x\.json \[1\] .*it is cut/,
  },
  { what: 'no data', files: { 'x.json': '[{}]' }, path: 'x.json', message: /\[0\]\.data: no key of it names an image/ },
  {
    what: 'NaN',
    files: box('"x":NaN,"y":0,"width":1,"height":1,"rectanglelabels":["a"]'),
    path: 'x.json',
    message: /value\.x: a finite number was expected, not null/,
  },
  {
    what: 'a wrong type',
    files: box('"x":"1","y":0,"width":1,"height":1,"rectanglelabels":["a"]'),
    path: 'x.json',
    message: /annotations\[0\]\.result\[0\]\.value\.x: a finite number was expected, not "1"/,
  },
  {
    what: 'a negative size',
    files: box('"x":1,"y":0,"width":-1,"height":1,"rectanglelabels":["a"]'),
    path: 'x.json',
    message: /result\[0\]: \[0\.1,0,0,0\.1\]$/,
  },
  {
    what: 'a brush that is cut',
    files: withResult(
      '{"id":"r","type":"brushlabels","original_width":2,"original_height":2,"value":{"rle":[0,0,0,16],"brushlabels":["a"]}}',
    ),
    path: 'x.json',
    message: /value\.rle: the run lengths do not hold the 2×2 pixels/,
  },
  {
    what: 'a shape nobody knows',
    files: withResult('{"id":"r","type":"vectorlabels","value":{}}'),
    path: 'x.json',
    message: /result\[0\]\.type: "vectorlabels" is no shape that can be read/,
  },
]);
