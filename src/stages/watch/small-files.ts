/** Batches leave small files of vectors; many of them become one, so that days of watching leave no more than an `embed`. */
import type { Workspace } from '../../jobs/stage.ts';
import { newSharedMatrix } from '../../math/matrix.ts';
import type { Vectors } from '../../vectors/vector-store.ts';
import { shardName } from '../embed/embed-stage.ts';

/** Files with fewer vectors are small. */
const SMALL = 128;
/** So many vectors in small files become one file. */
const JOINED = 512;

/** Vectors of images, and how they are written. */
export interface KeptSpace {
  readonly space: string;
  readonly precision: 'float16' | 'float32';
}

/** Joins the small files of a space, when there is enough in them. Holds their vectors once. */
export async function joinSmallFiles(
  { store, vectors }: Pick<Workspace, 'store' | 'vectors'>,
  { space, precision }: KeptSpace,
  runId: string,
): Promise<number> {
  const small = (await store.vectorShards(space, 'images')).filter(({ count }) => count < SMALL);
  const count = small.reduce((sum, shard) => sum + shard.count, 0);
  if (count < JOINED) return 0;
  const rows: { readonly id: string; readonly from: Vectors; readonly row: number }[] = [];
  for await (const from of vectors.stream(small))
    for (const [row, id] of from.ids.entries()) rows.push({ id, from, row });
  rows.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const distinct = rows.filter(({ id }, i) => id !== rows[i - 1]?.id);
  const [first] = distinct;
  if (first === undefined) return 0;
  const ids = distinct.map(({ id }) => id);
  const whole = newSharedMatrix(ids.length, first.from.vectors.columns);
  const votes = first.from.votes && newSharedMatrix(ids.length, first.from.votes.columns);
  for (const [i, { from, row }] of distinct.entries()) {
    const { columns, data } = from.vectors;
    whole.data.set(data.subarray(row * columns, (row + 1) * columns), i * columns);
    // Votes of one model are in all of its files or in none.
    if (from.votes && votes) {
      votes.data.set(from.votes.data.subarray(row * votes.columns, (row + 1) * votes.columns), i * votes.columns);
    }
  }
  const shard = { space, items: 'images' as const, shard: shardName(ids), runId, ids, vectors: whole, precision };
  const joined = await vectors.write(votes ? { ...shard, votes } : shard);
  await store.replaceVectorShards(small, [joined]);
  await vectors.remove(small.filter(({ file }) => file !== joined.file));
  return small.length;
}
