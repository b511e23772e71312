/**
 * Undo and redo of an operation that wrote labels alone, as a few statements: what `moveItems` does label by label
 * (`operation-log.ts`), and in parts where it is much. A part that was done already changes nothing, so that one who was
 * interrupted says it again.
 */
import { sql } from 'kysely';
import { LabelsmithError } from '../../errors.ts';
import { hexOf, NO_BYTES } from './column.ts';
import { ALL_IDS, type IdRange, inParts, inRange } from './image-parts.ts';
import { rawQuery } from './raw-query.ts';
import type { Session } from './session.ts';
import { snake } from './table.ts';
import { labels } from './tables.ts';
import type { Work } from './work.ts';

/** As many are written at once without anybody waiting for long. */
const MANY = 2000;
const KEY = labels.key.map(snake);
/** One origin, with its model or annotator, speaking of one item in one task. */
const VOICE = KEY.filter((name) => name !== 'class_id');
const NAMES = labels.names.join(', ');
const NEW_VALUES = labels.names.filter((name) => !KEY.includes(name)).map((name) => `${name} = excluded.${name}`);

const same = (names: readonly string[], a: string, b: string) =>
  sql.raw(names.map((name) => `${a}.${name} = ${b}.${name}`).join(' and '));
/** `now`, of `label`, is still as `written`, of the log, left it. */
const INTACT = sql`${same(KEY, 'now', 'written')} and now.sequence = written.sequence and now.present = written.present`;

/** @param done is added to the last part: that it is undone, or not any more */
export async function moveLabels(
  session: Session,
  operation: { readonly id: number; readonly labels: number },
  from: 0 | 1,
  done: (work: Work) => void,
): Promise<void> {
  const write = (range: IdRange) =>
    session.write('labels', async (work) => {
      await refuseMoved(work, operation.id, from);
      await movePart(work, operation.id, from, range);
      if (range.to === null) done(work);
    });
  if (operation.labels > MANY) await inParts(write);
  else await write(ALL_IDS);
}

/** Somebody else has undone it, or done it again. */
async function refuseMoved(work: Work, id: number, from: 0 | 1): Promise<void> {
  const [[known]] = await work.read([work.db.selectFrom('operation').select('undone').where('id', '=', id)]);
  if (known !== undefined && (known.undone === 0) === (from === 1)) return;
  throw new LabelsmithError('REFUSED', `The operation ${id} is ${from === 1 ? 'undone already' : 'not undone'}`);
}

async function movePart(work: Work, operationId: number, from: 0 | 1, range: IdRange): Promise<void> {
  const { db } = work;
  const id = sql.lit(operationId);
  const [was, becomes] = [sql.lit(from), sql.lit(1 - from)];
  const rows = (alias: string) =>
    sql`${sql.raw(alias)}.operation_id = ${id} and ${inRange(sql`${sql.raw(alias)}.image_id`, range)}`;
  const end = (way: 'asc' | 'desc') =>
    sql<{ image_id: Uint8Array }>`select image_id from operation_label as written where ${rows('written')}
      order by image_id ${sql.raw(way)} limit 1`;
  // A voice that has said something else since keeps that, and a region that is gone has no labels.
  const put = sql`insert into label (${sql.raw(NAMES)})
    select ${sql.raw(labels.names.map((name) => `there.${name}`).join(', '))} from operation_label as there
    where ${rows('there')} and there.side = ${becomes}
      and (there.region_id = ${NO_BYTES} or exists (
        select 1 from region where region.image_id = there.image_id and region.id = there.region_id))
      and not exists (
        select 1 from operation_label as written
        where written.operation_id = ${id} and written.side = ${was} and ${same(VOICE, 'written', 'there')}
          and not exists (select 1 from label as now where ${INTACT}))
      and not exists (
        select 1 from label as now where ${same(KEY, 'now', 'there')} and not exists (
          select 1 from operation_label as written
          where written.operation_id = ${id} and written.side = ${was} and ${same(KEY, 'written', 'now')}))
    on conflict (${sql.raw(KEY.join(', '))}) do update set ${sql.raw(NEW_VALUES.join(', '))}`;
  // What was just put in their place is not as it was written.
  const take = sql`delete from label where (${sql.raw(KEY.join(', '))}) in (
    select ${sql.raw(KEY.map((name) => `written.${name}`).join(', '))} from operation_label as written
    where ${rows('written')} and written.side = ${was} and exists (select 1 from label as now where ${INTACT}))`;
  const touch = sql`insert into image_revision (image_id, revision)
    select distinct image_id, ${sql.lit(work.changeId)} from operation_label as written where ${rows('written')}
    on conflict (image_id) do update set revision = excluded.revision`;
  const ends = await work.run(
    [put, take, touch].map((query) => rawQuery(db, query)),
    [rawQuery(db, end('asc')), rawQuery(db, end('desc'))],
  );
  for (const [row] of ends) if (row !== undefined) work.reach(hexOf(row.image_id));
}
