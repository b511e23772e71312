/**
 * `detect`: regions and image labels from a detector.
 *
 * Owns which images have something to do and what becomes of a detection. Every image is one independent item: it is
 * decoded once, run alone through the model, and committed with its shard, so the results of an image depend on nothing
 * but its bytes, the model and the rules.
 */
import { type Detections, NO_DETECTIONS } from '../core/boxes.ts';
import type { ImagePath } from '../core/image.ts';
import { canvases } from '../images/canvases.ts';
import { decodeLetterboxed, type Letterboxed, type LetterboxOptions } from '../images/decode.ts';
import type { Detector } from '../models/detector.ts';
import { originalBytes, type ReadPath, readFirstIntact } from '../pipeline/originals.ts';
import { type RunOptions, type RunResult, recordRun, runOnThisMachine, shardsOf } from '../pipeline/run.ts';
import type { Stage } from '../pipeline/stage.ts';
import type { Workspace } from '../pipeline/workspace.ts';
import type { DetectionItem, QuarantineRow, Store } from '../store/store.ts';
import { type AcceptRules, accept, acceptKeyOf } from './accept.ts';
import { isAboutOneFile, quarantineRowOf } from './unreadable.ts';

/** Items of a shard: about 6 s of work on two cores, and some 100 kB of records. */
const DEFAULT_SHARD_SIZE = 128;
/** A new region over a frozen one or a tombstone of its class at this IoU is the same thing and is not added. */
const FROZEN_IOU = 0.5;

export interface DetectOptions extends RunOptions {
  readonly rules: AcceptRules;
  /** Runs the model again on images that have candidates. People's regions and labels stay. */
  readonly force: boolean;
  /** The task that regions and image labels go to. Default `objects`. */
  readonly task: string;
}

/** What the stage needs of the outside, so that a test drives it with neither files nor a model. */
export interface DetectEffects {
  readonly store: Store;
  readonly detector: Pick<Detector, 'key' | 'classNames' | 'detect' | 'input'>;
  /** The original bytes at a recorded path. */
  readonly readBytes: ReadPath;
  decode(bytes: Uint8Array, options: LetterboxOptions): Promise<Letterboxed>;
}

export interface DetectResult extends RunResult {
  readonly counts: {
    readonly images: number;
    readonly detected: number;
    readonly regions: number;
    readonly shards: number;
    readonly quarantined: number;
  };
}

interface Work extends DetectionItem {
  readonly paths: readonly ImagePath[];
}

type ItemResult =
  | { readonly kind: 'done'; readonly candidates: Detections }
  | { readonly kind: 'bad'; readonly row: QuarantineRow };

/** Detects in every image of a workspace that needs it, see {@link detect}. */
export function detectIn(workspace: Workspace, detector: Detector, options: DetectOptions): Promise<DetectResult> {
  const readBytes = originalBytes(workspace);
  return detect({ store: workspace.store, detector, readBytes, decode: decodeLetterboxed }, options);
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
  { rules, force, task, limit, threads }: Pick<DetectOptions, 'rules' | 'force' | 'task' | 'limit' | 'threads'>,
): Promise<DetectEstimate> {
  const { width, height } = detector.input;
  const missing = await store.countDetectionWork(detector.key, acceptKeyOf(rules, task), { force });
  const images = Math.min(missing, limit ?? missing);
  const pixels = new Uint8Array(width * height * 3);
  const frame = { width, height, scaleX: 1, scaleY: 1 };
  await detector.detect(pixels, frame);
  const startedAt = performance.now();
  for (let i = 0; i < TIMED_IMAGES; i++) await detector.detect(pixels, frame);
  const perImageMs = ((performance.now() - startedAt) / TIMED_IMAGES) * DECODE_SHARE;
  const estimatedMs = Math.round((perImageMs * images) / threads);
  return { model: detector.key, images, estimatedMs, recordBytes: images * RECORD_BYTES };
}

/** Detects in every image that needs it and records the run. */
export async function detect(effects: DetectEffects, options: DetectOptions): Promise<DetectResult> {
  const { store, detector } = effects;
  const { rules, force, task } = options;
  const settings = { model: detector.key, task, force, ...rules };
  await store.ensureTask({ name: task, rule: 'multi', items: 'regions' });
  return recordRun(store, { stage: 'detect', settings, modelKey: detector.key }, options, async (runId) => {
    const counts = { images: 0, detected: 0, regions: 0, shards: 0, quarantined: 0 };
    const stage = await detectStage(effects, options, runId, counts);
    const { interrupted, shards } = await runOnThisMachine(stage, options);
    counts.shards = shards;
    return { counts, interrupted };
  });
}

async function detectStage(
  { store, detector, readBytes, decode }: DetectEffects,
  options: DetectOptions,
  runId: string,
  counts: { images: number; detected: number; regions: number; quarantined: number },
): Promise<Stage<Work, ItemResult>> {
  const { rules, force, task, limit, shardSize = DEFAULT_SHARD_SIZE } = options;
  const acceptKey = acceptKeyOf(rules, task);
  const waiting = await store.countDetectionWork(detector.key, acceptKey, { force });

  const { width, height } = detector.input;
  const frames = canvases(width * height * 3);

  const candidatesOf = async ({ image, paths }: Work): Promise<ItemResult> => {
    const into = frames.take();
    try {
      const bytes = await readFirstIntact(image.id, paths, readBytes);
      const { pixels, ...frame } = await decode(bytes, { ...detector.input, into });
      return { kind: 'done', candidates: await detector.detect(pixels, frame) };
    } catch (error) {
      if (!isAboutOneFile(error)) throw error;
      return { kind: 'bad', row: quarantineRowOf(image.id, paths[0], error, 'detect') };
    } finally {
      frames.giveBack(into);
    }
  };

  /** One look-up of paths a page of items, not one an image. */
  async function* work(): AsyncIterable<readonly Work[]> {
    for await (const page of store.detectionWork(detector.key, acceptKey, { force })) {
      const toRead = page.filter(({ candidates }) => candidates === null).map(({ image }) => image.id);
      const paths = await store.pathsOfImages(toRead);
      yield page.map((item) => ({ ...item, paths: paths.get(item.image.id) ?? [] }));
    }
  }

  return {
    name: 'detect',
    total: Math.min(waiting, limit ?? waiting),
    shards: () => shardsOf(work(), shardSize, limit),
    process: (item) =>
      item.candidates ? Promise.resolve({ kind: 'done', candidates: item.candidates }) : candidatesOf(item),
    async commit(shard, results) {
      const quarantine: QuarantineRow[] = [];
      const images = shard.items.map(({ image, candidates }, i) => {
        const result = results[i] as ItemResult;
        const found = result.kind === 'done' ? result.candidates : NO_DETECTIONS;
        if (result.kind === 'bad') quarantine.push(result.row);
        else if (!candidates) counts.detected++;
        const { regions, imageLabels } = accept(image.id, detector.key, found, detector.classNames, rules);
        counts.regions += regions.length;
        // A file that could not be read leaves no candidates: it is tried again when it is back.
        return {
          imageId: image.id,
          candidates: candidates || result.kind === 'bad' ? null : found,
          regions,
          imageLabels,
        };
      });
      const done = images.filter((_, i) => (results[i] as ItemResult).kind === 'done');
      const { key: modelKey, classNames } = detector;
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
      counts.quarantined += quarantine.length;
    },
  };
}
