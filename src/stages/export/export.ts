/**
 * `export`: what a workspace holds, into a format.
 *
 * Names of classes are read in one pass and labels in another. Where somebody renames a class in between, the export is
 * begun again, so that it has the old names or the new ones.
 */

import type { ImageId } from '../../core/ids.ts';
import type { LabelAccuracy } from '../../core/label-accuracy.ts';
import type { Origin, Task } from '../../core/labels.ts';
import { LABELSMITH_VERSION } from '../../core/version.ts';
import { countedImages, TaskOwners } from '../../corpus/task-owner.ts';
import { LabelsmithError } from '../../errors.ts';
import {
  type CropImage,
  type ExportSummary,
  type Format,
  type FormatName,
  hasBackground,
  type ImagesMode,
} from '../../formats/format.ts';
import type { ShardFormat } from '../../formats/shard-index.ts';
import { importedSplits, planSplits, type SplitPart } from '../../formats/splits.ts';
import { formatNamed } from '../../formats/table.ts';
import { type ReadPath, readImage } from '../../jobs/image-reader.ts';
import type { DatasetQuery, DatasetView, Store } from '../../store/store.ts';
import { knownAccuracies, type TaskAccuracy } from '../audit/known-accuracy.ts';
import { type Background, detectorsThatLooked } from './background.ts';
import { ExportNote } from './note-export.ts';
import { Selection, type SelectionOf } from './selection.ts';
import { exportShards, shardFormat } from './shards.ts';
import type { SpreadExport } from './spread.ts';
import { type SpreadEffects, spreadIn } from './spread-in.ts';
import { nothingLabelled, taskToExport } from './task.ts';
import { type Disowned, usedIn } from './used.ts';
import { exportDataset, isAboutChangedClasses, type NotedContext } from './write.ts';

export interface ExportOptions {
  /** Task to export. Default: `objects` for formats that hold boxes; for class folders the task that has labels. */
  readonly task?: string;
  /** Default: every origin, but clusters where somebody owns the task (`corpus/task-owner.ts`). */
  readonly origins?: readonly Origin[];
  /** 0 to 1. */
  readonly minConfidence?: number;
  readonly split?: readonly SplitPart[];
  readonly seed: number;
  readonly images?: ImagesMode;
  /**
   * Which images with no label go in too. Default: `none`; in formats of boxes, where they are background that a detector
   * is trained on, `labelled`.
   */
  readonly background?: Background;
  /** Writes an export that has no label in it; else that is refused. Default false. */
  readonly empty?: boolean;
  /** Added around each crop on every side, as a share of its box. */
  readonly margin: number;
  /** `webdataset`: images in one shard (see `ExportContext`). Default: `shardSize`. */
  readonly shardImages?: number;
  /** Images in one shard: `out` is a folder of them or an address, with an index (shards.ts). Default: it is not in shards. */
  readonly shardSize?: number;
  readonly replace: boolean;
  /** It is written beside `out` as it would be, without image files where it can do without, counted, and taken away. Default false. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number) => void;
  /** Images from which where to cut is looked for by the engine of the workspace too. Default 100,000. */
  readonly spreadFrom?: number;
}

export interface ExportEffects {
  readonly store: Store;
  /** Absolute; an export may not touch it. */
  readonly workspaceDir: string;
  readonly read: ReadPath;
  readonly crop: CropImage;
  /** With which shards that go to an address are written by the engine of the workspace. Default: by this process. */
  readonly spread?: SpreadEffects;
}

/** What an export wrote, of which task, and which images with no label it has or left out. */
export interface WorkspaceExport extends ExportSummary {
  /** Null: all tasks. */
  readonly task: string | null;
  readonly background: Background;
  /**
   * Images left out under `background: labelled`: with no label, and looked at for the task by nobody and no detector among
   * those whose labels were asked for.
   */
  readonly notLookedAt: number;
  /** Labels of clusters that were left out, by the task that somebody else owns; tasks in order of name. */
  readonly disowned: readonly Disowned[];
  /** Of the labels in it, where that was measured and the export is of all labels. */
  readonly accuracy: readonly LabelAccuracy[];
  /** Tasks whose figure is of labels that were all given anew since. */
  readonly outdated: readonly Outdated[];
}

export type Outdated = NonNullable<TaskAccuracy['outdated']> & Pick<TaskAccuracy, 'task'>;

/** Exports begun again because classes got their first labels meanwhile. */
const MAX_ATTEMPTS = 5;

