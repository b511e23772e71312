/** Preparation of a small imported model: done once, checked at every opening, made again when damaged. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { sha256Hex } from '../core/ids.ts';
import { LabelsmithError } from '../errors.ts';
import { Graph } from '../onnx/ops.ts';
import { openEmbedder } from './embedder.ts';
import { importModel } from './import.ts';
import { prepareModel } from './prepare.ts';

let folder = '';
let cacheDir = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'labelsmith-prepare-'));
  cacheDir = join(folder, 'cache');
  const graph = new Graph('means');
  const image = graph.input('image', 'float32', ['n', 3, 16, 16]);
  const half = graph.op('Mul', [image, graph.scalar(0.5)], {}, 'half');
  graph.output(graph.reduceMean(half, [2, 3], { keepDims: false }), 'row');
  await writeFile(join(folder, 'means.onnx'), graph.toModel());
  await importModel(join(folder, 'means.onnx'), { cacheDir, input: { scale: 1, mean: [0, 0, 0], std: [1, 1, 1] } });
});
after(() => rm(folder, { recursive: true, force: true }));

test('a model is converted once, and its key says its content', async () => {
  const converted: string[] = [];
  const options = { cacheDir, onConvert: (id: string) => converted.push(id) };
  const first = await prepareModel('means', options);
  const second = await prepareModel('means', options);
  assert.deepEqual(converted, ['means']);
  assert.deepEqual(second, first);
  assert.equal(first.key, `means@${first.sha256.slice(0, 16)}`);
  const other = await prepareModel('means', { ...options, recipe: { batch: 2 } });
  assert.notEqual(other.key, first.key);
  assert.notEqual(other.path, first.path);
});

test('a damaged converted model is put aside and made again, the same', async () => {
  const { path, sha256 } = await prepareModel('means', { cacheDir });
  for (const damage of ['', 'half']) {
    const whole = await readFile(path);
    await writeFile(path, whole.subarray(0, damage ? whole.length / 2 : 0));
    const notices: string[] = [];
    const again = await prepareModel('means', { cacheDir, onNotice: (message) => notices.push(message) });
    assert.deepEqual([again.path, again.sha256], [path, sha256]);
    assert.match(notices[0] ?? '', /^the converted means in the model cache was damaged/);
  }
  assert.equal((await readdir(join(cacheDir, 'corrupt'))).length, 2);
  const [record] = (await readdir(join(cacheDir, 'prepared'))).filter((name) => name.includes(basename(path, '.onnx')));
  await writeFile(join(cacheDir, 'prepared', record ?? ''), '{"sha');
  assert.equal((await prepareModel('means', { cacheDir })).sha256, sha256, 'a lost record is written again');
  await rm(path);
  assert.equal((await prepareModel('means', { cacheDir })).byteSize, (await stat(path)).size);
});

test('a model whose file and neighbours were changed together is made again', async () => {
  const { path, sha256 } = await prepareModel('means', { cacheDir });
  const another = new Graph('another');
  another.output(another.relu(another.input('pixels', 'uint8', [1, 16, 16, 3])), 'embedding');
  await writeFile(path, another.toModel());
  await writeFile(`${path}.json`, JSON.stringify({ sha256: sha256Hex(another.toModel()) }));
  assert.equal((await prepareModel('means', { cacheDir })).sha256, sha256);
  assert.equal(sha256Hex(await readFile(path)), sha256);
});

test('an unknown name is told the known ones that are like it, a few of them', async () => {
  for (const [unknown, known] of [
    ['mean', /means/],
    ['centrenet', /centernet/],
  ] as const) {
    await assert.rejects(prepareModel(unknown, { cacheDir }), (error: unknown) => {
      assert.ok(error instanceof LabelsmithError && error.code === 'USAGE');
      assert.match(error.hint ?? '', known);
      assert.match(error.hint ?? '', /and \d+ more \(labelsmith models list\)/);
      return (error.hint ?? '').length < 300;
    });
  }
});

test('without network a model that is not in the cache says what to do', async () => {
  await assert.rejects(prepareModel('centernet', { cacheDir, offline: true }), (error: unknown) => {
    assert.ok(error instanceof LabelsmithError && error.code === 'NETWORK');
    return /labelsmith models pull centernet/.test(error.hint ?? '') && (error.hint ?? '').includes(cacheDir);
  });
});

test('an embedding does not depend on what else is in the batch; layers stand behind it', async () => {
  const image = (value: number) => new Uint8Array(16 * 16 * 3).fill(value);
  const embedder = await openEmbedder('means', { cacheDir, threads: 1, recipe: { batch: 3, layers: ['half'] } });
  try {
    assert.deepEqual([embedder.dimensions, embedder.batch], [6, 3]);
    const pixels = new Uint8Array(3 * 16 * 16 * 3);
    [10, 20, 30].forEach((value, i) => {
      pixels.set(image(value), i * 16 * 16 * 3);
    });
    const all = await embedder.embed(pixels, 3);
    assert.deepEqual([...all.subarray(0, 7)], [5, 5, 5, 5, 5, 5, 10]);
    assert.deepEqual(await embedder.embed(image(20), 1), all.slice(6, 12));
    await assert.rejects(embedder.embed(image(1), 2), RangeError);
    await assert.rejects(embedder.embed(pixels, 4), RangeError);
  } finally {
    await embedder.close();
  }
});
