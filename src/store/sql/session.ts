/** Reads and writes as the parts of the store need them: with the dictionary in step, in pages, and made again on conflict. */
import { setImmediate } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { LabelsmithError } from '../../errors.ts';
import { Draft, draftTemplates } from './changeset.ts';
import type { Dictionary } from './dictionary.ts';
import { dictionaryOf, dictionaryQueries } from './dictionary.ts';
import type { Query, RowsOf, SqlDriver } from './driver.ts';
import type { CounterName, Schema } from './schema.ts';

/** Conflicts need another process to commit between our read and our write; so many in a row mean something is wrong. */
const MOST_ATTEMPTS = 100;
/** Look-ups by list are cut into these sizes, the last one filled up, so that few statements have to be compiled. */
const LIST_SIZES = [1, 8, 64, 512] as const;

export interface Written {
  /** Rows changed, by position of the statement in the draft. */
  readonly changes: readonly number[];
}

export class Session {
  readonly driver: SqlDriver;
  readonly db: Kysely<Schema>;
  /** Images a page. */
  readonly pageSize: number;
  readonly #templates: ReturnType<typeof draftTemplates>;
  #dictionary: Dictionary | undefined;

  constructor(driver: SqlDriver, pageSize: number) {
    this.driver = driver;
    this.db = driver.db;
    this.pageSize = pageSize;
    this.#templates = draftTemplates(driver.db);
  }

  /** One snapshot: the rows and the dictionary that explains their numbers. */
  async read<const Queries extends readonly Query<unknown>[]>(
    queries: Queries,
  ): Promise<{ rows: RowsOf<Queries>; dictionary: Dictionary }> {
    const revisionQuery = counterQuery(this.db, 'dictionary');
    for (;;) {
      const [revision, ...rows] = await this.driver.read([revisionQuery, ...queries]);
      const dictionary = await this.dictionary();
      // An older snapshot than the dictionary is fine: names are never taken away, numbers never given again.
      if (dictionary.revision >= (revision[0]?.value ?? 0)) return { rows: rows, dictionary };
      this.#dictionary = undefined;
    }
  }

  /** The dictionary as last read; it may be behind another process's additions. */
  async dictionary(): Promise<Dictionary> {
    this.#dictionary ??= dictionaryOf(await this.driver.read(dictionaryQueries(this.db)));
    return this.#dictionary;
  }

  /** The dictionary as it is now. */
  async freshDictionary(): Promise<Dictionary> {
    return (await this.read([])).dictionary;
  }

  /**
   * Runs what `build` puts together as one transaction. `build` may read; it is called again when what it relied on has
   * changed, so it must have no effect of its own.
   */
  async write(build: (draft: Draft) => void | Promise<void>): Promise<Written> {
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const draft = new Draft(await this.dictionary(), this.#templates);
      try {
        await build(draft);
      } catch (error) {
        // A name that is not known may be one that another process has added since.
        if (!(await this.#isBehind(draft.dictionary))) throw error;
        this.#dictionary = undefined;
        continue;
      }
      const renamed = draft.changesDictionary();
      const transaction = draft.transaction();
      if (transaction.statements.length === 0) return { changes: [] };
      const result = await this.driver.write(transaction);
      if (result.kind === 'conflict' || renamed) this.#dictionary = undefined;
      if (result.kind === 'done') return result;
    }
    throw new LabelsmithError(
      'BUSY',
      `Other processes changed the workspace ${MOST_ATTEMPTS} times while one shard was written`,
      {
        hint: 'Run fewer labelsmith commands on this workspace at once.',
      },
    );
  }

  async #isBehind(dictionary: Dictionary): Promise<boolean> {
    const [[counter]] = await this.driver.read([counterQuery(this.db, 'dictionary')]);
    return dictionary.revision < (counter?.value ?? 0);
  }

  /** Changes of regions so far: read it before the regions, and guard the transaction that relies on them with it. */
  async regionsRevision(): Promise<number> {
    const [[counter]] = await this.driver.read([counterQuery(this.db, 'regions')]);
    return counter?.value ?? 0;
  }

  /** Pages of `rowsAfter(last row of the page before)`, until one comes short of `size`. */
  async *pages<Row>(
    size: number,
    rowsAfter: (last: Row | undefined) => Promise<readonly Row[]>,
  ): AsyncGenerator<readonly Row[]> {
    let last: Row | undefined;
    for (;;) {
      const rows = await rowsAfter(last);
      if (rows.length > 0) yield rows;
      if (rows.length < size) return;
      last = rows.at(-1);
      await setImmediate();
    }
  }

  /**
   * Cuts all images into ranges `after < id ≤ last` of `pageSize`. What belongs to the images of a range is read with two
   * comparisons and not with a list, however sparse it is.
   */
  async *imageRanges(): AsyncGenerator<{ after: Uint8Array; last: Uint8Array }> {
    let after: Uint8Array = new Uint8Array(0);
    for (;;) {
      const page = this.db.selectFrom('image').select('id').where('id', '>', after).orderBy('id').limit(this.pageSize);
      const [[row]] = await this.driver.read([
        this.db.selectFrom(page.as('page')).select((eb) => eb.fn.max('page.id').as('last')),
      ]);
      const last = row?.last as Uint8Array | null | undefined;
      if (last === null || last === undefined) return;
      yield { after, last };
      after = last;
      await setImmediate();
    }
  }
}

function counterQuery(db: Kysely<Schema>, name: CounterName) {
  return db.selectFrom('counter').select('value').where('name', '=', name);
}

/** The list in pieces of few sizes; the last piece repeats its last entry up to the next size. */
export function* pieces<T>(list: readonly T[]): Generator<readonly T[]> {
  const most = LIST_SIZES[LIST_SIZES.length - 1];
  for (let start = 0; start < list.length; start += most) {
    const piece = list.slice(start, start + most);
    const size = LIST_SIZES.find((s) => s >= piece.length) ?? most;
    while (piece.length < size) piece.push(piece[piece.length - 1]);
    yield piece;
  }
}
