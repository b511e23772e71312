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
import { taskOf } from './dictionary.ts';
import { inParts, type KeyRange } from './image-parts.ts';
import { conditionsOf, type ItemConditions } from './item-conditions.ts';
import { itemQuery } from './item-query.ts';
import { refuseBadLabel } from './labels.ts';
import { columnsOf, isLogged, LABEL_KEY, REPLACING, same, writeLogged } from './logged-labels.ts';
import { addOperation } from './operation-log.ts';
import { countOf, rawQuery } from './raw-query.ts';
import type { Session } from './session.ts';
import { statement } from './statement.ts';
import { snake } from './table.ts';
import { labels, NO_MODEL_ID, operations } from './tables.ts';
import type { Work } from './work.ts';

const dropOperation = statement('delete from operation where id = :id', { id: operations.columns.id });
const NAMES = labels.names.join(', ');

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
  const writePart = (range: KeyRange) =>
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
  asked: ItemConditions & { readonly range: KeyRange },
  word: WordOfAll,
): Promise<number> {
  const { operationId } = word;
  const id = sql.lit(operationId);
  const written = sql`${isLogged('written', operationId, asked.range)} and written.side = 1`;
  const count = sql<{ n: number }>`select count(*) as n from operation_label as written where ${written}`;
  await writeLogged(work, operationId, asked.range, [
    sql`insert into operation_label (operation_id, side, ${sql.raw(NAMES)})
      select ${id}, 1, matching.image_id, matching.region_id, ${valuesOf(word, work.nextSequence())}
      from (${itemQuery(asked, 'id')}) as matching where true`,
    sql`insert into operation_label (operation_id, side, ${sql.raw(NAMES)})
      select ${id}, 0, ${columnsOf('said', labels.names)} from operation_label as written cross join label as said
      where ${written} and ${same(LABEL_KEY, 'said', 'written')}`,
    sql`insert into label (${sql.raw(NAMES)})
      select ${columnsOf('written', labels.names)} from operation_label as written where ${written} ${REPLACING}`,
    sql`update operation set labels = labels + (${count}) where id = ${id}`,
  ]);
  const [counted] = await work.analyse(rawQuery(work.db, count));
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
