/** Import of ONNX files made here, each with one thing that fits or does not, and of real ones where they are. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LabelsmithError } from '../errors.ts';
import { Graph } from '../onnx/ops.ts';
import { float32 } from '../onnx/tensor.ts';
import type { Dim, Value } from '../onnx/value.ts';
import { openDetector } from './detector.ts';
import { openEmbedder } from './embedder.ts';
import { type ImportOptions, importModel } from './import.ts';
import { analyse, type Declared } from './import-analysis.ts';
import { modelsList } from './list.ts';

let folder = '';
let cacheDir = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'labelsmith-import-'));
  cacheDir = join(folder, 'cache');
});
after(() => rm(folder, { recursive: true, force: true }));

/** Writes a network with one image input and gives its path. */
async function network(
  name: string,
  shape: readonly Dim[],
  build: (graph: Graph, image: Value) => void,
): Promise<string> {
  const graph = new Graph(name);
  build(graph, graph.input('image', 'float32', shape));
  const path = join(folder, name);
  await writeFile(path, graph.toModel());
  return path;
}

/** A head of constants that still depends on the image. */
function head(graph: Graph, image: Value, values: ArrayLike<number>, dims: readonly number[]): Value {
  const zero = graph.mul(graph.reduceMean(image, [0, 1, 2, 3], { keepDims: false }), graph.scalar(0));
  return graph.add(graph.constant(float32(values, dims), 'head'), zero);
}

/** 32 × 32 pixels at strides 8, 16, 32 make 16 + 4 + 1 cells; one of them sees class 1 at the middle of the first cell. */
function yoloxHead(boxes: 'cells' | 'pixels', classCount: number): Float32Array {
  const row = 5 + classCount;
  const values = new Float32Array(21 * row);
  let i = 0;
  for (const stride of [8, 16, 32]) {
    for (let y = 0; y < 32; y += stride) {
      for (let x = 0; x < 32; x += stride, i++) {
        if (boxes === 'cells') values.set([0.5, 0.5, 0, 0], i * row);
        else values.set([x + stride / 2, y + stride / 2, stride, stride], i * row);
      }
    }
  }
  values.set([0.9, 0, 0.5], 4);
  return values;
}

const yolox = (name: string, boxes: 'cells' | 'pixels', classCount: number) =>
  network(name, [1, 3, 32, 32], (graph, image) => {
    graph.output(head(graph, image, yoloxHead(boxes, classCount), [1, 21, 5 + classCount]), 'output');
  });

