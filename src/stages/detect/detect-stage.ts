/**
 * The stage `detect`: which images have something to do and what becomes of a detection. Every image is one independent
 * item, so its results depend on nothing but its bytes, the model and the rules.
 */
import { z } from 'zod';
import { type Detections, FROZEN_IOU } from '../../core/boxes.ts';
import { chunksOfPages } from '../../core/chunks.ts';
import type { ImageId } from '../../core/ids.ts';
import type { ImagePath } from '../../core/image.ts';
import { type AcceptRules, accept, acceptKeyOf, IMAGE_LABEL_RULES } from '../../corpus/accept.ts';
import { decodeWithin } from '../../images/decode.ts';
import { decodeForModel } from '../../images/pillow/decode.ts';
import { originalBytes } from '../../jobs/image-reader.ts';
import {
  type Quarantined,
  quarantinedPaths,
  type ReadError,
  readErrorsAmong,
  requeue,
} from '../../jobs/read-errors.ts';
import type { Counts, EachItem, StageDefinition, StageJob } from '../../jobs/stage.ts';
import type { Detector } from '../../models/detector.ts';
import type { DetectionItem } from '../../store/detection-store.ts';
import type { DetectionShard, QuarantineRow, Store } from '../../store/store.ts';
import { poisonOfImages } from '../poison.ts';
import { type DetectDecoding, type Finder, finderOf, findInImage } from './find-in-image.ts';
import { tiledKey } from './tiles.ts';

/** Items of a shard: about 6 s of work on two cores, and some 100 kB of records. */
const DEFAULT_SHARD_SIZE = 128;

const ACCEPT_RULES: z.ZodType<AcceptRules> = z.object({
  threshold: z.number(),
  classThresholds: z.record(z.string(), z.number()),
  classes: z.array(z.string()).nullable(),
  mapping: z.record(z.string(), z.string()),
  imageLabels: z.enum(IMAGE_LABEL_RULES),
});

export const DETECT_SETTINGS = z.object({
  /** The detector's name. */
  model: z.string(),
  /** The task that regions and image labels go to. */
  task: z.string(),
  /** Runs the model again on images that have candidates. People's regions and labels stay. */
  force: z.boolean(),
  /** Looks at large images in overlapping tiles too. */
  tiles: z.boolean(),
  /** Accepts the candidates that are stored, and runs the model on nothing. */
  storedOnly: z.boolean(),
  rules: ACCEPT_RULES,
  /** What to find, of a detector whose classes are words. */
  words: z
    .object({ classNames: z.array(z.string()).readonly(), templates: z.array(z.string()).readonly().optional() })
    .optional(),
});
export type DetectSettings = z.infer<typeof DETECT_SETTINGS>;

const DETECT_SHARD = z.object({
  images: z.array(
    z.object({
      id: z.string(),
      /** Whether only acceptance has to be done again, of candidates that are stored. */
      stored: z.boolean(),
    }),
  ),
});
type Shard = z.infer<typeof DETECT_SHARD>;

interface ShardResult {
  readonly images: DetectionShard['images'];
  readonly quarantine: readonly QuarantineRow[];
  /** Paths of the images that were read. */
  readonly read: readonly string[];
  readonly counts: Counts;
}

export interface DetectContext {
  readonly job: Pick<StageJob<DetectSettings>, 'settings' | 'runId' | 'shardSize' | 'limit'>;
  readonly store: Store;
  readonly detector: Pick<Detector, 'key' | 'classNames' | 'vocabulary' | 'detect' | 'input'> &
    Partial<Pick<Detector, 'close'>>;
  readonly modelKey: string;
  readonly acceptKey: string;
  readonly finder: Finder;
  readonly quarantined: Quarantined;
}

/** Names what makes detections under these options: regions and candidates are filed under it. */
export function detectionKey(
  detector: Pick<Detector, 'key'>,
  { tiles = false }: Partial<Pick<DetectSettings, 'tiles'>>,
): string {
  return tiles ? tiledKey(detector.key) : detector.key;
}

/** @param decoding default: from the recorded paths, with sharp. */
export async function detectContext(
  job: StageJob<DetectSettings>,
  detector: DetectContext['detector'],
  decoding: Partial<DetectDecoding> = {},
): Promise<DetectContext> {
  const { settings, workspace } = job;
  const { store } = workspace;
  const readBytes = originalBytes(workspace);
  return {
    job,
    store,
    detector,
    modelKey: detectionKey(detector, settings),
    acceptKey: acceptKeyOf(settings.rules, settings.task),
    finder: finderOf({ readBytes, decode: decodeForModel, decodeWithin, ...decoding }, detector, settings.tiles),
    quarantined: await quarantinedPaths(store),
  };
}

