/** `import`: labels of a file, into the record. */
import { type Box, FROZEN_IOU } from '../../core/boxes.ts';
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import { type RegionId, regionIdOf } from '../../core/ids.ts';
import type { ImageRecord } from '../../core/image.ts';
import { NONE_OF_THESE, type Origin, type Task } from '../../core/labels.ts';
import { badFile } from '../../formats/check.ts';
import type { FormatName, ReadOptions } from '../../formats/format.ts';
import type { NewLabel, Store, StoredRegion } from '../../store/store.ts';
import { answersIn } from './answers.ts';
import { type ResolvedLabels, resolveLabels } from './resolve.ts';

export interface ImportOptions extends ReadOptions {
  /** Whose word it is. Default: the origin the file names, else `imported`. */
  readonly as?: Extract<Origin, 'human' | 'imported'>;
  /**
   * Default: the task the file names, else `objects` for regions and `class` for images, or `labels` where the file says
   * several classes of one image, of which `class` would keep but one.
   */
  readonly task?: string;
  readonly onProgress?: (done: number) => void;
}

export interface ImportSummary {
  /** Entries of the file whose image is here. */
  readonly matched: number;
  readonly unmatched: number;
  readonly regions: number;
  readonly labels: number;
  /** Labels of each task. */
  readonly tasks: Readonly<Record<string, number>>;
  /**
   * Tasks in which the file says several classes of one image, and where: those of one class an item, which keep the last
   * said, and `labels`, where it stood in for `class`.
   */
  readonly severalClasses: readonly { readonly task: string; readonly keeps: 'all' | 'last'; readonly where: string }[];
  /** Where the first unmatched entries stand, and why. */
  readonly unmatchedWhere: readonly string[];
  /** Of a sheet of `teach select`: rows that contradict themselves or others and were left out, a text an item. */
  readonly contradictions: readonly string[];
  /** Of such a sheet: where items are said not to be of a class that nobody knows. */
  readonly unknownClasses: readonly string[];
}

/** The task of images that have several classes each in a file that names no task. */
const MANY = 'labels';
/** Entries written as one transaction. */
const PAGE = 256;
const MAX_UNMATCHED_SHOWN = 50;

/** Nothing is written when any part of the file cannot be read. */
export async function importLabels(
  store: Store,
  format: FormatName,
  path: string,
  options: ImportOptions,
  runId: string,
): Promise<ImportSummary> {
  const resolved = await resolveLabels(store, format, path, options);
  const { contradictions, unknown, isContradictory } = await answersIn(store, resolved.read(), options.task);
  const tally = { matched: 0, unmatched: 0, regions: 0, labels: 0 };
  const tasks = new Map<string, number>();
  const unmatchedWhere: string[] = [];
  let page: { entry: ImportedImage; image: ImageRecord }[] = [];
  const flush = async () => {
    const asked = page.filter(({ entry }) => entry.regions.some(({ about }) => about !== undefined));
    const there = await store.regionsOf(asked.map(({ image }) => image.id));
    const regionIds = new Set([...there.values()].flatMap((list) => list.map(({ id }) => id)));
    const rows = rowsOf(page, options, resolved.tasksOfMany.has(null) ? MANY : 'class', runId, regionIds);
    const { regions, labels } = rows;
    await ensureTasks(store, rows, resolved.tasksOfMany, options);
    const names = new Set(labels.map(({ className }) => className).filter((name) => name !== NONE_OF_THESE));
    await store.ensureClasses([...names]);
    await store.putRegions(regions);
    await store.putLabels(labels);
    const imageIds = [...new Set(regions.map(({ imageId }) => imageId))];
    for (const task of new Set(labels.map((label) => label.task))) {
      await store.yieldToFrozen({ task, frozenIou: FROZEN_IOU, imageIds });
    }
    tally.regions += regions.length;
    tally.labels += labels.length;
    for (const { task } of labels) tasks.set(task, (tasks.get(task) ?? 0) + 1);
    page = [];
    options.onProgress?.(tally.matched + tally.unmatched);
  };

  for await (const entry of resolved.read()) {
    const { image, match } = await resolved.find(entry);
    if (image) {
      tally.matched++;
      if (isContradictory(entry)) continue;
      page.push({ entry, image });
      if (page.length === PAGE) await flush();
      continue;
    }
    tally.unmatched++;
    if (unmatchedWhere.length < MAX_UNMATCHED_SHOWN) {
      const why = match.kind === 'ambiguous' ? `could be ${match.candidates.join(' or ')}` : 'matches no image';
      unmatchedWhere.push(`${entry.where}: ${entry.file} ${why}`);
    }
  }
  if (tally.matched + tally.unmatched === 0) throw badFile(path, 'there is nothing in it to import');
  await flush();
  const severalClasses = await whereSeveral(store, resolved.tasksOfMany, options);
  return {
    ...tally,
    tasks: Object.fromEntries([...tasks].sort()),
    severalClasses,
    unmatchedWhere,
    contradictions,
    unknownClasses: unknown,
  };
}

