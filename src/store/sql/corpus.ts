/**
 * Operations on the corpus, with their history.
 *
 * An operation is one transaction: the rows of classes and synonyms that differ, the labels of items it reassigns, and
 * the entry of the log that undoes both. Undo goes by what is there now: a label that was written again since keeps that.
 */
import { sql } from 'kysely';
import { readClassName } from '../../core/class-name.ts';
import {
  type CorpusChange,
  type CorpusClass,
  type CorpusEvent,
  type CorpusState,
  type LoggedChange,
  type RowChange,
  type RowChanges,
  withRows,
} from '../../core/corpus.ts';
import { SEQUENCES_A_CHANGE } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { CorpusStore } from '../store.ts';
import { ORIGIN_CODES } from './codes.ts';
import { integer } from './column.ts';
import { changedRows } from './corpus-diff.ts';
import { isSameState, numbered, readState, stateIn, writeRows } from './corpus-state.ts';
import { joinLabels, NEVER, partLabels, withJoined } from './labels-since.ts';
import { keepItems, moveItems } from './operation-log.ts';
import { rawQuery } from './raw-query.ts';
import { reassign } from './reassignments.ts';
import { actorOf } from './regions.ts';
import { bareClasses, retire } from './retired-classes.ts';
import type { Session } from './session.ts';
import { statement } from './statement.ts';
import { decoder, update } from './table.ts';
import { operations } from './tables.ts';
import type { Work } from './work.ts';

/** Conflicts need another process to change the corpus while this one works out its change; so many in a row are a fault. */
const MAX_ATTEMPTS = 100;

const operationOf = decoder(operations);
const setRedone = update(operations, { set: ['undone', 'forward', 'backward'], where: ['id'] });
export const setUndone = update(operations, { set: ['undone'], where: ['id'] });

/** Of machines: what people and imports say stays. One voice says the whole once. */
const OF_MACHINES = `class_id = :part and origin >= ${ORIGIN_CODES.model}`;
const GIVE_BACK = [
  `update image set revision = :revision where id in (select image_id from label where ${OF_MACHINES})`,
  `delete from label where ${OF_MACHINES} and exists (
    select 1 from label as own where own.image_id = label.image_id and own.region_id = label.region_id
      and own.task_id = label.task_id and own.class_id = :whole and own.origin = label.origin
      and own.model_id = label.model_id and own.annotator_id = label.annotator_id)`,
  `update label set class_id = :whole where ${OF_MACHINES}`,
].map((sql) => statement(sql, { part: integer, whole: integer, revision: integer }));

type Operations = Pick<
  CorpusStore,
  'corpus' | 'changeCorpus' | 'undoCorpusChange' | 'corpusHistory' | 'corpusLog' | 'dropUnusedClasses'
>;

export function corpusStore(session: Session): Operations {
  return {
    corpus: () => readState(session),

    async changeCorpus(operation, change) {
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        const before = await readState(session);
        const changed = await change(before);
        if (isNothing(before, changed)) return null;
        const event = await session.write('corpus', async (work) => {
          // Another process changed it meanwhile: what was worked out may not hold any more.
          if (!isSameState(before, await stateIn(work))) return null;
          return applyChange(
            work,
            { ...operation, ...changed.told, actor: actorOf(session, operation) },
            before,
            changed,
          );
        });
        if (event !== null) return event;
      }
      throw new LabelsmithError('BUSY', `Other processes changed the corpus ${MAX_ATTEMPTS} times meanwhile`, {
        hint: 'Run fewer labelsmith commands on this workspace at once.',
      });
    },

    async undoCorpusChange() {
      if ((await history(session, 1, false)).length === 0) return null;
      return session.write('corpus', async (work) => {
        const [newest] = await historyIn(work, 1, false);
        return newest === undefined ? null : undoCorpus(work, newest);
      });
    },

    dropUnusedClasses: (names) => dropUnusedClasses(session, names),

    async corpusHistory(limit = Number.MAX_SAFE_INTEGER) {
      return (await history(session, limit)).map(({ event }) => event);
    },

    corpusLog: () => history(session, Number.MAX_SAFE_INTEGER),
  };
}

function isNothing(before: CorpusState, { state, items, confirms = false }: CorpusChange): boolean {
  if (confirms) return false;
  const { classes, synonyms } = changedRows(before, state);
  return classes.length + synonyms.length + (items?.list.length ?? 0) === 0;
}

interface NewCorpusOperation {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly atMs: number;
  readonly actor: string;
}

