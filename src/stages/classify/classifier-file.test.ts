import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { LabelsmithError } from '../../errors.ts';
import { softmaxRows } from '../../math/calibration.ts';
import { type Head, headLogits } from '../../math/heads/head.ts';
import type { LinearHead } from '../../math/heads/linear-head.ts';
import { newSharedMatrix } from '../../math/matrix.ts';
import { Graph } from '../../onnx/ops.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { decodeModel, encodeModel } from '../../onnx/proto.ts';
import { centreAndNormalise } from '../embed/recipe.ts';
import { type ClassifierInfo, classifierInfo, classifierModel, openClassifier } from './classifier-file.ts';

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 1 });
});
after(() => pool.close());

/** The pixels of a 2 × 2 image as they are. */
function pixelEmbedder(): Uint8Array {
  const g = new Graph('pixel-embedder');
  const pixels = g.input('pixels', 'uint8', [1, 2, 2, 3]);
  g.output(g.reshape(g.cast(pixels, 'float32'), [1, 12]), 'embedding');
  return g.toModel();
}

const random = seededRandom(3);
function layer(rows: number, columns: number): LinearHead {
  const weights = newSharedMatrix(rows, columns);
  for (let i = 0; i < weights.data.length; i++) weights.data[i] = 3 * (random() - 0.5);
  return { weights, bias: Float32Array.from({ length: rows }, () => random() - 0.5) };
}

const INFO: ClassifierInfo = {
  version: 1,
  task: 'class',
  items: 'images',
  classNames: ['a', 'ünï "b"', 'c'],
  input: { width: 2, height: 2, fit: 'cover', pad: [0, 0, 0], kernel: 'linear' },
  margin: null,
  embedder: 'pixels@1',
  space: 'pixels@1',
  temperature: 0.7,
  threshold: 0.8,
  training: {},
};

const HEADS: readonly Head[] = [
  { kind: 'linear', ...layer(3, 12) },
  { kind: 'mlp', hidden: layer(5, 12), output: layer(3, 5) },
];

for (const head of HEADS) {
  test(`${head.kind} head: the file says what head, recipe and temperature say one after the other`, async () => {
    const recipe = {
      blocks: [
        { columns: 8, weight: 1 },
        { columns: 4, weight: 0.5 },
      ],
    };
    const mean = Float32Array.from({ length: 12 }, (_, i) => 100 + i);
    const bytes = classifierModel({ info: INFO, recipe, mean, head, embedder: pixelEmbedder() });
    assert.deepEqual(classifierInfo(bytes, 'it'), INFO);
    const data = Uint8Array.from({ length: 12 }, (_, i) => (i * 53) % 256);
    const model = await pool.load(bytes, { key: `classifier-test ${head.kind}` });
    const feeds = { pixels: { dtype: 'uint8', data, dims: [1, 2, 2, 3] } } as const;
    const { probabilities } = await pool.run(model, feeds, ['probabilities']);
    const vector = newSharedMatrix(1, 12);
    vector.data.set(data);
    centreAndNormalise(vector, recipe, mean);
    const expected = softmaxRows(await headLogits(pool, head, vector), INFO.temperature).data;
    for (const [i, p] of expected.entries()) assert.ok(Math.abs(p - Number(probabilities?.data[i])) < 1e-5);
  });
}

const RECIPE = { blocks: [{ columns: 12, weight: 1 }] };

