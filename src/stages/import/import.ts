/** `import`: labels of a file, into the record. */

import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { toName } from '../../core/class-name.ts';
import type { RunId } from '../../core/ids.ts';
import type { Origin } from '../../core/labels.ts';
import type { DisownedClusters } from '../../corpus/task-owner.ts';
import { LabelsmithError } from '../../errors.ts';
import type { ImportedClass, ReaderName } from '../../formats/format.ts';
import { hasBackground } from '../../formats/format.ts';
import { Reckoning, type ReckoningReport } from '../../formats/reckoning.ts';
import { recogniseFormat } from '../../formats/recognise.ts';
import { INDEX_FILE } from '../../formats/shard-index.ts';
import { FORMATS, readerNamed } from '../../formats/table.ts';
import { passingOverClosed } from '../../formats/walk.ts';
import type { Store } from '../../store/store.ts';
import { type Base, baseOf, isExportFolder } from './base.ts';
import type { ClassMode, NewClass } from './classes.ts';
import type { CorrectionCounts, Corrections } from './corrections.ts';
import { Corrector, type CorrectorParts } from './corrector.ts';
import { ClusterClasses } from './left-clusters.ts';
import { type NewTask, newTaskRefused, newTasksAmong } from './new-tasks.ts';
import { countTaken, gathered, type ImportPlan, planImport } from './plan.ts';
import { type ResolvedLabels, resolveLabels } from './resolve.ts';
import { type Copy, copyAt, importsOfCopy } from './same-copy.ts';
import { classesOfClustered, silencedSince } from './silenced.ts';
import { refuseOtherKind } from './task-kinds.ts';
import { putToldClasses } from './told-classes.ts';
import { openLabelFiles } from './unpack.ts';
import type { DisagreementRule } from './votes.ts';
import { ImportWriter, MANY, type WriterParts } from './writer.ts';

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
  /** Everything is worked out and counted, and nothing is taken in. Default false. */
  readonly dryRun?: boolean;
  readonly onProgress?: (done: number) => void;
}

export interface ImportSummary {
  readonly format: ReaderName;
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
  /** Tasks that were made, but for `labels` where it stood in for `class`. */
  readonly newTasks: readonly NewTask[];
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
  /**
   * Labels of clusters that counted before and do not any more, since most of what people and imports said by now is of classes that
   * no cluster gave. Empty with `dryRun`.
   */
  readonly silenced: readonly DisownedClusters[];
}

/** Of objects and of classes of whole images, together and apart. */
export interface CorrectionSummary extends Readonly<CorrectionCounts>, Corrections {
  /** The export that the file is a copy of; `state`: none of ours; `unknown`: one of ours, but it is not known which. */
  readonly comparedWith: Base['kind'];
  /** When that export was made. */
  readonly exportedAtMs: number | null;
  /** What the person left as it was is their word too. */
  readonly confirmAll: boolean;
  /** Which copy of which export it is, for later imports of the same; null where it is not known. */
  readonly copy: Copy | null;
}

/**
 * All of the file is taken in or nothing, whatever ends the process. Nothing is written when any part of the file cannot be
 * read, nor for a name that cannot be kept; what is wrong with one row or object leaves the others as they are, and is in
 * the reckoning.
 */
export async function importLabels(
  store: Store,
  format: ReaderName | 'auto',
  path: string,
  options: ImportOptions,
  runId: string,
): Promise<ImportSummary> {
  const reckoning = new Reckoning();
  const files = await openLabelFiles(path, format, reckoning);
  try {
    const tell = (folder: string) => reckoning.note('folder-unreadable', folder, 'permission denied');
    return await passingOverClosed(files.path, tell, async () => {
      const found = await formatOf(format, files.path);
      return importFiles(store, { ...found, base: files.base, shown: path, reckoning }, options, runId);
    });
  } finally {
    await files.close();
  }
}

/** A format of one file is read from the one file of a folder that is its. */
async function formatOf(
  format: ReaderName | 'auto',
  path: string,
): Promise<Pick<ImportedFiles, 'format' | 'path' | 'why'>> {
  if (format === 'auto') return recogniseFormat(path);
  const named = { format, path, why: null };
  const isFolder = (await stat(path).catch(() => null))?.isDirectory() ?? false;
  const mayBeOther = isFolder || basename(path) === INDEX_FILE;
  if (readerNamed(format).kind === 'folder' || !mayBeOther) return named;
  const found = await recogniseFormat(path).catch(() => null);
  return found?.format === format ? { ...named, path: found.path } : named;
}

interface ImportedFiles {
  readonly format: ReaderName;
  readonly path: string;
  readonly base: string;
  /** What was named, for messages: an archive has a path of its own. */
  readonly shown: string;
  readonly why: string | null;
  readonly reckoning: Reckoning;
}

