/** The corpus between rows and its state, and the statements that make one state of another. */

import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { CorpusClass, CorpusState, Reassignment, RowChanges } from '../../core/corpus.ts';
import { PASSING } from './codes.ts';
import { integer, text } from './column.ts';
import type { RowsOf } from './driver.ts';
import { rawQuery } from './raw-query.ts';
import type { Session } from './session.ts';
import { statement } from './statement.ts';
import { decoder, insert, remove, update } from './table.ts';
import { classAliases, classes, NONE_CLASS_ID } from './tables.ts';
import type { Work } from './work.ts';

const STATEMENTS = {
  /** Of a class that undoing took away there is the number. */
  add: statement(
    'insert into class (id, name, root_id, placed) values (:id, :name, :id, 0) on conflict (id) do nothing',
    {
      id: integer,
      name: text,
    },
  ),
  rename: update(classes, { set: ['name'], where: ['id'] }),
  put: update(classes, { set: ['name', 'rootId', 'parentId', 'placed', 'description', 'synset'], where: ['id'] }),
  release: statement(
    'update class set root_id = :id, parent_id = null, description = null, synset = null where id = :id',
    { id: integer },
  ),
  drop: remove(classes, ['id']),
  dropFormer: statement('delete from former_label where class_id = :id', { id: integer }),
  putSynonym: insert(classAliases),
  dropSynonym: remove(classAliases, ['name']),
};
const classOf = decoder(classes);

export async function readState({ db, driver }: Session): Promise<CorpusState> {
  return stateOf(await driver.read(stateQueries(db)));
}

/** As it is in a transaction. */
export async function stateIn(work: Work): Promise<CorpusState> {
  return stateOf(await work.read(stateQueries(work.db)));
}

function stateQueries(db: Work['db']) {
  return [
    db.selectFrom('class').selectAll().where('id', '<>', NONE_CLASS_ID).where('name', 'not like', PASSING),
    db.selectFrom('class_alias').selectAll(),
  ] as const;
}

export function stateOf([rows, synonyms]: RowsOf<ReturnType<typeof stateQueries>>): CorpusState {
  return {
    classes: new Map(
      rows.map((row): [number, CorpusClass] => {
        const { skeleton: _, ...entry } = classOf(row);
        return [entry.id, entry];
      }),
    ),
    synonyms: new Map(synonyms.map((row) => [row.name, row.class_id])),
  };
}

export function isSameState(a: CorpusState, b: CorpusState): boolean {
  return isDeepStrictEqual(a, b);
}

/**
 * Writes the rows of `to`. Classes in `from` have a row already. Names change places by way of names that nobody can give, since the database holds every name
 * to be unique after every statement. Of classes that go the number is kept where doing it again would give it back: the database
 * would give it to another class.
 */
export function writeRows(
  work: Work,
  from: CorpusState,
  to: RowChanges,
  { keepNumbers = false }: { readonly keepNumbers?: boolean } = {},
): void {
  work.changesNames = true;
  for (const [name] of to.synonyms) if (from.synonyms.has(name)) work.add(STATEMENTS.dropSynonym, { name });
  for (const [id, row] of to.classes) {
    const old = from.classes.get(id);
    if (row && !old) work.add(STATEMENTS.add, { id, name: passingName(id) });
    else if (old && old.name !== row?.name) work.add(STATEMENTS.rename, { id, name: passingName(id) });
  }
  for (const [, row] of to.classes) if (row) work.add(STATEMENTS.put, row);
  // Rows that go may be each other's parents: first they let go, then they go.
  const gone = to.classes.flatMap(([id, row]) => (row === null && from.classes.has(id) ? [id] : []));
  for (const id of gone) work.add(STATEMENTS.release, { id });
  if (!keepNumbers) for (const id of gone) work.add(STATEMENTS.drop, { id });
  for (const id of gone) work.add(STATEMENTS.dropFormer, { id });
  for (const [name, classId] of to.synonyms) if (classId !== null) work.add(STATEMENTS.putSynonym, { name, classId });
}

const passingName = (id: number) => `\u0001${id}`;

/** Gives the new classes of a change, which have negative numbers, numbers of the database. */
export async function numbered(
  work: Work,
  state: CorpusState,
  list: readonly Reassignment[],
): Promise<{
  readonly state: CorpusState;
  readonly list: readonly Reassignment[];
  readonly added: ReadonlySet<number>;
}> {
  const numbers = new Map<number, number>();
  for (const { id } of state.classes.values()) {
    if (id > 0) continue;
    const added = sql<{ id: number }>`
      insert into class (name, root_id, placed) values (${passingName(id)}, ${NONE_CLASS_ID}, 0) returning id`;
    const [[row]] = await work.insert(rawQuery(work.db, added));
    numbers.set(id, row.id);
  }
  if (numbers.size === 0) return { state, list, added: new Set() };
  const numberOf = (id: number) => numbers.get(id) ?? id;
  const entries = [...state.classes.values()].map((entry): [number, CorpusClass] => {
    const parentId = entry.parentId === null ? null : numberOf(entry.parentId);
    return [numberOf(entry.id), { ...entry, id: numberOf(entry.id), rootId: numberOf(entry.rootId), parentId }];
  });
  return {
    state: {
      classes: new Map(entries),
      synonyms: new Map([...state.synonyms].map(([name, id]) => [name, numberOf(id)])),
    },
    list: list.map((one) => ({ ...one, from: numberOf(one.from), to: numberOf(one.to) })),
    added: new Set(numbers.values()),
  };
}
