/**
 * How many of a task's labels are right, as it was last measured: by `audit`, or by `teach rounds` for the labels that it gave.
 *
 * One figure, which every command, page and export states: the newest that was measured of labels that still stand. A figure
 * of labels that were all given anew since is none of these; that there was one is told (`outdated`). Labels know the run that
 * gave them: an audit is of those of runs that began before it was drawn, a training of those of its own run. Labels are
 * counted by run only where runs tell anything: that takes seconds for millions.
 */
import { z } from 'zod';
import type { DatedShare, LabelAccuracy, LabelNumbers, StatedShare } from '../../core/label-accuracy.ts';
import { isMachine, type Task } from '../../core/labels.ts';
import { TaskOwners } from '../../corpus/task-owner.ts';
import type { AuditRecord, LabelCount, RunRecord, Store } from '../../store/store.ts';
import { type AuditResult, auditDesign, estimateAudit } from './estimate.ts';

const SHARE = z.object({
  accuracy: z.number(),
  interval: z.tuple([z.number(), z.number()]),
  measuredOn: z.enum(['audit', 'cross-validation']),
  count: z.number(),
  picked: z.boolean().optional(),
  measuredBefore: z.boolean().optional(),
});

/** What `teach` recorded of the labels that it gave, and of its classifier. */
const TAUGHT = z.object({
  accuracy: z.object({ labels: SHARE.nullable(), newImages: SHARE.nullable().default(null) }),
});

/** A task's labels as an export has them, and what is known of how many are right. */
export interface TaskAccuracy extends Omit<LabelNumbers, 'measured'> {
  readonly task: string;
  /** Of labels by machines, then of imported ones, where that was measured. */
  readonly figures: readonly LabelAccuracy[];
  readonly newImages: DatedShare | null;
  /** The newest figure, where all labels that it was measured of were given anew or are gone. */
  readonly outdated: { readonly measuredBy: Measured['by']; readonly atMs: number } | null;
}

type AccuracyStore = Pick<Store, 'runs' | 'audits' | 'auditItems' | 'classes' | 'labelCounts' | 'tasks'>;

/** Of tasks that have labels, in order of name; labels of clusters in a task that others own are not among them. */
export async function knownAccuracies(store: AccuracyStore, named?: readonly string[]): Promise<TaskAccuracy[]> {
  const tasks = (await store.tasks()).filter(({ name }) => named?.includes(name) ?? true);
  const classes = await store.classes();
  const owners = new TaskOwners(classes);
  const counted = owners.countedClasses(classes);
  let byRun: readonly LabelCount[] | undefined;
  const labelsByRun = async () => (byRun ??= (await store.labelCounts()).filter((one) => !owners.disowns(one)));
  const found: TaskAccuracy[] = [];
  for (const task of tasks.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const numbers = numbersOf(task, counted);
    if (numbers.machine + numbers.imported + numbers.people === 0) continue;
    found.push({ task: task.name, ...numbers, ...(await figuresOf(store, task, numbers, labelsByRun)) });
  }
  return found;
}

/** Null where the task has no labels. */
export async function knownAccuracy(store: AccuracyStore, task: string): Promise<TaskAccuracy | null> {
  return (await knownAccuracies(store, [task]))[0] ?? null;
}

function numbersOf(
  { name, items }: Task,
  classes: Awaited<ReturnType<AccuracyStore['classes']>>,
): Omit<LabelNumbers, 'measured'> {
  const numbers = { machine: 0, imported: 0, people: 0 };
  for (const { counts } of classes) {
    for (const { task, items: kind, count, origins } of counts) {
      if (task !== name || kind !== items) continue;
      const { human = 0, imported = 0 } = origins;
      numbers.people += human;
      numbers.imported += imported;
      numbers.machine += count - human - imported;
    }
  }
  return numbers;
}

interface Measured {
  readonly by: 'audit' | 'training';
  readonly atMs: number;
  readonly stated: StatedShare;
  readonly whose: LabelAccuracy['whose'];
  /** Whether a label was there when it was measured. */
  readonly isOf: (label: LabelCount) => boolean;
  /** Whether all labels of `whose` were there then, which saves counting them by run. */
  readonly isOfAll: boolean;
}

