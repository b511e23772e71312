/** Searches by LSH: the stored index is used, extended by what came since, and made again where it is gone or damaged. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { addEmbedded, type EmbeddedItem } from '../../../test/fixtures/embedded.ts';
import { folderBlobs } from '../../blobs/folder-blobs.ts';
import { sha256Hex } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { workspaceOf } from '../../jobs/workspace.ts';
import { openStore } from '../../store/open.ts';
import { arrowVectorStore } from '../../vectors/folder-vectors.ts';
import { fitMean, requireRecipe } from '../embed/recipe.ts';
import { similarTo } from './similar.ts';

/** A twin of each item with an even number is the one after it. */
function itemsFrom(start: number, count: number): EmbeddedItem[] {
  const random = seededRandom(start, 'similar');
  let vector: number[] = [];
  return Array.from({ length: count }, (_, i) => {
    if (i % 2 === 0) vector = Array.from({ length: 16 }, () => random() - 0.5);
    const near = vector.map((value) => value + (i % 2) * 0.01);
    return { id: sha256Hex(`${start + i}`), path: `${start + i}.jpg`, vector: near };
  });
}

test('an LSH index is kept as a blob, extended, and made again where it is not whole', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-similar-'));
  const store = await openStore(dir);
  t.after(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const kept = folderBlobs(join(dir, 'b'));
  let puts = 0;
  const put = (key: string, bytes: Uint8Array) => {
    puts += 1;
    return kept.put(key, bytes);
  };
  const workspace = workspaceOf(dir, store, { blobs: { ...kept, put } });
  await addEmbedded(store, dir, itemsFrom(0, 40));
  const recipe = await requireRecipe(store, 'images');
  await fitMean(store, arrowVectorStore(dir), recipe, await store.vectorShards(recipe.space, 'images'));
  const nearest = async (n: number) => {
    const options = { n: 1, index: 'lsh', seed: 0, threads: 1 } as const;
    return (await similarTo(workspace, sha256Hex(`${n}`), options)).similar[0]?.id;
  };
  const blob = async () => {
    for await (const { key } of kept.list('lsh/')) return key;
    return assert.fail('no index was kept');
  };

  assert.equal(await nearest(6), sha256Hex('7'));
  assert.equal(puts, 1);
  // More than there are: no memory is taken for them.
  for (const index of ['lsh', 'exact'] as const) {
    const all = await similarTo(workspace, sha256Hex('6'), { n: Number.MAX_SAFE_INTEGER, index, seed: 0, threads: 1 });
    assert.equal(all.similar.length, 39, index);
  }
  assert.equal(await nearest(9), sha256Hex('8'));
  assert.equal(puts, 1, 'the stored one was used');
  await addEmbedded(store, dir, itemsFrom(40, 20));
  assert.equal(await nearest(44), sha256Hex('45'));
  assert.equal(await nearest(6), sha256Hex('7'));
  assert.equal(puts, 2, 'it was extended once');
  const whole = (await kept.get(await blob())) ?? assert.fail();
  await kept.put(await blob(), whole.subarray(0, whole.length - 1));
  assert.equal(await nearest(44), sha256Hex('45'));
  assert.equal(puts, 3, 'it was made again');
  await kept.delete(await blob());
  assert.equal(await nearest(44), sha256Hex('45'));
  assert.equal(puts, 4);
});
