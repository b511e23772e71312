/** `teach select`: the store's side of choosing what to label next, and of drawing an audit set. */
import { IdSet } from '../../core/id-set.ts';
import type { ItemId } from '../../core/ids.ts';
import { sampleIndices, seededRandom } from '../../core/random.ts';
import { LabelsmithError } from '../../errors.ts';
import { type RunOptions, type RunResult, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import { readSample, sampleKey } from '../discover/sample.ts';
import { centreAndNormalise, columnsOf } from '../embed/recipe.ts';
import { openPredictions, type Predictions } from '../predictions.ts';
import { everyItemBare, type PileItems, type TaskItems, taskVectors } from './items.ts';
import { type Pile, rowsToLookAt, selectAmong } from './select.ts';

export interface SelectInOptions extends Pick<RunOptions, 'seed' | 'threads' | 'signal'> {
  readonly task: string;
  /** Items to label next; groups count once. */
  readonly count: number;
  /** Items to draw at random for the audit set, which is never trained on. Refused where too few would be left. */
  readonly audit: number;
  /** See `SelectOptions`. */
  readonly most?: number;
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

/** Resident: some 150 bytes an item, and the vectors and probabilities of those that are looked at, 20,000 or twice `count`. */
export async function selectIn(workspace: Workspace, options: SelectInOptions): Promise<SelectResult> {
  const { task, count, audit, seed, signal, most } = options;
  const items = await everyItemBare(workspace, await taskVectors(workspace, task));
  const drawn = drawAudit(items, audit, seed);
  const settings = { task, count, audit };
  return recordRun(workspace.store, { stage: 'teach select', settings }, options, async () => {
    const pile = pileOf(items, new Set(drawn));
    const looksAt = rowsToLookAt(pile, { count, seed, most });
    const wanted = looksAt.rows.map((row) => items.ids[row]);
    const opened = await openPredictions(workspace, task);
    const seen = {
      features: await featuresOf(workspace, items, wanted),
      probabilities: await probabilitiesOf(opened, items, wanted),
    };
    const selected = await workspace.engine.withInference(options, (pool) =>
      selectAmong(pool, pile, looksAt, seen, { count, seed, signal }),
    );
    const ids = drawn.map((row) => items.ids[row]);
    // Recorded before anybody sees them: what is shown was drawn.
    await workspace.store.holdOut({ task, atMs: Date.now(), seed, items: ids });
    const guesses = await opened?.best(selected.map(({ row }) => items.ids[row]));
    const questions: Question[] = selected.map(({ row, why }) => {
      const itemId = items.ids[row];
      return { itemId, why, guess: guesses?.get(itemId)?.className ?? null };
    });
    questions.push(...ids.map((itemId) => ({ itemId, why: 'audit' as const, guess: null })));
    const labelled = pile.labelled.size;
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
function drawAudit(items: PileItems, count: number, seed: number): number[] {
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
function shareLeft({ ids, groups, audit }: PileItems, drawn: readonly number[]): number {
  const taken = new Set(drawn.map((row) => groups[row]));
  for (const [row, id] of ids.entries()) if (audit.has(id)) taken.add(groups[row]);
  return groups.filter((group) => !taken.has(group)).length / ids.length;
}

/** What people said so far, and what must not be asked. @param drawn rows of the audit set that is drawn now */
function pileOf({ ids, annotations, groups, audit, task }: PileItems, drawn: ReadonlySet<number>): Pile {
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
  // Regions of one image are in one group, and each is a question of its own.
  return { groups: task.items === 'images' ? groups : ids, labelled, excluded, classes: classes.size };
}

/** Finished vectors of some items in their order, shape [wanted, columns]. */
async function featuresOf(
  { vectors }: Pick<Workspace, 'vectors'>,
  { recipe, mean, shards, ids }: PileItems,
  wanted: readonly ItemId[],
): Promise<Matrix> {
  if (wanted.length === 0) return newSharedMatrix(0, columnsOf(recipe));
  if (wanted.length === ids.length) {
    const all = await vectors.readAll(shards);
    centreAndNormalise(all.vectors, recipe, mean.values);
    return all.vectors;
  }
  return (await readSample(vectors, shards, new Set(wanted.map(sampleKey)), recipe, mean)).vectors;
}

/** What the model thinks of some items, shape [wanted, classes]; null where it has not seen every item there is. */
async function probabilitiesOf(
  opened: Predictions | undefined,
  { ids }: PileItems,
  wanted: readonly ItemId[],
): Promise<Matrix | null> {
  if (opened === undefined || wanted.length === 0) return null;
  const found = await opened.probabilities(wanted);
  if (found.size < wanted.length) return null;
  if (wanted.length < ids.length) {
    const all = new IdSet();
    for (const id of ids) all.add(id);
    if ((await opened.countAmong(all)) < ids.length) return null;
  }
  const matrix = newSharedMatrix(wanted.length, opened.classNames.length);
  for (const [row, id] of wanted.entries()) matrix.data.set(found.get(id) as Float32Array, row * matrix.columns);
  return matrix;
}