export const detectStage: StageDefinition<DetectSettings, DetectContext, Shard, ShardResult> = {
  name: 'detect',
  settings: DETECT_SETTINGS,
  shard: DETECT_SHARD,
  fingerprint: ({ modelKey }) => modelKey,
  isQuick: ({ job }) => job.settings.storedOnly,
  poison: poisonOfImages('detect'),

  async open(job) {
    const { settings, workspace, threads } = job;
    const { model, words: vocabulary } = settings;
    return detectContext(
      job,
      await workspace.models.openDetector(model, { threads, ...(vocabulary ? { vocabulary } : {}) }),
    );
  },

  async close({ detector }) {
    await detector.close?.();
  },

  async total({ store, modelKey, acceptKey, job }) {
    const { settings, limit } = job;
    const waiting = await store.countDetectionWork(modelKey, acceptKey, settings);
    return Math.min(waiting, limit ?? waiting);
  },

  async *plan({ store, modelKey, acceptKey, job }) {
    const { settings, shardSize = DEFAULT_SHARD_SIZE, limit } = job;
    const work = settings.storedOnly
      ? storedOf(store.detectionWork(modelKey, acceptKey, settings))
      : store.detectionWork(modelKey, acceptKey, settings);
    for await (const items of chunksOfPages(work, shardSize, limit)) {
      yield { images: items.map(({ image, candidates }) => ({ id: image.id, stored: candidates !== null })) };
    }
  },

  async process(context, { images }, eachItem) {
    const found = await findAll(context, images, eachItem);
    const { rows: quarantine, counts: readErrors } = readErrorsAmong(
      found.results.filter((result) => result.kind !== 'by others'),
    );
    const { classNames } = context.detector;
    // Of a file that could not be read nothing is written: what was found in it before stays. Nor of one of another run's.
    const done = images.flatMap(({ id }, i) => {
      const result = found.results[i];
      if (result.kind !== 'done') return [];
      const { candidates } = result;
      const accepted = accept(id, context.modelKey, candidates, classNames, context.job.settings.rules);
      return [{ imageId: id, candidates: found.stored.has(id) ? null : candidates, ...accepted }];
    });
    return {
      images: done,
      quarantine,
      read: done.flatMap(({ imageId }) => found.paths.get(imageId)?.map(({ path }) => path) ?? []),
      counts: {
        images: done.length,
        detected: done.filter(({ candidates }) => candidates !== null).length,
        regions: done.reduce((sum, { regions }) => sum + regions.length, 0),
        byOthers: found.results.filter(({ kind }) => kind === 'by others').length,
        ...readErrors,
      },
    };
  },

  async commit({ store, detector, modelKey, acceptKey, quarantined, job }, _shard, result) {
    const { images, quarantine, read, counts } = result;
    const { task, force } = job.settings;
    const { classNames } = detector;
    await requeue(store, quarantined, read);
    const { runId } = job;
    const keys = { runId, modelKey, acceptKey, task, classNames, frozenIou: FROZEN_IOU, leaveDone: !force };
    const left = await store.commitDetections({ ...keys, images, quarantine });
    return withoutLeft(counts, images, left);
  },
};

/** The counts of a shard but for images that another run had done when it was committed. */
function withoutLeft(counts: Counts, images: ShardResult['images'], left: ReadonlySet<ImageId>): Counts {
  const { images: all = 0, detected = 0, regions = 0, byOthers = 0 } = counts;
  const theirs = images.filter(({ imageId }) => left.has(imageId));
  return {
    ...counts,
    images: all - theirs.length,
    detected: detected - theirs.filter(({ candidates }) => candidates !== null).length,
    regions: regions - theirs.reduce((sum, image) => sum + image.regions.length, 0),
    byOthers: byOthers + theirs.length,
  };
}

async function* storedOf(pages: AsyncIterable<readonly DetectionItem[]>): AsyncIterable<readonly DetectionItem[]> {
  for await (const page of pages) yield page.filter(({ candidates }) => candidates !== null);
}

interface Found {
  readonly results: readonly (
    | { readonly kind: 'done'; readonly candidates: Detections }
    | { readonly kind: 'by others' }
    | ReadError
  )[];
  /** Candidates that were there already. */
  readonly stored: ReadonlyMap<ImageId, Detections>;
  /** Of the images that had to be read. */
  readonly paths: ReadonlyMap<ImageId, readonly ImagePath[]>;
}

/** One look-up of paths and of stored candidates a shard, not one an image. */
async function findAll(
  { store, modelKey, acceptKey, finder, job }: DetectContext,
  images: Shard['images'],
  eachItem: EachItem,
): Promise<Found> {
  const imageIds = images.map(({ id }) => id);
  const { runId, settings } = job;
  // Another run may have come to them since this shard was planned, by these rules or by others: then its candidates are there.
  const byOthers = settings.force
    ? new Set<ImageId>()
    : await store.detectedByOthers({ runId, modelKey, acceptKey, imageIds });
  const ids = settings.force ? [] : imageIds.filter((id) => !byOthers.has(id));
  const stored = ids.length > 0 ? await store.candidatesOf(modelKey, ids) : new Map<ImageId, Detections>();
  const toRead = imageIds.filter((id) => !stored.has(id) && !byOthers.has(id));
  const paths = await store.pathsOfImages(toRead);
  const find = async ({ id }: Shard['images'][number]) => {
    if (byOthers.has(id)) return { kind: 'by others' as const };
    const candidates = stored.get(id);
    if (candidates) return { kind: 'done' as const, candidates };
    return findInImage(finder, id, paths.get(id) ?? []);
  };
  const results = await eachItem(images, find, ({ id }) => stored.has(id) || byOthers.has(id));
  return { results, stored, paths };
}
