/** `teach select`: the store's side of choosing what to label next, and of drawing an audit set. */
import type { ItemId } from '../../core/ids.ts';
import { sampleIndices, seededRandom } from '../../core/random.ts';
import { LabelsmithError } from '../../errors.ts';
import { type RunOptions, type RunResult, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { newSharedMatrix } from '../../math/matrix.ts';
import { openPredictions } from '../predictions.ts';
import { type TaskItems, taskItems } from './items.ts';
import { type SelectProblem, selectItems } from './select.ts';

export interface SelectInOptions extends Pick<RunOptions, 'seed' | 'threads' | 'signal'> {
  readonly task: string;
  /** Items to label next; groups count once. */
  readonly count: number;
  /** Items to draw at random for the audit set, which is never trained on. Refused where too few would be left. */
  readonly audit: number;
}

/** An item for people, and why it was chosen. */
export interface Question {
  readonly itemId: ItemId;
  readonly why: 'typical' | 'unsure' | 'audit';
  /** The model's best guess, if there is a model. Not told of audit items: it would lead. */
  readonly guess: string | null;
}

export interface SelectResult extends RunResult {
  /** In the order in which they teach; audit items last. */
  readonly questions: readonly Question[];
  readonly counts: {
    readonly items: number;
    readonly selected: number;
    readonly audit: number;
    readonly labelled: number;
  };
}

export async function selectIn(workspace: Workspace, options: SelectInOptions): Promise<SelectResult> {
  const { task, count, audit, seed } = options;
  const items = await taskItems(workspace, task);
  const drawn = drawAudit(items, audit, seed);
  const settings = { task, count, audit };
  return recordRun(workspace.store, { stage: 'teach select', settings }, options, async () => {
    const { problem, predictions } = await problemOf(workspace, items, new Set(drawn));
    const selected = await workspace.engine.withInference(options, (pool) =>
      selectItems(pool, problem, { count, seed, signal: options.signal }),
    );
    const ids = drawn.map((row) => items.ids[row]);
    // Recorded before anybody sees them: what is shown was drawn.
    await workspace.store.holdOut({ task, atMs: Date.now(), seed, items: ids });
    const questions: Question[] = selected.map(({ row, why }) => {
      const itemId = items.ids[row];
      return { itemId, why, guess: predictions.get(itemId) ?? null };
    });
    questions.push(...ids.map((itemId) => ({ itemId, why: 'audit' as const, guess: null })));
    const labelled = problem.labelled.size;
    const counts = { items: items.ids.length, selected: selected.length, audit: ids.length, labelled };
    return { questions, counts, interrupted: false };
  });
}

/** What must stay to learn from: this share of all items is neither in the audit set nor nearly the same as what is. */
const MIN_TO_LEARN_FROM = 0.25;

/**
 * Rows drawn with equal chance among those that nobody has labelled, of groups that nothing is known of: then none is
 * nearly the same picture as one that is learned from.
 */
function drawAudit(items: TaskItems, count: number, seed: number): number[] {
  if (count === 0) return [];
  const { ids, annotations, groups, audit } = items;
  const known = new Set<string>();
  for (const [row, { kind }] of annotations.entries()) {
    if (kind !== 'nothing' || audit.has(ids[row])) known.add(groups[row]);
  }
  const free = groups.flatMap((group, row) => (known.has(group) ? [] : [row]));
  // Another draw has another stream, or it would find the same items taken.
  const draw = (size: number) => {
    const random = seededRandom(seed, `audit:${audit.size}`);
    return Array.from(sampleIndices(free.length, size, random), (i) => free[i]);
  };
  const most = largestThat((size) => size <= free.length && shareLeft(items, draw(size)) >= MIN_TO_LEARN_FROM, count);
  if (most === count) return draw(count);
  const kind = items.task.items;
  const drop = 'labelsmith teach select -n 0 --drop-audit takes back audit items that nobody has labelled.';
  throw new LabelsmithError(
    'USAGE',
    `--audit ${count} would leave too few to learn from: of ${ids.length} ${kind}, ${free.length} are left to draw from, and a quarter of all has to stay outside of the audit set.`,
    {
      hint: `${most > 0 ? `Give --audit ${most} or less.` : 'No more can be drawn.'}${audit.size > 0 ? ` Or: ${drop}` : ''}`,
      details: { left: free.length, most },
    },
  );
}

/** Binary search. @param holds true up to some size, and false beyond it */
function largestThat(holds: (size: number) => boolean, wanted: number): number {
  if (holds(wanted)) return wanted;
  let [most, tooMany] = [0, wanted];
  while (tooMany - most > 1) {
    const size = Math.floor((most + tooMany) / 2);
    if (holds(size)) most = size;
    else tooMany = size;
  }
  return most;
}

/**
 * How many audit items can be advised: {@link WANTED_AUDIT}, or so many that a quarter of all items stays whatever is drawn, since
 * each takes its group along.
 */
export function auditToAdvise({
  ids,
  groups,
  annotations,
  audit,
}: Pick<TaskItems, 'ids' | 'groups' | 'annotations' | 'audit'>): number {
  const taken = new Set<string>();
  for (const [row, { kind }] of annotations.entries()) {
    if (kind !== 'nothing' || audit.has(ids[row])) taken.add(groups[row]);
  }
  const sizes = new Map<string, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  let room = ids.length * (1 - MIN_TO_LEARN_FROM);
  for (const group of new Set(ids.flatMap((id, row) => (audit.has(id) ? [groups[row]] : [])))) {
    room -= sizes.get(group) ?? 0;
    sizes.delete(group);
  }
  const free = [...sizes]
    .filter(([group]) => !taken.has(group))
    .map(([, size]) => size)
    .sort((a, b) => b - a);
  let count = 0;
  for (const size of free) {
    room -= size;
    if (room < 0 || count === WANTED_AUDIT) break;
    count++;
  }
  return count;
}

const WANTED_AUDIT = 100;

/** The share of items that may be learned from when these are in the audit set too. */
function shareLeft({ ids, groups, audit }: TaskItems, drawn: readonly number[]): number {
  const taken = new Set(drawn.map((row) => groups[row]));
  for (const [row, id] of ids.entries()) if (audit.has(id)) taken.add(groups[row]);
  return groups.filter((group) => !taken.has(group)).length / ids.length;
}

async function problemOf(
  workspace: Workspace,
  { ids, annotations, groups, features, audit, task }: TaskItems,
  drawn: ReadonlySet<number>,
): Promise<{ problem: SelectProblem; predictions: ReadonlyMap<ItemId, string> }> {
  const labelled = new Set<number>();
  const excluded = new Set(drawn);
  const classes = new Set<string>();
  // What is nearly the same as an audit item is never trained on, so there is no use in asking.
  const auditGroups = new Set(Array.from(drawn, (row) => groups[row]));
  for (const [row, id] of ids.entries()) if (audit.has(id)) auditGroups.add(groups[row]);
  for (const [row, annotation] of annotations.entries()) {
    if (auditGroups.has(groups[row])) excluded.add(row);
    else if (annotation.kind === 'class') {
      labelled.add(row);
      classes.add(annotation.className);
    } else if (annotation.kind === 'none') excluded.add(row);
  }
  const opened = await openPredictions(workspace, task.name);
  const found = opened ? await opened.probabilities(ids) : new Map<ItemId, Float32Array>();
  const whole = opened && found.size === ids.length;
  const probabilities = whole ? newSharedMatrix(ids.length, opened.classNames.length) : null;
  if (probabilities)
    for (const [row, id] of ids.entries())
      probabilities.data.set(found.get(id) as Float32Array, row * probabilities.columns);
  const predictions = new Map<ItemId, string>();
  if (opened) for (const [id, { className }] of await opened.best(ids)) predictions.set(id, className);
  // Regions of one image are in one group, and each is a question of its own.
  const asked = task.items === 'images' ? groups : ids;
  return {
    problem: { features, groups: asked, labelled, excluded, classes: classes.size, probabilities },
    predictions,
  };
}
