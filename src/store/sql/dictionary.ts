/**
 * Names that rows repeat, as numbers: tasks, classes, models, acceptance rules, runs, source roots and annotators. Read
 * whole into memory (a class or run is some hundred bytes), and read again when the database has newer ones.
 */

import { type Kysely, sql } from 'kysely';
import { readName } from '../../core/class-name.ts';
import type { Task } from '../../core/labels.ts';
import { NONE_OF_THESE } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import { PASSING } from './codes.ts';
import { damaged } from './column.ts';
import type { Query, RowsOf } from './driver.ts';
import type { Schema } from './tables.ts';
import { NO_ANNOTATOR_ID, NONE_CLASS_ID } from './tables.ts';

export interface ClassEntry {
  readonly id: number;
  readonly name: string;
  /** The class it counts as after merges; its own id when it was not merged. */
  readonly rootId: number;
}

export type TaskEntry = Task & { readonly id: number };

export interface Dictionary {
  readonly revision: Revision;
  readonly tasks: ReadonlyMap<string, TaskEntry>;
  readonly taskById: ReadonlyMap<number, Task>;
  readonly classById: ReadonlyMap<number, ClassEntry>;
  /**
   * Names, names of merged classes and synonyms, to the id under which labels are written: a merged class keeps its own,
   * so that undoing the merge gives back what was said since too.
   */
  readonly classIds: ReadonlyMap<string, number>;
  readonly modelIds: ReadonlyMap<string, number>;
  readonly modelById: ReadonlyMap<number, { readonly key: string; readonly classNames: string }>;
  readonly acceptanceIds: ReadonlyMap<string, number>;
  readonly annotatorIds: ReadonlyMap<string, number>;
  readonly annotatorById: ReadonlyMap<number, string>;
  readonly runKeys: ReadonlyMap<string, number>;
  readonly runById: ReadonlyMap<number, string>;
  readonly rootIds: ReadonlyMap<string, number>;
  readonly rootById: ReadonlyMap<number, string>;
}

/**
 * The newest row of each table of names, and the newest change of the corpus. Names are added with growing numbers and,
 * but for those of classes, never changed; so a dictionary that has all of these is up to date.
 */
export type Revision = Readonly<
  Record<'task' | 'class' | 'model' | 'acceptance' | 'run' | 'root' | 'annotator' | 'corpus', number | null>
>;

/** Eight looks at the ends of indexes. Asked with every read and write, so it is compiled once. */
export function revisionQuery(db: Kysely<Schema>): Query<Revision> {
  const made = revisionQueries.get(db);
  if (made !== undefined) return made;
  const compiled = makeRevisionQuery(db).compile();
  const query = { compile: () => compiled };
  revisionQueries.set(db, query);
  return query;
}

const revisionQueries = new WeakMap<Kysely<Schema>, Query<Revision>>();

function makeRevisionQuery(db: Kysely<Schema>) {
  return db.selectNoFrom((eb) => [
    eb
      .selectFrom('task')
      .select((e) => e.fn.max('id').as('n'))
      .as('task'),
    eb
      .selectFrom('class')
      .select((e) => e.fn.max('id').as('n'))
      .as('class'),
    eb
      .selectFrom('model')
      .select((e) => e.fn.max('id').as('n'))
      .as('model'),
    eb
      .selectFrom('acceptance')
      .select((e) => e.fn.max('id').as('n'))
      .as('acceptance'),
    eb
      .selectFrom('run')
      .select((e) => e.fn.max('key').as('n'))
      .as('run'),
    eb
      .selectFrom('source_root')
      .select((e) => e.fn.max('id').as('n'))
      .as('root'),
    eb
      .selectFrom('annotator')
      .select((e) => e.fn.max('id').as('n'))
      .as('annotator'),
    eb
      .selectFrom('change')
      .select((e) => e.fn.max('id').as('n'))
      .where('kind', '=', sql.lit('corpus'))
      .as('corpus'),
  ]);
}

/** Whether the dictionary lacks something of `now`. */
export function isBehind({ revision }: Dictionary, now: Revision): boolean {
  return REVISED.some((name) => (revision[name] ?? 0) < (now[name] ?? 0));
}

const REVISED = ['task', 'class', 'model', 'acceptance', 'run', 'root', 'annotator', 'corpus'] as const;

