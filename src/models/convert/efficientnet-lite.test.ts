/** Against PyTorch with the package `efficientnet-lite-pytorch` 0.1.0 (`test/oracles/efficientnet_lite.py` made the numbers). */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { cacheDirectory } from '../../fetch/cache.ts';
import { Session } from '../../onnx/session.ts';
import { float32 } from '../../onnx/tensor.ts';
import { CATALOGUE } from '../catalogue.ts';
import { sourcesInCache } from '../prepare.ts';
import { efficientNetLiteToOnnx } from './efficientnet-lite.ts';

interface Expected {
  readonly size: number;
  readonly map: readonly number[];
  readonly features: readonly number[];
  readonly logits: readonly number[];
}

const FIXTURES = new URL('../../../test/fixtures/', import.meta.url);
const expected = JSON.parse(await readFile(new URL('efficientnet-lite.json', FIXTURES), 'utf8')) as Record<
  string,
  Expected
>;
const TOLERANCE = 1e-4;

async function check(file: Uint8Array, { size, features, logits, map }: Expected): Promise<void> {
  const session = await Session.create(efficientNetLiteToOnnx(file));
  const data = Float32Array.from({ length: 3 * size * size }, (_, i) => ((i * 7919) % 251) / 125 - 1);
  const found = await session.run({ input: float32(data, [1, 3, size, size]) });
  await session.close();
  for (const [name, wanted] of Object.entries({ features, logits })) {
    for (const [i, value] of wanted.entries()) {
      const off = Math.abs(Number(found[name]?.data[i]) - value);
      assert.ok(off <= TOLERANCE * Math.max(1, Math.abs(value)), `${name}[${i}] is off by ${off}`);
    }
  }
  assert.equal(found.features?.dims[1], map[1]);
}

test('a small network of random weights in 16 bits gives what PyTorch gives', async () => {
  const file = new Uint8Array(await readFile(new URL('efficientnet-lite-tiny.pth', FIXTURES)));
  await check(file, expected.tiny!);
});

for (const id of ['efficientnet-lite0', 'efficientnet-lite1', 'efficientnet-lite2']) {
  const entry = CATALOGUE.find((known) => known.id === id)!;
  const sources = await sourcesInCache(entry, cacheDirectory()).catch(() => undefined);
  const skip = sources ? false : `${id} is not in the model cache (labelsmith models pull ${id})`;
  test(`${id} gives what PyTorch gives`, { skip }, async () => {
    await check(new Uint8Array(await readFile(sources?.[0]?.path ?? '')), expected[id]!);
  });
}
