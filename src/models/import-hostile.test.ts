/** ONNX files that mean harm, or bring their weights along in other files. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { LabelsmithError } from '../errors.ts';
import { Graph } from '../onnx/ops.ts';
import { decodeModel, encodeModel, type GraphProto, type TensorProto } from '../onnx/proto.ts';
import { bool, float32, int64 } from '../onnx/tensor.ts';
import type { Value } from '../onnx/value.ts';
import { openEmbedder } from './embedder.ts';
import { type ImportOptions, importModel } from './import.ts';

let folder = '';
let cacheDir = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'labelsmith-hostile-'));
  cacheDir = join(folder, 'cache');
});
after(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, model: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, model);
  return path;
}

async function refusal(path: string, options: ImportOptions = {}): Promise<LabelsmithError> {
  const error = await importModel(path, { cacheDir, role: 'embedder', ...options }).then(
    () => assert.fail('was not refused'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof LabelsmithError, String(error));
  assert.deepEqual(await readdir(join(cacheDir, 'imported')).catch(() => []), []);
  return error;
}

/** Row means of the image, through an operator that is made by `build`. */
function network(build: (g: Graph, row: Value) => Value): Graph {
  const g = new Graph('hostile');
  const image = g.input('image', 'float32', [1, 3, 8, 8]);
  g.output(build(g, g.reduceMean(image, [2, 3], { keepDims: false })), 'row');
  return g;
}

/** A loop of 2⁶³ − 1 turns, each of which takes the sine. */
function endless(): Uint8Array {
  const type = (elemType: number, ...dims: readonly bigint[]) => ({
    tensorType: { elemType, shape: { dim: dims.map((dimValue) => ({ dimValue })) } },
  });
  const body: GraphProto = {
    name: 'turn',
    input: [
      { name: 'i', type: type(7) },
      { name: 'go', type: type(9) },
      { name: 'x', type: type(1, 1n, 3n) },
    ],
    node: [
      { opType: 'Identity', input: ['go'], output: ['goOn'] },
      { opType: 'Sin', input: ['x'], output: ['y'] },
    ],
    output: [
      { name: 'goOn', type: type(9) },
      { name: 'y', type: type(1, 1n, 3n) },
    ],
  };
  return network((g, row) => {
    const turns = g.constant(int64(BigInt64Array.of(2n ** 63n - 1n), []));
    return g.op('Loop', [turns, g.constant(bool([1], [])), row], { body: { graph: body } });
  }).toModel();
}

test('a loop that never ends is stopped after the time, and by a signal at once', async () => {
  const path = await write('loop.onnx', endless());
  const error = await refusal(path, { timeoutMs: 3000 });
  assert.equal(error.code, 'BAD_MODEL');
  assert.match(error.message, /loop\.onnx cannot be imported: it was stopped: it took more than 3 s/);
  const begunMs = performance.now();
  const stopped = importModel(path, { cacheDir, role: 'embedder', signal: AbortSignal.timeout(1500) });
  await assert.rejects(stopped, { name: 'TimeoutError' });
  assert.ok(performance.now() - begunMs < 10_000);
});

test('a graph that fills the memory is stopped', async () => {
  // 3 · 2²⁹ sums: 6 GB each, if anybody let them.
  const path = await write(
    'swell.onnx',
    network((g, row) => {
      const wide = g.op('Expand', [g.reshape(row, [3, 1]), g.op('Mul', [g.ints([1, 2 ** 20]), g.ints([1, 2 ** 9])])]);
      return g.reshape(g.reduceSum(g.add(wide, wide), [1], { keepDims: false }), [1, 3]);
    }).toModel(),
  );
  const error = await refusal(path, { maxMemoryBytes: 600e6 });
  assert.match(error.message, /it took more than 572 MB of memory/);
});

