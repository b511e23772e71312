/** Items page by page, and a person's word about all that match. */
import { z } from 'zod';
import { currentLabels, type Label } from '../../core/labels.ts';
import { validate } from '../../core/validate.ts';
import { LabelsmithError } from '../../errors.ts';
import { ITEM_FILTER, ITEM_ORDERS, MAX_PACKED_ITEMS, MAX_PAGE_ITEMS, type PageRequest } from '../item-store.ts';
import type { ItemFilter, ItemOrder, ItemStore, NewLabel, PageItem, SaidOfAll, WriteOptions } from '../store.ts';
import { hexOf, imageKey, NO_BYTES, regionKey } from './column.ts';
import { taskOf } from './dictionary.ts';
import { conditionsOf } from './item-conditions.ts';
import { type ItemRow, indexFor, itemCount, itemQuery } from './item-query.ts';
import { itemOf } from './label-rows.ts';
import { labelsOf, putLabels } from './labels.ts';
import { addOperation } from './operation-log.ts';
import { revisionsOf } from './operations.ts';
import { countOf, rawQuery } from './raw-query.ts';
import { actorOf } from './regions.ts';
import type { Session } from './session.ts';
import { statement } from './statement.ts';
import type { Work } from './work.ts';

/** Items that a person's word is written of at a time. */
const ITEMS_A_STEP = 512;
const IMAGE_ID_BYTES = 32;
const REGION_ID_BYTES = 16;

export function itemStore(session: Session): ItemStore {
  const { db, driver } = session;
  const made = new Set<string>();
  return {
    async page(request) {
      refuseBadLimit(request.limit, MAX_PAGE_ITEMS);
      const { rows, next, task } = await walked(request);
      return { items: await describe(session, rows, task), next };
    },

    async packed(request) {
      refuseBadLimit(request.limit, MAX_PACKED_ITEMS);
      const { rows, next, kind } = await walked(request);
      const each = kind === 'images' ? IMAGE_ID_BYTES : IMAGE_ID_BYTES + REGION_ID_BYTES;
      const ids = new Uint8Array(each * rows.length);
      for (const [i, row] of rows.entries()) {
        ids.set(row.image_id, each * i);
        if (kind === 'regions') ids.set(row.region_id, each * i + IMAGE_ID_BYTES);
      }
      return { ids, count: rows.length, kind, next };
    },

    async countItems(filter = {}) {
      const asked = conditionsOf(checked(filter), await session.freshDictionary());
      return countOf(await driver.analyse(rawQuery(db, itemCount(asked))));
    },

    setLabels(filter, said, options = {}) {
      const asked = checked(filter);
      return session.write('labels', (work) => setLabels(session, work, asked, said, options));
    },
  };

  async function walked({ filter = {}, order = 'id', after, limit }: PageRequest) {
    const asked = checked(filter);
    const place = after === undefined ? undefined : placeOf(after, order);
    const needsLabels = order === 'confidence' || order === 'uncertainty';
    const conditions = conditionsOf(asked, await session.freshDictionary(), needsLabels);
    await makeIndex(session, indexFor(conditions, order), made);
    // One more tells whether there is a next page.
    const found = await driver.analyse(rawQuery(db, itemQuery(conditions, order, { after: place, limit: limit + 1 })));
    const rows = found.slice(0, limit);
    const last = found.length > limit ? rows.at(-1) : undefined;
    return { rows, next: last ? cursorOf(last, order) : null, kind: conditions.items, task: asked.task };
  }
}

async function setLabels(
  session: Session,
  work: Work,
  filter: ItemFilter,
  { className, present = true, annotator }: SaidOfAll,
  options: Omit<WriteOptions, 'expected'>,
): Promise<number> {
  const { task } = filter;
  if (task === undefined) {
    throw new LabelsmithError('USAGE', 'Labels are written in a task, and the filter names none', {
      hint: 'Name a task in the filter.',
    });
  }
  const asked = conditionsOf(filter, work.dictionary);
  const said = { task, className, present, annotator, origin: 'human', confidence: 1, runId: null } as const;
  let { operation } = options;
  let count = 0;
  let after: ItemRow | undefined;
  for (;;) {
    // What is written of items changes nothing about those that come after them.
    const query = itemQuery(asked, 'id', { after, limit: ITEMS_A_STEP });
    const [rows] = await work.analyse(rawQuery(work.db, query));
    if (rows.length === 0) return count;
    operation ??= await addOperation(work, {
      name: 'label',
      arguments: { filter, className, present },
      actor: actorOf(session, options),
    });
    const labels = rows.map((row): NewLabel => ({ ...said, itemId: itemIdOf(row) }));
    await putLabels(session, work, labels, { ...options, operation });
    count += rows.length;
    after = rows.at(-1);
  }
}

const itemIdOf = (row: ItemRow) => itemOf({ imageId: hexOf(row.image_id), regionId: hexOf(row.region_id) });

async function describe(session: Session, rows: readonly ItemRow[], task: string | undefined): Promise<PageItem[]> {
  const ids = rows.map(itemIdOf);
  const labels = task === undefined ? new Map<string, Label[]>() : await labelsOf(session, ids, task);
  const revisions = await revisionsOf(
    session,
    rows.map((row) => hexOf(row.image_id)),
  );
  const rule = task === undefined ? 'multi' : taskOf(await session.dictionary(), task).rule;
  return rows.map((row) => {
    const itemId = itemIdOf(row);
    const imageId = hexOf(row.image_id);
    const revision = revisions.get(imageId) ?? 0;
    return { itemId, imageId, revision, labels: currentLabels(labels.get(itemId) ?? [], rule) };
  });
}

/** A workspace that may only be read has what others made of it, and is read more slowly where they made none. */
async function makeIndex(session: Session, sql: string | null, made: Set<string>): Promise<void> {
  if (sql === null || made.has(sql)) return;
  try {
    await session.write(null, async (work) => work.add(statement(sql, {}), {}));
  } catch (error) {
    if (!(error instanceof LabelsmithError) || error.code !== 'WORKSPACE') throw error;
  }
  made.add(sql);
}

function checked(filter: ItemFilter): ItemFilter {
  return validate(ITEM_FILTER, filter, { what: 'The filter of items', code: 'USAGE' });
}

function refuseBadLimit(limit: number, most: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= most) return;
  throw new LabelsmithError('USAGE', `A page has 1 to ${most} items, not ${limit}`);
}

const CURSOR = z.tuple([z.enum(ITEM_ORDERS), z.number(), z.string(), z.string()]);

function cursorOf({ place, image_id, region_id }: ItemRow, order: ItemOrder): string {
  return Buffer.from(JSON.stringify([order, place, hexOf(image_id), hexOf(region_id)])).toString('base64url');
}

function placeOf(cursor: string, order: ItemOrder): ItemRow {
  const refused = (what: string) =>
    new LabelsmithError('USAGE', `A page was asked for after ${what}`, {
      hint: 'Begin at the first page, and ask with what each page gives as next.',
    });
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw refused('something that is no cursor');
  }
  const read = CURSOR.safeParse(value);
  if (!read.success) throw refused('something that is no cursor');
  const [of, place, image, region] = read.data;
  if (of !== order) throw refused(`a cursor of the order "${of}", in the order "${order}"`);
  return { place, image_id: imageKey(image), region_id: region === '' ? NO_BYTES : regionKey(region) };
}
