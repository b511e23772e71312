/**
 * A person's word about every image that matches, as a few statements over the query itself: no id leaves the database. What is
 * written, and what stood before it, goes into the log of operations first; labels and revisions follow from the log.
 *
 * Only for labels of images in an operation of their own. What people say of regions freezes them, which takes a look at each.
 */
import { type RawBuilder, sql } from 'kysely';
import { ORIGIN_CODES } from './codes.ts';
import { hexOf } from './column.ts';
import type { ItemConditions } from './item-conditions.ts';
import { itemQuery } from './item-query.ts';
import { rawQuery } from './raw-query.ts';
import { statement } from './statement.ts';
import { snake } from './table.ts';
import { labels, NO_MODEL_ID, operations } from './tables.ts';
import type { Work } from './work.ts';

/** What is said; names are numbers. */
export interface WordOfAll {
  readonly operationId: number;
  readonly taskId: number;
  readonly classId: number;
  readonly annotatorId: number;
  readonly present: boolean;
}

const dropOperation = statement('delete from operation where id = :id', { id: operations.columns.id });
const NAMES = labels.names.join(', ');
const KEY = labels.key.map(snake);
const NEW_VALUES = labels.names.filter((name) => !KEY.includes(name)).map((name) => `${name} = excluded.${name}`);

/** @returns how many images match; where none does, the operation is taken away again */
export async function sayOfAllImages(work: Work, asked: ItemConditions, word: WordOfAll): Promise<number> {
  const { db, changeId } = work;
  const { operationId } = word;
  const run = (text: RawBuilder<unknown>) => work.insert(rawQuery(db, text));
  const id = sql.lit(operationId);
  const written = sql`operation_id = ${id} and side = 1`;
  await run(sql`insert into operation_label (operation_id, side, ${sql.raw(NAMES)})
    select ${id}, 1, matching.image_id, matching.region_id, ${valuesOf(word, work.nextSequence())}
    from (${itemQuery(asked, 'id')}) as matching where true`);
  const [[{ n }]] = await work.analyse(
    rawQuery(db, sql<{ n: number }>`select count(*) as n from operation_label where ${written}`),
  );
  const count = Number(n);
  if (count === 0) {
    work.add(dropOperation, { id: operationId });
    return 0;
  }
  const sameKey = KEY.map((name) => `said.${name} = written.${name}`).join(' and ');
  const before = labels.names.map((name) => `said.${name}`).join(', ');
  await run(sql`insert into operation_label (operation_id, side, ${sql.raw(NAMES)})
    select ${id}, 0, ${sql.raw(before)} from operation_label as written cross join label as said
    where written.operation_id = ${id} and written.side = 1 and ${sql.raw(sameKey)}`);
  await run(sql`insert into label (${sql.raw(NAMES)}) select ${sql.raw(NAMES)} from operation_label where ${written}
    on conflict (${sql.raw(KEY.join(', '))}) do update set ${sql.raw(NEW_VALUES.join(', '))}`);
  await run(sql`update image set revision = ${sql.lit(changeId)}
    where id in (select image_id from operation_label where ${written})`);
  await run(sql`update operation set labels = ${sql.lit(count)} where id = ${id}`);
  for (const way of [sql`asc`, sql`desc`]) {
    const query = sql<{ image_id: Uint8Array }>`select image_id from operation_label where operation_id = ${id}
      order by image_id ${way} limit 1`;
    const [[end]] = await work.analyse(rawQuery(db, query));
    work.reach(hexOf(end.image_id));
  }
  return count;
}

/** Numbers are written out: a parameter that nothing is compared with has no type. In the order of the table. */
function valuesOf({ taskId, classId, annotatorId, present }: WordOfAll, sequence: number) {
  const voice = { origin: ORIGIN_CODES.human, modelId: NO_MODEL_ID, annotatorId };
  const values = { taskId, classId, ...voice, present: present ? 1 : 0, confidence: 1 };
  const texts: Readonly<Record<string, string>> = {
    ...Object.fromEntries(Object.entries(values).map(([field, value]) => [snake(field), String(value)])),
    run_key: 'cast(null as integer)',
    sequence: String(sequence),
  };
  return sql.raw(labels.names.flatMap((name) => texts[name] ?? []).join(', '));
}
