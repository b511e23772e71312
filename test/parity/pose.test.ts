/**
 * Keypoints against TensorFlow.js on the same weights and the same crops: at most 2 pixels of the image apart, and 0.01 in
 * score. Keypoints that neither gives the score of a hidden one are noise in both and are not compared.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Box } from '../../src/core/boxes.ts';
import { LabelsmithError } from '../../src/errors.ts';
import { cacheDirectory } from '../../src/fetch/cache.ts';
import { decodeUpright } from '../../src/images/decode.ts';
import { regionSquares } from '../../src/images/region-squares.ts';
import { CATALOGUE } from '../../src/models/catalogue.ts';
import { openPose, type PoseModel } from '../../src/models/pose.ts';
import { sourcesInCache } from '../../src/models/prepare.ts';
import { HIDDEN_SCORE } from '../../src/stages/detect/pose.ts';
import { DATA, without } from '../cli.ts';
import { thorough } from '../thorough.ts';
import { openReference } from './tfjs-reference.ts';

const PEOPLE = thorough(20, 60);
const PERSON = 1;

interface Instances {
  readonly images: readonly { readonly id: number; readonly file_name: string }[];
  readonly annotations: readonly {
    readonly image_id: number;
    readonly category_id: number;
    readonly bbox: readonly [number, number, number, number];
  }[];
}

for (const name of ['movenet-lightning', 'movenet-thunder']) {
  test(`${name} finds what tfjs finds on ${PEOPLE} people`, { skip: without('coco-train128') }, async (t) => {
    const pose = await openOrSkip(name, t);
    if (!pose) return;
    t.after(() => pose.close());
    const entry = CATALOGUE.find(({ id }) => id === name);
    assert.ok(entry?.role === 'pose');
    const [json, weights] = (await sourcesInCache(entry, cacheDirectory()))!.map(
      ({ path }) => new Uint8Array(readFileSync(path)),
    );
    const network = await openReference(json, weights);
    t.after(() => network.close());
    const { width: size, pad, kernel } = pose.input;
    const set = join(DATA, 'coco-train128');
    const { images, annotations } = JSON.parse(readFileSync(join(set, 'instances.json'), 'utf8')) as Instances;
    const people = annotations.filter(({ category_id }) => category_id === PERSON).slice(0, PEOPLE);
    const worst = { pixels: 0, score: 0, count: 0 };
    for (const { image_id, bbox } of people) {
      const file = images.find(({ id }) => id === image_id)!.file_name;
      const bytes = readFileSync(join(set, 'images', file));
      const [x, y, width, height] = bbox;
      const box: Box = [x, y, x + width, y + height];
      const [square] = await regionSquares(bytes, await decodeUpright(bytes), [box], {
        size,
        pad,
        kernel,
        margin: 0.1,
      });
      const ours = await pose.estimate(square.pixels);
      const [theirs] = network.run(Int32Array.from(square.pixels), [1, size, size, 3], [entry.output]);
      for (let i = 0; i < 17; i++) {
        // MoveNet says y, x, score, as shares of its input.
        const [ty, tx, score] = theirs.data.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
        worst.score = Math.max(worst.score, Math.abs(ours[3 * i + 2] - score));
        if (Math.max(score, ours[3 * i + 2]) < HIDDEN_SCORE) continue;
        const apart = Math.hypot(ours[3 * i] - tx * size, ours[3 * i + 1] - ty * size);
        worst.pixels = Math.max(worst.pixels, apart / square.scale);
        worst.count++;
      }
    }
    t.diagnostic(
      `${worst.count} keypoints of ${people.length} people; largest difference: ${worst.pixels.toFixed(4)} px, score ${worst.score.toExponential(1)}`,
    );
    assert.ok(worst.count > 10 * PEOPLE, `only ${worst.count} keypoints`);
    assert.ok(worst.pixels <= 2, `keypoints differ by up to ${worst.pixels} pixels`);
    assert.ok(worst.score <= 0.01, `scores differ by up to ${worst.score}`);
  });
}

async function openOrSkip(name: string, t: TestContext): Promise<PoseModel | undefined> {
  try {
    return await openPose(name, { threads: 1 });
  } catch (error) {
    if (!(error instanceof LabelsmithError) || error.code !== 'NETWORK') throw error;
    t.skip(`the weights of ${name} cannot be had: ${error.message}`);
    return undefined;
  }
}
