/**
 * `detect`: regions and image labels from a detector.
 *
 * Owns which images have something to do and what becomes of a detection. Every image is one independent item: it is
 * decoded once, run alone through the model, and committed with its shard, so the results of an image depend on nothing
 * but its bytes, the model and the rules.
 */
import { type Detections, FROZEN_IOU } from '../../core/boxes.ts';
import type { ImagePath, ImageRecord } from '../../core/image.ts';
import { release } from '../../core/release.ts';
import { type AcceptRules, accept, acceptKeyOf } from '../../corpus/accept.ts';
import { LabelsmithError } from '../../errors.ts';
import { canvases } from '../../images/buffer-pool.ts';
import {
  type DecodeOptions,
  decodeLetterboxed,
  decodeWithin,
  type Letterboxed,
  type LetterboxOptions,
  type Pixels,
} from '../../images/decode.ts';
import { PixelBudget } from '../../images/pixel-budget.ts';
import { cutTile, tileCount, tileGrids } from '../../images/tiles.ts';
import { originalBytes, type ReadPath, readFirstIntact } from '../../jobs/image-reader.ts';
import {
  isAboutOneFile,
  lifting,
  type Unread,
  type UnreadCounts,
  unreadAmong,
  unreadOf,
} from '../../jobs/read-errors.ts';
import { type RunOptions, type RunResult, recordRun, runOnThisMachine, shardsOf } from '../../jobs/run.ts';
import type { Stage } from '../../jobs/stage.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Detector, Frame } from '../../models/detector.ts';
import type { DetectionItem, Store } from '../../store/store.ts';
import { mergeTiles, placed, TILE_OVERLAP, type TileView, tiledKey } from './tiles.ts';

/** Items of a shard: about 6 s of work on two cores, and some 100 kB of records. */
const DEFAULT_SHARD_SIZE = 128;

export interface DetectOptions extends RunOptions {
  readonly rules: AcceptRules;
  /** Runs the model again on images that have candidates. People's regions and labels stay. */
  readonly force: boolean;
  /** The task that regions and image labels go to. Default `objects`. */
  readonly task: string;
  /**
   * Looks at images twice as large as the model's input and larger in overlapping tiles too. Finds small things; costs a
   * run of the model a tile, some 35 for 5 megapixels. Default false.
   */
  readonly tiles?: boolean;
}

/** What the stage needs of the outside, so that a test drives it with neither files nor a model. */
export interface DetectEffects {
  readonly store: Store;
  readonly detector: Pick<Detector, 'key' | 'classNames' | 'detect' | 'input'>;
  /** The original bytes at a recorded path. */
  readonly readBytes: ReadPath;
  decode(bytes: Uint8Array, options: LetterboxOptions): Promise<Letterboxed>;
  /** The image made smaller to this longer side; for tiles. */
  decodeWithin(bytes: Uint8Array, longest: number, options: DecodeOptions): Promise<Pixels>;
}

/** Names what makes detections under these options: regions and candidates are filed under it. */
export function detectionKey(detector: Pick<Detector, 'key'>, { tiles = false }: Pick<DetectOptions, 'tiles'>): string {
  return tiles ? tiledKey(detector.key) : detector.key;
}

export interface DetectResult extends RunResult {
  readonly counts: UnreadCounts & {
    readonly images: number;
    readonly detected: number;
    readonly regions: number;
    readonly shards: number;
  };
}

interface Work extends DetectionItem {
  readonly paths: readonly ImagePath[];
}

type ItemResult = { readonly kind: 'done'; readonly candidates: Detections } | Unread;

/** Detects in every image of a workspace that needs it, see {@link detect}. */
export function detectIn(workspace: Workspace, detector: Detector, options: DetectOptions): Promise<DetectResult> {
  const readBytes = originalBytes(workspace);
  return detect({ store: workspace.store, detector, readBytes, decode: decodeLetterboxed, decodeWithin }, options);
}

