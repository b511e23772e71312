/**
 * Labels across undo and redo of an operation that gave a class another name.
 *
 * People and imports say names. What they said while the operation stood was said under the name that it gave, so undoing it
 * takes these labels to the class that this name means then, which is made where there is none. Redoing it joins that class again,
 * and remembers which labels were its own, for the next undo. What machines say belongs to the class and goes with it.
 */
import { foldClassName, isLetter } from '../../core/class-name.ts';
import {
  type CorpusClass,
  type CorpusState,
  type LoggedChange,
  type RowChange,
  type RowChanges,
  withRows,
} from '../../core/corpus.ts';
import { ORIGIN_CODES } from './codes.ts';
import { integer } from './column.ts';
import { numbered } from './corpus-state.ts';
import { statement } from './statement.ts';
import { labels } from './tables.ts';
import type { Work } from './work.ts';

const VALUES =
  'image_id, region_id, task_id, class_id, origin, model_id, annotator_id, present, confidence, run_key, sequence';
const sameVoice = (a: string, b: string) =>
  labels.key
    .filter((field) => field !== 'classId')
    .map((field) => field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
    .map((column) => `${a}.${column} = ${b}.${column}`)
    .join(' and ');

/**
 * Said by people since the operation stands, or before it was redone and joined then: the log has such a label as it was, on side 1,
 * where no other label is of a class that is gone.
 */
const saidSince = (table: string) => `${table}.class_id = :from and (
  (${table}.origin < ${ORIGIN_CODES.model} and ${table}.sequence >= :since) or exists (
    select 1 from operation_label as joined where joined.operation_id = :operation and joined.side = 1
      and joined.class_id = :to and joined.sequence = ${table}.sequence and ${sameVoice('joined', table)}))`;
const all = (table: string) => `${table}.class_id = :from`;

const COLUMNS = { operation: integer, from: integer, to: integer, since: integer, revision: integer };

/** Labels and their entries in the log go from a class to another. Of two that become one the newer stands. */
function moving(isMoved: (table: string) => string): readonly string[] {
  return [
    `update image set revision = :revision where id in (select image_id from label where ${isMoved('label')})`,
    // So that what people did can be undone by itself. Operations on the corpus are redone only after this one.
    `update operation_label set class_id = :to where ${isMoved('operation_label')}
      and operation_id in (select id from operation where kind = 'items')
      and not exists (
        select 1 from operation_label as own where own.operation_id = operation_label.operation_id
          and own.side = operation_label.side and own.class_id = :to and ${sameVoice('own', 'operation_label')})`,
    `delete from label where class_id = :to and exists (
      select 1 from label as newer where ${isMoved('newer')} and newer.sequence > label.sequence
        and ${sameVoice('newer', 'label')})`,
    `delete from label where ${isMoved('label')} and exists (
      select 1 from label as newer where newer.class_id = :to and ${sameVoice('newer', 'label')})`,
    `update label set class_id = :to where ${isMoved('label')}`,
    `update class set skeleton = (select source.skeleton from class as source where source.id = :from)
      where id = :to and skeleton is null`,
  ];
}

const logged = (side: number, which: string) => `insert into operation_label (operation_id, side, ${VALUES})
  select operation.id, ${side}, ${VALUES.replaceAll(/\w+/g, 'label.$&')}
  from label join operation on operation.id = :operation where ${which}
  on conflict do nothing`;
const older = (of: string, than: string) => `label.class_id = ${of} and exists (
  select 1 from label as newer where newer.class_id = ${than} and newer.sequence > label.sequence
    and ${sameVoice('newer', 'label')})`;

const statements = (list: readonly string[]) => list.map((sql) => statement(sql, COLUMNS));
const PART = statements([
  ...moving(saidSince),
  'delete from operation_label where operation_id = :operation and side = 1 and class_id = :to',
]);
const JOIN = statements([
  // Of two that become one the older comes back with the undo, as all that an operation took away.
  logged(0, older(':to', ':from')),
  logged(0, older(':from', ':to')),
  logged(1, `label.class_id = :from and not (${older(':from', ':to')})`),
  ...moving(all),
]);

/** Later than any label. */
export const NEVER = Number.MAX_SAFE_INTEGER;

interface Move {
  readonly from: number;
  readonly to: number;
}

/** Before an operation is undone. @returns rows of the classes that are made for what was said since */
export async function partLabels(work: Work, change: LoggedChange, state: CorpusState): Promise<readonly RowChange[]> {
  const after = withRows(state, change.backward);
  const made: RowChange[] = [];
  // What was joined parts again by the log alone: nobody has said these names since but as other words for the class.
  const sinceOf = new Map<string, Move & { readonly since: number }>();
  const plan = (one: Move, since: number) => sinceOf.set(`${one.from} ${one.to}`, { ...one, since });
  for (const one of rejoined(change)) plan(one, NEVER);
  for (const { id, name } of renamedBy(change)) {
    const known = meantBy(after, name);
    if (known !== undefined) {
      if (known !== id) plan({ from: id, to: known }, change.since);
    } else if (await isSaidSince(work, id, change.since)) {
      const row = await newClass(work, -1 - made.length, name);
      made.push([row.id, row]);
      plan({ from: id, to: row.id }, change.since);
    }
  }
  for (const one of sinceOf.values()) move(work, PART, change.event.id, one, one.since);
  return made;
}

/** Classes that the operation gave another name. */
function renamedBy({ forward, backward }: Rows): CorpusClass[] {
  const before = new Map(backward.classes);
  return forward.classes.flatMap(([id, row]) => {
    const old = before.get(id);
    return row && old && row.rootId === id && row.name !== old.name ? [row] : [];
  });
}

/** The class whose labels are written under a name, or under one that is nearly the same. */
function meantBy({ classes, synonyms }: CorpusState, name: string): number | undefined {
  const all = [...classes.values()];
  const exact = all.find((one) => one.name === name)?.id ?? synonyms.get(name);
  if (exact !== undefined) return exact;
  const folded = foldClassName(name);
  const near = all.filter((one) => one.rootId === one.id && foldClassName(one.name) === folded);
  return isLetter(folded) || near.length > 1 ? undefined : near[0]?.id;
}

async function isSaidSince(work: Work, classId: number, since: number): Promise<boolean> {
  const [found] = await work.read([
    work.db
      .selectFrom('label')
      .select('class_id')
      .where('class_id', '=', classId)
      .where('origin', '<', ORIGIN_CODES.model)
      .where('sequence', '>=', since)
      .limit(1),
  ]);
  return found.length > 0;
}

/** @param id below 0 and of no other class of the transaction, until the store gives it its number */
async function newClass(work: Work, id: number, name: string): Promise<CorpusClass> {
  const row = { id, name, rootId: id, parentId: null, placed: false, description: null, synset: null };
  const { state } = await numbered(work, { classes: new Map([[id, row]]), synonyms: new Map() }, []);
  return [...state.classes.values()][0];
}

type Rows = Pick<LoggedChange, 'forward' | 'backward'>;

/** What redoing an operation changes: with the classes that have one of its names by now, which it joins. */
export function withJoined({ classes }: CorpusState, { forward, backward }: Rows): Rows {
  const known = new Set(forward.classes.map(([id]) => id));
  const joined = [...classes.values()].filter(
    ({ id, rootId, name }) => rootId === id && !known.has(id) && ownerIn(forward, name) !== undefined,
  );
  return {
    forward: { ...forward, classes: [...forward.classes, ...joined.map(({ id }): RowChange => [id, null])] },
    backward: { ...backward, classes: [...backward.classes, ...joined.map((one): RowChange => [one.id, one])] },
  };
}

/** After an operation was redone. */
export function joinLabels(work: Work, operation: number, rows: Rows): void {
  for (const { from, to } of rejoined(rows)) move(work, JOIN, operation, { from: to, to: from }, NEVER);
}

/** From the class of the operation to each of those that it joined. */
function rejoined({ forward, backward }: Rows): Move[] {
  const gone = new Set(forward.classes.flatMap(([id, row]) => (row === null ? [id] : [])));
  return backward.classes.flatMap(([to, row]) => {
    const from = row && gone.has(to) ? ownerIn(forward, row.name) : undefined;
    return from === undefined ? [] : [{ from, to }];
  });
}

/** The class that an operation gave a name to. */
function ownerIn({ classes, synonyms }: RowChanges, name: string): number | undefined {
  const named = classes.find(([, row]) => row?.name === name)?.[0];
  return named ?? synonyms.find(([synonym]) => synonym === name)?.[1] ?? undefined;
}

function move(work: Work, list: typeof PART, operation: number, { from, to }: Move, since: number): void {
  work.reachAll();
  for (const one of list) work.add(one, { operation, from, to, since, revision: work.changeId });
}