async function whereSeveral(
  store: Store,
  tasksOfMany: ResolvedLabels['tasksOfMany'],
  options: ImportOptions,
): Promise<ImportSummary['severalClasses']> {
  const known = new Map((await store.tasks()).map((task) => [task.name, task]));
  const found = new Map<string, ImportSummary['severalClasses'][number]>();
  for (const [said, where] of tasksOfMany) {
    const task = options.task ?? said ?? MANY;
    const standsIn = options.task === undefined && said === null;
    const keeps = known.get(task)?.rule === 'single' ? 'last' : 'all';
    if ((keeps === 'last' || standsIn) && !found.has(task)) found.set(task, { task, keeps, where });
  }
  return [...found.values()];
}

interface Page {
  readonly regions: readonly StoredRegion[];
  /** Rejections of an item come before its labels, so that a label given after one stands. */
  readonly labels: readonly NewLabel[];
}

function rowsOf(
  page: readonly { entry: ImportedImage; image: ImageRecord }[],
  options: ImportOptions,
  imageTask: string,
  runId: string,
  there: ReadonlySet<RegionId>,
): Page {
  const regions: StoredRegion[] = [];
  const labels: NewLabel[] = [];
  const say = (itemId: string, said: Annotation, defaultTask: string, score: number | null) => {
    // Only a person's word takes something back; labels of strangers do not.
    for (const { className, task } of options.as === 'imported' ? [] : (said.rejected ?? [])) {
      const present = className === NONE_OF_THESE;
      labels.push({ itemId, task: options.task ?? task, className, present, origin: 'human', confidence: 1, runId });
    }
    for (const label of said.labels)
      labels.push({
        itemId,
        task: options.task ?? label.task ?? defaultTask,
        className: label.className,
        present: true,
        origin: options.as ?? label.origin ?? 'imported',
        confidence: label.confidence ?? score ?? 1,
        runId,
      });
  };
  for (const { entry, image } of page) {
    say(image.id, entry, imageTask, null);
    const seen = new Map<string, number>();
    const take = (region: ImportedRegion, deleted: boolean) => {
      if (region.about !== undefined && there.has(region.about)) {
        say(region.about, region, 'objects', null);
        return;
      }
      const identified = entry.sha256 === image.id;
      const stored = { ...regionOf(region, image, options, seen, identified, runId), deleted };
      regions.push(stored);
      say(stored.id, region, 'objects', region.score);
    };
    for (const region of entry.regions) take(region, false);
    if (options.as !== 'imported') for (const region of entry.deleted ?? []) take(region, true);
  }
  return { regions, labels };
}

type Annotation = Pick<ImportedImage, 'labels' | 'rejected'>;

function regionOf(
  region: ImportedRegion,
  image: ImageRecord,
  options: ImportOptions,
  seen: Map<string, number>,
  identified: boolean,
  runId: string,
): StoredRegion {
  const [scaleX, scaleY] = region.unit === 'fractions' ? [image.width, image.height] : [1, 1];
  const [x1, y1, x2, y2] = region.box;
  const box: Box = [x1 * scaleX, y1 * scaleY, x2 * scaleX, y2 * scaleY];
  const maker = options.as ?? 'imported';
  const className = region.labels[0]?.className ?? '';
  const same = [className, ...box].join(' ');
  const ordinal = seen.get(same) ?? 0;
  seen.set(same, ordinal + 1);
  return {
    id: identified && region.id !== undefined ? region.id : regionIdOf(image.id, maker, className, box, ordinal),
    imageId: image.id,
    box,
    score: region.score,
    modelKey: null,
    runId,
    touched: options.as === 'human' || (options.as === undefined && region.touched === true),
    deleted: false,
    keypoints: region.keypoints?.map(([x, y, v]) => [x * scaleX, y * scaleY, v] as const) ?? null,
    mask: region.mask,
    polygons:
      region.polygons?.map((polygon) => polygon.map((value, i) => value * (i % 2 === 0 ? scaleX : scaleY))) ?? null,
    crowd: region.crowd,
  };
}

/**
 * Tasks that a file names and nobody made yet: on regions where any of its labels is a region's, of one class an item
 * where no image of the file has more.
 */
async function ensureTasks(
  store: Store,
  { labels, regions }: Page,
  tasksOfMany: ResolvedLabels['tasksOfMany'],
  options: ImportOptions,
): Promise<void> {
  const known = new Set((await store.tasks()).map(({ name }) => name));
  const regionIds = new Set(regions.map(({ id }) => id));
  const wanted = new Map<string, Task>();
  for (const { task, itemId } of labels) {
    if (known.has(task)) continue;
    const onRegions = regionIds.has(itemId) || wanted.get(task)?.items === 'regions';
    const many = onRegions || (options.task === task ? tasksOfMany.size > 0 : tasksOfMany.has(task) || task === MANY);
    wanted.set(task, { name: task, rule: many ? 'multi' : 'single', items: onRegions ? 'regions' : 'images' });
  }
  for (const task of wanted.values()) await store.ensureTask(task);
}
