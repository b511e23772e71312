import { z } from 'zod';
import type { AcceptRules } from '../../corpus/accept.ts';
import type { ReadErrorCounts } from '../../jobs/read-errors.ts';
import { openWorkspace, requireWorkspace, type Workspace } from '../../jobs/workspace.ts';
import { type Detector, openDetector } from '../../models/detector.ts';
import { openPose } from '../../models/pose.ts';
import { openSegmenter } from '../../models/segmenter.ts';
import { type DetectResult, detectIn, estimateDetect } from '../../stages/detect/detect.ts';
import { detectionKey } from '../../stages/detect/detect-stage.ts';
import { findPosesIn } from '../../stages/detect/pose.ts';
import { segmentIn } from '../../stages/detect/segment.ts';
import type { ShapeResult } from '../../stages/detect/shape-stage.ts';
import { type Context, command } from '../command.ts';
import { fetchOptionsFor } from '../fetching.ts';
import type { Output } from '../output.ts';
import { flag, option } from '../values.ts';
import { formatBytes, formatCount, formatDuration, plural } from '../words.ts';
import { keepYoungGenerationSmall } from '../young-generation.ts';
import { acceptRulesOf, DETECT_OPTIONS, type DetectOptions, personClassesOf } from './detect-options.ts';
import { printUnread } from './unread.ts';

export const detect = command({
  name: 'detect',
  summary: 'find objects: regions with classes, and image labels from them',
  details:
    'Every detection scoring 0.05 or more is kept as a candidate; those over the threshold become regions and labels.\n' +
    'A second run does only what is missing, and another threshold does not run the model again. What a person said,\n' +
    'drew or deleted stays as it is, also with --force.',
  options: {
    ...DETECT_OPTIONS,
    force: flag('--force', 'run the model again on images that were done'),
    task: option('--task <name>', 'the task that gets the labels', z.string().default('objects')),
  },
  dryRun: true,
  limit: true,
  examples: [
    ['labelsmith detect', 'all 80 COCO classes'],
    ['labelsmith detect --classes person,car,dog', 'only these'],
    ['labelsmith detect --threshold 0.4,person=0.5', 'another threshold, and one for people'],
    ['labelsmith detect --model nanodet', 'another model'],
    ['labelsmith detect --mapping mine.csv', "the model's classes under your names"],
    ['labelsmith detect --pose', 'keypoints on people too; only what is missing is done'],
    ['labelsmith detect --segment', 'a mask in each box too; only what is missing is done'],
    ['labelsmith detect --tiles', 'small things in large images: tiles besides the whole'],
    ['labelsmith detect --limit 100', 'a pilot on 100 images'],
  ],
  async run({ options, ...context }) {
    keepYoungGenerationSmall();
    const { global, output } = context;
    requireWorkspace(global.workspace);
    // The model is loaded while the workspace is opened.
    const opening = openDetectorFor(context, options.model);
    opening.catch(() => {}); // awaited below
    try {
      const workspace = await openWorkspace(global.workspace, { create: false, device: global.device });
      try {
        const detector = await opening;
        const { force, task, ...detectOptions } = options;
        const target = { force, task, detector };
        if (global.dryRun) return await showEstimate(context, workspace, detectOptions, target);
        const result = await runDetect(context, workspace, detectOptions, target);
        output.document({ interrupted: result.interrupted, ...result.counts, ...shapeCounts(result) });
        printDetected(output, result);
        if ((await workspace.store.countImages()) === 0) return 1;
        return global.strict && isUnreadIn(result) ? 1 : 0;
      } finally {
        await workspace.close();
      }
    } finally {
      await opening.then(
        (detector) => detector.close(),
        () => {},
      );
    }
  },
});

/** What the whole command did: regions, and the shapes in them that were asked for. */
export interface Detected extends DetectResult {
  readonly pose: ShapeResult | null;
  readonly segment: ShapeResult | null;
}

interface Target {
  readonly force: boolean;
  readonly task: string;
  /** Stays open. Default: the one that the options name, opened for this. */
  readonly detector?: Detector;
}

export async function runDetect(
  context: Context,
  workspace: Workspace,
  options: DetectOptions,
  target: Target,
): Promise<Detected> {
  const { detector: given, ...settings } = target;
  const detector = given ?? (await openDetectorFor(context, options.model));
  const { tiles } = options;
  const key = detectionKey(detector, { tiles });
  let rules: AcceptRules;
  let result: DetectResult;
  try {
    rules = await acceptRulesOf(options, workspace.store, detector.classNames);
    const run = context.runOptions();
    result = await detectIn(workspace, detector, { ...run, rules, ...settings, tiles });
    run.done();
  } finally {
    if (!given) await detector.close();
  }
  const shapes = { ...settings, detectorKey: key };
  const pose =
    options.pose && !result.interrupted
      ? await runPose(context, workspace, options.poseModel, { ...shapes, personClasses: personClassesOf(rules) })
      : null;
  const halted = result.interrupted || (pose?.interrupted ?? false);
  const segment = options.segment && !halted ? await runSegment(context, workspace, shapes) : null;
  return { ...result, interrupted: halted || (segment?.interrupted ?? false), pose, segment };
}

