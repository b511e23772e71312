/**
 * `detect` as a whole: a detector by its name, then keypoints and masks in what it found, each pass a run of its own.
 * Every pass does what is missing, so running the same again goes on where it was interrupted.
 */

import { LabelsmithError } from '../../errors.ts';
import type { ReadErrorCounts } from '../../jobs/read-errors.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Quality } from '../../models/choose-embedder.ts';
import type { Detector } from '../../models/detector.ts';
import { type DetectEstimate, type DetectOptions, type DetectResult, estimateDetect } from './detect.ts';
import { type DoubtRequest, detectInDoubt, raisesThresholds, rulesSoFar } from './detect-in-doubt.ts';
import { detectionKey } from './detect-stage.ts';
import type { ClassDoubt } from './doubt.ts';
import { findPosesIn } from './pose.ts';
import { type AskedRules, openDetectorFor, personClassesOf, rulesFor } from './rules.ts';
import { openAnySegmenter, segmentIn } from './segment.ts';
import type { ShapeResult } from './shape-stage.ts';

export const DEFAULT_DETECTOR = 'centernet';
export const DEFAULT_POSE_MODEL = 'movenet-lightning';

export interface DetectRequest
  extends AskedRules,
    Pick<DoubtRequest, 'keepDoubtful'>,
    Pick<DetectOptions, 'force' | 'task' | 'tiles'> {
  /** Name of a detector. */
  readonly model: string;
  /** In place of the names of the detector and of the model of masks: the best of this quality that can be had. */
  readonly quality?: Quality;
  /** Name of a pose model, to find keypoints on people too; null for none. */
  readonly pose: string | null;
  /** Finds a mask in each box too. */
  readonly segment: boolean;
  /** Name of a model that makes the masks (default: none is needed). */
  readonly segmenter?: string;
}

/** What the whole did: regions, and the shapes in them that were asked for. */
export interface Detected extends DetectResult {
  readonly pose: ShapeResult | null;
  readonly segment: ShapeResult | null;
  /** How sure each class is, in order of name; null where nothing says so. */
  readonly doubts: readonly ClassDoubt[] | null;
  /** Whether regions of doubtful classes are kept all the same. */
  readonly keepsDoubtful: boolean;
  /** What of the mapping names nothing that the model finds. */
  readonly unknownInMapping: readonly string[];
  /** Images that could not be read by any pass. */
  readonly readErrors: ReadErrorCounts;
}

export async function detectWith(workspace: Workspace, asked: DetectRequest, run: RunOptions): Promise<Detected> {
  const request = await withQuality(workspace, asked);
  const { force, task } = request;
  const { threads } = run;
  const { result, key, rules, doubts, unknownInMapping } = await withDetector(
    workspace,
    request,
    threads,
    async (detector) => {
      const { rules, unknownInMapping } = await rulesFor(workspace.store, request, detector);
      const { tiles } = request;
      const options = { ...run, rules, force, task, tiles };
      const found = await detectInDoubt(workspace, detector, options, request);
      return { ...found, key: detectionKey(detector, { tiles }), rules, unknownInMapping };
    },
  );
  const target = { ...run, force, task, detectorKey: key };
  let { interrupted } = result;
  let pose: ShapeResult | null = null;
  if (request.pose !== null && !interrupted) {
    const model = await workspace.models.openPose(request.pose, { threads });
    try {
      pose = await findPosesIn(workspace, model, { ...target, personClasses: personClassesOf(rules) });
    } finally {
      await model.close();
    }
    interrupted = pose.interrupted;
  }
  let segment: ShapeResult | null = null;
  if (request.segment && !interrupted) {
    const segmenter = await openAnySegmenter(workspace.models, request.segmenter, { threads });
    try {
      segment = await segmentIn(workspace, segmenter, target);
    } finally {
      await segmenter.close();
    }
    interrupted = segment.interrupted;
  }
  return {
    ...result,
    interrupted,
    pose,
    segment,
    doubts,
    keepsDoubtful: !raisesThresholds(request),
    unknownInMapping,
    readErrors: readErrorsOf([result, pose, segment]),
  };
}

/** How long the detector would take; writes nothing. How many people and regions there will be is not known before. */
export async function estimateDetectWith(
  workspace: Workspace,
  given: DetectRequest,
  run: Pick<RunOptions, 'threads' | 'limit'>,
): Promise<DetectEstimate> {
  const request = await withQuality(workspace, given);
  return withDetector(workspace, request, run.threads, async (detector) => {
    const { rules } = await rulesFor(workspace.store, request, detector);
    const asked = { ...run, ...request, rules };
    return estimateDetect(workspace, detector, {
      ...asked,
      rules: await rulesSoFar(workspace, detector, asked, request),
    });
  });
}

/** The request with the names that its quality stands for. */
async function withQuality({ models }: Workspace, request: DetectRequest): Promise<DetectRequest> {
  const { quality, model, segment, segmenter } = request;
  if (quality === undefined) return request;
  if (model !== DEFAULT_DETECTOR) {
    throw new LabelsmithError('USAGE', 'Give --model or --quality, not both.', {
      hint: '--model names a detector; --quality takes the best that can be had.',
    });
  }
  const detector = await models.chooseByQuality('detector', quality, model);
  const named = { ...request, model: detector.id ?? model };
  if (!segment || segmenter !== undefined) return named;
  const masks = await models.chooseByQuality('segmenter', quality, undefined);
  return masks.id === undefined ? named : { ...named, segmenter: masks.id };
}

async function withDetector<T>(
  { models }: Workspace,
  request: DetectRequest,
  threads: number,
  work: (detector: Detector) => Promise<T>,
): Promise<T> {
  const detector = await openDetectorFor(models, request.model, request, { threads });
  try {
    return await work(detector);
  } finally {
    await detector.close();
  }
}

/** Each pass counts what it met: what is put aside once is not met again, but a file that is away is tried by each. */
function readErrorsOf(passes: readonly ({ readonly counts: ReadErrorCounts } | null)[]): ReadErrorCounts {
  const counts = passes.flatMap((pass) => (pass === null ? [] : [pass.counts]));
  const away = Math.max(...counts.map((pass) => pass.away));
  return { quarantined: counts.reduce((sum, pass) => sum + pass.quarantined - pass.away, away), away };
}
