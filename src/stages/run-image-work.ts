/** One shard of image work, done: what `embed` and `classify` have in common between planning and writing. */
import type { ItemId } from '../core/ids.ts';
import type { ImagePath } from '../core/image.ts';
import { type Quarantined, type ReadErrorCounts, readErrorsAmong } from '../jobs/read-errors.ts';
import type { EachItem } from '../jobs/stage.ts';
import type { QuarantineRow, Store } from '../store/store.ts';
import { type ImageWork, type ImageWorkShard, readablePaths } from './image-work.ts';
import type { ItemsResult } from './item-pixels.ts';

/** What became of a shard's images. */
export interface ShardRead<T> {
  /** In order of id. */
  readonly items: readonly { readonly id: ItemId; readonly result: T }[];
  /** Images that were read. */
  readonly images: number;
  /** Their paths. */
  readonly read: readonly string[];
  readonly quarantine: readonly QuarantineRow[];
  readonly unread: ReadErrorCounts;
}

/** Runs every image of a shard from the first of its readable paths. */
export async function runImageWork<T>(
  { store, quarantined, run }: ImageWorkEffects<T>,
  { images }: ImageWorkShard,
  eachItem: EachItem,
): Promise<ShardRead<T>> {
  const ids = images.map(({ id }) => id);
  const paths = await readablePaths(store, ids, quarantined);
  const results = await eachItem(images, (work) => run(work, paths.get(work.id) ?? []));
  const items = results.flatMap((result) => (result.kind === 'done' ? result.items : []));
  const { rows: quarantine, counts: unread } = readErrorsAmong(results);
  const done = images.filter((_, i) => results[i].kind === 'done');
  return {
    items: items.sort((a, b) => (a.id < b.id ? -1 : 1)),
    images: done.length,
    read: done.flatMap(({ id }) => paths.get(id)?.map(({ path }) => path) ?? []),
    quarantine,
    unread,
  };
}

export interface ImageWorkEffects<T> {
  readonly store: Pick<Store, 'pathsOfImages'>;
  readonly quarantined: Quarantined;
  readonly run: (work: ImageWork, paths: readonly ImagePath[]) => Promise<ItemsResult<T>>;
}
