/** Queries that are written as SQL, where a builder would say less. */
import type { Kysely, RawBuilder } from 'kysely';
import type { Query } from './driver.ts';
import type { Schema } from './tables.ts';

export function rawQuery<Row>(db: Kysely<Schema>, text: RawBuilder<Row>): Query<Row> {
  return { compile: () => text.compile(db) };
}

/** The one number that a query gives, by the name `n`. */
export function countOf(rows: readonly { readonly n: number | string | bigint | null }[]): number {
  return Number(rows[0]?.n ?? 0);
}