/** The network with its first constant of numbers in a file, as `change` names it. */
function withWeightsOutside(change: (tensor: TensorProto, bytes: Uint8Array) => void): Uint8Array {
  const weights = float32([1, 2, 3, 4, 5, 6], [3, 2]);
  const model = decodeModel(network((g, row) => g.matmul(row, g.constant(weights, 'weights'))).toModel());
  const tensor = model.graph?.initializer?.find(({ name }) => name === 'weights') ?? assert.fail('no weights');
  const bytes = tensor.rawData ?? assert.fail('no bytes');
  tensor.rawData = undefined;
  tensor.dataLocation = 1;
  change(tensor, bytes);
  return encodeModel(model);
}

const outside = (location: string, length = '24', offset = '0') =>
  withWeightsOutside((tensor) => {
    tensor.externalData = Object.entries({ location, offset, length }).map(([key, value]) => ({ key, value }));
  });

const WEIGHTS = new Uint8Array(Float32Array.of(9, 9, 1, 2, 3, 4, 5, 6).buffer);

test('weights in a file beside the model are taken in, and are part of what is hashed', async () => {
  const own = join(folder, 'own');
  await mkdir(own);
  await writeFile(join(own, 'net.onnx'), outside('net.bin', '24', '8'));
  await writeFile(join(own, 'net.bin'), WEIGHTS);
  const input = { scale: 1, mean: [0, 0, 0], std: [1, 1, 1] };
  const { entry, inferred } = await importModel(join(own, 'net.onnx'), {
    cacheDir: join(folder, 'own-cache'),
    role: 'embedder',
    output: 'row',
    input,
  });
  assert.equal(entry.source.files.length, 2);
  assert.ok(inferred.includes('its weights are in 1 more files, which were taken in'));
  await rm(own, { recursive: true });
  const embedder = await openEmbedder('net', { cacheDir: join(folder, 'own-cache'), threads: 1, offline: true });
  // The row of means is [1, 1, 1], so that each number is a column's sum.
  assert.deepEqual([...(await embedder.embed(new Uint8Array(8 * 8 * 3).fill(1), 1))], [9, 12]);
  await embedder.close();
});

test('weights from anywhere else are refused', async () => {
  await writeFile(join(folder, 'secret'), WEIGHTS);
  const inner = join(folder, 'inner');
  await mkdir(inner);
  await symlink(join(folder, 'secret'), join(inner, 'link.bin'));
  const tries: readonly (readonly [location: string, model: Uint8Array, reason: RegExp])[] = [
    ['up', outside('../secret'), /"\.\.\/secret", which is not a file beside the model/],
    ['absolute', outside(join(folder, 'secret')), /which is not a file beside the model/],
    ['windows', outside('C:secret'), /which is not a file beside the model/],
    ['link', outside('link.bin'), /link\.bin, which is a link to elsewhere/],
    ['absent', outside('none.bin'), /none\.bin, which is not beside it/],
  ];
  for (const [name, model, reason] of tries) {
    await writeFile(join(inner, `${name}.onnx`), model);
    const error = await refusal(join(inner, `${name}.onnx`));
    assert.equal(error.code, 'BAD_MODEL');
    assert.match(error.message, reason, name);
  }
  await writeFile(join(inner, 'w.bin'), WEIGHTS);
  for (const [model, reason] of [
    [outside('w.bin', '12'), /its shape takes 24 bytes, and it names 12/],
    [outside('w.bin', '24', '16'), /it ends at byte 40 of w\.bin, which has 32/],
    [outside('w.bin', '24', '-8'), /it begins at -8/],
  ] as const) {
    await writeFile(join(inner, 'part.onnx'), model);
    assert.match((await refusal(join(inner, 'part.onnx'))).message, reason);
  }
});

const fifo = spawnSync('mkfifo', ['--version']).status === 0;
test('a pipe under the name of a model is not opened', { skip: !fifo && 'mkfifo is not here' }, async () => {
  const path = join(folder, 'pipe.onnx');
  spawnSync('mkfifo', [path]);
  assert.match((await refusal(path)).message, /pipe\.onnx is a pipe and no file/);
});
