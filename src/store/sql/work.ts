/**
 * One transaction under way: the statements that were asked for, the numbers of names, the change's id, and the sequence
 * of its labels.
 *
 * Names get their numbers from the database: `know` asks for all that a transaction needs at once, and after it they are
 * there without waiting.
 */
import { CompiledQuery, type Kysely } from 'kysely';
import { toClassName, toName } from '../../core/class-name.ts';
import { NONE_OF_THESE, SEQUENCES_A_CHANGE } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import { chunks } from './chunks.ts';
import { imageId, imageKey, text } from './column.ts';
import type { Dictionary } from './dictionary.ts';
import { dictionaryOf, dictionaryQueries, isBehind, revisionQuery } from './dictionary.ts';
import type { Query, RowsOf, SqlTransaction } from './driver.ts';
import type { SqlValue } from './sql-value.ts';
import type { Statement } from './statement.ts';
import { statement } from './statement.ts';
import { update } from './table.ts';
import type { ChangeKind, Schema } from './tables.ts';
import { changes, images, models, NO_ANNOTATOR_ID, NONE_CLASS_ID } from './tables.ts';

const newChange = statement('insert into change (kind, at_ms) values (:kind, :atMs) returning id', {
  kind: changes.columns.kind,
  atMs: changes.columns.atMs,
});

const STATEMENTS = {
  addClass: statement('insert into class (name, root_id, placed) values (:name, 0, 0) on conflict (name) do nothing', {
    name: text,
  }),
  /** A class counts as itself, by the number that the database gave it. */
  rootNewClasses: statement('update class set root_id = id where root_id = 0 and id <> 0', {}),
  addModel: statement('insert into model (key, class_names) values (:key, :classNames) on conflict (key) do nothing', {
    key: text,
    classNames: models.columns.classNames,
  }),
  setModelClasses: update(models, { set: ['classNames'], where: ['id'] }),
  addAcceptance: statement('insert into acceptance (key) values (:key) on conflict (key) do nothing', { key: text }),
  addRoot: statement('insert into source_root (path) values (:path) on conflict (path) do nothing', { path: text }),
  /** Images that come or go are put down by the database itself. */
  spread: statement(
    `update change set
      first_image = case when first_image < :firstImage then first_image else :firstImage end,
      last_image = case when last_image > :lastImage then last_image else :lastImage end
    where id = :id`,
    { id: changes.columns.id, firstImage: imageId, lastImage: imageId },
  ),
  touch: update(images, { set: ['revision'], where: ['id'] }),
  addAnnotator: statement('insert into annotator (name) values (:name) on conflict (name) do nothing', { name: text }),
};

/** Names that a transaction is going to need numbers of. */
export interface NamesNeeded {
  readonly classes?: Iterable<string>;
  /** Model keys. */
  readonly models?: Iterable<string>;
  /** Keys of acceptance rules. */
  readonly acceptances?: Iterable<string>;
  readonly roots?: Iterable<string>;
  readonly annotators?: Iterable<string | null | undefined>;
}

export class Work {
  readonly db: Kysely<Schema>;
  /** Set where what the dictionary says is changed by other statements than those of `know`. */
  changesNames = false;
  readonly #transaction: SqlTransaction;
  readonly #changeId: number | null;
  #dictionary: Dictionary;
  #labels = 0;
  #hasAdded = false;
  #firstImage = '';
  #lastImage = '';

  constructor(db: Kysely<Schema>, transaction: SqlTransaction, dictionary: Dictionary, changeId: number | null) {
    this.db = db;
    this.#transaction = transaction;
    this.#dictionary = dictionary;
    this.#changeId = changeId;
  }

  /** As it is in this transaction. */
  get dictionary(): Dictionary {
    return this.#dictionary;
  }

