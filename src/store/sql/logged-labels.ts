/** What is done with the labels in the log of an operation by statements over the log itself, all at once or in parts. */
import { type RawBuilder, sql } from 'kysely';
import { hexOf } from './column.ts';
import { inRange, type KeyRange } from './image-parts.ts';
import { rawQuery } from './raw-query.ts';
import { snake } from './table.ts';
import { labels } from './tables.ts';
import type { Work } from './work.ts';

export const LABEL_KEY = labels.key.map(snake);
const NEW_VALUES = labels.names.filter((name) => !LABEL_KEY.includes(name)).map((name) => `${name} = excluded.${name}`);

/** The end of an insert into `label`: the newest word of one voice about one class of one item replaces the older. */
export const REPLACING = sql.raw(`on conflict (${LABEL_KEY.join(', ')}) do update set ${NEW_VALUES.join(', ')}`);

/** @returns columns for a select list */
export function columnsOf(alias: string, names: readonly string[]): RawBuilder<unknown> {
  return sql.raw(names.map((name) => `${alias}.${name}`).join(', '));
}

/** These columns of two rows are equal. */
export function same(names: readonly string[], a: string, b: string): RawBuilder<unknown> {
  return sql.raw(names.map((name) => `${a}.${name} = ${b}.${name}`).join(' and '));
}

/** A row of `operation_label` is of this operation and about an image of the range. */
export function isLogged(alias: string, operationId: number, range: KeyRange): RawBuilder<unknown> {
  const column = (name: string) => sql.raw(`${alias}.${name}`);
  return sql`${column('operation_id')} = ${sql.lit(operationId)} and ${inRange(column('image_id'), range)}`;
}

/** Runs the statements, and gives all images of the range that are in the operation's log the revision of this change. */
export async function writeLogged(
  work: Work,
  operationId: number,
  range: KeyRange,
  statements: readonly RawBuilder<unknown>[],
): Promise<void> {
  const { db, changeId } = work;
  const logged = isLogged('operation_label', operationId, range);
  const touch = sql`insert into image_revision (image_id, revision)
    select distinct image_id, ${sql.lit(changeId)} from operation_label where ${logged}
    on conflict (image_id) do update set revision = excluded.revision`;
  const end = (way: 'asc' | 'desc') =>
    sql<{ image_id: Uint8Array }>`select image_id from operation_label where ${logged}
      order by image_id ${sql.raw(way)} limit 1`;
  const ends = await work.run(
    [...statements, touch].map((text) => rawQuery(db, text)),
    [rawQuery(db, end('asc')), rawQuery(db, end('desc'))],
  );
  for (const [row] of ends) if (row !== undefined) work.reach(hexOf(row.image_id));
}
