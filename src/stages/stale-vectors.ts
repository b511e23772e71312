/**
 * Vectors of items that the record has no more: images that were forgotten, regions that a detector did not find again. Whoever
 * read them would show what is gone, or say something of it, which the record refuses. So they are taken out of their files.
 *
 * A file is written anew before its row changes, and stays whole whenever this is killed. One file is resident.
 */

import { IdSet } from '../core/id-set.ts';
import type { ItemId } from '../core/ids.ts';
import type { ItemKind } from '../core/labels.ts';
import { LabelsmithError } from '../errors.ts';
import type { Workspace } from '../jobs/workspace.ts';
import { gatherRows } from '../math/matrix.ts';
import type { Store, VectorShard } from '../store/store.ts';
import type { Vectors } from '../vectors/vector-store.ts';

type Place = Pick<Workspace, 'store' | 'vectors'>;

/** Takes these items out of every space: vectors, and what models think of them. */
export async function removeVectorsOf(place: Place, items: ItemKind, ids: ReadonlySet<ItemId>): Promise<void> {
  if (ids.size === 0) return;
  for (const space of await place.store.vectorSpaces(items)) await keepOnly(place, space, items, (id) => !ids.has(id));
}

/**
 * Takes out of one space what the record has no more.
 * @param there items that the space has: only where one of them is gone, files are read
 */
export async function removeStale(
  place: Place,
  { space, items }: Pick<VectorShard, 'space' | 'items'>,
  there: Pick<IdSet, 'has' | 'size'>,
): Promise<void> {
  if (there.size === 0) return;
  const known = new IdSet();
  for await (const ids of itemsOf(place.store, items)) for (const id of ids) if (there.has(id)) known.add(id);
  if (known.size < there.size) await keepOnly(place, space, items, (id) => known.has(id));
}

async function* itemsOf(store: Store, items: ItemKind): AsyncGenerator<readonly ItemId[]> {
  for await (const page of store.images({ gone: true })) {
    const ids = page.map(({ id }) => id);
    if (items === 'images') yield ids;
    else yield [...(await store.regionsOf(ids)).values()].flatMap((regions) => regions.map(({ id }) => id));
  }
}

async function keepOnly(
  { store, vectors }: Place,
  space: string,
  items: ItemKind,
  isKept: (id: ItemId) => boolean,
): Promise<void> {
  for (const before of await store.vectorShards(space, items)) {
    const found = await wholeOrNull(vectors.read(before));
    if (found === null) continue;
    const rows = found.ids.flatMap((id, row) => (isKept(id) ? [row] : []));
    if (rows.length === found.ids.length) continue;
    const { shard, runId } = before;
    const left: VectorShard[] = [];
    if (rows.length > 0) left.push(await vectors.write({ space, items, shard, runId, ...partOf(found, rows) }));
    await store.replaceVectorShards([before], left);
    await vectors.remove([before]);
  }
}

function partOf({ ids, vectors, votes, precision }: Vectors, rows: readonly number[]) {
  const part = { ids: rows.map((row) => ids[row]), vectors: gatherRows(vectors, rows), precision };
  return votes === undefined ? part : { ...part, votes: gatherRows(votes, rows) };
}

/** Null for a file that is gone or damaged: whoever needs it makes it again. */
async function wholeOrNull(reading: Promise<Vectors>): Promise<Vectors | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof LabelsmithError && ['NOT_FOUND', 'BAD_FILE'].includes(error.code)) return null;
    throw error;
  }
}
