/**
 * Detectors from photograph to boxes, against TensorFlow.js on the same weights and pixels, with another decoding:
 * CenterNet's by the network's own output `tower_0/detections`, NanoDet's by plain loops and TensorFlow.js's
 * non-maximum suppression. Allowed are 1e-3 in scores and half a pixel of the image in boxes.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { clipBox } from '../../src/core/boxes.ts';
import { LabelsmithError } from '../../src/errors.ts';
import { cacheDirectory } from '../../src/fetch/cache.ts';
import { decodeLetterboxed } from '../../src/images/decode.ts';
import { CATALOGUE } from '../../src/models/catalogue.ts';
import { type Detector, type Frame, openDetector } from '../../src/models/detector.ts';
import { sourcesInCache } from '../../src/models/prepare.ts';
import { DATA, without } from '../cli.ts';
import { thorough } from '../thorough.ts';
import { openReference, type Reference } from './tfjs-reference.ts';

const COUNT = thorough(8, 20);
const THRESHOLD = 0.05;

/** In input pixels. */
interface Found {
  readonly label: number;
  readonly score: number;
  readonly box: readonly number[];
}

type Decode = (network: Reference, pixels: Uint8Array) => Promise<Found[]>;

const centernet: Decode = async (network, pixels) => {
  const [rows] = network.run(Float32Array.from(pixels), [1, 512, 512, 3], ['tower_0/detections']);
  assert.deepEqual(rows?.shape, [1, 100, 6]);
  return Array.from({ length: 100 }, (_, i) => {
    const [x1, y1, x2, y2, score, label] = rows.data.subarray(6 * i, 6 * i + 6) as unknown as number[];
    return { label: label, score: score, box: [x1, y1, x2, y2] as number[] };
  });
};

const BGR_MEAN = [103.53, 116.28, 123.675];
const BGR_STD = [57.375, 57.12, 58.395];

const nanodet: Decode = async (network, pixels) => {
  const size = 416;
  const planes = new Float32Array(3 * size * size);
  for (let channel = 0; channel < 3; channel++) {
    for (let i = 0; i < size * size; i++) {
      const value = pixels[3 * i + 2 - channel];
      planes[channel * size * size + i] = (value - BGR_MEAN[channel]) / BGR_STD[channel];
    }
  }
  const names = [0, 1, 2, 3, 4, 5].map((i) => (i === 0 ? 'Identity:0' : `Identity_${i}:0`));
  const heads = network.run(planes, [1, 3, size, size], names);
  const boxes: number[][] = [];
  const scores: Float32Array[] = [];
  [8, 16, 32].forEach((stride, level) => {
    const side = size / stride;
    for (let cell = 0; cell < side * side; cell++) {
      const distances = [0, 1, 2, 3].map((edge) => {
        const logits = heads[level + 3].data.subarray(44 * cell + 11 * edge, 44 * cell + 11 * edge + 11);
        const shares = Array.from(logits, Math.exp);
        const total = shares.reduce((a, b) => a + b);
        return stride * shares.reduce((sum, share, i) => sum + (i * share) / total, 0);
      }) as [number, number, number, number];
      const x = ((cell % side) + 0.5) * stride;
      const y = (Math.floor(cell / side) + 0.5) * stride;
      boxes.push([x - distances[0], y - distances[1], x + distances[2], y + distances[3]]);
      scores.push(heads[level].data.subarray(80 * cell, 80 * cell + 80));
    }
  });
  const found: Found[] = [];
  const tensor = tf.tensor2d(boxes);
  for (let label = 0; label < 80; label++) {
    const ofClass = scores.map((row) => row[label]);
    if (Math.max(...ofClass) < THRESHOLD) continue;
    const kept = await tf.image.nonMaxSuppressionAsync(tensor, ofClass, 100, 0.6, THRESHOLD);
    for (const i of kept.dataSync()) found.push({ label, score: ofClass[i], box: boxes[i] });
    kept.dispose();
  }
  tensor.dispose();
  return found;
};

