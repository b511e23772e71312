/** Embedders side by side against each of them alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelsmithError } from '../../src/errors.ts';
import { cacheDirectory } from '../../src/fetch/cache.ts';
import { CATALOGUE } from '../../src/models/catalogue.ts';
import { openEmbedder } from '../../src/models/embedder.ts';
import { sourcesInCache } from '../../src/models/prepare.ts';
import { pixelsFor } from '../../src/stages/item-pixels.ts';
import { jpegScene } from '../fixtures/images.ts';

test('side by side: the parts are what each gives alone, the first to the bit', async (t) => {
  for (const id of ['mobilenetv3-small', 'centernet-backbone']) {
    const entry = CATALOGUE.find((known) => known.id === id);
    if (!entry || !(await sourcesInCache(entry, cacheDirectory()))) {
      t.skip(`the weights of ${id} are not in the model cache`);
      return;
    }
  }
  const bytes = await jpegScene(400, 300, 5);
  const vectorOf = async (name: string) => {
    const embedder = await openEmbedder(name, { threads: 1 });
    try {
      return { embedder, vector: await embedder.embed(await pixelsFor(bytes, embedder.input), 1) };
    } finally {
      await embedder.close();
    }
  };
  const both = await vectorOf('mobilenetv3-small+centernet-backbone');
  const first = await vectorOf('mobilenetv3-small');
  const second = await vectorOf('centernet-backbone');
  assert.equal(both.embedder.dimensions, first.vector.length + second.vector.length);
  assert.deepEqual(both.vector.slice(0, first.vector.length), first.vector);
  // The second sees the image through the larger size of the first.
  const rest = both.vector.slice(first.vector.length);
  let [dot, a, b] = [0, 0, 0];
  for (const [i, value] of rest.entries()) {
    const other = second.vector[i];
    dot += value * other;
    a += value * value;
    b += other * other;
  }
  assert.ok(dot / Math.sqrt(a * b) > 0.97, `${dot / Math.sqrt(a * b)}`);
  const weight = (blocks: typeof both.embedder.blocks) =>
    Math.sqrt(blocks.reduce((s, block) => s + block.weight ** 2, 0));
  const { blocks } = both.embedder;
  assert.ok(Math.abs(weight(blocks.slice(-1)) / weight(blocks.slice(0, -1)) - 0.3) < 1e-9);
});

test('a name that is no embedder is refused, alone and beside one', async () => {
  await assert.rejects(openEmbedder('mobilenetv3-small+centernet'), (error) => {
    return error instanceof LabelsmithError && /centernet is a detector, not an embedder/.test(error.message);
  });
});