export interface DetectEstimate {
  readonly model: string;
  /** Images with something to do. */
  readonly images: number;
  readonly estimatedMs: number;
  readonly recordBytes: number;
}

const TIMED_IMAGES = 5;
/** Decoding a photograph of a third of a megapixel adds about a quarter to the time in the model. */
const DECODE_SHARE = 1.25;
/** Candidates (100 at most, 22 bytes each), regions and labels of a usual photograph. */
const RECORD_BYTES = 3000;

/** Times the model on a few blank images, and multiplies. Writes nothing. */
export async function estimateDetect(
  { store }: Workspace,
  detector: Detector,
  options: Pick<DetectOptions, 'rules' | 'force' | 'task' | 'limit' | 'threads' | 'tiles'>,
): Promise<DetectEstimate> {
  const { rules, force, task, limit, threads, tiles = false } = options;
  const { width, height } = detector.input;
  const key = detectionKey(detector, options);
  const acceptKey = acceptKeyOf(rules, task);
  const missing = await store.countDetectionWork(key, acceptKey, { force });
  const images = Math.min(missing, limit ?? missing);
  let runs = images;
  if (tiles) {
    runs = 0;
    for await (const { items } of shardsOf(store.detectionWork(key, acceptKey, { force }), TIMED_IMAGES, limit)) {
      for (const { image } of items) runs += tileCount(image, detector.input, TILE_OVERLAP);
    }
  }
  const pixels = new Uint8Array(width * height * 3);
  const frame = { width, height, scaleX: 1, scaleY: 1 };
  await detector.detect(pixels, frame);
  const startedAt = performance.now();
  for (let i = 0; i < TIMED_IMAGES; i++) await detector.detect(pixels, frame);
  const perRunMs = ((performance.now() - startedAt) / TIMED_IMAGES) * DECODE_SHARE;
  const estimatedMs = Math.round((perRunMs * runs) / threads);
  return { model: key, images, estimatedMs, recordBytes: images * RECORD_BYTES };
}

/** Detects in every image that needs it and records the run. */
export async function detect(effects: DetectEffects, options: DetectOptions): Promise<DetectResult> {
  const { store, detector } = effects;
  const { rules, force, task } = options;
  const modelKey = detectionKey(detector, options);
  const settings = { model: modelKey, task, force, tiles: options.tiles ?? false, ...rules };
  await store.ensureTask({ name: task, rule: 'multi', items: 'regions' });
  return recordRun(store, { stage: 'detect', settings, modelKey }, options, async (runId) => {
    const counts = { images: 0, detected: 0, regions: 0, shards: 0, quarantined: 0, away: 0 };
    const stage = await detectStage(effects, options, runId, counts);
    const { interrupted, shards } = await runOnThisMachine(stage, options);
    counts.shards = shards;
    return { counts, interrupted };
  });
}