  get changeId(): number {
    if (this.#changeId === null) throw new Error('This transaction was not begun as a change');
    return this.#changeId;
  }

  /** Sees what was added before it. */
  read<const Queries extends readonly Query<unknown>[]>(queries: Queries): Promise<RowsOf<Queries>> {
    return this.#hasAdded ? this.#transaction.read(queries) : this.#transaction.before(queries);
  }

  /** For what may look at much: it is done in the thread of the transaction, and never in the calling one. */
  analyse<Row>(query: Query<Row>): Promise<RowsOf<readonly [Query<Row>]>> {
    return this.#transaction.read([query]);
  }

  /** For `insert … returning`. */
  insert<Row>(query: Query<Row>): Promise<RowsOf<readonly [Query<Row>]>> {
    this.#hasAdded = true;
    return this.#transaction.read([query]);
  }

  /** Writes, and what is read after them, in one step. Gives the rows of what is read. */
  async run<const Queries extends readonly Query<unknown>[]>(
    writes: readonly Query<unknown>[],
    reads: Queries,
  ): Promise<RowsOf<Queries>> {
    this.#hasAdded = true;
    const rows = await this.#transaction.read([...writes, ...reads]);
    return rows.slice(writes.length) as unknown as RowsOf<Queries>;
  }

  add<Values>(what: Statement<Values>, values: Values): void {
    this.#hasAdded = true;
    this.#transaction.add(what.sql, what.bind(values));
  }

  /** Rows changed by each statement since this was asked last; runs of one statement in a row are one. */
  changed(): Promise<readonly number[]> {
    return this.#transaction.changed();
  }

  /** Says that something about these images is other than before. */
  touch(imageIds: Iterable<string>): void {
    for (const id of new Set(imageIds)) {
      this.reach(id);
      this.add(STATEMENTS.touch, { id, revision: this.changeId });
    }
  }

  /** Says that the change reaches to an image whose revision is set by another statement. */
  reach(id: string): void {
    if (this.#firstImage === '' || id < this.#firstImage) this.#firstImage = id;
    if (id > this.#lastImage) this.#lastImage = id;
  }

  reachAll(): void {
    this.reach('0'.repeat(64));
    this.reach('f'.repeat(64));
  }

  /** The last statement of a change: which images it reaches, so that it is found again without looking at all. */
  end(): void {
    if (this.#firstImage === '') return;
    const [firstImage, lastImage] = [this.#firstImage, this.#lastImage];
    this.add(STATEMENTS.spread, { id: this.changeId, firstImage, lastImage });
  }

  /** A statement about many images at once. @param sql `:images` stands for their ids, after all other parameters */
  addForImages(sql: string, imageIds: Iterable<string>, parameters: readonly SqlValue[] = []): void {
    this.#hasAdded = true;
    for (const chunk of chunks([...new Set(imageIds)].map(imageKey))) {
      const list = `(${chunk.map(() => '?').join(', ')})`;
      this.#transaction.add(sql.replace(':images', list), [...parameters, ...chunk]);
    }
  }

  /** Larger than that of any label before. */
  nextSequence(): number {
    if (++this.#labels >= SEQUENCES_A_CHANGE) {
      throw new LabelsmithError('UNSUPPORTED', `One commit holds fewer than ${SEQUENCES_A_CHANGE} labels`, {
        hint: 'Commit them in parts.',
      });
    }
    return this.changeId * SEQUENCES_A_CHANGE + this.#labels;
  }

  /** Gives numbers to names that have none yet. */
  async know(names: NamesNeeded): Promise<void> {
    const before = this.#dictionary;
    const count = this.#addNames(names);
    if (count === 0) return;
    this.#dictionary = dictionaryOf(await this.read(dictionaryQueries(this.db)));
    if (!isBehind(before, this.#dictionary.revision)) throw new Error(`${count} new names have no numbers`);
  }

  #addNames({ classes: classNames, models: keys, acceptances: rules, roots, annotators: people }: NamesNeeded): number {
    const { classIds, modelIds, acceptanceIds, rootIds, annotatorIds } = this.#dictionary;
    // Names on the record are known as they are: those of before the rule, and all others without applying it again.
    const newClasses = unknown(classNames, classIds, (name) => (name === NONE_OF_THESE ? null : toClassName(name)));
    const newModels = unknown(keys, modelIds);
    const newRules = unknown(rules, acceptanceIds);
    const newRoots = unknown(roots, rootIds);
    const newPeople = unknown(people, annotatorIds, (name) => (isNobody(name) ? null : toName(name, 'annotator')));
    for (const name of newClasses) this.add(STATEMENTS.addClass, { name });
    if (newClasses.length > 0) this.add(STATEMENTS.rootNewClasses, {});
    for (const key of newModels) this.add(STATEMENTS.addModel, { key, classNames: [] });
    for (const key of newRules) this.add(STATEMENTS.addAcceptance, { key });
    for (const path of newRoots) this.add(STATEMENTS.addRoot, { path });
    for (const name of newPeople) this.add(STATEMENTS.addAnnotator, { name });
    return newClasses.length + newModels.length + newRules.length + newRoots.length + newPeople.length;
  }

  /** The number that labels of this name are written with; `rootClassId` says what they count as. */
  classId(name: string): number {
    if (name === NONE_OF_THESE) return NONE_CLASS_ID;
    const { classIds } = this.#dictionary;
    return classIds.get(name) ?? known(classIds.get(toClassName(name)), `class ${name}`);
  }

  modelId(key: string): number {
    return known(this.#dictionary.modelIds.get(key), `model ${key}`);
  }

  /** The classes that a model's numbers stand for, where they are other than before. */
  setModelClasses(id: number, classNames: readonly string[]): void {
    if (this.#dictionary.modelById.get(id)?.classNames === JSON.stringify(classNames)) return;
    this.add(STATEMENTS.setModelClasses, { id, classNames: [...classNames] });
    this.changesNames = true;
  }

  acceptanceId(key: string): number {
    return known(this.#dictionary.acceptanceIds.get(key), `rules ${key}`);
  }

  sourceRootId(path: string): number {
    return known(this.#dictionary.rootIds.get(path), `source root ${path}`);
  }

  /** An empty name names nobody. */
  annotatorId(name: string | null | undefined): number {
    if (isNobody(name)) return NO_ANNOTATOR_ID;
    const { annotatorIds } = this.#dictionary;
    return annotatorIds.get(name) ?? known(annotatorIds.get(toName(name, 'annotator')), `annotator ${name}`);
  }
}

export const isNobody = (name: string | null | undefined): name is null | undefined | '' =>
  name === null || name === undefined || name.trim() === '';

/** @param rule the name as it is kept; null where it needs no number */
function unknown<Name extends string | null | undefined>(
  names: Iterable<Name> | undefined,
  ids: ReadonlyMap<string, number>,
  rule?: (name: NonNullable<Name>) => string | null,
): string[] {
  const missing = new Set<string>();
  for (const name of names ?? []) {
    if (name === null || name === undefined || ids.has(name)) continue;
    const kept = rule === undefined ? name : rule(name);
    if (kept !== null && !ids.has(kept)) missing.add(kept);
  }
  return [...missing];
}

function known(id: number | undefined, what: string): number {
  if (id === undefined) throw new Error(`${what} was not asked for with "know"`);
  return id;
}

/** The first step of a transaction: the change it is, and the dictionary brought up to date. */
export async function beginWork(
  db: Kysely<Schema>,
  transaction: SqlTransaction,
  dictionary: Dictionary,
  kind: ChangeKind | null,
): Promise<Work> {
  let changeId: number | null = null;
  let current: Parameters<typeof isBehind>[1];
  if (kind === null) [[current]] = await transaction.read([revisionQuery(db)]);
  else {
    const row = newChange.bind({ kind, atMs: Date.now() });
    const change: Query<{ id: number }> = { compile: () => CompiledQuery.raw(newChange.sql, row) };
    const [[{ id }], [now]] = await transaction.read([change, revisionQuery(db)]);
    changeId = id;
    // A change of the corpus is the newest by itself; what matters is whether there was another one before it.
    current = now;
  }
  const names = isBehind(dictionary, current)
    ? dictionaryOf(await transaction.read(dictionaryQueries(db)))
    : dictionary;
  return new Work(db, transaction, names, changeId);
}