/** A file whose metadata is `change`d. */
async function fileWith(t: TestContext, change: (info: Record<string, unknown>) => unknown): Promise<string> {
  const head: Head = { kind: 'linear', ...layer(3, 12) };
  const mean = new Float32Array(12);
  const model = decodeModel(classifierModel({ info: INFO, recipe: RECIPE, mean, head, embedder: pixelEmbedder() }));
  for (const entry of model.metadataProps ?? []) {
    if (entry.key !== 'classifier') continue;
    const changed = change({ ...INFO });
    entry.value = typeof changed === 'string' ? changed : JSON.stringify(changed);
  }
  const folder = await mkdtemp(join(tmpdir(), 'labelsmith-classifier-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'it.onnx'), encodeModel(model));
  return join(folder, 'it.onnx');
}

const ODD: Readonly<Record<string, readonly [change: (info: Record<string, unknown>) => unknown, reason: RegExp]>> = {
  'no class names': [({ classNames: _, ...rest }) => rest, /classNames: is missing/],
  'too few class names': [
    (info) => ({ ...info, classNames: ['a'] }),
    /tells 3 classes apart, and its metadata names 1/,
  ],
  'far too many class names': [
    (info) => ({ ...info, classNames: Array.from({ length: 100_000 }, (_, i) => `c${i}`) }),
    /tells 3 classes apart, and its metadata names 100000/,
  ],
  'names that are none': [
    (info) => ({ ...info, classNames: ['a', 'b', '\u200b'] }),
    /classNames\[2\]: the class name is empty/,
  ],
  'one name for two classes': [(info) => ({ ...info, classNames: ['a', 'b ', 'b'] }), /a class is named twice/],
  'names of another kind': [(info) => ({ ...info, classNames: [1, 2, 3] }), /classNames\[0\]: expected string/],
  'another size of image': [
    (info) => ({ ...info, input: { ...INFO.input, width: 3 } }),
    /its input is \[1,2,2,3\], and its metadata says 3 × 2 pixels/,
  ],
  'an image without end': [(info) => ({ ...info, input: { ...INFO.input, height: 1e9 } }), /input\.height/],
  'a temperature of 0': [(info) => ({ ...info, temperature: 0 }), /temperature/],
  'another version': [(info) => ({ ...info, version: 2 }), /version: expected 1/],
  'no JSON': [() => '{"version":', /is no JSON/],
  'depth without end': [() => `${'['.repeat(100_000)}${']'.repeat(100_000)}`, /its metadata/],
  nothing: [() => 'null', /its metadata: expected object/],
};

for (const [name, [change, reason]] of Object.entries(ODD)) {
  test(`a file whose metadata has ${name} is refused with the reason`, async (t) => {
    const path = await fileWith(t, change);
    const error: unknown = await openClassifier(path, { threads: 1 }).then(
      ({ close }) => close(),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof LabelsmithError && error.code === 'BAD_MODEL', String(error));
    assert.match(error.message, /it\.onnx is not a classifier of labelsmith/);
    assert.match(error.message, reason);
    assert.match(error.hint ?? '', /teach rounds/);
  });
}

test('a file as it was made is opened, and one with weights elsewhere is not', async (t) => {
  const path = await fileWith(t, (info) => info);
  const classifier = await openClassifier(path, { threads: 1 });
  assert.equal((await classifier.classify(new Uint8Array(12))).length, 3);
  await classifier.close();
  const model = decodeModel(new Uint8Array(await readFile(path)));
  const [tensor] = model.graph?.initializer ?? [];
  assert.ok(tensor);
  Object.assign(tensor, { rawData: undefined, dataLocation: 1, externalData: [{ key: 'location', value: 'passwd' }] });
  await writeFile(path, encodeModel(model));
  await assert.rejects(openClassifier(path), { code: 'BAD_MODEL', message: /weights in another file \(passwd\)/ });
});

test('one with a loop, inside of a branch too, is not opened', async (t) => {
  const path = await fileWith(t, (info) => info);
  const model = decodeModel(new Uint8Array(await readFile(path)));
  const loop = { opType: 'Loop', input: ['', '', 'x'], output: ['y'] };
  const branch = { name: 'branch', node: [loop] };
  for (const node of [
    loop,
    { opType: 'If', input: ['c'], output: ['y'], attribute: [{ name: 'then_branch', g: branch, type: 5 }] },
  ]) {
    const { graph } = model;
    await writeFile(path, encodeModel({ ...model, graph: { ...graph, node: [...(graph?.node ?? []), node] } }));
    await assert.rejects(openClassifier(path), { code: 'BAD_MODEL', message: /holds a loop, which may never end/ });
  }
});
