/** `import`: labels of a file, into the record. */

import { stat } from 'node:fs/promises';
import { FROZEN_IOU } from '../../core/boxes.ts';
import { toName } from '../../core/class-name.ts';
import type { ItemId } from '../../core/ids.ts';
import { NONE_OF_THESE, type Origin, type Task } from '../../core/labels.ts';
import type { Attributes } from '../../core/region-details.ts';
import { LabelsmithError } from '../../errors.ts';
import type { FormatName, ImportedClass } from '../../formats/format.ts';
import { Reckoning, type ReckoningReport } from '../../formats/reckoning.ts';
import { recogniseFormat } from '../../formats/recognise.ts';
import { NO_SPLIT } from '../../formats/splits.ts';
import { formatNamed } from '../../formats/table.ts';
import type { Store } from '../../store/store.ts';
import { type Base, baseOf, isExportFolder } from './base.ts';
import type { ClassMode, NewClass } from './classes.ts';
import type { CorrectionCounts, Corrections } from './corrections.ts';
import { Corrector } from './corrector.ts';
import { gathered, type PlannedEntry, planImport } from './plan.ts';
import { type ResolvedLabels, resolveLabels } from './resolve.ts';
import { type RowOptions, type Rows, rowsOf } from './rows.ts';
import { putToldClasses } from './told-classes.ts';
import { openLabelFiles } from './unpack.ts';
import type { DisagreementRule } from './votes.ts';

export interface ImportOptions {
  /** Whose word it is. Default: the origin the file names, else `imported`. */
  readonly as?: Extract<Origin, 'human' | 'imported'>;
  /**
   * Default: the task the file names, else `objects` for regions and `class` for images, or `labels` where the file says
   * several classes of one image, of which `class` would keep but one.
   */
  readonly task?: string;
  /** Which class holds where annotators of one thing disagree. Default `newest`: that of the last one in the file. */
  readonly disagreement?: DisagreementRule;
  /** Class names by number, where the file has only numbers. */
  readonly classNames?: readonly string[];
  /** What is done about classes that are not there. Default `new`: they are made. */
  readonly classes?: ClassMode;
  /**
   * The file is the state of the pictures in it: what is not in it any more is deleted. Only for people's word. Default:
   * for a file that one of our own exports wrote, with `as` `human`.
   */
  readonly replace?: boolean;
  /**
   * What such a file has as it was exported is the person's word too. Default: only where it is no export of ours, since nobody
   * can say then what the person changed.
   */
  readonly confirmAll?: boolean;
  /** Nothing is written where anything would be left out or mended. Default false. */
  readonly strict?: boolean;
  readonly onProgress?: (done: number) => void;
}