export async function exportWorkspace(
  effects: ExportEffects,
  name: FormatName,
  out: string,
  options: ExportOptions,
): Promise<WorkspaceExport> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await exportOnce(effects, name, out, { ...options, attempt });
    } catch (error) {
      if (!isAboutChangedClasses(error) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

interface Once extends ExportOptions {
  /** From 1. */
  readonly attempt: number;
}

async function exportOnce(
  effects: ExportEffects,
  name: FormatName,
  out: string,
  options: Once,
): Promise<WorkspaceExport> {
  const { store, workspaceDir } = effects;
  const { origins, minConfidence, dryRun } = options;
  const format = formatNamed(name);
  const shards = shardsOf(name, options);
  const { task, detectors, background, query } = await planExport(store, format, options);
  // Classes that are renamed meanwhile keep the name they had.
  const view = await store.datasetView();
  const owners = new TaskOwners(origins === undefined ? await store.classes() : []);
  const of = { store, view, query, owners, background, detectors, task: task?.name, origins };
  const spread =
    shards === undefined || effects.spread === undefined
      ? undefined
      : await spreadIn(effects.spread, out, { of, task, shards }, options);
  const used = spread?.cuts?.names.result(view, owners) ?? (await usedIn(view, query, owners));
  const { splits, disowned, labelledTasks } = used;
  if (name === 'yolo-pose' && used.keypointCount === 0)
    throw new LabelsmithError('USAGE', 'No region has keypoints, and yolo-pose is made of them.', {
      hint: 'Find keypoints with detect --pose, or export to yolo.',
    });
  // Of a part that was chosen by origin or confidence nothing was measured.
  const isWhole = origins === undefined && minConfidence === undefined;
  const known = isWhole && labelledTasks.length > 0 ? await knownAccuracies(store, labelledTasks) : [];
  const accuracy = known.flatMap(({ figures }) => figures);
  const outdated = known.flatMap(({ task: of, outdated }) => (outdated ? [{ task: of, ...outdated }] : []));
  // Splits come out as they came in; one is drawn anew only where it is asked for.
  const splitPlan = options.split
    ? await planSplits(countedImages(owners, view.read(query)), options.split, options.seed)
    : format.keeps.split
      ? importedSplits(splits)
      : null;
  const beginNote = () => ExportNote.begin(store, format, { task, origins, minConfidence });
  const context: NotedContext = {
    ...(await contextOf(effects, format, view, options)),
    ...used,
    task,
    splits: splitPlan,
    unlabelled: background !== 'none',
    onEmpty: options.empty
      ? undefined
      : () => nothingLabelled(store, format, task, origins !== undefined || minConfidence !== undefined),
    accuracy,
  };
  const { summary, seen, notLookedAt } =
    spread === undefined
      ? await exportHere(name, out, of, {
          ...context,
          note: dryRun ? undefined : await beginNote(),
          ...(shards && { shardSize: shards.size }),
          workspaceDir,
        })
      : await spread.run({ ...context, beginNote, workspaceDir });
  // The query leaves out images that nothing is said of; they are counted all the same.
  const unseen = background !== 'none' ? 0 : (await store.countImages()) - seen;
  const what = { task: task?.name ?? null, background, notLookedAt, disowned };
  return { ...summary, unlabelledSkipped: summary.unlabelledSkipped + unseen, ...what, accuracy, outdated };
}

/** By this process, one image after the other. */
async function exportHere(
  name: FormatName,
  out: string,
  of: SelectionOf,
  { shardSize, ...context }: NotedContext & { readonly shardSize?: number; readonly workspaceDir: string },
): Promise<SpreadExport> {
  const selection = new Selection(of);
  const images = selection.images();
  const summary =
    shardSize === undefined
      ? await exportDataset(name, out, images, context)
      : await exportShards(shardFormat(name), out, images, { ...context, shardSize });
  const { seen, notLookedAt } = selection;
  return { summary, seen, notLookedAt };
}

/** What does not depend on what is exported, but on its format and where it goes. */
async function contextOf(
  { store, workspaceDir, read, crop }: ExportEffects,
  format: Format,
  { classes }: Pick<DatasetView, 'classes'>,
  options: ExportOptions,
) {
  const { dryRun } = options;
  const parents = new Map(classes.map(({ name, parent }) => [name, parent]));
  const skeletons = new Map(classes.map(({ name, skeleton }) => [name, skeleton]));
  const roots = await store.sourceRoots();
  return {
    parentOf: (className: string) => parents.get(className) ?? null,
    skeletonOf: (className: string) => skeletons.get(className) ?? null,
    shardImages: options.shardImages ?? options.shardSize,
    images: dryRun && format.imageFiles === 'beside' ? ('none' as const) : options.images,
    dryRun,
    readImage: (id: ImageId) => readImage(store, id, read),
    sourcePathOf: (id: ImageId) => sourcePathOf(store, id),
    crop,
    margin: options.margin,
    version: LABELSMITH_VERSION,
    replace: options.replace,
    protectedPaths: [
      { path: workspaceDir, what: 'the workspace' },
      // Image files in a source would come in as its images with the next `add`; labels do no harm there.
      ...roots.map((path) => ({ path, what: 'a source', insideAllowed: !writesImages(format, options) })),
    ],
    signal: options.signal,
    onProgress: options.onProgress,
  };
}

/** Undefined where it is not one of shards with an index: webdataset has its own. */
function shardsOf(
  name: FormatName,
  { shardSize }: ExportOptions,
): { readonly format: ShardFormat; readonly size: number } | undefined {
  return shardSize === undefined || name === 'webdataset' ? undefined : { format: shardFormat(name), size: shardSize };
}

/** Null for a member of an archive, and for what is gone. */
async function sourcePathOf(store: Store, id: ImageId): Promise<string | Uint8Array | null> {
  const paths = (await store.pathsOfImages([id])).get(id);
  const path = paths?.find((known) => !known.missing && !known.path.includes('!/'));
  return path ? (path.pathBytes ?? path.path) : null;
}

/** Of what it is, and which images with no label go in. */
async function planExport(
  store: Store,
  format: Format,
  { task: named, origins, minConfidence, background: wanted }: ExportOptions,
): Promise<{
  readonly task: Task | null;
  readonly detectors: readonly string[];
  readonly background: Background;
  readonly query: DatasetQuery;
}> {
  const task = await taskToExport(store, format, named);
  const detectors = await detectorsThatLooked(store, { task: task?.name, origins });
  const background = wanted ?? (hasBackground(format) ? 'labelled' : 'none');
  // What people said is not there is said of images with no label too; `exportDataset` leaves out the others.
  const unlabelled = background !== 'none' || format.keeps.rejections;
  return { task, detectors, background, query: { task: task?.name, origins, minConfidence, unlabelled } };
}

function writesImages({ imageFiles, defaultImages }: Format, { images = defaultImages }: ExportOptions): boolean {
  return imageFiles !== 'never' && (imageFiles === 'always' || images !== 'none');
}
