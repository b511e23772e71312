/**
 * What `--pose` and `--segment` have in common: each is a stage over a detector's regions that lack a shape, image by image,
 * and commits shapes shard by shard. A region that has its shape is not looked at again, so a run that was killed goes
 * on, and `detect --pose` after `detect` finds keypoints alone.
 */
import { z } from 'zod';
import { chunksOfPages } from '../../core/chunks.ts';
import type { ImagePath, ImageRecord } from '../../core/image.ts';
import { PixelBudget } from '../../images/pixel-budget.ts';
import { holdingFile, originalBytes, type ReadPath, readFirstIntact } from '../../jobs/image-reader.ts';
import {
  type Quarantined,
  quarantinedPaths,
  type ReadError,
  type ReadErrorCounts,
  readErrorOf,
  readErrorsAmong,
  requeue,
} from '../../jobs/read-errors.ts';
import { type RunResult, recordRun } from '../../jobs/run.ts';
import type { Counts, StageDefinition, StageJob } from '../../jobs/stage.ts';
import type { QuarantineRow, RegionShapeOf, ShapeItem, ShapeQuery, Store } from '../../store/store.ts';
import { poisonOfImages } from '../poison.ts';

/** Images of a shard: some seconds of work. */
const DEFAULT_SHARD_SIZE = 64;

export interface ShapeResult extends RunResult {
  readonly counts: ReadErrorCounts & {
    /** Images that were read. */
    readonly images: number;
    /** Regions that got a shape. */
    readonly regions: number;
    readonly shards: number;
  };
}

/** An image as a maker of shapes needs it. */
export type ShapeImage = Pick<ImageRecord, 'id' | 'width' | 'height'>;
export type ShapeRegions = ShapeItem['regions'];

/** What makes shapes of one kind. @typeParam Crops what of an image its regions need, decoded */
export interface ShapeMaker<Crops> {
  /** Names the maker: the model, and all that decides what it sees and what its results mean. */
  readonly key: string;
  /** What `crop` and `shapes` of one image take together, see `PixelBudget`. */
  bytesFor(image: ShapeImage, regions: ShapeRegions): number;
  /** Failures here are the file's. */
  crop(bytes: Uint8Array, image: ShapeImage, regions: ShapeRegions): Promise<Crops>;
  /** One shape a region, in their order. Failures here end the run. */
  shapes(crops: Crops, image: ShapeImage, regions: ShapeRegions): Promise<readonly RegionShapeOf[]>;
  close?(): Promise<void>;
}

export interface ShapeContext<Crops> {
  readonly job: Pick<StageJob<unknown>, 'shardSize' | 'limit'>;
  readonly store: Store;
  readonly readBytes: ReadPath;
  readonly maker: ShapeMaker<Crops>;
  readonly query: ShapeQuery;
  readonly budget: PixelBudget;
  readonly quarantined: Quarantined;
}

const SHAPE_SHARD = z.object({
  images: z.array(
    z.object({
      id: z.string(),
      width: z.number(),
      height: z.number(),
      regions: z.array(
        z.object({ id: z.string(), box: z.tuple([z.number(), z.number(), z.number(), z.number()]).readonly() }),
      ),
    }),
  ),
});
type Shard = z.infer<typeof SHAPE_SHARD>;

interface ShardResult {
  readonly shapes: readonly RegionShapeOf[];
  readonly quarantine: readonly QuarantineRow[];
  /** Paths of the images that were read. */
  readonly read: readonly string[];
  readonly counts: Counts;
}

export interface ShapeStageParts<Settings, Crops> {
  /** The stage's name as in runs and progress: `pose` or `segment`. */
  readonly name: string;
  readonly settings: z.ZodType<Settings>;
  openMaker(job: StageJob<Settings>): Promise<ShapeMaker<Crops>>;
  /** The regions that are meant. */
  queryOf(settings: Settings, maker: ShapeMaker<Crops>): ShapeQuery;
}

export type ShapeStage<Settings, Crops> = StageDefinition<Settings, ShapeContext<Crops>, Shard, ShardResult> &
  Pick<ShapeStageParts<Settings, Crops>, 'queryOf'>;

