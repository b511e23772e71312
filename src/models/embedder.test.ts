/** Embedders that also classify: what they vote for, and that layouts make no difference. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { bringMobileNetV2, noMobileNetV2 } from '../../test/model-files.ts';
import { decodeCovered } from '../images/decode.ts';
import { Graph } from '../onnx/ops.ts';
import { float32 } from '../onnx/tensor.ts';
import type { EmbedderEntry } from './bundle.ts';
import { composeModel, defaultRecipe, inputOf, VOTES } from './compose-model.ts';
import { openEmbedder } from './embedder.ts';
import { runOnPool } from './open-model.ts';

const PHOTOS = resolve(process.env.LABELSMITH_BENCH_DATA ?? '../shared/data', 'caltech-30/accordion');
const skip = noMobileNetV2 || (existsSync(PHOTOS) ? false : `no ${PHOTOS}`);
if (skip) console.log(`SKIP votes on photographs: ${skip}`);

/** ImageNet's class 401 is the accordion (the published list of its 1000 classes). */
const ACCORDION = 401;

test('one pass gives the vector and what is in the photograph', { skip }, async (t) => {
  const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-votes-'));
  t.after(() => rmSync(cacheDir, { recursive: true }));
  bringMobileNetV2(cacheDir);
  const embedder = await openEmbedder('mobilenetv2-12-qdq', { cacheDir, threads: 1, offline: true });
  t.after(() => embedder.close());
  assert.deepEqual([embedder.votes, embedder.dimensions, embedder.input.width], ['imagenet-1000', 2880, 288]);
  let right = 0;
  const files = readdirSync(PHOTOS).sort().slice(0, 10);
  for (const file of files) {
    const { pixels } = await decodeCovered(readFileSync(join(PHOTOS, file)), embedder.input.width);
    const { embeddings, votes } = await embedder.look(pixels, 1);
    assert.deepEqual(await embedder.embed(pixels, 1), embeddings);
    assert.ok(votes);
    assert.deepEqual([embeddings.length, votes.length], [2880, 2 * VOTES]);
    const probabilities = votes.subarray(VOTES);
    assert.ok(probabilities.every((p, i) => p >= 0 && (i === 0 || p <= probabilities[i - 1])));
    assert.ok(probabilities.reduce((sum, p) => sum + p, 0) <= 1 + 1e-5);
    if (votes[0] === ACCORDION) right++;
  }
  assert.ok(right >= 8, `${right} of ${files.length}`);
});

test('with one view it gives its own embedding, and votes as it was trained', { skip }, async (t) => {
  const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-votes-'));
  t.after(() => rmSync(cacheDir, { recursive: true }));
  bringMobileNetV2(cacheDir);
  const recipe = { views: undefined };
  const embedder = await openEmbedder('mobilenetv2-12-qdq', { cacheDir, threads: 1, offline: true, recipe });
  t.after(() => embedder.close());
  assert.deepEqual([embedder.dimensions, embedder.input.width], [1280, 224]);
  const [file = ''] = readdirSync(PHOTOS).sort();
  const { pixels } = await decodeCovered(readFileSync(join(PHOTOS, file)), 224);
  const { embeddings, votes } = await embedder.look(pixels, 1);
  assert.equal(embeddings.length, 1280);
  assert.equal(votes?.[0], ACCORDION);
});

const SIDE = 8;
const CLASSES = 8;

/** A network whose class c scores the mean of the red, times c; its only layer is its input. */
function entryOf(layout: 'NCHW' | 'NHWC'): { entry: EmbedderEntry; network: Uint8Array } {
  const graph = new Graph('reds');
  const given = graph.input('image', 'float32', layout === 'NCHW' ? ['n', 3, 'h', 'w'] : ['n', 'h', 'w', 3]);
  const planes = graph.relu(layout === 'NCHW' ? given : graph.transpose(given, [0, 3, 1, 2]));
  const red = graph.reshape(graph.gather(graph.reduceMean(planes, [2, 3]), graph.ints([0]), 1), [-1, 1]);
  const times = graph.constant(
    float32(
      Array.from({ length: CLASSES }, (_, c) => c),
      [1, CLASSES],
    ),
    'times',
  );
  graph.output(graph.op('Identity', [planes], {}, 'layer'), 'layer');
  graph.output(graph.mul(red, times), 'scores');
  const input = { name: 'image', width: SIDE, height: SIDE, fit: 'cover', pad: [0, 0, 0], kernel: 'linear' } as const;
  const entry: EmbedderEntry = {
    id: 'reds',
    role: 'embedder',
    licence: 'MIT',
    description: 'test',
    source: { files: [{ reference: 'file:/reds.onnx' }], converter: 'onnx' },
    input: { ...input, layout, scale: 1 / 255 },
    output: 'layer',
    dimensions: 3,
    views: {
      sizes: [SIDE, 2 * SIDE],
      parts: [
        { layer: 'layer', channels: 3, pool: 'mean', weight: 1 },
        { layer: 'layer', channels: 3, pool: 'deviation', weight: 0.5 },
      ],
    },
    votes: { output: 'scores', outputKind: 'logits', classes: 'imagenet-1000' },
  };
  return { entry, network: graph.toModel() };
}

async function composed(t: TestContext, layout: 'NCHW' | 'NHWC', pixels: Uint8Array) {
  const { entry, network } = entryOf(layout);
  const recipe = defaultRecipe(entry);
  const { run, close } = await runOnPool(
    composeModel(entry, network, recipe),
    { key: layout, input: inputOf(entry, recipe) },
    { threads: 1 },
  );
  t.after(() => close());
  const { embedding, votes } = await run(pixels);
  return { embedding: [...(embedding.data as Float32Array)], votes: [...(votes.data as Float32Array)] };
}

test('votes are the best classes and their chances, whatever the layout of the network', async (t) => {
  const pixels = new Uint8Array(4 * SIDE * SIDE * 3).map((_, i) => (i % 3 === 0 ? 51 : (7 * i) % 200));
  const first = await composed(t, 'NCHW', pixels);
  // Red is 51 of 255 everywhere: the scores are 0, .2, …, 1.4, their softmax by hand.
  const odds = Array.from({ length: CLASSES }, (_, c) => Math.exp(0.2 * c));
  const total = odds.reduce((sum, one) => sum + one, 0);
  assert.deepEqual(first.votes.slice(0, VOTES), [7, 6, 5, 4, 3]);
  for (let i = 0; i < VOTES; i++) assert.ok(Math.abs(first.votes[VOTES + i] - odds[7 - i] / total) < 1e-5);
  const second = await composed(t, 'NHWC', pixels);
  assert.deepEqual(second.votes.slice(0, VOTES), first.votes.slice(0, VOTES));
  for (const [i, value] of second.embedding.entries()) assert.ok(Math.abs(value - first.embedding[i]) < 1e-5);
});

test('two side by side are two different ones, and a repository of the hub is named whole', async (t) => {
  const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-names-'));
  t.after(() => rmSync(cacheDir, { recursive: true }));
  const refused = (name: string, message: RegExp, hint: RegExp) =>
    assert.rejects(openEmbedder(name, { cacheDir, offline: true }), { code: 'USAGE', message, hint });
  await refused('mobilenetv3-small+mobilenetv3-small', /names mobilenetv3-small twice/, /FIRST\+SECOND/);
  await refused('mobilenetv3-small+', /a model is missing/, /FIRST\+SECOND/);
  await refused('hf:owner', /no model named "hf:owner"/, /hf:OWNER\/REPO@REVISION/);
});