export function dictionaryQueries(db: Kysely<Schema>) {
  return [
    revisionQuery(db),
    db.selectFrom('task').selectAll(),
    db.selectFrom('class').select(['id', 'name', 'root_id']).where('name', 'not like', PASSING),
    db.selectFrom('class_alias').selectAll(),
    db.selectFrom('model').selectAll(),
    db.selectFrom('acceptance').selectAll(),
    db.selectFrom('run').select(['key', 'id']),
    db.selectFrom('source_root').selectAll(),
    db.selectFrom('annotator').selectAll(),
  ] as const;
}

export function dictionaryOf(rows: RowsOf<ReturnType<typeof dictionaryQueries>>): Dictionary {
  const [[revision], tasks, classRows, aliases, models, acceptances, runs, roots, annotators] = rows;
  const classById = new Map(classRows.map((row) => [row.id, { id: row.id, name: row.name, rootId: row.root_id }]));
  const classIds = new Map<string, number>();
  for (const alias of aliases) classIds.set(alias.name, alias.class_id);
  for (const entry of classById.values()) classIds.set(entry.name, entry.id);
  return {
    revision,
    tasks: new Map(tasks.map((task) => [task.name, task])),
    taskById: new Map(tasks.map((task) => [task.id, task])),
    classById,
    classIds,
    modelIds: new Map(models.map((row) => [row.key, row.id])),
    modelById: new Map(models.map((row) => [row.id, { key: row.key, classNames: row.class_names }])),
    acceptanceIds: new Map(acceptances.map((row) => [row.key, row.id])),
    annotatorIds: new Map(annotators.map((row) => [row.name, row.id])),
    annotatorById: new Map(annotators.map((row) => [row.id, row.name])),
    runKeys: new Map(runs.map((row) => [row.id, row.key])),
    runById: new Map(runs.map((row) => [row.key, row.id])),
    rootIds: new Map(roots.map((row) => [row.path, row.id])),
    rootById: new Map(roots.map((row) => [row.id, row.path])),
  };
}

/** Undefined where nobody is named. */
export function annotatorName({ annotatorById }: Dictionary, id: number): string | undefined {
  return id === NO_ANNOTATOR_ID ? undefined : annotatorById.get(id);
}

/** The number that a class counts as after merges. */
export function rootClassId({ classById }: Dictionary, classId: number): number {
  return classById.get(classId)?.rootId ?? classId;
}

/** The name under which a label's class is known today. */
export function classNameOf(dictionary: Dictionary, classId: number): string {
  const root = dictionary.classById.get(rootClassId(dictionary, classId));
  if (root === undefined) throw damaged(`there is no class ${classId}`);
  return root.id === NONE_CLASS_ID ? NONE_OF_THESE : root.name;
}

/** Names that are written otherwise and kept the same (`core/class-name.ts`) are one task's. */
export function findTask(dictionary: Dictionary, name: string): TaskEntry | undefined {
  const known = dictionary.tasks.get(name);
  if (known !== undefined) return known;
  const reading = readName(name);
  return reading.kind === 'name' ? dictionary.tasks.get(reading.name) : undefined;
}

export function taskOf(dictionary: Dictionary, name: string): TaskEntry {
  const task = findTask(dictionary, name);
  if (task !== undefined) return task;
  throw new LabelsmithError('NOT_FOUND', `There is no task "${name.toWellFormed()}"`, {
    hint: `Tasks of this workspace: ${[...dictionary.tasks.keys()].sort().join(', ')}.`,
  });
}

export function runKeyOf(dictionary: Dictionary, runId: string): number {
  const key = dictionary.runKeys.get(runId);
  if (key !== undefined) return key;
  throw new LabelsmithError('NOT_FOUND', `There is no run "${runId}" in this workspace`, {
    hint: 'A run is begun with startRun before anything is committed in its name.',
  });
}

/** The id of a run, as records name it. */
export function runIdOf({ runById }: Dictionary, key: number | null): string | null {
  return key === null ? null : (runById.get(key) ?? null);
}

export function sourceRootOf(dictionary: Dictionary, id: number): string {
  const root = dictionary.rootById.get(id);
  if (root === undefined) throw damaged(`there is no source root ${id}`);
  return root;
}
