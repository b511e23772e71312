/**
 * A person's word about every image that matches, as a few statements over the query itself: no id leaves the database. What is
 * written, and what stood before it, goes into the log of operations first; labels and revisions follow from the log.
 *
 * In parts (`image-parts.ts`) that are one operation: what is written of images changes nothing about those that come after them.
 *
 * Only for labels of images in an operation of their own. What people say of regions freezes them, which takes a look at each.
 */
import { sql } from 'kysely';
import { LabelsmithError, messageOf } from '../../errors.ts';
import type { ItemFilter, SaidOfAll } from '../store.ts';
import { ORIGIN_CODES } from './codes.ts';
import { hexOf } from './column.ts';
import { taskOf } from './dictionary.ts';
import { type IdRange, inParts, inRange } from './image-parts.ts';
import { conditionsOf, type ItemConditions } from './item-conditions.ts';
import { itemQuery } from './item-query.ts';
import { refuseBadLabel } from './labels.ts';
import { addOperation } from './operation-log.ts';
import { countOf, rawQuery } from './raw-query.ts';
import type { Session } from './session.ts';
import { statement } from './statement.ts';
import { snake } from './table.ts';
import { labels, NO_MODEL_ID, operations } from './tables.ts';
import type { Work } from './work.ts';

const dropOperation = statement('delete from operation where id = :id', { id: operations.columns.id });
const NAMES = labels.names.join(', ');
const KEY = labels.key.map(snake);
const NEW_VALUES = labels.names.filter((name) => !KEY.includes(name)).map((name) => `${name} = excluded.${name}`);

/** @returns how many images match; where none does, no operation is left */
export async function sayOfAllImages(
  session: Session,
  filter: ItemFilter & { readonly task: string },
  said: SaidOfAll & { readonly actor: string },
): Promise<number> {
  const { className, present = true, annotator, actor } = said;
  refuseBadLabel({ className, present, origin: 'human', confidence: 1 });
  let operation: number | undefined;
  let count = 0;
  const writePart = (range: IdRange) =>
    session.write('labels', async (work) => {
      const asked = { ...conditionsOf(filter, work.dictionary), range };
      await work.know({ classes: [className], annotators: [annotator] });
      if (operation !== undefined) await refuseUndone(work, operation);
      const operationId =
        operation ?? (await addOperation(work, { name: 'label', arguments: { filter, className, present }, actor }));
      const [classId, annotatorId] = [work.classId(className), work.annotatorId(annotator)];
      const taskId = taskOf(work.dictionary, filter.task).id;
      const found = await sayPart(work, asked, { operationId, classId, annotatorId, present, taskId });
      if (found === 0 && operation === undefined) work.add(dropOperation, { id: operationId });
      return { found, operationId };
    });
  try {
    await inParts(async (range) => {
      const { found, operationId } = await writePart(range);
      if (found > 0) operation = operationId;
      count += found;
    });
  } catch (error) {
    if (!(error instanceof LabelsmithError) || count === 0) throw error;
    throw new LabelsmithError(error.code, `${messageOf(error)}, when ${count} were labelled`, {
      hint: `${error.hint ?? ''} Those are one operation, which undo takes back; asked again, the others are labelled too.`.trim(),
      details: { ...error.details, labelled: count, operation },
      cause: error,
    });
  }
  return count;
}

/** Somebody has undone what there was of it. */
async function refuseUndone(work: Work, operation: number): Promise<void> {
  const [[known]] = await work.read([work.db.selectFrom('operation').select('undone').where('id', '=', operation)]);
  if (known?.undone === 0) return;
  throw new LabelsmithError('REFUSED', 'It was undone while it was written');
}

/** What is said; names are numbers. */
interface WordOfAll {
  readonly operationId: number;
  readonly taskId: number;
  readonly classId: number;
  readonly annotatorId: number;
  readonly present: boolean;
}

async function sayPart(
  work: Work,
  asked: ItemConditions & { readonly range: IdRange },
  word: WordOfAll,
): Promise<number> {
  const { db, changeId } = work;
  const id = sql.lit(word.operationId);
  const written = sql`operation_id = ${id} and side = 1 and ${inRange(sql`image_id`, asked.range)}`;
  const sameKey = KEY.map((name) => `said.${name} = written.${name}`).join(' and ');
  const before = labels.names.map((name) => `said.${name}`).join(', ');
  const count = sql<{ n: number }>`select count(*) as n from operation_label where ${written}`;
  const end = (way: 'asc' | 'desc') =>
    sql<{ image_id: Uint8Array }>`select image_id from operation_label where ${written}
      order by image_id ${sql.raw(way)} limit 1`;
  const queries = [
    sql`insert into operation_label (operation_id, side, ${sql.raw(NAMES)})
      select ${id}, 1, matching.image_id, matching.region_id, ${valuesOf(word, work.nextSequence())}
      from (${itemQuery(asked, 'id')}) as matching where true`,
    sql`insert into operation_label (operation_id, side, ${sql.raw(NAMES)})
      select ${id}, 0, ${sql.raw(before)} from operation_label as written cross join label as said
      where written.operation_id = ${id} and written.side = 1
        and ${inRange(sql`written.image_id`, asked.range)} and ${sql.raw(sameKey)}`,
    sql`insert into label (${sql.raw(NAMES)}) select ${sql.raw(NAMES)} from operation_label where ${written}
      on conflict (${sql.raw(KEY.join(', '))}) do update set ${sql.raw(NEW_VALUES.join(', '))}`,
    sql`insert into image_revision (image_id, revision)
      select image_id, ${sql.lit(changeId)} from operation_label where ${written}
      on conflict (image_id) do update set revision = excluded.revision`,
    sql`update operation set labels = labels + (${count}) where id = ${id}`,
  ];
  const [counted, first, last] = await work.run(
    queries.map((query) => rawQuery(db, query)),
    [rawQuery(db, count), rawQuery(db, end('asc')), rawQuery(db, end('desc'))],
  );
  for (const [row] of [first, last]) if (row !== undefined) work.reach(hexOf(row.image_id));
  return countOf(counted);
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
