/**
 * Detection quality of the built command line on 128 photographs with boxes. `npm run bench -- quality` measures the same
 * beside tfjs WASM on the same weights; what it found for tfjs is the reference here.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { DATA, runJson, scratch, without } from '../cli.ts';

/** tfjs WASM 4.22 on pixels made smaller in the same way, boxes cut to the image, the same evaluator. */
const TFJS = { mAP: 0.3298, AP50: 0.5126 };

test('mAP and AP50 of CenterNet', { skip: without('coco-train128') }, async (t) => {
  const dir = await scratch(t);
  const set = join(DATA, 'coco-train128');
  await runJson(['add', join(set, 'images')], { cwd: dir });
  const { detected } = await runJson(['detect'], { cwd: dir });
  assert.equal(detected, 128);
  const { images, detection } = await runJson<{ images: number; detection: typeof TFJS }>(
    ['evaluate', join(set, 'instances.json')],
    { cwd: dir },
  );
  assert.equal(images, 128);
  for (const figure of ['mAP', 'AP50'] as const) {
    assert.ok(
      Math.abs(detection[figure] - TFJS[figure]) <= 0.001,
      `${figure} is ${detection[figure]}, tfjs has ${TFJS[figure]}`,
    );
  }
});