async function applyChange(
  work: Work,
  operation: NewCorpusOperation,
  before: CorpusState,
  { state: planned, items }: CorpusChange,
): Promise<CorpusEvent> {
  await work.know({ annotators: [operation.actor] });
  const { state: after, list, added } = await numbered(work, planned, items?.list ?? []);
  // New classes have a row by now, which only waits to be filled.
  const there = [...after.classes].filter(([id]) => added.has(id));
  writeRows(work, { ...before, classes: new Map([...before.classes, ...there]) }, changedRows(before, after));
  const changes = items && (await reassign(work, after, items.how, list));
  const id = await addOperation(work, operation, changedRows(before, after), changedRows(after, before));
  const labels = changes === undefined ? 0 : keepItems(work, id, changes).labels;
  const { atMs, name, arguments: given } = operation;
  return { id, atMs, operation: name, arguments: given, undone: false, labels };
}

async function addOperation(
  work: Work,
  { name, arguments: given, atMs, actor }: NewCorpusOperation,
  forward: RowChanges,
  backward: RowChanges,
): Promise<number> {
  const row = sql<{ id: number }>`
    insert into operation (at_ms, actor_id, kind, name, arguments, forward, backward, labels, regions, undone)
    values (${atMs}, ${work.annotatorId(actor)}, 'corpus', ${name}, ${JSON.stringify(given)},
      ${forwardOf(work, forward)}, ${JSON.stringify(backward)}, 0, 0, 0)
    returning id`;
  const [[{ id }]] = await work.insert(rawQuery(work.db, row));
  return id;
}

/** Beside the rows there is from which sequence on labels are later than they. */
function forwardOf(work: Work, { classes, synonyms }: RowChanges): string {
  return JSON.stringify({ classes, synonyms, since: (work.changeId + 1) * SEQUENCES_A_CHANGE });
}

function historyQuery(db: Session['db'], limit: number, undone?: boolean) {
  const query = db.selectFrom('operation').selectAll().where('kind', '=', 'corpus').orderBy('id', 'desc').limit(limit);
  return undone === undefined ? query : query.where('undone', undone ? '<>' : '=', 0);
}

/** Operations that were undone, newest first; rows as {@link entryOf} reads them. */
export function undoneQuery(db: Session['db']) {
  return historyQuery(db, Number.MAX_SAFE_INTEGER, true);
}

/** Newest first. */
async function history(session: Session, limit: number, undone?: boolean): Promise<LoggedChange[]> {
  const [rows] = await session.driver.read([historyQuery(session.db, limit, undone)]);
  return rows.map(entryOf);
}

export async function historyIn(work: Work, limit: number, undone?: boolean): Promise<LoggedChange[]> {
  const [rows] = await work.read([historyQuery(work.db, limit, undone)]);
  return rows.map(entryOf);
}

export function entryOf(row: Parameters<typeof operationOf>[0]): LoggedChange {
  const { id, atMs, name, arguments: given, undone, labels, forward, backward } = operationOf(row);
  const changes = (json: string | null) =>
    JSON.parse(json ?? '{"classes":[],"synonyms":[]}') as RowChanges & { readonly since?: number };
  // Earlier versions did not say since when; nothing is taken to be later then.
  const { since = NEVER, ...rows } = changes(forward);
  return {
    event: { id, atMs, operation: name, arguments: given, undone: undone !== 0, labels },
    undoneBy: undone,
    since,
    forward: rows,
    backward: changes(backward),
  };
}

export async function undoCorpus(work: Work, change: LoggedChange): Promise<CorpusEvent> {
  const { event, forward, backward } = change;
  const state = await stateIn(work);
  refuseForeign(state, forward);
  const made = await partLabels(work, change, state);
  await moveItems(work, event.id, 1);
  const added = backward.classes.flatMap(([id, row]) => (row ? [] : [id]));
  await giveBack(work, added, splitOff(event, state));
  const kept = await labelled(work, added);
  writeRows(
    work,
    state,
    {
      ...backward,
      classes: [
        ...backward.classes.map(
          ([id, row]): RowChange => [id, row ?? (kept.has(id) ? (state.classes.get(id) ?? null) : null)],
        ),
        ...made,
      ],
    },
    { keepNumbers: true },
  );
  work.add(setUndone, { id: event.id, undone: work.changeId });
  return { ...event, undone: true };
}

/** The class that an operation took parts off. */
function splitOff({ operation, arguments: { name } }: CorpusEvent, { classes, synonyms }: CorpusState): number | null {
  if (!operation.startsWith('split')) return null;
  const named = [...classes.values()].find((one) => one.name === name)?.id;
  return named ?? (typeof name === 'string' ? synonyms.get(name) : undefined) ?? null;
}

