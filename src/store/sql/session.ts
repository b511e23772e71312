/** Reads and writes as the parts of the store need them: with the dictionary in step, in pages, and in transactions. */
import { setImmediate } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { ImageRange } from '../store.ts';
import { imageKey, NO_BYTES } from './column.ts';
import type { Dictionary } from './dictionary.ts';
import { dictionaryOf, dictionaryQueries, isBehind, revisionQuery } from './dictionary.ts';
import type { Query, RowsOf, SqlDriver } from './driver.ts';
import type { ChangeKind, Schema } from './tables.ts';
import { beginWork, type Work } from './work.ts';

/** The store's writes work out what they write from what they are given and what is there. */
const REPEATABLE = { isRepeatable: true };

export class Session {
  readonly driver: SqlDriver;
  readonly db: Kysely<Schema>;
  /** Images a page. */
  readonly pageSize: number;
  /** Who acts where a write does not say it. */
  readonly actor: string;
  #dictionary: Dictionary | undefined;

  constructor(driver: SqlDriver, { pageSize, actor }: { readonly pageSize: number; readonly actor: string }) {
    this.driver = driver;
    this.db = driver.db;
    this.pageSize = pageSize;
    this.actor = actor;
  }

  /** One snapshot: the rows and the dictionary that explains their numbers. */
  async read<const Queries extends readonly Query<unknown>[]>(
    queries: Queries,
  ): Promise<{ rows: RowsOf<Queries>; dictionary: Dictionary }> {
    const [revision, ...rows] = await this.driver.read([revisionQuery(this.db), ...queries]);
    let dictionary = await this.dictionary();
    // An older snapshot than the dictionary is fine: names are never taken away, numbers never given again.
    if (isBehind(dictionary, revision[0])) {
      this.#dictionary = undefined;
      dictionary = await this.dictionary();
    }
    return { rows, dictionary };
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
   * One transaction, with the dictionary as it is in it. `work` may be called again where the database was lost meanwhile.
   *
   * @param kind what changes of images or classes, so that others can tell; null where nothing of them does
   */
  async write<T>(kind: ChangeKind | null, work: (work: Work) => Promise<T>): Promise<T> {
    const known = await this.dictionary();
    const { result, dictionary } = await this.driver.transaction(async (transaction) => {
      const begun = await beginWork(this.db, transaction, known, kind);
      const given = await work(begun);
      begun.end();
      return { result: given, dictionary: begun.changesNames ? undefined : begun.dictionary };
    }, REPEATABLE);
    // What was true in the transaction is true for all from now on.
    this.#dictionary = dictionary;
    return result;
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
   * Cuts all images, or those of a range, into ranges `after < id ≤ last` of `pageSize`. What belongs to the images of a range is read with two
   * comparisons and not with a list, however sparse it is.
   */
  async *imageRanges(within?: ImageRange): AsyncGenerator<{ after: Uint8Array; last: Uint8Array }> {
    let after: Uint8Array = within?.after ? imageKey(within.after) : NO_BYTES;
    const upTo = within?.upTo ? imageKey(within.upTo) : null;
    for (;;) {
      let behind = this.db.selectFrom('image').select('id').where('id', '>', after).limit(1);
      if (upTo !== null) behind = behind.where('id', '<=', upTo);
      const [[full]] = await this.driver.read([behind.orderBy('id').offset(this.pageSize - 1)]);
      const [last] = full === undefined ? (await this.driver.read([behind.orderBy('id', 'desc')]))[0] : [full];
      if (last === undefined) return;
      yield { after, last: last.id };
      after = last.id;
      await setImmediate();
    }
  }
}
