/** `detect`: regions and image labels from a detector, as one recorded run. */
import { chunksOfPages } from '../../core/chunks.ts';
import { inputBytes } from '../../core/pillow.ts';
import { type AcceptRules, acceptKeyOf } from '../../corpus/accept.ts';
import { adoptNames } from '../../corpus/same-names.ts';
import { tileCount } from '../../images/tiles.ts';
import type { ReadErrorCounts } from '../../jobs/read-errors.ts';
import { type RunOptions, type RunResult, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Detector } from '../../models/detector.ts';
import { type DetectContext, type DetectSettings, detectContext, detectionKey, detectStage } from './detect-stage.ts';
import type { DetectDecoding } from './find-in-image.ts';
import { TILE_OVERLAP } from './tiles.ts';

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
  /** Accepts the candidates that are stored by the rules, and runs the model on nothing. Default false. */
  readonly storedOnly?: boolean;
}

export interface DetectResult extends RunResult {
  readonly counts: ReadErrorCounts & {
    readonly images: number;
    readonly detected: number;
    readonly regions: number;
    /**
     * Images that another run did by the same model and rules while this one was at work: none of `images`. Where the candidates
     * of all images gave other rules at the end, `images` and `regions` are of all that this run applied these to.
     */
    readonly byOthers: number;
    readonly shards: number;
  };
}

const NOTHING = { images: 0, detected: 0, regions: 0, byOthers: 0, quarantined: 0, away: 0 };

/**
 * Detects in every image of a workspace that needs it, and records the run.
 *
 * @param detector stays open. @param decoding how images become pixels, where a test has none.
 */
export async function detectIn(
  workspace: Workspace,
  detector: DetectContext['detector'] & Pick<Detector, 'id'>,
  options: DetectOptions,
  decoding?: Partial<DetectDecoding>,
): Promise<DetectResult> {
  const { store, engine } = workspace;
  const { rules, force, task, tiles = false, storedOnly = false } = options;
  const { vocabulary: words } = detector;
  const settings: DetectSettings = { model: detector.id, task, force, tiles, storedOnly, rules, words };
  const modelKey = detectionKey(detector, settings);
  await store.ensureTask({ name: task, rule: 'multi', items: 'regions' });
  await adoptNames(store, [...new Set(detector.classNames.map((name) => rules.mapping[name] ?? name))]);
  const recorded = { model: modelKey, task, force, tiles, ...rules, ...(words ? { words } : {}) };
  return recordRun(store, { stage: 'detect', settings: recorded, modelKey }, options, async (runId) => {
    const job = { ...options, workspace, settings, runId };
    const { counts, shards, interrupted } = await engine.run(
      detectStage,
      job,
      await detectContext(job, detector, decoding),
    );
    return { counts: { ...NOTHING, ...counts, shards }, interrupted };
  });
}

export interface DetectEstimate {
  readonly model: string;
  /** Images with something to do. */
  readonly images: number;
  /** Of these, the ones whose candidates are stored: no model runs on them again. */
  readonly stored: number;
  readonly estimatedMs: number;
  readonly recordBytes: number;
}

const TIMED_IMAGES = 5;
/** Images that are looked up at once. */
const PAGE = 512;
/** Decoding a photograph of a third of a megapixel adds about a quarter to the time in the model. */
const DECODE_SHARE = 1.25;
/** Candidates (100 at most, 22 bytes each), regions and labels of a usual photograph. */
const RECORD_BYTES = 3000;

/** Times the model on a few blank images, and multiplies. Writes nothing. */
export async function estimateDetect(
  { store }: Pick<Workspace, 'store'>,
  detector: Detector,
  options: Pick<DetectOptions, 'rules' | 'force' | 'task' | 'limit' | 'threads' | 'tiles'>,
): Promise<DetectEstimate> {
  const { rules, force, task, limit, threads, tiles = false } = options;
  const { width, height } = detector.input;
  const key = detectionKey(detector, options);
  const acceptKey = acceptKeyOf(rules, task);
  const missing = await store.countDetectionWork(key, acceptKey, { force });
  const images = Math.min(missing, limit ?? missing);
  let [stored, runs] = [0, 0];
  for await (const items of chunksOfPages(store.detectionWork(key, acceptKey, { force }), PAGE, limit)) {
    for (const { image, candidates } of items) {
      if (candidates !== null) stored++;
      else runs += tiles ? tileCount(image, detector.input, TILE_OVERLAP) : 1;
    }
  }
  const pixels = new Uint8Array(inputBytes(detector.input));
  const frame = { width, height, scaleX: 1, scaleY: 1 };
  await detector.detect(pixels, frame);
  const startedAt = performance.now();
  for (let i = 0; i < TIMED_IMAGES; i++) await detector.detect(pixels, frame);
  const perRunMs = ((performance.now() - startedAt) / TIMED_IMAGES) * DECODE_SHARE;
  const estimatedMs = Math.round((perRunMs * runs) / threads);
  return { model: key, images, stored, estimatedMs, recordBytes: images * RECORD_BYTES };
}
