/** What holds of many images in a task with one class an item, as columns: one row crosses threads, not one an image. */
import { sql } from 'kysely';
import { IMAGE_ID_BYTES } from '../../core/ids.ts';
import { ORIGINS } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { HeldColumns, HeldRequest } from '../item-store.ts';
import { ORIGIN_CODES, originOf } from './codes.ts';
import { imageKey } from './column.ts';
import { rootClassId, taskOf } from './dictionary.ts';
import { all, conditionsOf, conditionsOnItem, holds, itemOfLabel, matching, ofKind } from './item-conditions.ts';
import { rawQuery } from './raw-query.ts';
import type { Session } from './session.ts';

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
  const [joinedIds, classes, confidences, origins] = columns.map((column) => sql.raw(column));
  const [row] = await driver.analyse(
    rawQuery(
      db,
      sql<HeldRow>`select ${joinedIds} as ids, ${classes} as classes, ${confidences} as confidences, ${origins} as origins from (
        select asked.image_id as image_id, asked.class_id as class_id, asked.confidence as confidence, asked.origin as origin
        from label as asked where ${all(conditions)} order by asked.image_id limit ${limit}) as held`,
    ),
    { soon: true },
  );
  const ids = Buffer.from(row.ids ?? '', 'hex');
  const count = ids.length / IMAGE_ID_BYTES;
  // An image that was in several clusters has several rows: those of the last image may go on beyond the limit,
  // and come in the next part; where there is no other image, they are asked for in one longer part.
  const isLast = count < limit;
  const whole = isLast ? count : firstOfLast(ids);
  if (!isLast && whole === 0) return heldColumns(session, { task, after, limit: 2 * limit, of });
  const classIds = numbersOf(row.classes, whole);
  const roots = new Map(classIds.map((id) => [id, rootClassId(dictionary, id)]));
  const names = [...new Set(roots.values())];
  const placeOf = new Map([...roots].map(([id, root]) => [id, names.indexOf(root)]));
  return {
    ids: new Uint8Array(ids.subarray(0, whole * IMAGE_ID_BYTES)),
    classNames: names.map((id) => dictionary.classById.get(id)?.name ?? ''),
    classOf: Int32Array.from(classIds, (id) => placeOf.get(id) ?? -1),
    confidences: Float32Array.from(numbersOf(row.confidences, whole)),
    originOf: Uint8Array.from(numbersOf(row.origins, whole), (code) => ORIGINS.indexOf(originOf(code))),
    next: isLast ? null : ids.toString('hex', (whole - 1) * IMAGE_ID_BYTES, whole * IMAGE_ID_BYTES),
  };
}

function numbersOf(joined: string | null, count: number): number[] {
  const texts = joined === null ? [] : joined.split(' ');
  texts.length = count;
  return texts.map(Number);
}

/** Where the rows of the last image begin. */
function firstOfLast(ids: Buffer): number {
  let first = ids.length / IMAGE_ID_BYTES - 1;
  const last = ids.subarray(first * IMAGE_ID_BYTES);
  while (first > 0 && ids.compare(last, 0, IMAGE_ID_BYTES, (first - 1) * IMAGE_ID_BYTES, first * IMAGE_ID_BYTES) === 0)
    first--;
  return first;
}
