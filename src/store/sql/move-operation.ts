/**
 * Undo and redo of an operation on items, in parts where it is much. A part that was done already changes nothing, so that one
 * who was interrupted says it again. Where it wrote labels alone, each part is a few statements: what `moveItems` does label by
 * label (`operation-log.ts`).
 */
import { sql } from 'kysely';
import { LabelsmithError } from '../../errors.ts';
import { NO_BYTES } from './column.ts';
import { setUndone } from './corpus.ts';
import { ALL_IDS, inParts, type KeyRange } from './image-parts.ts';
import { columnsOf, isLogged, LABEL_KEY, REPLACING, same, writeLogged } from './logged-labels.ts';
import { moveItems } from './operation-log.ts';
import type { Session } from './session.ts';
import { labels } from './tables.ts';
import type { Work } from './work.ts';

/** As many are written at once without anybody waiting for long. */
const MANY = 2000;
/** One origin, with its model or annotator, speaking of one item in one task. */
const VOICE = LABEL_KEY.filter((name) => name !== 'class_id');
/** `now`, of `label`, is still as `written`, of the log, left it. */
const INTACT = sql`${same(LABEL_KEY, 'now', 'written')} and now.sequence = written.sequence and now.present = written.present`;

export async function moveOperation(
  session: Session,
  { id, labels: count, regions }: { readonly id: number; readonly labels: number; readonly regions: number },
  way: 'undo' | 'redo',
): Promise<void> {
  const write = (range: KeyRange) =>
    session.write(regions === 0 ? 'labels' : 'regions', async (work) => {
      const [[known]] = await work.read([work.db.selectFrom('operation').select('undone').where('id', '=', id)]);
      // Somebody else was there first.
      if (known === undefined || (known.undone !== 0) !== (way === 'redo')) throw notToMove(id, way);
      const from = way === 'undo' ? 1 : 0;
      await (regions === 0 ? moveWords(work, id, from, range) : moveItems(work, id, from, range));
      if (range.to === null) work.add(setUndone, { id, undone: way === 'undo' ? work.changeId : 0 });
    });
  if (count + regions > MANY) await inParts(write);
  else await write(ALL_IDS);
}

export function notToMove(id: number, way: 'undo' | 'redo'): LabelsmithError {
  return new LabelsmithError('REFUSED', `The operation ${id} is ${way === 'undo' ? 'undone already' : 'not undone'}`);
}

/** @param from the side of the log that stands: 1, what the operation wrote, or 0, what there was before */
async function moveWords(work: Work, operationId: number, from: 0 | 1, range: KeyRange): Promise<void> {
  const id = sql.lit(operationId);
  const [was, becomes] = [sql.lit(from), sql.lit(1 - from)];
  const rows = (alias: string) => isLogged(alias, operationId, range);
  // A voice that has said something else since keeps that, and a region that is gone has no labels.
  const put = sql`insert into label (${sql.raw(labels.names.join(', '))})
    select ${columnsOf('there', labels.names)} from operation_label as there
    where ${rows('there')} and there.side = ${becomes}
      and (there.region_id = ${NO_BYTES} or exists (
        select 1 from region where region.image_id = there.image_id and region.id = there.region_id))
      and not exists (
        select 1 from operation_label as written
        where written.operation_id = ${id} and written.side = ${was} and ${same(VOICE, 'written', 'there')}
          and not exists (select 1 from label as now where ${INTACT}))
      and not exists (
        select 1 from label as now where ${same(LABEL_KEY, 'now', 'there')} and not exists (
          select 1 from operation_label as written
          where written.operation_id = ${id} and written.side = ${was} and ${same(LABEL_KEY, 'written', 'now')})) ${REPLACING}`;
  // What was just put in their place is not as it was written.
  const take = sql`delete from label where (${sql.raw(LABEL_KEY.join(', '))}) in (
    select ${columnsOf('written', LABEL_KEY)} from operation_label as written
    where ${rows('written')} and written.side = ${was} and exists (select 1 from label as now where ${INTACT}))`;
  await writeLogged(work, operationId, range, [put, take]);
}