interface ShapeTarget {
  readonly force: boolean;
  readonly task: string;
  readonly detectorKey: string;
}

async function runPose(
  context: Context,
  workspace: Workspace,
  model: string,
  target: ShapeTarget & { readonly personClasses: readonly string[] },
) {
  const { global, output, signal } = context;
  const pose = await openPose(model, {
    ...fetchOptionsFor(output, signal),
    threads: global.threads,
    device: global.device,
  });
  try {
    const run = context.runOptions();
    const result = await findPosesIn(workspace, pose, { ...run, ...target });
    run.done();
    return result;
  } finally {
    await pose.close();
  }
}

async function runSegment(context: Context, workspace: Workspace, target: ShapeTarget) {
  const segmenter = openSegmenter({ threads: context.global.threads });
  try {
    const run = context.runOptions();
    const result = await segmentIn(workspace, segmenter, { ...run, ...target });
    run.done();
    return result;
  } finally {
    await segmenter.close();
  }
}

/** Of `--json`: a part for each kind of shape that was asked for. */
export function shapeCounts({ pose, segment }: Detected): Record<string, ShapeResult['counts']> {
  return { ...(pose && { pose: pose.counts }), ...(segment && { segment: segment.counts }) };
}

/** Images that could not be read; each pass counts those that it met. */
function unreadIn({ counts, pose, segment }: Detected): ReadErrorCounts {
  const passes = [counts, pose?.counts, segment?.counts].filter((pass) => pass !== undefined);
  // Each pass tries those again whose file is not there.
  const away = Math.max(...passes.map((pass) => pass.away));
  return { quarantined: passes.reduce((sum, pass) => sum + pass.quarantined - pass.away, away), away };
}

/** `--strict`: whether any image could not be read. */
export function isUnreadIn(result: Detected): boolean {
  return unreadIn(result).quarantined > 0;
}

async function showEstimate(
  { global, output }: Context,
  workspace: Workspace,
  options: DetectOptions,
  { detector, ...target }: Target & { readonly detector: Detector },
): Promise<number> {
  const estimate = await estimateDetect(workspace, detector, {
    ...global,
    rules: await acceptRulesOf(options, workspace.store, detector.classNames),
    ...target,
    tiles: options.tiles,
  });
  const { model, images, estimatedMs, recordBytes } = estimate;
  output.document({ dryRun: true, ...estimate });
  output.line(`${plural(images, 'image')} to detect in with ${model}`);
  if (options.pose) output.note('Keypoints are not in this estimate: how many people there are is not known yet.');
  if (options.segment) output.note('Masks are not in this estimate: how many regions there will be is not known yet.');
  output.line(`would take about ${formatDuration(estimatedMs)} and ${formatBytes(recordBytes)} of disk`);
  return 0;
}

function openDetectorFor({ global, output, signal }: Context, model: string): Promise<Detector> {
  return openDetector(model, { ...fetchOptionsFor(output, signal), threads: global.threads, device: global.device });
}

function hadNothingToDo({ counts, interrupted }: Pick<DetectResult | ShapeResult, 'counts' | 'interrupted'>): boolean {
  return counts.images + counts.quarantined === 0 && !interrupted;
}

export function printDetected(output: Output, result: Detected): void {
  const { counts, pose, segment } = result;
  const { quarantined, away } = unreadIn(result);
  const reused = counts.images - counts.detected;
  const again = reused > 0 ? ` (${formatCount(reused)} from stored candidates)` : '';
  output.line(
    hadNothingToDo(result)
      ? 'Nothing to do: no image is left to detect in.'
      : `Detected ${plural(counts.regions, 'region')} in ${plural(counts.images, 'image')}${again}.`,
  );
  if (pose && hadNothingToDo(pose)) {
    output.line('No image is left to find keypoints in.');
  } else if (pose) {
    output.line(
      `Found keypoints of ${plural(pose.counts.regions, 'person', 'people')} in ${plural(pose.counts.images, 'image')}.`,
    );
  }
  if (segment && hadNothingToDo(segment)) {
    output.line('No image is left to find masks in.');
  } else if (segment) {
    output.line(
      `Found masks of ${plural(segment.counts.regions, 'region')} in ${plural(segment.counts.images, 'image')}.`,
    );
  }
  printUnread(output, { quarantined, away });
}