/** As detections of the image: scaled, within it, not empty, the best 100. */
function inImage(found: readonly Found[], { width, height, scaleX, scaleY }: Frame): Found[] {
  return found
    .map(({ box: [x1, y1, x2, y2], ...rest }) => {
      const scaled = [x1 / scaleX, y1 / scaleY, x2 / scaleX, y2 / scaleY] as const;
      return { ...rest, box: clipBox(scaled, width, height) };
    })
    .filter(({ score, box: [x1, y1, x2, y2] }) => score >= THRESHOLD && x2 > x1 && y2 > y1)
    .sort((a, b) => b.score - a.score)
    .slice(0, 100);
}

const distance = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((x, i) => Math.abs(x - b[i])));

/** Each of `some` has a partner in `others`. One at the edge of the list may have fallen off it on the other side. */
function compare(some: readonly Found[], others: readonly Found[], edge: number): { score: number; box: number } {
  const worst = { score: 0, box: 0 };
  const free = [...others];
  for (const one of some) {
    const near = free
      .filter(({ label }) => label === one.label)
      .sort((a, b) => distance(a.box, one.box) - distance(b.box, one.box))[0];
    if (one.score < edge + 1e-3 && (!near || distance(near.box, one.box) > 0.5)) continue;
    assert.ok(near, `nothing of class ${one.label} is left for ${JSON.stringify(one)}`);
    free.splice(free.indexOf(near), 1);
    worst.score = Math.max(worst.score, Math.abs(near.score - one.score));
    worst.box = Math.max(worst.box, distance(near.box, one.box));
  }
  return worst;
}

for (const [name, decode] of Object.entries({ centernet, nanodet })) {
  test(`${name} finds what tfjs finds in ${COUNT} photographs`, {
    skip: without('coco-train128'),
  }, async (t: TestContext) => {
    const detector = await openOrSkip(name, t);
    if (!detector) return;
    t.after(() => detector.close());
    const entry = CATALOGUE.find(({ id }) => id === name);
    const sources = await sourcesInCache(entry!, cacheDirectory());
    const [json, weights] = sources!.map(({ path }) => new Uint8Array(readFileSync(path)));
    const network = await openReference(json, weights);
    t.after(() => network.close());
    const folder = join(DATA, 'coco-train128', 'images');
    const worst = { score: 0, box: 0, count: 0 };
    for (const file of readdirSync(folder).sort().slice(0, COUNT)) {
      const { pixels, ...frame } = await decodeLetterboxed(readFileSync(join(folder, file)), detector.input);
      const theirs = inImage(await decode(network, pixels), frame);
      const { count, boxes, scores, classes } = await detector.detect(pixels, frame);
      const ours = Array.from({ length: count }, (_, i) => ({
        label: classes[i],
        score: scores[i],
        box: [...boxes.subarray(4 * i, 4 * i + 4)],
      }));
      const edge = Math.max(
        THRESHOLD,
        count === 100 ? ours[99].score : 0,
        theirs.length === 100 ? theirs[99].score : 0,
      );
      for (const { score, box } of [compare(ours, theirs, edge), compare(theirs, ours, edge)]) {
        worst.score = Math.max(worst.score, score);
        worst.box = Math.max(worst.box, box);
      }
      worst.count += count;
    }
    t.diagnostic(
      `${worst.count} detections; largest difference: score ${worst.score.toExponential(1)}, box ${worst.box.toFixed(4)} px`,
    );
    assert.ok(worst.count > 10 * COUNT, `only ${worst.count} detections`);
    assert.ok(worst.score <= 1e-3, `scores differ by up to ${worst.score}`);
    assert.ok(worst.box <= 0.5, `boxes differ by up to ${worst.box} pixels`);
  });
}

async function openOrSkip(name: string, t: TestContext): Promise<Detector | undefined> {
  try {
    return await openDetector(name, { threads: 1 });
  } catch (error) {
    if (!(error instanceof LabelsmithError) || error.code !== 'NETWORK') throw error;
    t.skip(`the weights of ${name} cannot be had: ${error.message}`);
    return undefined;
  }
}
