/**
 * A transaction being put together: statements in order, guards, and new names for the dictionary.
 *
 * New names get their numbers here. That is safe because every transaction is guarded by the dictionary's revision: if
 * another process added a name meanwhile, nothing happens and the draft is made again.
 */
import type { Kysely } from 'kysely';
import { toClassName, toName } from '../../core/class-name.ts';
import { NONE_OF_THESE } from '../../core/labels.ts';
import type { Dictionary } from './dictionary.ts';
import type { Guard, SqlValue, Statement, Transaction } from './driver.ts';
import type { CounterName, Schema } from './schema.ts';
import { NO_ANNOTATOR_ID, NONE_CLASS_ID } from './schema.ts';
import type { Template } from './template.ts';
import { template } from './template.ts';

/** The statements that give new names their numbers and move the counters. */
export function draftTemplates(db: Kysely<Schema>) {
  return {
    addClass: template<{ id: number; name: string }>((v) =>
      db.insertInto('class').values({ id: v.id, name: v.name, root_id: v.id }),
    ),
    addModel: template<{ id: number; key: string; class_names: string }>((v) =>
      db.insertInto('model').values({ id: v.id, key: v.key, class_names: v.class_names }),
    ),
    setModelClasses: template<{ id: number; class_names: string }>((v) =>
      db.updateTable('model').set({ class_names: v.class_names }).where('id', '=', v.id),
    ),
    addAcceptance: template<{ id: number; key: string }>((v) =>
      db.insertInto('acceptance').values({ id: v.id, key: v.key }),
    ),
    addAnnotator: template<{ id: number; name: string }>((v) =>
      db.insertInto('annotator').values({ id: v.id, name: v.name }),
    ),
    addRoot: template<{ id: number; path: string }>((v) =>
      db.insertInto('source_root').values({ id: v.id, path: v.path }),
    ),
    bump: template<{ name: CounterName; by: number }>((v) =>
      db
        .updateTable('counter')
        .set((eb) => ({ value: eb('value', '+', v.by) }))
        .where('name', '=', v.name),
    ),
  };
}

export class Draft {
  readonly dictionary: Dictionary;
  readonly #templates: ReturnType<typeof draftTemplates>;
  readonly #statements: { sql: string; rows: (readonly SqlValue[])[] }[] = [];
  readonly #guards: Guard[] = [];
  readonly #bumps = new Map<CounterName, number>();
  readonly #names = new Map<string, number>();

  constructor(dictionary: Dictionary, templates: ReturnType<typeof draftTemplates>) {
    this.dictionary = dictionary;
    this.#templates = templates;
  }

  /** Adds a run of a statement. Runs of one statement in a row travel together. Gives the statement's position. */
  add<Values>(statement: Template<Values>, values: Values): number {
    const row = statement.bind(values);
    const last = this.#statements.at(-1);
    if (last?.sql === statement.sql) last.rows.push(row);
    else this.#statements.push({ sql: statement.sql, rows: [row] });
    return this.#statements.length - 1;
  }

  /** The transaction is to happen only if the counter still has this value. */
  guard(counter: CounterName, value: number): void {
    this.#guards.push({ counter, value });
  }

  bump(counter: CounterName): void {
    this.#bumps.set(counter, 1);
  }

  /** 1 for the first label of this transaction and so on; what `sequence` was before is added by the database. */
  nextSequence(): number {
    const next = (this.#bumps.get('sequence') ?? 0) + 1;
    this.#bumps.set('sequence', next);
    return next;
  }

  /** The number that labels of this name are written with; see `rootId` for what they count as. */
  classId(name: string): number {
    if (name === NONE_OF_THESE) return NONE_CLASS_ID;
    // Names on the record are known as they are: those of before the rule, and all others without applying it again.
    const known = this.dictionary.classIds.get(name);
    if (known !== undefined) return known;
    const plain = toClassName(name);
    return this.#number('class', plain, this.dictionary.classIds, this.dictionary.classById, (id) =>
      this.add(this.#templates.addClass, { id, name: plain }),
    );
  }

  rootId(classId: number): number {
    return this.dictionary.classById.get(classId)?.rootId ?? classId;
  }

  /** `classNames`, where given, become the model's. */
  modelId(key: string, classNames?: readonly string[]): number {
    const { modelIds, modelById } = this.dictionary;
    const names = JSON.stringify(classNames ?? []);
    const id = this.#number('model', key, modelIds, modelById, (id) =>
      this.add(this.#templates.addModel, { id, key, class_names: names }),
    );
    const known = modelById.get(id);
    if (classNames !== undefined && known !== undefined && JSON.stringify(known.classNames) !== names) {
      this.add(this.#templates.setModelClasses, { id, class_names: names });
      this.bump('dictionary');
    }
    return id;
  }

  acceptanceId(key: string): number {
    const ids = this.dictionary.acceptanceIds;
    return this.#number('acceptance', key, ids, new Map([...ids].map(([name, id]) => [id, name])), (id) =>
      this.add(this.#templates.addAcceptance, { id, key }),
    );
  }

  sourceRootId(path: string): number {
    const { rootIds, rootById } = this.dictionary;
    return this.#number('root', path, rootIds, rootById, (id) => this.add(this.#templates.addRoot, { id, path }));
  }

  /** An empty name names nobody. */
  annotatorId(name: string | null | undefined): number {
    if (name == null || name.trim() === '') return NO_ANNOTATOR_ID;
    const { annotatorIds, annotatorById } = this.dictionary;
    const plain = annotatorIds.has(name) ? name : toName(name, 'annotator');
    return this.#number('annotator', plain, annotatorIds, annotatorById, (id) =>
      this.add(this.#templates.addAnnotator, { id, name: plain }),
    );
  }

  changesDictionary(): boolean {
    return this.#bumps.has('dictionary');
  }

  transaction(): Transaction {
    for (const [name, by] of this.#bumps) this.add(this.#templates.bump, { name, by });
    this.#bumps.clear();
    const guards = [{ counter: 'dictionary', value: this.dictionary.revision }, ...this.#guards];
    return { guards, statements: this.#statements satisfies Statement[] };
  }

  #number(
    kind: string,
    name: string,
    known: ReadonlyMap<string, number>,
    taken: ReadonlyMap<number, unknown>,
    create: (id: number) => void,
  ): number {
    const key = `${kind}\n${name}`;
    const id = known.get(name) ?? this.#names.get(key);
    if (id !== undefined) return id;
    const counter = `next ${kind}`;
    const next = this.#names.get(counter) ?? Math.max(0, ...taken.keys()) + 1;
    this.#names.set(counter, next + 1);
    this.#names.set(key, next);
    create(next);
    this.bump('dictionary');
    return next;
  }
}
