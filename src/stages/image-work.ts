/**
 * Images with items to do, as shards that can be written as JSON: what `embed` and `classify` have in common. Owns which
 * images are left, and which of their paths are worth reading.
 */
import { z } from 'zod';
import { chunksOfPages } from '../core/chunks.ts';
import type { IdSet } from '../core/id-set.ts';
import type { ImageId } from '../core/ids.ts';
import type { ImagePath } from '../core/image.ts';
import type { ItemKind } from '../core/labels.ts';
import type { Quarantined } from '../jobs/read-errors.ts';
import type { Store } from '../store/store.ts';

export const ITEM_KIND: z.ZodType<ItemKind> = z.enum(['images', 'regions']);

const IMAGE_WORK = z.object({
  id: z.string(),
  /** Null for the whole image. */
  regions: z
    .array(z.object({ id: z.string(), box: z.tuple([z.number(), z.number(), z.number(), z.number()]).readonly() }))
    .nullable(),
});
/** An image with something to do. */
export type ImageWork = z.infer<typeof IMAGE_WORK>;

export const IMAGE_WORK_SHARD = z.object({ images: z.array(IMAGE_WORK) });
export type ImageWorkShard = z.infer<typeof IMAGE_WORK_SHARD>;

/** What is planned: the items of a kind but for those that are done. */
export interface WorkQuery {
  readonly items: ItemKind;
  readonly done: IdSet;
  readonly quarantined: Pick<Quarantined, 'broken'>;
}

/** What is left, in order of id. */
export async function* imageWorkShards(
  store: Store,
  query: WorkQuery,
  { size, limit }: { readonly size: number; readonly limit?: number },
): AsyncGenerator<ImageWorkShard> {
  for await (const images of chunksOfPages(missingWork(store, query), size, limit)) yield { images };
}

/** Images with something to do, in order of id, in pages; those of which no path is worth reading are left out. */
export async function* missingWork(
  store: Store,
  { items, done, quarantined }: WorkQuery,
): AsyncGenerator<readonly ImageWork[]> {
  for await (const page of store.images({})) {
    const ids = page.map(({ id }) => id);
    const regions = items === 'regions' ? await store.regionsOf(ids) : undefined;
    const left = ids.flatMap((id): ImageWork[] => {
      if (!regions) return done.has(id) ? [] : [{ id, regions: null }];
      const own = (regions.get(id) ?? []).filter((region) => !region.deleted && !done.has(region.id));
      return own.length === 0 ? [] : [{ id, regions: own.map((region) => ({ id: region.id, box: region.box })) }];
    });
    const paths = await readablePaths(
      store,
      left.map(({ id }) => id),
      quarantined,
    );
    const work = left.filter(({ id }) => paths.has(id));
    if (work.length > 0) yield work;
  }
}

/**
 * Paths that are there and not in quarantine, unless they are there because their file was gone. Images with none are left
 * out.
 */
export async function readablePaths(
  store: Pick<Store, 'pathsOfImages'>,
  ids: readonly ImageId[],
  { broken }: Pick<Quarantined, 'broken'>,
): Promise<Map<ImageId, readonly ImagePath[]>> {
  const readable = new Map<ImageId, readonly ImagePath[]>();
  for (const [id, paths] of await store.pathsOfImages(ids)) {
    const usable = paths.filter(({ path, missing }) => !missing && !broken.has(path));
    if (usable.length > 0) readable.set(id, usable);
  }
  return readable;
}

/** Images that are there and not done, those that cannot be read among them. */
export async function countMissing(store: Store, done: IdSet): Promise<number> {
  if (done.size === 0) return store.countImages();
  let count = 0;
  for await (const page of store.images({})) for (const { id } of page) if (!done.has(id)) count++;
  return count;
}