export interface ImportSummary {
  readonly format: FormatName;
  /** By what the format was seen; null where it was named. */
  readonly recognised: string | null;
  /** Entries of the file whose image is here. */
  readonly matched: number;
  readonly unmatched: number;
  readonly regions: number;
  readonly labels: number;
  /** Labels of each task. */
  readonly tasks: Readonly<Record<string, number>>;
  /** Images of each split that the file names. */
  readonly splits: Readonly<Record<string, number>>;
  /** Classes that were made, and of each a known one with nearly that name. */
  readonly newClasses: readonly Pick<NewClass, 'name' | 'near'>[];
  /** What people's corrections did; null where the file was only added. */
  readonly corrections: CorrectionSummary | null;
  /** What became of everything in the file. */
  readonly reckoning: ReckoningReport;
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

/** Of objects and of classes of whole images, together and apart. */
export interface CorrectionSummary extends Readonly<CorrectionCounts>, Corrections {
  /** The export that the file is a copy of; `state`: none of ours; `unknown`: one of ours, but it is not known which. */
  readonly comparedWith: Base['kind'];
  /** When that export was made. */
  readonly exportedAtMs: number | null;
}

/** The task of images that have several classes each in a file that names no task. */
const MANY = 'labels';
/** Entries, and objects, held at a time. */
const PAGE = 256;
const PAGE_OBJECTS = 20_000;

/**
 * All of the file is taken in or nothing, whatever ends the process. Nothing is written when any part of the file cannot be
 * read, nor for a name that cannot be kept; what is wrong with one row or object leaves the others as they are, and is in
 * the reckoning.
 */
export async function importLabels(
  store: Store,
  format: FormatName | 'auto',
  path: string,
  options: ImportOptions,
  runId: string,
): Promise<ImportSummary> {
  const files = await openLabelFiles(path);
  try {
    const found = await formatOf(format, files.path);
    return await importFiles(store, { ...found, base: files.base, shown: path }, options, runId);
  } finally {
    await files.close();
  }
}

/** A format of one file is read from the one file of a folder that is its. */
async function formatOf(
  format: FormatName | 'auto',
  path: string,
): Promise<Pick<ImportedFiles, 'format' | 'path' | 'why'>> {
  if (format === 'auto') return recogniseFormat(path);
  const named = { format, path, why: null };
  const isFolder = (await stat(path).catch(() => null))?.isDirectory() ?? false;
  if (formatNamed(format).kind === 'folder' || !isFolder) return named;
  const found = await recogniseFormat(path).catch(() => null);
  return found?.format === format ? { ...named, path: found.path } : named;
}

interface ImportedFiles {
  readonly format: FormatName;
  readonly path: string;
  readonly base: string;
  /** What was named, for messages: an archive has a path of its own. */
  readonly shown: string;
  readonly why: string | null;
}

async function importFiles(
  store: Store,
  { format, path, base, shown, why }: ImportedFiles,
  options: ImportOptions,
  runId: string,
): Promise<ImportSummary> {
  const task = options.task === undefined ? undefined : toName(options.task, 'task');
  if (options.replace && options.as !== 'human')
    throw new LabelsmithError('USAGE', 'Only what a person says takes the place of what is there.', {
      hint: 'Give --as human with --replace.',
    });
  const reckoning = new Reckoning();
  const toldClasses: ImportedClass[] = [];
  const { classNames } = options;
  const onClass = (told: ImportedClass) => toldClasses.push(told);
  const resolved = await resolveLabels(store, format, path, { reckoning, classNames, onClass, base });
  const planOptions = {
    task,
    keepRepeats: options.as === 'human',
    classes: options.classes ?? 'new',
    disagreement: options.disagreement ?? 'newest',
    toldClasses,
    reckoning,
  };
  const plan = await planImport(store, shown, resolved, planOptions);
  if (options.strict) refuseProblems(shown, reckoning);
  const isOwn = plan.ownExport || (await isExportFolder(path, format));
  const replace = options.replace ?? (options.as === 'human' && isOwn);
  const compared = replace
    ? await baseOf(store, plan, { format, path, isOwn, isAsked: options.replace === true })
    : null;
  const { keeps } = formatNamed(format);
  const imageTask = resolved.tasksOfMany.has(null) ? MANY : await taskOfImages(store, compared);
  const rowOptions = { as: options.as, task, imageTask, runId };
  const { disagreement } = planOptions;
  const { writer, corrections } = await store.atomically(async (within) => {
    const corrector =
      compared === null
        ? null
        : await Corrector.open(within, plan, {
            options: rowOptions,
            keeps,
            reckoning,
            base: compared,
            confirmAll: options.confirmAll ?? compared.kind === 'state',
            disagreement,
          });
    const writer = new Writer(within, resolved, rowOptions, corrector);
    for await (const entry of corrector === null ? plan.entries() : gathered(plan)) {
      if (await writer.add(entry)) options.onProgress?.(writer.entries);
    }
    await writer.finish();
    await putToldClasses(within, plan.toldClasses, plan.newClasses);
    return { writer, corrections: corrector?.corrections ?? null };
  });
  return {
    format,
    recognised: why,
    matched: plan.matched,
    unmatched: plan.unmatched,
    regions: writer.regions,
    labels: writer.labels,
    tasks: sorted(writer.tasks),
    splits: sorted(writer.splits),
    newClasses: plan.newClasses.map(({ name, near }) => ({ name, near })),
    corrections: corrections === null || compared === null ? null : correctionSummary(corrections, compared),
    reckoning: reckoning.report(),
    severalClasses: await whereSeveral(store, resolved.tasksOfMany, task),
    unmatchedWhere: plan.unmatchedWhere,
    contradictions: plan.answers.contradictions,
    unknownClasses: plan.answers.unknown,
  };
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort());
}

function correctionSummary({ objects, labels }: Corrections, base: Base): CorrectionSummary {
  return {
    added: objects.added + labels.added,
    changed: objects.changed + labels.changed,
    removed: objects.removed + labels.removed,
    confirmed: objects.confirmed + labels.confirmed,
    unchanged: objects.unchanged + labels.unchanged,
    objects,
    labels,
    comparedWith: base.kind,
    exportedAtMs: base.kind === 'export' ? base.export.atMs : null,
  };
}

/** A file that names no task is about that of the export that it is a copy of, where it labels whole images. */
async function taskOfImages(store: Pick<Store, 'tasks'>, base: Base | null): Promise<string> {
  const name = base?.kind === 'export' ? base.export.task : null;
  const known = (await store.tasks()).find((task) => task.name === name);
  return known?.items === 'images' ? known.name : 'class';
}

/** With all problems in it, as many as the reckoning lists. */
function refuseProblems(path: string, reckoning: Reckoning): void {
  const problems = reckoning.report().problems.filter(({ outcome }) => outcome !== 'told');
  if (problems.length === 0) return;
  const lines = problems.flatMap(({ text, examples, count }) => {
    const shown = examples.map(({ where, what }) => `  ${where}: ${what ?? text}`);
    return count > shown.length ? [...shown, `  … and ${count - shown.length} more: ${text}`] : shown;
  });
  throw new LabelsmithError('BAD_FILE', `${path} was not imported, as --strict asks:\n${lines.join('\n')}`, {
    hint: 'Without --strict the rest of it is taken in.',
    details: { problems },
  });
}

