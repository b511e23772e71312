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
import type { DatasetQuery, Store } from '../../store/store.ts';
import { knownAccuracies, type TaskAccuracy } from '../audit/known-accuracy.ts';
import { type Background, detectorsThatLooked, lookedAt } from './background.ts';
import { ExportNote } from './note-export.ts';
import { exportShards, shardFormat } from './shards.ts';
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
}

export interface ExportEffects {
  readonly store: Store;
  /** Absolute; an export may not touch it. */
  readonly workspaceDir: string;
  readonly read: ReadPath;
  readonly crop: CropImage;
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
      return await exportOnce(effects, name, out, options);
    } catch (error) {
      if (!isAboutChangedClasses(error) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

async function exportOnce(
  { store, workspaceDir, read, crop }: ExportEffects,
  name: FormatName,
  out: string,
  options: ExportOptions,
): Promise<WorkspaceExport> {
  const format = formatNamed(name);
  const shards = shardsOf(name, options);
  const { task, detectors, background, query } = await planExport(store, format, options);
  const { origins, minConfidence, dryRun } = options;
  // Classes that are renamed meanwhile keep the name they had.
  const view = await store.datasetView();
  const parents = new Map(view.classes.map(({ name, parent }) => [name, parent]));
  const skeletons = new Map(view.classes.map(({ name, skeleton }) => [name, skeleton]));
  const owners = new TaskOwners(origins === undefined ? await store.classes() : []);
  const counted = () => countedImages(owners, view.read(query));
  const { splits, disowned, labelledTasks, ...used } = await usedIn(view, query, owners);
  if (name === 'yolo-pose' && used.keypointCount === 0)
    throw new LabelsmithError('USAGE', 'No region has keypoints, and yolo-pose is made of them.', {
      hint: 'Find keypoints with detect --pose, or export to yolo.',
    });
  // Of a part that was chosen by origin or confidence nothing was measured.
  const isWhole = origins === undefined && minConfidence === undefined;
  const known = isWhole && labelledTasks.length > 0 ? await knownAccuracies(store, labelledTasks) : [];
  const accuracy = known.flatMap(({ figures }) => figures);
  const outdated = known.flatMap(({ task: of, outdated }) => (outdated ? [{ task: of, ...outdated }] : []));
  const roots = await store.sourceRoots();
  let seen = 0;
  const all = (async function* () {
    for await (const image of counted()) {
      seen++;
      yield image;
    }
  })();
  let notLookedAt = 0;
  const looked = { store, detectors, task: task?.name, origins };
  const selected = background === 'labelled' ? lookedAt(looked, all, () => notLookedAt++) : all;
  const context: NotedContext = {
    task,
    ...used,
    parentOf: (className) => parents.get(className) ?? null,
    skeletonOf: (className) => skeletons.get(className) ?? null,
    shardImages: options.shardImages ?? options.shardSize,
    images: dryRun && format.imageFiles === 'beside' ? 'none' : options.images,
    dryRun,
    readImage: (id) => readImage(store, id, read),
    sourcePathOf: (id) => sourcePathOf(store, id),
    crop,
    // Splits come out as they came in; one is drawn anew only where it is asked for.
    splits: options.split
      ? await planSplits(counted(), options.split, options.seed)
      : format.keeps.split
        ? importedSplits(splits)
        : null,
    unlabelled: background !== 'none',
    onEmpty: options.empty
      ? undefined
      : () => nothingLabelled(store, format, task, origins !== undefined || minConfidence !== undefined),
    margin: options.margin,
    version: LABELSMITH_VERSION,
    accuracy,
    note: dryRun ? undefined : await ExportNote.begin(store, format, { task, origins, minConfidence }),
    replace: options.replace,
    protectedPaths: [
      { path: workspaceDir, what: 'the workspace' },
      // Image files in a source would come in as its images with the next `add`; labels do no harm there.
      ...roots.map((path) => ({ path, what: 'a source', insideAllowed: !writesImages(format, options) })),
    ],
    signal: options.signal,
    onProgress: options.onProgress,
  };
  const summary =
    shards === undefined
      ? await exportDataset(name, out, selected, context)
      : await exportShards(shards.format, out, selected, { ...context, shardSize: shards.size, workspaceDir });
  // The query leaves out images that nothing is said of; they are counted all the same.
  const unseen = background !== 'none' ? 0 : (await store.countImages()) - seen;
  const of = { task: task?.name ?? null, background, notLookedAt, disowned };
  return { ...summary, unlabelledSkipped: summary.unlabelledSkipped + unseen, ...of, accuracy, outdated };
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