async function figuresOf(
  store: AccuracyStore,
  task: Task,
  numbers: Omit<LabelNumbers, 'measured'>,
  labelsByRun: () => Promise<readonly LabelCount[]>,
): Promise<Pick<TaskAccuracy, 'figures' | 'newImages' | 'outdated'>> {
  const trained = await lastTraining(store, task.name, ['teach rounds']);
  const classifier = await lastTraining(store, task.name, ['teach rounds', 'teach train']);
  const stated = classifier?.accuracy.newImages;
  const newImages = classifier && stated ? { ...stated, atMs: classifier.run.startedAtMs } : null;
  const audits = await auditsOf(store, task.name);
  const all = [...audits, ...(trained ? trainingOf(trained) : [])].sort((a, b) => b.atMs - a.atMs);
  if (all.length === 0) return { figures: [], newImages, outdated: null };
  const measuredOf = async ({ whose, isOf, isOfAll }: Measured): Promise<number> => {
    if (isOfAll) return whose === 'imports' ? numbers.imported : numbers.machine;
    const labels = (await labelsByRun()).filter((one) => one.task === task.name && isOf(one));
    return labels.reduce((sum, one) => sum + one[task.items], 0);
  };
  const figures: LabelAccuracy[] = [];
  for (const whose of ['machines', 'imports'] as const) {
    for (const one of all.filter((other) => other.whose === whose)) {
      const measured = await measuredOf(one);
      if (measured === 0) continue;
      const { stated: share, atMs } = one;
      figures.push({ task: task.name, whose, ...share, atMs, labels: { measured, ...numbers }, newImages });
      break;
    }
  }
  const newest = all.find(({ whose }) => whose === 'machines');
  const isOutdated = newest !== undefined && numbers.machine > 0 && figures.every(({ whose }) => whose !== 'machines');
  return { figures, newImages, outdated: isOutdated ? { measuredBy: newest.by, atMs: newest.atMs } : null };
}

interface Training {
  readonly run: RunRecord;
  readonly accuracy: z.output<typeof TAUGHT>['accuracy'];
}

async function lastTraining(
  store: Pick<AccuracyStore, 'runs'>,
  task: string,
  stages: readonly string[],
): Promise<Training | null> {
  const runs: RunRecord[] = [];
  for (const stage of stages) {
    const [last] = (await store.runs({ stage })).filter((run) => run.settings.task === task && run.status === 'done');
    if (last) runs.push(last);
  }
  const [run] = runs.sort((a, b) => b.startedAtMs - a.startedAtMs);
  const read = TAUGHT.safeParse(run?.metrics).data;
  return run && read ? { run, accuracy: read.accuracy } : null;
}

function trainingOf({ run, accuracy }: Training): Measured[] {
  if (!accuracy.labels) return [];
  const isOf = ({ origin, runId }: LabelCount) => origin === 'model' && runId === run.id;
  return [{ by: 'training', atMs: run.startedAtMs, stated: accuracy.labels, whose: 'machines', isOf, isOfAll: false }];
}

/** Stages whose runs give no labels. */
const GIVE_NONE: ReadonlySet<string> = new Set(['add', 'embed', 'push']);

/** Audits that give a figure. */
async function auditsOf(store: AccuracyStore, task: string): Promise<Measured[]> {
  const audits = await store.audits(task);
  if (audits.length === 0) return [];
  const runs = await store.runs();
  const startOf = new Map(runs.map(({ id, startedAtMs }) => [id, startedAtMs]));
  const lastLabelling = Math.max(0, ...runs.flatMap((run) => (GIVE_NONE.has(run.stage) ? [] : [run.startedAtMs])));
  const found: Measured[] = [];
  for (const audit of audits) {
    const stated = await auditedShare(store, audit);
    if (!stated) continue;
    const { origin } = auditDesign(audit);
    const isOf = (label: LabelCount) =>
      (origin === null ? isMachine(label.origin) : label.origin === origin) &&
      (label.runId === null || (startOf.get(label.runId) ?? 0) <= audit.atMs);
    const whose = origin === 'imported' ? 'imports' : 'machines';
    const isOfAll = (origin === null || origin === 'imported') && lastLabelling <= audit.atMs;
    found.push({ by: 'audit', atMs: audit.atMs, stated, whose, isOf, isOfAll });
  }
  return found;
}

async function auditedShare(store: Pick<AccuracyStore, 'auditItems'>, audit: AuditRecord): Promise<StatedShare | null> {
  if (audit.answered === 0) return null;
  const { accuracy, ...counts } = estimateAudit(audit, await store.auditItems(audit.id));
  if (!accuracy) return null;
  const [estimate, low, high] = [accuracy.estimate, accuracy.low, accuracy.high].map((share) =>
    ofTheRest(share, counts),
  );
  return { accuracy: estimate, interval: [low, high], count: counts.checked, measuredOn: 'audit' };
}

/**
 * An audit's share is of all labels that it was drawn from; those that were answered are people's now, and how many of them were
 * right is known. What is left of the right ones is among the others.
 */
function ofTheRest(
  share: number,
  { population, checked, right }: Pick<AuditResult, 'population' | 'checked' | 'right'>,
) {
  const rest = population - checked;
  return rest > 0 ? Math.min(1, Math.max(0, (share * population - right) / rest)) : share;
}