/** Writes page by page, and counts. */
class Writer {
  entries = 0;
  regions = 0;
  labels = 0;
  readonly tasks = new Map<string, number>();
  readonly splits = new Map<string, number>();
  readonly #store: Store;
  readonly #tasksOfMany: ResolvedLabels['tasksOfMany'];
  readonly #options: RowOptions;
  #page: PlannedEntry[] = [];
  #objects = 0;

  readonly #corrector: Corrector | null;

  constructor(store: Store, { tasksOfMany }: ResolvedLabels, options: RowOptions, corrector: Corrector | null) {
    this.#store = store;
    this.#corrector = corrector;
    this.#tasksOfMany = tasksOfMany;
    this.#options = options;
  }

  /** Whether a page was written. */
  async add(entry: PlannedEntry): Promise<boolean> {
    this.entries++;
    this.#page.push(entry);
    this.#objects += entry.regions.length;
    if (this.#page.length < PAGE && this.#objects < PAGE_OBJECTS) return false;
    await this.finish();
    return true;
  }

  async finish(): Promise<void> {
    const page = this.#page;
    this.#page = [];
    this.#objects = 0;
    if (page.length === 0) return;
    const rows = (await this.#corrector?.rowsOf(page)) ?? rowsOf(page, this.#options, await this.#regionsAsked(page));
    const { regions, labels } = rows;
    await ensureTasks(this.#store, rows, this.#tasksOfMany, this.#options);
    const names = new Set(labels.map(({ className }) => className).filter((name) => name !== NONE_OF_THESE));
    await this.#store.ensureClasses([...names]);
    await this.#store.putRegions(regions);
    await this.#store.putLabels(labels);
    if (rows.removed.length > 0) await this.#store.deleteRegionsAsHuman(rows.removed);
    const imageIds = [...new Set(regions.map(({ imageId }) => imageId))];
    for (const task of new Set(labels.map((label) => label.task)))
      await this.#store.yieldToFrozen({ task, frozenIou: FROZEN_IOU, imageIds });
    await this.#putSplitsAndAttributes(page);
    this.regions += regions.length;
    this.labels += labels.length;
    for (const { task } of labels) this.tasks.set(task, (this.tasks.get(task) ?? 0) + 1);
  }

  /** Regions of the workspace that answers are about. */
  async #regionsAsked(page: readonly PlannedEntry[]): Promise<Set<string>> {
    const asked = page.filter(({ regions }) => regions.some(({ about }) => about !== undefined));
    const there = await this.#store.regionsOf(asked.map(({ image }) => image.id));
    return new Set([...there.values()].flatMap((list) => list.map(({ id }) => id)));
  }

  async #putSplitsAndAttributes(page: readonly PlannedEntry[]): Promise<void> {
    const splits = new Map<string, string>();
    const attributes = new Map<string, Attributes>();
    for (const entry of page) {
      if (entry.split !== null && entry.split !== NO_SPLIT) splits.set(entry.image.id, entry.split);
      if (entry.attributes !== undefined) attributes.set(entry.image.id, entry.attributes);
    }
    if (splits.size > 0) await this.#store.putSplits(this.#options.runId, splits);
    if (attributes.size > 0) await this.#store.putImageAttributes(attributes);
    for (const split of splits.values()) this.splits.set(split, (this.splits.get(split) ?? 0) + 1);
  }
}

async function whereSeveral(
  store: Store,
  tasksOfMany: ResolvedLabels['tasksOfMany'],
  given: string | undefined,
): Promise<ImportSummary['severalClasses']> {
  const known = new Map((await store.tasks()).map((task) => [task.name, task]));
  const found = new Map<string, ImportSummary['severalClasses'][number]>();
  for (const [said, where] of tasksOfMany) {
    const task = given ?? said ?? MANY;
    const standsIn = given === undefined && said === null;
    const keeps = known.get(task)?.rule === 'single' ? 'last' : 'all';
    if ((keeps === 'last' || standsIn) && !found.has(task)) found.set(task, { task, keeps, where });
  }
  return [...found.values()];
}

/**
 * Tasks that a file names and nobody made yet: on regions where any of its labels is a region's, of one class an item
 * where no image of the file has more.
 */
async function ensureTasks(
  store: Store,
  { labels, regions }: Rows,
  tasksOfMany: ResolvedLabels['tasksOfMany'],
  options: Pick<RowOptions, 'task'>,
): Promise<void> {
  const known = new Set((await store.tasks()).map(({ name }) => name));
  const regionIds = new Set<ItemId>(regions.map(({ id }) => id));
  const wanted = new Map<string, Task>();
  for (const { task, itemId } of labels) {
    if (known.has(task)) continue;
    const onRegions = regionIds.has(itemId) || wanted.get(task)?.items === 'regions';
    const many = onRegions || (options.task === task ? tasksOfMany.size > 0 : tasksOfMany.has(task) || task === MANY);
    wanted.set(task, { name: task, rule: many ? 'multi' : 'single', items: onRegions ? 'regions' : 'images' });
  }
  for (const task of wanted.values()) await store.ensureTask(task);
}
