/**
 * Names that rows repeat, as numbers: tasks, classes, models, acceptance rules, runs and source roots. Read whole into
 * memory (a class or run is some hundred bytes) and read again when the counter `dictionary` has moved.
 */
import type { Kysely } from 'kysely';
import { readName } from '../../core/class-name.ts';
import type { Task } from '../../core/labels.ts';
import { NONE_OF_THESE } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { RowsOf } from './driver.ts';
import type { Schema } from './schema.ts';
import { NO_ANNOTATOR_ID, NONE_CLASS_ID } from './schema.ts';

export interface ClassEntry {
  readonly id: number;
  readonly name: string;
  /** The class it counts as after merges; its own id when it was not merged. */
  readonly rootId: number;
}

export interface Dictionary {
  readonly revision: number;
  readonly tasks: ReadonlyMap<string, Task & { readonly id: number }>;
  readonly taskById: ReadonlyMap<number, Task>;
  readonly classById: ReadonlyMap<number, ClassEntry>;
  /**
   * Names, names of merged classes and synonyms, to the id under which labels are written: a merged class keeps its own,
   * so that undoing the merge gives back what was said since too.
   */
  readonly classIds: ReadonlyMap<string, number>;
  readonly modelIds: ReadonlyMap<string, number>;
  readonly modelById: ReadonlyMap<number, { readonly key: string; readonly classNames: readonly string[] }>;
  readonly acceptanceIds: ReadonlyMap<string, number>;
  readonly annotatorIds: ReadonlyMap<string, number>;
  readonly annotatorById: ReadonlyMap<number, string>;
  readonly runKeys: ReadonlyMap<string, number>;
  readonly runById: ReadonlyMap<number, string>;
  readonly rootIds: ReadonlyMap<string, number>;
  readonly rootById: ReadonlyMap<number, string>;
}

export function dictionaryQueries(db: Kysely<Schema>) {
  return [
    db.selectFrom('counter').select('value').where('name', '=', 'dictionary'),
    db.selectFrom('task').selectAll(),
    db.selectFrom('class').select(['id', 'name', 'root_id']),
    db.selectFrom('class_alias').selectAll(),
    db.selectFrom('model').selectAll(),
    db.selectFrom('acceptance').selectAll(),
    db.selectFrom('run').select(['key', 'id']),
    db.selectFrom('source_root').selectAll(),
    db.selectFrom('annotator').selectAll(),
  ] as const;
}

export function dictionaryOf(rows: RowsOf<ReturnType<typeof dictionaryQueries>>): Dictionary {
  const [counters, taskRows, classRows, aliases, models, acceptances, runs, roots, annotators] = rows;
  const tasks = taskRows.map((row) => ({
    id: row.id,
    name: row.name,
    rule: row.rule as Task['rule'],
    items: row.items as Task['items'],
  }));
  const classById = new Map(classRows.map((row) => [row.id, { id: row.id, name: row.name, rootId: row.root_id }]));
  const classIds = new Map<string, number>();
  for (const alias of aliases) classIds.set(alias.name, alias.class_id);
  for (const entry of classById.values()) classIds.set(entry.name, entry.id);
  return {
    revision: counters[0]?.value ?? 0,
    tasks: new Map(tasks.map((task) => [task.name, task])),
    taskById: new Map(tasks.map((task) => [task.id, task])),
    classById,
    classIds,
    modelIds: new Map(models.map((row) => [row.key, row.id])),
    modelById: new Map(
      models.map((row) => [row.id, { key: row.key, classNames: JSON.parse(row.class_names) as string[] }]),
    ),
    acceptanceIds: new Map(acceptances.map((row) => [row.key, row.id])),
    annotatorIds: new Map(annotators.map((row) => [row.name, row.id])),
    annotatorById: new Map(annotators.map((row) => [row.id, row.name])),
    runKeys: new Map(runs.map((row) => [row.id, row.key])),
    runById: new Map(runs.map((row) => [row.key, row.id])),
    rootIds: new Map(roots.map((row) => [row.path, row.id])),
    rootById: new Map(roots.map((row) => [row.id, row.path])),
  };
}

/** As labels have it: left out where nobody is named. */
export function annotatorOf(dictionary: Dictionary, id: number): { readonly annotator?: string } {
  if (id === NO_ANNOTATOR_ID) return {};
  return { annotator: dictionary.annotatorById.get(id) };
}

/** The name under which a label's class is known today. */
export function classNameOf(dictionary: Dictionary, classId: number): string {
  const entry = dictionary.classById.get(classId);
  const root = entry === undefined ? undefined : dictionary.classById.get(entry.rootId);
  if (root === undefined) throw new Error(`Class ${classId} is not in the dictionary`);
  return root.id === NONE_CLASS_ID ? NONE_OF_THESE : root.name;
}

/** Names that are written otherwise and kept the same (`core/class-name.ts`) are one task's. */
export function findTask(dictionary: Dictionary, name: string): (Task & { readonly id: number }) | undefined {
  const known = dictionary.tasks.get(name);
  if (known !== undefined) return known;
  const reading = readName(name);
  return reading.kind === 'name' ? dictionary.tasks.get(reading.name) : undefined;
}

export function taskOf(dictionary: Dictionary, name: string): Task & { readonly id: number } {
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
