/**
 * `teach detector`: people's boxes of classes that a detector does not know become a detector that knows them too.
 *
 * It is judged on images that it has not seen, by COCO's metrics as `evaluate` has them, and can be used by its name only
 * where it passes. One that passes is then taught from those images too, since boxes are few. The order of writing: the network's file, then the model under its name, then the run's end. All of it
 * follows from the record and the seed: a run that was killed is run again, finds what it made of the images, and ends with
 * the same bytes.
 *
 * Resident: the points, three times. Their features are to fit into {@link MAX_POINT_BYTES}, for which there are fewer of an image where
 * there are many images; beyond it go those around objects, {@link MIN_POINTS} a view, and two numbers a class and point.
 */
import { sha256Hex } from '../../../core/ids.ts';
import { inLanes } from '../../../core/lanes.ts';
import { requireTask } from '../../../corpus/tasks.ts';
import { LabelsmithError } from '../../../errors.ts';
import { writeWorkspaceFile } from '../../../files/atomic.ts';
import { progressMeter } from '../../../jobs/progress.ts';
import { type RunOptions, type RunResult, recordRun } from '../../../jobs/run.ts';
import { shareTaught, taughtPath } from '../../../jobs/taught-files.ts';
import type { Workspace } from '../../../jobs/workspace.ts';
import { joinedPoints, type TaughtPoints } from '../../../models/tuning/detector/taught-points.ts';
import type { ExtendedDetector, TunableDetector } from '../../../models/tuning/detector/tunable-detector.ts';
import { tuneDetector } from '../../../models/tuning/detector/tune-detector.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import { finite, remaining, type TrainingNotes, trainingNotes } from '../training-note.ts';
import { type AnnotatedImage, type AnnotatedImages, annotatedImages } from './annotated-images.ts';
import { type DetectorScores, scoresBeside } from './detector-scores.ts';
import { dropPoints, pointsMaker } from './points-of-image.ts';

export interface TeachDetectorOptions
  extends Pick<RunOptions, 'seed' | 'threads' | 'device' | 'signal' | 'onProgress'> {
  /** The task with the boxes. */
  readonly task: string;
  /** The detector that is taught more. */
  readonly model: string;
  /** What `detect --model` calls it. */
  readonly name: string;
  /** Default: those of the task that the detector does not know; one that it knows is taught anew. */
  readonly classes?: readonly string[];
  /** A class needs as many boxes. */
  readonly minBoxes: number;
  /** Share of the images that it is judged on, 0 to 1. */
  readonly heldOut: number;
  /** AP50 on them that it needs, 0 to 1. */
  readonly minAp50: number;
}

export interface TeachDetectorResult extends RunResult {
  readonly task: string;
  readonly name: string;
  /** Whether `detect --model NAME` takes it now. */
  readonly usable: boolean;
  /** Absolute path of the network in ONNX. */
  readonly file: string;
  /** On the images that were held out, before they were learned from; by class in the order of `classes`. */
  readonly heldOut: DetectorScores;
  readonly classes: readonly string[];
  readonly tooFew: AnnotatedImages['tooFew'];
  readonly counts: {
    /** Learned from by what is in the file. */
    readonly images: number;
    readonly boxes: number;
    readonly heldOutImages: number;
    readonly unreadable: number;
  };
}

/** Bytes of points that are learned from. */
const MAX_POINT_BYTES = 2 ** 29;
/** Points of a view beside those around objects: at most, and at least. */
const MAX_POINTS = 384;
const MIN_POINTS = 24;
const VIEWS = 2;
/** Images under way at once. */
const LANES = 4;

export async function teachDetector(workspace: Workspace, options: TeachDetectorOptions): Promise<TeachDetectorResult> {
  const { store, engine, models } = workspace;
  const { task, model, name, classes, minBoxes, heldOut, minAp50, threads, signal } = options;
  const path = taughtPath(workspace, `${name}.onnx`);
  // Before anything is read: what was looked at for minutes is not lost to a name.
  await models.refuseTaken(name, path);
  await requireTask(store, task);
  const detector = await models.tunableDetector(model, classes);
  const annotated = await annotatedImages(store, { ...options, known: detector.entry.classNames });
  const settings = { task, model, name, minBoxes, heldOut, minAp50, classes: classes ?? null };
  return recordRun(store, { stage: 'teach detector', settings }, options, async (runId) => {
    const notes = trainingNotes(store, runId);
    try {
      const { extended, scores, unreadable, usable } = await engine.withInference({ threads }, (pool) =>
        taughtAndJudged(pool, { workspace, detector, annotated, notes }, options),
      );
      // One that may be used already stays what it is.
      const file = usable ? path : taughtPath(workspace, `${name}.not-used.onnx`);
      await writeWorkspaceFile(file, extended.network);
      if (usable) {
        const description = descriptionOf(annotated, scores, model);
        const entry = await models.addDetector({ ...extended, file, description });
        await shareTaught(workspace, `${name}.onnx`, extended.network, entry);
      }
      await dropPoints(workspace);
      return resultOf(annotated, { scores, unreadable, usable, file }, options);
    } catch (error) {
      if (!signal?.aborted) throw error;
      throw new LabelsmithError('INTERRUPTED', 'Stopped. Run it again: what was made of the images is kept.', {
        cause: error,
      });
    }
  });
}

