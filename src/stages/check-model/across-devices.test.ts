/** Two devices with what a test lets them say; which of them agree follows from the stated tolerances. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import type { Models } from '../../models/models.ts';
import { agreementOf } from './across-devices.ts';
import { KNOWN_PHOTOGRAPHS } from './known-photographs.ts';

const folder = mkdtempSync(join(tmpdir(), 'labelsmith-devices-'));
after(() => rmSync(folder, { recursive: true, force: true }));
for (const [i, { file }] of KNOWN_PHOTOGRAPHS.entries()) {
  const background = { r: 10 + 20 * i, g: 0, b: 0 };
  await sharp({ create: { width: 64, height: 64, channels: 3, background } })
    .png()
    .toFile(join(folder, file));
}

const input = { width: 8, height: 8, fit: 'cover', pad: [0, 0, 0], kernel: 'linear' } as const;
const common = { id: 'net', key: 'k', input, capacity: 1, close: async () => {} };
const nothing = () => assert.fail('not asked for');

/** @param turn angle by which its vectors are off, in radians */
function embedding(turn: number): Pick<Models, 'openEmbedder' | 'openDetector'> {
  const embed = async (pixels: Uint8Array) => {
    const angle = pixels[0] / 50 + turn;
    return Float32Array.of(Math.cos(angle), Math.sin(angle));
  };
  const look = async (pixels: Uint8Array) => ({ embeddings: await embed(pixels), votes: null });
  const embedder = { ...common, dimensions: 2, blocks: [], batch: 1, gathered: 1, votes: null, embed, look };
  return { openDetector: nothing, openEmbedder: async () => embedder };
}

/** @param by what its boxes are off, in pixels. @param score of each */
function detecting(by: number, score: number): Pick<Models, 'openEmbedder' | 'openDetector'> {
  const found = { count: 1, boxes: Float32Array.of(by, 0, 40 + by, 40) };
  const detect = async () => ({ ...found, scores: Float32Array.of(score), classes: Int32Array.of(0) });
  return { openEmbedder: nothing, openDetector: async () => ({ ...common, classNames: ['thing'], detect }) };
}

test('vectors agree while the angle between them is small', async () => {
  const model = { id: 'net', role: 'embedder' } as const;
  const near = await agreementOf(embedding(0.01), embedding(0), model, folder);
  assert.deepEqual([near?.measure, near?.agrees], ['cosine', true]);
  assert.ok(Math.abs((near?.found ?? 0) - Math.cos(0.01)) < 1e-6);
  assert.equal((await agreementOf(embedding(0.03), embedding(0), model, folder))?.agrees, false);
  assert.equal((await agreementOf(embedding(Number.NaN), embedding(0), model, folder))?.agrees, false);
});

test('boxes agree in class, place and score', async () => {
  const model = { id: 'net', role: 'detector' } as const;
  const agrees = async (by: number, score: number) =>
    (await agreementOf(detecting(by, score), detecting(0, 0.6), model, folder))?.agrees;
  assert.deepEqual(await Promise.all([agrees(0, 0.6), agrees(0.5, 0.61), agrees(2, 0.6), agrees(0, 0.55)]), [
    true,
    true,
    false,
    false,
  ]);
  assert.equal(await agreementOf(detecting(0, 1), detecting(0, 1), { id: 'net', role: 'pose' }, folder), null);
});
