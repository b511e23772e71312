/** Images that are gathered into runs: whose answer is whose, what too little memory does, and that a network says the same. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { setImmediate as soon } from 'node:timers/promises';
import { z } from 'zod';
import { pixelsFor } from '../images/pixels-for.ts';
import { imagesARun, smallestFree } from '../onnx/device-memory.ts';
import { decodeModel, encodeModel } from '../onnx/proto.ts';
import { openEmbedder } from './embedder.ts';
import { GatheredRuns } from './gathered-runs.ts';
import { createModels } from './models.ts';

const HUB = resolve(import.meta.dirname, '../../test/fixtures/hub');

/** Says of each image its first byte. @param room images that the device has memory for */
function recording(room: number, why = 'Failed to allocate memory for requested buffer of size 1073741824') {
  const runs: number[] = [];
  const opened: number[] = [];
  const closed: number[] = [];
  const open = async (images: number) => {
    opened.push(images);
    return {
      run: async (asked: readonly Uint8Array[]) => {
        await soon();
        if (images > room) throw new Error(why);
        assert.ok(asked.length <= images);
        runs.push(asked.length);
        return asked.map((one) => one[0]);
      },
      close: async () => void closed.push(images),
    };
  };
  return { runs, opened, closed, open };
}

const images = Array.from({ length: 23 }, (_, i) => Uint8Array.of(i));

test('what is asked for while runs are under way is in the next one, and everybody gets their own answer', async () => {
  const { runs, opened, closed, open } = recording(8);
  const gathered = await GatheredRuns.open({ images: 8, lanes: 2, open });
  const answers = await Promise.all(images.map((one) => gathered.ask(one)));
  assert.deepEqual(answers, [...images.keys()]);
  assert.deepEqual(runs, [1, 1, 8, 8, 5]);
  await gathered.close();
  assert.deepEqual([opened, closed], [[8], [8]]);
});

test('with too little memory half as many are taken, until they fit, and none is lost', async () => {
  const { runs, opened, open } = recording(2);
  const told: number[] = [];
  const gathered = await GatheredRuns.open({ images: 16, lanes: 2, open, onFewer: (n) => void told.push(n) });
  assert.deepEqual(await Promise.all(images.map((one) => gathered.ask(one))), [...images.keys()]);
  assert.deepEqual([told, gathered.images, opened], [[8, 4, 2], 2, [16, 8, 4, 2]]);
  assert.ok(Math.max(...runs) === 2);
  const single = recording(0);
  const hopeless = await GatheredRuns.open({ images: 2, lanes: 1, open: single.open });
  await assert.rejects(hopeless.ask(Uint8Array.of(1)), /Failed to allocate/);
  assert.deepEqual(single.opened, [2, 1]);
});

test('another failure is told to those who asked, and to nobody else', async () => {
  const { open } = recording(0, 'Non-zero status code returned while running Gemm node');
  const gathered = await GatheredRuns.open({ images: 4, lanes: 1, open });
  const answers = await Promise.allSettled(images.slice(0, 3).map((one) => gathered.ask(one)));
  assert.ok(answers.every(({ status }) => status === 'rejected'));
  assert.equal(gathered.images, 4);
});

test('how many fit follows from what is free, up to a bound', () => {
  assert.equal(imagesARun(null, 224 * 224 * 12, 100), 8);
  assert.equal(imagesARun(24e9, 224 * 224 * 12, 100), 32);
  assert.equal(imagesARun(1e6, 224 * 224 * 12, 100), 1);
  // As `nvidia-smi --query-gpu=memory.free --format=csv,noheader,nounits` writes two cards.
  assert.equal(smallestFree('23028\n7010\n'), 7010 * 2 ** 20);
  assert.equal(smallestFree(''), null);
  assert.equal(smallestFree('[N/A]\n'), null);
});

const EXPECTED = z.object({ embeddings: z.record(z.string(), z.array(z.number())) });

// The processor stands in for a graphics card: the graph of many images is the same.
for (const family of ['clip', 'resnet', 'dinov3', 'mobilenetv4']) {
  test(`${family} in runs of 8 gives what Python's transformers gives, and the key of single runs`, async (t) => {
    const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-gathered-'));
    t.after(() => rmSync(cacheDir, { recursive: true, force: true }));
    const { embeddings } = EXPECTED.parse(JSON.parse(readFileSync(join(HUB, family, 'expected.json'), 'utf8')));
    const { id } = await createModels({ cacheDir, onNotice: () => undefined }).importModel(join(HUB, family), {
      name: 'tiny',
    });
    const single = await openEmbedder(id, { cacheDir, threads: 1 });
    const embedder = await openEmbedder(id, { cacheDir, threads: 2, gathered: 8 });
    assert.deepEqual([embedder.key, embedder.gathered, single.gathered], [single.key, 8, 1]);
    const files = Array.from({ length: 11 }, () => Object.keys(embeddings)).flat();
    const vectors = await Promise.all(
      files.map(async (file) => embedder.embed(await pixelsFor(readFileSync(join(HUB, file)), embedder.input), 1)),
    );
    for (const [i, file] of files.entries()) {
      const expected = embeddings[file] ?? [];
      assert.equal(vectors[i]?.length, expected.length);
      for (const [j, value] of expected.entries()) {
        assert.ok(Math.abs((vectors[i]?.[j] ?? 0) - value) <= 1e-4 * Math.max(1, Math.abs(value)), `${file} at ${j}`);
      }
    }
    await Promise.all([single.close(), embedder.close()]);
  });
}

test('a network that mixes the images of a run is given one at a time, and that is told', async (t) => {
  const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-gathered-'));
  t.after(() => rmSync(cacheDir, { recursive: true, force: true }));
  const folder = join(cacheDir, 'mixing');
  cpSync(join(HUB, 'vit'), folder, { recursive: true });
  const path = join(folder, 'onnx/model.onnx');
  const model = decodeModel(Uint8Array.from(readFileSync(path)));
  const renamed = (value: string) => (value === 'last_hidden_state' ? 'own' : value);
  for (const node of model.graph?.node ?? []) node.output = node.output?.map(renamed);
  // The mean over all images of a run is added to each.
  const axes = [
    { name: 'axes', type: 7, ints: [0n] },
    { name: 'keepdims', type: 2, i: 1n },
  ];
  model.graph?.node?.push(
    { opType: 'ReduceMean', input: ['own'], output: ['mean'], attribute: axes },
    { opType: 'Add', input: ['own', 'mean'], output: ['last_hidden_state'] },
  );
  writeFileSync(path, encodeModel(model));
  const { id } = await createModels({ cacheDir, onNotice: () => undefined }).importModel(folder, { name: 'mixing' });
  const told: string[] = [];
  const onNotice = (text: string) => void told.push(text);
  const embedder = await openEmbedder(id, { cacheDir, threads: 1, gathered: 8, onNotice });
  assert.equal(embedder.gathered, 1);
  assert.match(told.join(), /mixing takes one image a run/);
  const { embeddings } = EXPECTED.parse(JSON.parse(readFileSync(join(HUB, 'vit/expected.json'), 'utf8')));
  for (const [file, expected] of Object.entries(embeddings)) {
    const vector = await embedder.embed(await pixelsFor(readFileSync(join(HUB, file)), embedder.input), 1);
    // Alone an image's mean is itself.
    assert.ok(expected.every((value, i) => Math.abs((vector[i] ?? 0) - 2 * value) < 1e-3));
  }
  await embedder.close();
});