async function importFiles(
  store: Store,
  { format, path, base, shown, why, reckoning }: ImportedFiles,
  options: ImportOptions,
  runId: string,
): Promise<ImportSummary> {
  const task = options.task === undefined ? undefined : toName(options.task, 'task');
  if (options.replace && options.as !== 'human')
    throw new LabelsmithError('USAGE', 'Only what a person says takes the place of what is there.', {
      hint: 'Give --as human with --replace.',
    });
  const toldClasses: ImportedClass[] = [];
  const { classNames } = options;
  const byHand = options.as === 'human';
  const onClass = (told: ImportedClass) => toldClasses.push(told);
  const resolved = await resolveLabels(store, format, path, { reckoning, classNames, onClass, base, byHand });
  const planOptions = {
    task,
    keepRepeats: options.as === 'human',
    classes: options.classes ?? 'new',
    emptyMeansNothing: isBackgroundIn(format),
    disagreement: options.disagreement ?? 'newest',
    toldClasses,
    reckoning,
  };
  const plan = await planImport(store, shown, resolved, planOptions);
  if (task !== undefined) refuseOtherKind(shown, task, await store.tasks(), plan);
  if (options.strict) refuseProblems(shown, reckoning);
  const newTasks = await newTasksAmong(store, task === undefined ? plan.tasks : plan.hasLabels ? [task] : []);
  // A file that names its tasks means them; what somebody typed may be mistyped.
  if (options.strict && task !== undefined && newTasks.length > 0) throw newTaskRefused(newTasks[0]);
  const isOwn = plan.ownExport || (await isExportFolder(path, format));
  const replace = options.replace ?? (options.as === 'human' && isOwn);
  const compared = replace
    ? await baseOf(store, plan, { format, path, isOwn, isAsked: options.replace === true })
    : null;
  const { keeps } = readerNamed(format);
  const imageTask = resolved.tasksOfMany.has(null) ? MANY : await taskOfImages(store, compared);
  await tellContradicted(store, resolved.contradicted, (said) => task ?? said ?? imageTask, reckoning);
  const rowOptions = { as: options.as, task, imageTask, runId };
  const { disagreement } = planOptions;
  const confirmAll = options.confirmAll ?? compared?.kind === 'state';
  const before = await classesOfClustered(store);
  // What is no export of ours never was of clusters.
  const clusters =
    before === null || compared === null || compared.kind === 'state' ? null : new ClusterClasses(before);
  const copy = compared?.kind === 'export' ? await copyAt(shown, compared.export.id) : null;
  const rules = { options: rowOptions, keeps, confirmAll, disagreement, clusters };
  const corrector = compared === null ? null : await correctorOf(store, plan, { ...rules, base: compared, copy });
  const parts = { resolved, repeated: plan.repeated, options: rowOptions, corrector, clusters, reckoning };
  const writer = await written(store, plan, parts, { ...options, format });
  return {
    format,
    recognised: why,
    matched: plan.matched,
    unmatched: plan.unmatched,
    regions: writer.regions,
    labels: writer.labels,
    tasks: sorted(writer.tasks),
    splits: sorted(writer.splits),
    newClasses: newClassesOf(plan, writer).map(({ name, near }) => ({ name, near })),
    newTasks,
    corrections: compared === null ? null : correctionSummary(writer.corrections, compared, { confirmAll, copy }),
    reckoning: reckoning.report(),
    severalClasses: await whereSeveral(store, resolved.tasksOfMany, task),
    unmatchedWhere: plan.unmatchedWhere,
    contradictions: plan.answers.contradictions,
    unknownClasses: plan.answers.unknown,
    silenced: await silencedSince(before, store),
  };
}

async function correctorOf(
  store: Store,
  plan: ImportPlan,
  { copy, ...parts }: Omit<CorrectorParts, 'earlierRuns'> & { readonly copy: Copy | null },
): Promise<Corrector> {
  const earlierRuns = copy === null ? new Set<RunId>() : await importsOfCopy(store, copy);
  return Corrector.open(store, plan, { ...parts, earlierRuns });
}

/** Everything that the plan has is written, or with `dryRun` only counted. */
async function written(
  store: Store,
  plan: ImportPlan,
  parts: WriterParts,
  { format, as, dryRun, onProgress }: ImportOptions & { readonly format: ReaderName },
): Promise<ImportWriter> {
  const writer = await ImportWriter.open(store, parts);
  try {
    for await (const entry of parts.corrector === null ? plan.entries() : gathered(plan)) {
      countTaken(entry, parts.reckoning);
      if (await writer.add(entry)) onProgress?.(writer.entries);
    }
    if (dryRun) await writer.rehearse();
    else
      await writer.commit({ format, as: as ?? null }, (within) =>
        putToldClasses(within, plan.toldClasses, plan.newClasses),
      );
  } finally {
    await writer.end();
  }
  return writer;
}

function isBackgroundIn(name: ReaderName): boolean {
  const format = FORMATS.find((one) => one.name === name);
  return format !== undefined && hasBackground(format);
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort());
}

/** What a correction left as it was makes no class: one that was exported may be gone since. */
function newClassesOf({ newClasses }: ImportPlan, { corrected, classNames }: ImportWriter): readonly NewClass[] {
  return corrected ? newClasses.filter(({ name }) => classNames.has(name)) : newClasses;
}

function correctionSummary(
  { objects, labels }: Corrections,
  base: Base,
  { confirmAll, copy }: Pick<CorrectionSummary, 'confirmAll' | 'copy'>,
): CorrectionSummary {
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
    confirmAll,
    copy,
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

/** But in tasks that keep all classes of an image. */
async function tellContradicted(
  store: Pick<Store, 'tasks'>,
  contradicted: ResolvedLabels['contradicted'],
  taskOf: (said: string | null) => string,
  reckoning: Reckoning,
): Promise<void> {
  const multi = new Set((await store.tasks()).flatMap(({ name, rule }) => (rule === 'multi' ? [name] : [])));
  for (const [said, { count, notes }] of contradicted)
    if (!multi.has(taskOf(said)))
      for (const [i, note] of notes.entries()) reckoning.note(...note, i === 0 ? count - notes.length + 1 : 1);
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