export function shapeStage<Settings, Crops>(parts: ShapeStageParts<Settings, Crops>): ShapeStage<Settings, Crops> {
  const { name, settings, queryOf } = parts;
  return {
    name,
    settings,
    queryOf,
    shard: SHAPE_SHARD,
    fingerprint: ({ query }) => query.makerKey,
    poison: poisonOfImages(name),

    async open(job) {
      const maker = await parts.openMaker(job);
      return shapeContext(job, maker, queryOf(job.settings, maker));
    },

    async close({ maker }) {
      await maker.close?.();
    },

    async total({ store, query, job: { limit } }) {
      const waiting = await store.countShapeWork(query);
      return Math.min(waiting, limit ?? waiting);
    },

    async *plan({ store, query, job: { shardSize = DEFAULT_SHARD_SIZE, limit } }) {
      for await (const items of chunksOfPages(store.shapeWork(query), shardSize, limit)) {
        yield {
          images: items.map(({ image: { id, width, height }, regions }) => ({
            id,
            width,
            height,
            regions: regions.map((region) => ({ id: region.id, box: region.box })),
          })),
        };
      }
    },

    async process(context, { images }, eachItem) {
      const paths = await context.store.pathsOfImages(images.map(({ id }) => id));
      const results = await eachItem(images, (image) => shapesIn(context, name, image, paths.get(image.id) ?? []));
      const { rows: quarantine, counts: readErrors } = readErrorsAmong(results);
      const done = results.filter((result) => result.kind === 'done');
      const shapes = done.flatMap((result) => result.shapes);
      const read = done.flatMap((result) => result.paths);
      return { shapes, quarantine, read, counts: { images: done.length, regions: shapes.length, ...readErrors } };
    },

    async commit({ store, query, quarantined }, _shard, { shapes, quarantine, read, counts }) {
      await requeue(store, quarantined, read);
      await store.commitShapes({ makerKey: query.makerKey, shapes, quarantine });
      return counts;
    },
  };
}

async function shapeContext<Crops>(
  job: StageJob<unknown>,
  maker: ShapeMaker<Crops>,
  query: ShapeQuery,
): Promise<ShapeContext<Crops>> {
  const { store } = job.workspace;
  const readBytes = originalBytes(job.workspace);
  const quarantined = await quarantinedPaths(store);
  return { job, store, readBytes, maker, query, budget: new PixelBudget(), quarantined };
}

async function shapesIn<Crops>(
  { maker, budget, readBytes }: ShapeContext<Crops>,
  stage: string,
  image: Shard['images'][number],
  paths: readonly ImagePath[],
): Promise<
  { readonly kind: 'done'; readonly paths: readonly string[]; readonly shapes: readonly RegionShapeOf[] } | ReadError
> {
  const { regions } = image;
  return budget.run(maker.bytesFor(image, regions), async () => {
    let crops: Crops;
    try {
      crops = await holdingFile(paths[0]?.byteSize ?? 0, async () =>
        maker.crop(await readFirstIntact(image.id, paths, readBytes), image, regions),
      );
    } catch (error) {
      return readErrorOf(image.id, paths[0], error, stage);
    }
    const shapes = await maker.shapes(crops, image, regions);
    return { kind: 'done', paths: paths.map(({ path }) => path), shapes };
  });
}

const NOTHING = { images: 0, regions: 0, quarantined: 0, away: 0 };

/** Makes the shapes that are missing, and records the run. @param maker stays open */
export async function makeShapes<Settings, Crops>(
  stage: ShapeStage<Settings, Crops>,
  job: Omit<StageJob<Settings>, 'runId'>,
  maker: ShapeMaker<Crops>,
  recorded: Readonly<Record<string, unknown>>,
): Promise<ShapeResult> {
  const { store, engine } = job.workspace;
  const query = stage.queryOf(job.settings, maker);
  const identity = { stage: stage.name, settings: recorded, modelKey: maker.key };
  return recordRun(store, identity, job, async (runId) => {
    const whole = { ...job, runId };
    const context = await shapeContext(whole, maker, query);
    const { counts, shards, interrupted } = await engine.run(stage, whole, context);
    return { counts: { ...NOTHING, ...counts, shards }, interrupted };
  });
}
