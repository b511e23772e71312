/** What holds of many images in a task with one class an item, as columns: one row crosses threads, not one an image. */
import { sql } from 'kysely';
import { LabelsmithError } from '../../errors.ts';
import type { HeldColumns, HeldRequest } from '../item-store.ts';
import { ORIGIN_CODES, originOf } from './codes.ts';
import { imageKey } from './column.ts';
import { rootClassId, taskOf } from './dictionary.ts';
import { all, conditionsOf, conditionsOnItem, holds, itemOfLabel, matching, ofKind } from './item-conditions.ts';
import { rawQuery } from './raw-query.ts';
import type { Session } from './session.ts';

/** In hexadecimal. */
const ID = /.{64}/g;

interface HeldRow {
  readonly ids: string | null;
  readonly classes: string | null;
  readonly confidences: string | null;
  readonly origins: string | null;
}

export async function heldColumns(session: Session, { task, after, limit, of }: HeldRequest): Promise<HeldColumns> {
  const { db, driver } = session;
  const dictionary = await session.freshDictionary();
  const { rule } = taskOf(dictionary, task);
  if (rule !== 'single') {
    throw new LabelsmithError(
      'UNSUPPORTED',
      `Items of the task "${task}" may have several classes, which are no column`,
    );
  }
  const asked = conditionsOf({ task, items: 'images', state: 'labelled' }, dictionary);
  if (asked.task === null) throw new Error('The filter has a task');
  const label = sql`asked`;
  const conditions = [
    ...(after === undefined ? [] : [sql`asked.image_id > ${imageKey(after)}`]),
    ...matching(of === 'cluster' ? { ...asked.task, originCodes: [ORIGIN_CODES.cluster] } : asked.task, label),
    ofKind(asked, label),
    ...conditionsOnItem(asked, itemOfLabel(label)),
    of === 'cluster' ? sql`asked.present = 1` : holds(asked.task, 'asked'),
  ];
  const columns = [
    driver.joinedHex(['image_id']),
    driver.joinedText('class_id'),
    driver.joinedText('confidence'),
    driver.joinedText('origin'),
  ];
  const [ids, classes, confidences, origins] = columns.map((column) => sql.raw(column));
  const [row] = await driver.analyse(
    rawQuery(
      db,
      sql<HeldRow>`select ${ids} as ids, ${classes} as classes, ${confidences} as confidences, ${origins} as origins from (
        select asked.image_id as image_id, asked.class_id as class_id, asked.confidence as confidence, asked.origin as origin
        from label as asked where ${all(conditions)} order by asked.image_id limit ${limit}) as held`,
    ),
    { soon: true },
  );
  const found: readonly string[] = row.ids?.toLowerCase().match(ID) ?? [];
  // An image that was in several clusters has several rows: those of the last image may go on beyond the limit,
  // and come in the next part; where there is no other image, they are asked for in one longer part.
  const isLast = found.length < limit;
  const whole = isLast ? found.length : found.indexOf(found.at(-1) ?? '');
  if (!isLast && whole === 0) return heldColumns(session, { task, after, limit: 2 * limit, of });
  const imageIds = found.slice(0, whole);
  const nameOf = (id: number) => dictionary.classById.get(rootClassId(dictionary, id))?.name ?? '';
  return {
    imageIds,
    classNames: numbersOf(row.classes).slice(0, whole).map(nameOf),
    confidences: Float32Array.from(numbersOf(row.confidences).slice(0, whole)),
    origins: numbersOf(row.origins).slice(0, whole).map(originOf),
    next: isLast ? null : (imageIds.at(-1) ?? null),
  };
}

const numbersOf = (joined: string | null) => (joined === null ? [] : joined.split(' ').map(Number));