async function detectStage(
  effects: DetectEffects,
  options: DetectOptions,
  runId: string,
  counts: { images: number; detected: number; regions: number; quarantined: number; away: number },
): Promise<Stage<Work, ItemResult>> {
  const { store, detector, readBytes } = effects;
  const { rules, force, task, limit, tiles = false, shardSize = DEFAULT_SHARD_SIZE } = options;
  const { classNames } = detector;
  const modelKey = detectionKey(detector, options);
  const acceptKey = acceptKeyOf(rules, task);
  const waiting = await store.countDetectionWork(modelKey, acceptKey, { force });

  const { width, height } = detector.input;
  const frames = canvases(width * height * 3);

  const budget = new PixelBudget();

  const candidatesOf = async ({ image, paths }: Work): Promise<ItemResult> => {
    const into = frames.take();
    try {
      const bytes = await readFirstIntact(image.id, paths, readBytes);
      const { pixels, ...frame } = await effects.decode(bytes, { ...detector.input, into });
      const whole = await runModel(pixels, frame, image);
      const candidates = tiles ? await withTiles(bytes, image, frame, whole) : whole;
      release(bytes);
      return { kind: 'done', candidates };
    } catch (error) {
      return unreadOf(image.id, paths[0], error, 'detect');
    } finally {
      frames.giveBack(into);
    }
  };

  /** A model that fails on one image fails on all: it must end the run and not look like a bad file. */
  const runModel = async (pixels: Uint8Array, frame: Frame, { id }: ImageRecord): Promise<Detections> => {
    try {
      return await detector.detect(pixels, frame);
    } catch (error) {
      if (!isAboutOneFile(error)) throw error;
      const message = `${detector.key} failed on image ${id.slice(0, 12)}: ${error.message}`;
      throw new LabelsmithError('BAD_MODEL', message, { hint: error.hint, cause: error });
    }
  };

  /** Level by level and row by row, so that one level's pixels and one row's tiles are held at a time. */
  const withTiles = async (bytes: Uint8Array, image: ImageRecord, frame: Frame, whole: Detections) => {
    const views: TileView[] = [{ tile: [0, 0, frame.width, frame.height], detections: whole }];
    for (const grid of tileGrids(frame, detector.input, TILE_OVERLAP)) {
      await budget.run(3 * grid.width * grid.height, async () => {
        const like = { kernel: detector.input.kernel, applyProfile: 'unless-srgb' } as const;
        const picture = await effects.decodeWithin(bytes, grid.longest, like);
        for (const top of grid.tops) {
          const row = grid.lefts.map((left) => detectTile(picture, left, top, image, frame));
          views.push(...(await Promise.all(row)));
        }
      });
    }
    return mergeTiles(views, frame);
  };

  const detectTile = async (picture: Pixels, left: number, top: number, image: ImageRecord, whole: Frame) => {
    const into = frames.take();
    try {
      cutTile(picture, left, top, detector.input, into);
      const scaleX = picture.width / whole.width;
      const scaleY = picture.height / whole.height;
      const tileWidth = Math.min(width, picture.width - left) / scaleX;
      const tileHeight = Math.min(height, picture.height - top) / scaleY;
      const frame = { width: tileWidth, height: tileHeight, scaleX, scaleY };
      return placed(await runModel(into, frame, image), left / scaleX, top / scaleY, frame);
    } finally {
      frames.giveBack(into);
    }
  };

  /** One look-up of paths a page of items, not one an image. */
  async function* work(): AsyncIterable<readonly Work[]> {
    for await (const page of store.detectionWork(modelKey, acceptKey, { force })) {
      const toRead = page.filter(({ candidates }) => candidates === null).map(({ image }) => image.id);
      const paths = await store.pathsOfImages(toRead);
      yield page.map((item) => ({ ...item, paths: paths.get(item.image.id) ?? [] }));
    }
  }

  const lift = await lifting(store);

  return {
    name: 'detect',
    total: Math.min(waiting, limit ?? waiting),
    shards: () => shardsOf(work(), shardSize, limit),
    process: (item) =>
      item.candidates ? Promise.resolve({ kind: 'done', candidates: item.candidates }) : candidatesOf(item),
    async commit(shard, results) {
      await lift(shard.items.filter((_, i) => results[i]?.kind === 'done'));
      const { rows: quarantine, counts: unread } = unreadAmong(results);
      // Of a file that could not be read nothing is written: what was found in it before stays.
      const done = shard.items.flatMap(({ image, candidates }, i) => {
        const result = results[i];
        if (result.kind !== 'done') return [];
        if (!candidates) counts.detected++;
        const { regions, imageLabels } = accept(image.id, modelKey, result.candidates, classNames, rules);
        counts.regions += regions.length;
        return [{ imageId: image.id, candidates: candidates ? null : result.candidates, regions, imageLabels }];
      });
      await store.commitDetections({
        runId,
        modelKey,
        acceptKey,
        task,
        classNames,
        frozenIou: FROZEN_IOU,
        images: done,
        quarantine,
      });
      counts.images += done.length;
      counts.quarantined += unread.quarantined;
      counts.away += unread.away;
    },
  };
}
