/** `export`: what a workspace holds, into a format. */

import type { Origin, Task } from '../core/labels.ts';
import { LabelsmithError } from '../errors.ts';
import { type ReadPath, readImage } from '../pipeline/originals.ts';
import { LABELSMITH_VERSION } from '../pipeline/run.ts';
import type { DatasetQuery, Store } from '../store/store.ts';
import { exportDataset } from './export.ts';
import type { CropImage, ExportSummary, FormatName, ImagesMode } from './format.ts';
import { planSplits, type SplitPart } from './splits.ts';
import { formatNamed } from './table.ts';

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
  const query: DatasetQuery = { task: task?.name, origins, minConfidence, unlabelled };
  const classNames = (await store.classes()).map((record) => record.name).sort((a, b) => (a < b ? -1 : 1));
  const roots = await store.sourceRoots();
  return exportDataset(name, out, store.dataset(query), {
    task,
    classNames: await usedClasses(store, query, classNames),
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
}

async function taskToExport(store: Store, format: FormatName, named: string | undefined): Promise<Task | null> {
  const tasks = await store.tasks();
  if (named !== undefined) {
    const task = tasks.find(({ name }) => name === named);
    if (task) return task;
    throw new LabelsmithError('NOT_FOUND', `There is no task "${named}".`, {
      hint: `Give --task one of: ${tasks.map(({ name }) => name).join(', ')}.`,
    });
  }
  const { holds } = formatNamed(format);
  if (holds === 'both') return null;
  const byName = (name: string) => tasks.find((task) => task.name === name) ?? null;
  if (holds === 'regions') return byName('objects');
  const classes = await store.classes();
  const labelled = classes.some(({ counts }) => counts.some(({ task, count }) => task === 'class' && count > 0));
  return byName(labelled ? 'class' : 'objects');
}

/** The classes that this export names, of those there are; a filter may leave some out. Costs one pass. */
async function usedClasses(store: Store, query: DatasetQuery, all: readonly string[]): Promise<string[]> {
  const used = new Set<string>();
  for await (const { labels, regions } of store.dataset(query)) {
    for (const { className } of labels) used.add(className);
    for (const region of regions) for (const { className } of region.labels) used.add(className);
  }
  return all.filter((name) => used.has(name));
}
