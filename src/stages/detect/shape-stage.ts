/**
 * What `--pose` and `--segment` have in common: each goes over a detector's regions that lack a shape, image by image,
 * and commits shapes shard by shard. A region that has its shape is not looked at again, so a run that was killed goes
 * on, and `detect --pose` after `detect` finds keypoints alone.
 */
import type { ImagePath, ImageRecord } from '../../core/image.ts';
import { type ReadPath, readFirstIntact } from '../../jobs/image-reader.ts';
import { lifting, type Unread, type UnreadCounts, unreadAmong, unreadOf } from '../../jobs/read-errors.ts';
import { type RunOptions, type RunResult, recordRun, runOnThisMachine, shardsOf } from '../../jobs/run.ts';
import type { RegionShapeOf, ShapeItem, ShapeQuery, Store } from '../../store/store.ts';

/** Images of a shard: some seconds of work. */
const DEFAULT_SHARD_SIZE = 64;

export interface ShapeStageEffects {
  readonly store: Store;
  /** The original bytes at a recorded path. */
  readonly readBytes: ReadPath;
}

export interface ShapeResult extends RunResult {
  readonly counts: UnreadCounts & {
    /** Images that were read. */
    readonly images: number;
    /** Regions that got a shape. */
    readonly regions: number;
    readonly shards: number;
  };
}

export interface ShapeWork<Cut> {
  /** The stage's name as in runs and progress: `pose` or `segment`. */
  readonly stage: string;
  readonly query: ShapeQuery;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Decodes what of an image its regions need. Failures here are the file's. */
  cut(bytes: Uint8Array, image: ImageRecord, regions: ShapeItem['regions']): Promise<Cut>;
  /** One shape a region, in their order. Failures here end the run. */
  shapes(cut: Cut, image: ImageRecord, regions: ShapeItem['regions']): Promise<readonly RegionShapeOf[]>;
  /** Holds whatever `cut` and `shapes` of one image take together, see `PixelBudget`. */
  within?<T>(image: ImageRecord, regions: ShapeItem['regions'], work: () => Promise<T>): Promise<T>;
}

type ItemResult =
  | { readonly kind: 'done'; readonly paths: readonly ImagePath[]; readonly shapes: readonly RegionShapeOf[] }
  | Unread;

export async function runShapeStage<Cut>(
  { store, readBytes }: ShapeStageEffects,
  work: ShapeWork<Cut>,
  options: RunOptions,
): Promise<ShapeResult> {
  const { stage, query, settings } = work;
  const { limit, shardSize = DEFAULT_SHARD_SIZE } = options;
  const { makerKey } = query;
  const within = work.within ?? ((_image, _regions, run) => run());

  const process = async ({ image, regions }: ShapeItem): Promise<ItemResult> => {
    const paths = (await store.pathsOfImages([image.id])).get(image.id) ?? [];
    return within(image, regions, async () => {
      let cut: Cut;
      try {
        cut = await work.cut(await readFirstIntact(image.id, paths, readBytes), image, regions);
      } catch (error) {
        return unreadOf(image.id, paths[0], error, stage);
      }
      return { kind: 'done', paths, shapes: await work.shapes(cut, image, regions) };
    });
  };

  return recordRun(store, { stage, settings, modelKey: makerKey }, options, async () => {
    const counts = { images: 0, regions: 0, shards: 0, quarantined: 0, away: 0 };
    const waiting = await store.countShapeWork(query);
    const lift = await lifting(store);
    const { interrupted, shards } = await runOnThisMachine<ShapeItem, ItemResult>(
      {
        name: stage,
        total: Math.min(waiting, limit ?? waiting),
        shards: () => shardsOf(store.shapeWork(query), shardSize, limit),
        process,
        async commit(_shard, results) {
          const done = results.filter((result) => result.kind === 'done');
          await lift(done);
          const shapes = done.flatMap((result) => result.shapes);
          const { rows: quarantine, counts: unread } = unreadAmong(results);
          await store.commitShapes({ makerKey, shapes, quarantine });
          counts.images += done.length;
          counts.regions += shapes.length;
          counts.quarantined += unread.quarantined;
          counts.away += unread.away;
        },
      },
      options,
    );
    counts.shards = shards;
    return { counts, interrupted };
  });
}