/** What machines said of the parts since the split is said of the whole again. */
async function giveBack(work: Work, parts: readonly number[], whole: number | null): Promise<void> {
  const inParts = parts.length === 0 || whole === null ? [] : [...(await labelled(work, parts))];
  if (inParts.length === 0 || whole === null) return;
  work.reachAll();
  for (const part of inParts) for (const one of GIVE_BACK) work.add(one, { part, whole, revision: work.changeId });
}

/** The other way. A class that undoing kept or made, because it was labelled since, is there already. */
export async function redoCorpus(work: Work, { event, ...change }: LoggedChange): Promise<CorpusEvent> {
  const state = await stateIn(work);
  const { forward, backward } = withJoined(state, change);
  const kept = new Set(backward.classes.flatMap(([id, row]) => (row === null && state.classes.has(id) ? [id] : [])));
  refuseForeign(state, { ...backward, classes: backward.classes.filter(([id]) => !kept.has(id)) });
  refuseForeign(state, { synonyms: [], classes: forward.classes.filter(([id]) => kept.has(id)) });
  writeRows(work, state, forward, { keepNumbers: true });
  await moveItems(work, event.id, 0);
  joinLabels(work, event.id, { forward, backward });
  const rows = { forward: forwardOf(work, forward), backward: JSON.stringify(backward) };
  work.add(setRedone, { id: event.id, undone: 0, ...rows });
  return { ...event, undone: false };
}

/** Rows that an operation left must be as it left them: only operations change them, and they are undone in turn. */
function refuseForeign(state: CorpusState, left: RowChanges): void {
  const now = changedRows(state, withRows(state, left));
  if (now.classes.length + now.synonyms.length === 0) return;
  throw new LabelsmithError('WORKSPACE', 'The corpus is not as its history says; nothing was undone.', {
    hint: 'Another program has written to the workspace. labelsmith doctor checks it.',
    details: { classes: now.classes.map(([id]) => id), synonyms: now.synonyms.map(([name]) => name) },
  });
}

async function dropUnusedClasses(session: Session, names: readonly string[]): Promise<string[]> {
  // Most of the time there is nothing to drop, which needs no transaction.
  if (bareOf(await readState(session), namesAsKept(names)).length === 0) return [];
  return session.write('corpus', async (work) => {
    const state = await stateIn(work);
    const [skeletons] = await work.read([work.db.selectFrom('class').select('id').where('skeleton', 'is not', null)]);
    const more = new Set(skeletons.map(({ id }) => id));
    const open = bareOf(state, namesAsKept(names)).flatMap(({ id }) => (more.has(id) ? [] : [id]));
    const labels = await labelled(work, open);
    const bare = open.filter((id) => !labels.has(id));
    const named = await labelled(work, bare, { inLog: true });
    const log = await historyIn(work, Number.MAX_SAFE_INTEGER);
    for (const { forward, backward } of log) {
      for (const [id] of [...forward.classes, ...backward.classes]) named.add(id);
    }
    // What somebody confirmed changed no row.
    const confirmed = new Set(log.flatMap(({ event }) => Object.values(event.arguments)));
    const isNamed = (id: number) => named.has(id) || confirmed.has(state.classes.get(id)?.name);
    const gone = bare.flatMap((id) => (isNamed(id) ? [] : (state.classes.get(id) ?? [])));
    writeRows(work, state, { classes: gone.map(({ id }): RowChange => [id, null]), synonyms: [] });
    await retire(work, bare.filter(isNamed), state);
    return gone.map(({ name }) => name).sort();
  });
}

/** Those of these classes that any label refers to, or any that an operation wrote or took away. */
async function labelled(
  work: Work,
  classIds: readonly number[],
  { inLog = false }: { readonly inLog?: boolean } = {},
): Promise<Set<number>> {
  const { db } = work;
  const used = new Set<number>();
  for (const id of classIds) {
    const [labels, logged] = await work.read([
      db.selectFrom('label').select('class_id').where('class_id', '=', id).limit(1),
      db
        .selectFrom('operation_label')
        .select('class_id')
        .where('class_id', '=', id)
        .limit(inLog ? 1 : 0),
    ]);
    if (labels.length + logged.length > 0) used.add(id);
  }
  return used;
}

/** As they were given and as the record has them. */
function namesAsKept(names: readonly string[]): Set<string> {
  return new Set(
    names.flatMap((name) => {
      const reading = readClassName(name);
      return reading.kind === 'name' ? [name, reading.name] : [name];
    }),
  );
}

/** Classes of these names that are names and nothing more. */
function bareOf(state: CorpusState, names: ReadonlySet<string>): CorpusClass[] {
  return bareClasses(state).filter(({ name }) => names.has(name));
}
