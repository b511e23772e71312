/** `export`: what a workspace holds, into a format. */

import type { Origin, Task } from '../../core/labels.ts';
import { requireTask } from '../../corpus/tasks.ts';
import { LabelsmithError } from '../../errors.ts';
import type { CropImage, ExportSummary, FormatName, ImagesMode } from '../../formats/format.ts';
import { planSplits, type SplitPart } from '../../formats/splits.ts';
import { formatNamed } from '../../formats/table.ts';
import { type ReadPath, readImage } from '../../jobs/image-reader.ts';
import { LABELSMITH_VERSION } from '../../jobs/run.ts';
import type { DatasetQuery, Store } from '../../store/store.ts';
import { exportDataset } from './write.ts';

export interface ExportOptions {
  /** Task to export. Default: `objects` for formats that hold boxes; for class folders the task that has labels. */
  readonly task?: string;
  readonly origins?: readonly Origin[];
  /** 0 to 1. */
  readonly minConfidence?: number;
  readonly split?: readonly SplitPart[];
  readonly seed: number;
  readonly images?: ImagesMode;
  /** Images with no label too. Default: in formats of boxes, where they are background that a detector is trained on. */
  readonly unlabelled?: boolean;
  /** Added around each crop on every side, as a share of its box. */
  readonly margin: number;
  /** `webdataset`: images in one shard (see `ExportContext`). */
  readonly shardImages?: number;
  readonly replace: boolean;
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

export async function exportWorkspace(
  { store, workspaceDir, read, crop }: ExportEffects,
  name: FormatName,
  out: string,
  options: ExportOptions,
): Promise<ExportSummary> {
  const task = await taskToExport(store, name, options.task);
  const { origins, minConfidence } = options;
  const { holds, keeps, imageFiles, defaultImages } = formatNamed(name);
  const writesImages =
    imageFiles !== 'never' && (imageFiles === 'always' || (options.images ?? defaultImages) !== 'none');
  const unlabelled = options.unlabelled ?? (holds === 'regions' && keeps.unlabelled);
  // What people said is not there is said of images with no label too; `exportDataset` leaves out the others.
  const query: DatasetQuery = { task: task?.name, origins, minConfidence, unlabelled: unlabelled || keeps.rejections };
  const records = await store.classes();
  const classNames = records.map((record) => record.name).sort((a, b) => (a < b ? -1 : 1));
  const parents = new Map(records.map((record) => [record.name, record.parent]));
  const used = await usedIn(store, query, classNames);
  if (name === 'yolo-pose' && used.keypointCount === 0)
    throw new LabelsmithError('USAGE', 'No region has keypoints, and yolo-pose is made of them.', {
      hint: 'Find keypoints with detect --pose, or export to yolo.',
    });
  const roots = await store.sourceRoots();
  let seen = 0;
  const selected = (async function* () {
    for await (const image of store.dataset(query)) {
      seen++;
      yield image;
    }
  })();
  const summary = await exportDataset(name, out, selected, {
    task,
    ...used,
    parentOf: (className) => parents.get(className) ?? null,
    shardImages: options.shardImages,
    images: options.images,
    readImage: (id) => readImage(store, id, read),
    sourcePathOf: async (id) => {
      const path = (await store.pathsOfImages([id]))
        .get(id)
        ?.find((known) => !known.missing && !known.path.includes('!/'));
      return path ? (path.pathBytes ?? path.path) : null;
    },
    crop,
    splits: options.split ? await planSplits(store.dataset(query), options.split, options.seed) : null,
    unlabelled,
    margin: options.margin,
    version: LABELSMITH_VERSION,
    replace: options.replace,
    protectedPaths: [
      { path: workspaceDir, what: 'the workspace' },
      // Image files in a source would come in as its images with the next `add`; labels do no harm there.
      ...roots.map((path) => ({ path, what: 'a source', insideAllowed: !writesImages })),
    ],
    signal: options.signal,
    onProgress: options.onProgress,
  });
  // The query leaves out images that nothing is said of; they are counted all the same.
  const unseen = unlabelled ? 0 : (await store.countImages()) - seen;
  return { ...summary, unlabelledSkipped: summary.unlabelledSkipped + unseen };
}

async function taskToExport(store: Store, format: FormatName, named: string | undefined): Promise<Task | null> {
  if (named !== undefined) return requireTask(store, named);
  const tasks = await store.tasks();
  const { holds } = formatNamed(format);
  if (holds === 'both') return null;
  const byName = (name: string) => tasks.find((task) => task.name === name) ?? null;
  if (holds === 'regions') return byName('objects');
  // Unnamed heaps say less than what a detector saw; what people, references or a model said of whole images says more.
  const counts = (await store.classes()).flatMap((known) => known.counts).filter(({ count }) => count > 0);
  const classified = counts.filter(({ task }) => task === 'class');
  const better = classified.some(({ origins }) => Object.keys(origins).some((origin) => origin !== 'cluster'));
  const detected = counts.some(({ task }) => task === 'objects');
  return byName(better || (classified.length > 0 && !detected) ? 'class' : 'objects');
}

/**
 * The classes that this export names, of those there are (a filter may leave some out), and the most keypoints on a
 * region. Costs one pass.
 */
async function usedIn(
  store: Store,
  query: DatasetQuery,
  all: readonly string[],
): Promise<{ classNames: string[]; keypointCount: number }> {
  const used = new Set<string>();
  let keypointCount = 0;
  for await (const { labels, regions } of store.dataset(query)) {
    for (const { className } of labels) used.add(className);
    for (const region of regions) {
      for (const { className } of region.labels) used.add(className);
      if (region.labels.length > 0) keypointCount = Math.max(keypointCount, region.keypoints?.length ?? 0);
    }
  }
  return { classNames: all.filter((name) => used.has(name)), keypointCount };
}