interface Teaching {
  readonly workspace: Workspace;
  readonly detector: TunableDetector;
  readonly annotated: AnnotatedImages;
  readonly notes: TrainingNotes;
}

/** What comes out has learned from all images where it may be used, else from those that were not held out. */
async function taughtAndJudged(pool: InferencePool, teaching: Teaching, options: TeachDetectorOptions) {
  const { workspace, detector, annotated, notes } = teaching;
  const { classNames, images } = annotated;
  const { taught, heldOut, unreadable } = await pointsOf(pool, teaching, options);
  const { signal, minAp50 } = options;
  const extended = await extendedBy(pool, { parts: taught, onAll: false }, teaching, options);
  const judged = images.filter((image) => image.heldOut);
  const scores = await scoresBeside(pool, workspace, { detector, extended, classNames, images: judged, signal });
  const usable = scores.AP50 !== null && scores.AP50 >= minAp50;
  const last = usable
    ? await extendedBy(pool, { parts: [...taught, ...heldOut], onAll: true }, teaching, options)
    : extended;
  await notes.end();
  return { extended: last, scores, unreadable, usable };
}

async function extendedBy(
  pool: InferencePool,
  { parts, onAll }: { readonly parts: readonly TaughtPoints[]; readonly onAll: boolean },
  { detector, annotated, notes }: Teaching,
  { signal, name }: TeachDetectorOptions,
): Promise<ExtendedDetector> {
  const { classNames } = annotated;
  const points = joinedPoints(parts);
  let remainingAfter: ((done: number) => number | null) | undefined;
  const { head } = await tuneDetector(pool, detector.head, points, {
    classes: classNames.length,
    signal,
    onStep({ step, steps, loss }) {
      remainingAfter ??= remaining(steps, () => performance.now());
      const remainingMs = remainingAfter(step);
      notes.note({ what: 'head of a detector', onAll, step, ofSteps: steps, loss: finite(loss), remainingMs });
    },
  });
  return detector.withClasses(name, classNames, head);
}

async function pointsOf(
  pool: InferencePool,
  { workspace, detector, annotated, notes }: Teaching,
  { seed, signal, onProgress }: TeachDetectorOptions,
): Promise<{
  /** By image, of those that can be read. */
  readonly taught: readonly TaughtPoints[];
  readonly heldOut: readonly TaughtPoints[];
  /** Images of either. */
  readonly unreadable: number;
}> {
  const { images, classNames } = annotated;
  const room = Math.floor(MAX_POINT_BYTES / (4 * detector.channels * VIEWS * Math.max(1, images.length)));
  const points = Math.max(MIN_POINTS, Math.min(MAX_POINTS, room));
  const built = detector.below;
  const below = await pool.load(built, { key: `below-head:${sha256Hex(built)}` });
  const make = pointsMaker({ workspace, detector, classNames, points, seed }, pool, below);
  const parts: (TaughtPoints | undefined)[] = new Array(images.length);
  const meter = progressMeter('teach detector', images.length, () => performance.now());
  let done = 0;
  await inLanes(images.entries(), LANES, async ([i, image]) => {
    signal?.throwIfAborted();
    parts[i] = await make(image);
    meter.add(1);
    const progress = meter.snapshot(++done);
    const { remainingMs = null } = progress;
    notes.note({ what: 'images of a detector', done, of: images.length, remainingMs });
    onProgress?.(progress);
  });
  await pool.unload(below);
  const readable = (ofHeldOut: boolean) =>
    parts.flatMap((part, i) => (part && images[i]?.heldOut === ofHeldOut ? [part] : []));
  const [taught, heldOut] = [readable(false), readable(true)];
  if (taught.length === 0) throw new LabelsmithError('NOT_FOUND', 'None of the images to learn from can be read.');
  return { taught, heldOut, unreadable: images.length - taught.length - heldOut.length };
}

function descriptionOf({ classNames, images }: AnnotatedImages, { AP50 }: DetectorScores, model: string): string {
  const judged = images.filter(({ heldOut }) => heldOut).length;
  return `${model} that was taught ${classNames.join(', ')}: AP50 ${AP50?.toFixed(3)} of them on ${judged} images, before it learned from those too`;
}

function resultOf(
  { classNames, images, tooFew }: AnnotatedImages,
  made: {
    readonly scores: DetectorScores;
    readonly unreadable: number;
    readonly usable: boolean;
    readonly file: string;
  },
  { task, name }: TeachDetectorOptions,
): TeachDetectorResult {
  const { scores, unreadable, usable, file } = made;
  const boxesIn = (some: readonly AnnotatedImage[]) => some.reduce((sum, { boxes }) => sum + boxes.length, 0);
  const taught = usable ? images : images.filter(({ heldOut }) => !heldOut);
  const heldOutImages = images.filter(({ heldOut }) => heldOut).length;
  return {
    task,
    name,
    usable,
    file,
    heldOut: scores,
    classes: classNames,
    tooFew,
    counts: { images: taught.length, boxes: boxesIn(taught), heldOutImages, unreadable },
    metrics: { AP50: scores.AP50, mAP: scores.mAP, usable },
    interrupted: false,
  };
}