async function refusalOf(trying: Promise<unknown>): Promise<string> {
  const error = await trying.then(
    () => assert.fail('was not refused'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof LabelsmithError, String(error));
  return `${error.code}: ${error.message}`;
}

/** Of the analysis, here and not in a process of its own. */
function refusal(path: string, declared: Declared = {}): Promise<string> {
  return refusalOf(analyse({ path, id: 'tried', declared }));
}

describe('a detector', () => {
  for (const boxes of ['cells', 'pixels'] as const) {
    test(`with boxes in ${boxes} is recognised, kept and used`, async () => {
      const path = await yolox(`Net ${boxes}.onnx`, boxes, 2);
      const { entry, inferred } = await importModel(path, { cacheDir, classNames: ['cat', 'dog'], licence: 'MIT' });
      assert.equal(entry.id, `net-${boxes}`);
      assert.ok(entry.role === 'detector' && entry.decoder.kind === 'yolox');
      assert.equal(entry.decoder.boxes, boxes);
      assert.deepEqual(entry.decoder.strides, [8, 16, 32]);
      assert.ok(inferred.some((sentence) => sentence.includes('YOLOX')));
      await rm(path); // The cache has its own copy.
      const detector = await openDetector(entry.id, { cacheDir, threads: 1, offline: true });
      try {
        assert.match(detector.key, new RegExp(`^net-${boxes}@[0-9a-f]{16}$`));
        assert.deepEqual(detector.input.pad, [114, 114, 114]);
        const frame = { width: 64, height: 16, scaleX: 0.5, scaleY: 0.5 };
        const found = await detector.detect(new Uint8Array(32 * 32 * 3), frame);
        assert.equal(found.count, 1);
        assert.equal(detector.classNames[found.classes[0]], 'dog');
        assert.deepEqual([...found.boxes], [0, 0, 16, 16]);
        assert.ok(Math.abs(found.scores[0] - 0.45) < 1e-6);
      } finally {
        await detector.close();
      }
    });
  }

  test('is listed with its licence, or as unknown', async () => {
    await importModel(await yolox('free.onnx', 'cells', 80), { cacheDir });
    const list = await modelsList(cacheDir);
    const listed = Object.fromEntries(list.map(({ id, licence }) => [id, licence]));
    assert.equal(listed.free, 'unknown');
    assert.equal(listed['net-cells'], 'MIT');
    assert.equal(listed.centernet, 'MIT');
    assert.equal(list.find(({ id }) => id === 'free')?.cached, true);
    assert.match(list.find(({ id }) => id === 'net-cells')?.key ?? '', /^net-cells@/);
  });

  test('every refusal says what to do', async () => {
    const net = await yolox('said.onnx', 'cells', 2);
    const hintOf = async (options: ImportOptions, file = net) => {
      const error = await importModel(file, { cacheDir, ...options }).catch((refused: unknown) => refused);
      return error instanceof LabelsmithError ? (error.hint ?? 'none') : `${error}`;
    };
    assert.match(await hintOf({}, join(folder, 'nowhere.onnx')), /hf:OWNER\/REPO/);
    assert.match(await hintOf({}, folder), /Save the model as a file/);
    assert.match(await hintOf({ classNames: ['a'] }), /2 names into the file of --class-names/);
    assert.match(await hintOf({ classNames: ['a', 'b'], width: 64 }), /Leave --input-size away/);
    assert.match(await hintOf({ role: 'embedder', output: 'nothing' }), /Its outputs are output/);
    assert.match(await hintOf({ classNames: ['a', 'b'], output: 'output' }), /Say --role embedder with --output/);
    const flat = await network('flat.onnx', [1, 3072], (graph, image) => graph.output(image, 'output'));
    assert.match(await hintOf({}, flat), /Export it with one image of 3 channels/);
  });

  test('that does not fit is refused with the reason', async () => {
    assert.match(
      await refusal(await yolox('two.onnx', 'cells', 2)),
      /BAD_MODEL: two\.onnx cannot be imported: it knows 2 classes and their names were not given/,
    );
    assert.match(await refusal(join(folder, 'two.onnx'), { classNames: ['a'] }), /2 classes, and 1 name was given/);
    assert.match(
      await refusal(join(folder, 'two.onnx'), { classNames: ['a', 'b'], width: 64 }),
      /width is 32, not 64 as declared/,
    );
    const many = await network('many.onnx', [1, 3, 32, 32], (graph, image) => {
      graph.output(head(graph, image, new Float32Array(63 * 85), [1, 63, 85]), 'output');
    });
    assert.match(await refusal(many), /three boxes a cell look like YOLOv3 to YOLOv7/);
    const later = await network('later.onnx', [1, 3, 32, 32], (graph, image) => {
      graph.output(head(graph, image, new Float32Array(84 * 21), [1, 84, 21]), 'output');
    });
    assert.match(await refusal(later), /look like YOLOv8 or later/);
    const logits = await network('logits.onnx', [1, 3, 32, 32], (graph, image) => {
      graph.output(
        head(
          graph,
          image,
          yoloxHead('cells', 80).map((x) => 10 * x),
          [1, 21, 85],
        ),
        'output',
      );
    });
    assert.match(await refusal(logits), /scores are not from 0 to 1/);
    const endless = await network('endless.onnx', [1, 3, 32, 32], (graph, image) => {
      graph.output(head(graph, image, yoloxHead('cells', 80).fill(Number.POSITIVE_INFINITY), [1, 21, 85]), 'output');
    });
    assert.match(await refusal(endless), /a trial run gave/);
  });
});

describe('an input', () => {
  const pooled = (graph: Graph, image: Value) =>
    graph.output(graph.reduceMean(image, [2, 3], { keepDims: false }), 'row');

  test('of open size must be declared', async () => {
    const path = await network('open.onnx', ['n', 3, 'h', 'w'], pooled);
    assert.match(await refusal(path), /leaves its input's width open/);
    const { entry } = await importModel(path, { cacheDir, width: 48, height: 40 });
    assert.deepEqual([entry.input.width, entry.input.height], [48, 40]);
  });

  test('that is no image is refused', async () => {
    const flat = await network('flat.onnx', [1, 300], (graph, x) => graph.output(graph.identity(x), 'row'));
    assert.match(await refusal(flat), /images have 4 sizes/);
    const grey = await network('grey.onnx', [1, 1, 32, 32], pooled);
    assert.match(await refusal(grey), /no 3 channels/);
    const four = await network('four.onnx', [4, 3, 32, 32], pooled);
    assert.match(await refusal(four), /takes exactly 4 images at once/);
    const pair = await network('pair.onnx', [1, 3, 32, 32], (graph, image) => {
      graph.output(graph.add(graph.input('other', 'float32', [1, 3, 32, 32]), image), 'sum');
    });
    assert.match(await refusal(pair), /takes 2 inputs \(image, other\)/);
  });

  test('last-axis channels and declared statistics are honoured', async () => {
    const path = await network('last.onnx', ['n', 32, 32, 3], (graph, image) =>
      graph.output(graph.reduceMean(image, [1, 2], { keepDims: false }), 'row'),
    );
    const input = { colours: 'BGR', scale: 1, mean: [1, 2, 3], std: [1, 1, 1] } as const;
    await importModel(path, { cacheDir, input });
    const embedder = await openEmbedder('last', { cacheDir, threads: 1, recipe: { batch: 2 } });
    try {
      assert.equal(embedder.dimensions, 3);
      const red = new Uint8Array(32 * 32 * 3).map((_, i) => (i % 3 === 0 ? 100 : 0));
      assert.deepEqual([...(await embedder.embed(red, 1))], [-1, -2, 97]);
    } finally {
      await embedder.close();
    }
  });
});

describe('a classifier', () => {
  const build = (graph: Graph, image: Value) => {
    const features = graph.op('Flatten', [graph.reduceMean(image, [2, 3])], {}, 'features');
    const weights = graph.constant(float32([1, 0, 0, 1, 1, 1], [3, 2]), 'weights');
    graph.output(graph.add(graph.matmul(features, weights), graph.constant(float32([0, 1]), 'bias')), 'logits');
  };

  test('without class names becomes an embedder on its features', async () => {
    const path = await network('plain.onnx', ['n', 3, 16, 16], build);
    const { entry } = await importModel(path, { cacheDir });
    assert.ok(entry.role === 'embedder');
    assert.deepEqual([entry.output, entry.dimensions], ['features', 3]);
  });

  test('with class names is one, its kind of output found out', async () => {
    const path = await network('named.onnx', ['n', 3, 16, 16], build);
    const { entry } = await importModel(path, { cacheDir, classNames: ['a', 'b'] });
    assert.ok(entry.role === 'classifier');
    assert.equal(entry.outputKind, 'logits');
    const soft = await network('soft.onnx', ['n', 3, 16, 16], (graph, image) => {
      graph.output(graph.softmax(graph.reduceMean(image, [2, 3], { keepDims: false })), 'shares');
    });
    const known = (await importModel(soft, { cacheDir, classNames: ['a', 'b', 'c'] })).entry;
    assert.ok(known.role === 'classifier' && known.outputKind === 'probabilities');
  });
});

test('names: the catalogue’s are taken, another model’s needs `replace`, odd ones are refused', async () => {
  const path = await yolox('taken.onnx', 'cells', 80);
  await importModel(path, { cacheDir });
  await importModel(path, { cacheDir, licence: 'MIT' });
  const other = await yolox('other.onnx', 'pixels', 80);
  assert.match(
    await refusalOf(importModel(other, { cacheDir, name: 'taken' })),
    /REFUSED: another model was imported as taken/,
  );
  await importModel(other, { cacheDir, name: 'taken', replace: true });
  assert.match(
    await refusalOf(importModel(path, { cacheDir, name: 'centernet' })),
    /REFUSED: centernet is a model of the catalogue/,
  );
  assert.match(await refusalOf(importModel(path, { cacheDir, name: '../up' })), /USAGE/);
});

test('an entry that was changed by hand is refused with what is wrong in it', async (t) => {
  const own = join(folder, 'changed');
  await importModel(await yolox('mine.onnx', 'cells', 80), { cacheDir: own });
  const path = join(own, 'imported', 'mine.json');
  const record = JSON.parse(await readFile(path, 'utf8'));
  t.after(() => rm(own, { recursive: true }));
  for (const [change, reason] of [
    [{ input: { ...record.entry.input, width: 1e9 } }, /mine\.json .*entry\.input\.width/],
    [{ decoder: { ...record.entry.decoder, strides: [] } }, /entry\.decoder\.strides/],
    [{ role: 'oracle' }, /entry\.role/],
    [{ id: '../up' }, /entry\.id/],
  ] as const) {
    await writeFile(path, JSON.stringify({ ...record, entry: { ...record.entry, ...change } }));
    await assert.rejects(modelsList(own), { code: 'BAD_FILE', message: reason });
  }
  await writeFile(path, '{"version":');
  await assert.rejects(modelsList(own), { code: 'BAD_FILE' });
});

test('what is no ONNX file is refused, and nothing of it stays', async () => {
  const path = join(folder, 'text.onnx');
  await writeFile(path, 'not a model');
  const before = await readdir(join(cacheDir, 'imported'));
  assert.match(await refusalOf(importModel(path, { cacheDir })), /BAD_MODEL: not an ONNX model/);
  assert.match(await refusalOf(importModel(join(folder, 'none.onnx'), { cacheDir })), /NOT_FOUND/);
  assert.deepEqual(await readdir(join(cacheDir, 'imported')), before);
});

const MODELS = resolve(
  process.env.LABELSMITH_BENCH_DATA ?? resolve(import.meta.dirname, '../../../shared/data'),
  '../models',
);
const withoutModels = existsSync(MODELS) ? false : `no test models at ${MODELS} (beside LABELSMITH_BENCH_DATA)`;

test('published models', { skip: withoutModels }, async () => {
  const nano = (await importModel(join(MODELS, 'yolox_nano.onnx'), { cacheDir, licence: 'Apache-2.0' })).entry;
  assert.ok(nano.role === 'detector' && nano.decoder.kind === 'yolox');
  assert.equal(nano.decoder.boxes, 'cells');
  assert.deepEqual([nano.input.width, nano.input.colours, nano.classNames.length], [416, 'BGR', 80]);
  const mobile = (await importModel(join(MODELS, 'mobilenetv2-12-qdq.onnx'), { cacheDir, name: 'mobile' })).entry;
  assert.ok(mobile.role === 'embedder');
  assert.equal(mobile.dimensions, 1280);
  assert.match(await refusal(join(MODELS, 'FastestDet.onnx')), /758 \[1,85,22,22\] fits no decoder/);
  const again = JSON.parse(await readFile(join(cacheDir, 'imported', 'yolox_nano.json'), 'utf8'));
  assert.deepEqual(again.entry, JSON.parse(JSON.stringify(nano)));
});
