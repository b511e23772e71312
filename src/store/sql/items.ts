/** Items page by page, and a person's word about all that match. */
import { currentLabels, type Label } from '../../core/labels.ts';
import { validate } from '../../core/validate.ts';
import { LabelsmithError } from '../../errors.ts';
import { ITEM_FILTER, MAX_PACKED_ITEMS, MAX_PAGE_ITEMS, type PageRequest } from '../item-store.ts';
import type { ItemFilter, ItemStore, NewLabel, PageItem, SaidOfAll, WriteOptions } from '../store.ts';
import { hexOf, NO_BYTES } from './column.ts';
import { taskOf } from './dictionary.ts';
import { heldColumns } from './held-columns.ts';
import type { KeyRange } from './image-parts.ts';
import { conditionsOf } from './item-conditions.ts';
import { cursorOf, placeOf } from './item-cursor.ts';
import { type ItemRow, indexFor, itemCount, itemQuery } from './item-query.ts';
import { sayOfAllImages } from './label-all.ts';
import { itemOf } from './label-rows.ts';
import { labelsOf, putLabels } from './labels.ts';
import { addOperation } from './operation-log.ts';
import { revisionsOf } from './operations.ts';
import { packedOf, packedQuery } from './packed-items.ts';
import { countOf, rawQuery } from './raw-query.ts';
import { actorOf } from './regions.ts';
import type { Session } from './session.ts';
import { statement } from './statement.ts';
import type { Work } from './work.ts';

/** Regions that a person's word is written of at a time. */
const ITEMS_A_STEP = 512;
/**
 * Ids are digests, so those of a range are a random sample. Of a million images 16,000 are looked at, and of 100,000 that
 * match the estimate is 2 % off at one standard deviation.
 */
const SAMPLED = 64;
const SAMPLE: KeyRange = { from: NO_BYTES, to: Uint8Array.of(256 / SAMPLED) };

export function itemStore(session: Session): ItemStore {
  const { db, driver } = session;
  const made = new Set<string>();
  return {
    async page(request) {
      refuseBadLimit(request.limit, MAX_PAGE_ITEMS);
      const { filter, order = 'id', limit } = request;
      const { conditions, stretch } = await asked(request);
      // One more tells whether there is a next page.
      const query = itemQuery(conditions, order, { ...stretch, limit: limit + 1 });
      const found = await driver.analyse(rawQuery(db, query), { soon: true });
      const rows = found.slice(0, limit);
      const last = found.length > limit ? rows.at(-1) : undefined;
      return { items: await describe(session, rows, filter?.task), next: last ? cursorOf(endOf(last), order) : null };
    },

    async packed(request) {
      refuseBadLimit(request.limit, MAX_PACKED_ITEMS);
      const { order = 'id', limit } = request;
      const { conditions, stretch } = await asked(request);
      const query = itemQuery(conditions, order, { ...stretch, limit });
      const [part] = await driver.analyse(rawQuery(db, packedQuery(query, order, driver)), { soon: true });
      return packedOf(part, { order, limit, kind: conditions.items });
    },

    heldColumns(request) {
      refuseBadLimit(request.limit, MAX_PACKED_ITEMS);
      return heldColumns(session, request);
    },

    async countItems(filter = {}) {
      const conditions = conditionsOf(checked(filter), await session.freshDictionary());
      return countOf(await driver.analyse(rawQuery(db, itemCount(conditions))));
    },

    async estimateItems(filter = {}) {
      const conditions = conditionsOf(checked(filter), await session.freshDictionary());
      const found = await driver.analyse(rawQuery(db, itemCount({ ...conditions, range: SAMPLE })), {
        soon: true,
      });
      return SAMPLED * countOf(found);
    },

    async setLabels(filter, said, options = {}) {
      const { task, ...asked } = checked(filter);
      if (task === undefined) {
        throw new LabelsmithError('USAGE', 'Labels are written in a task, and the filter names none', {
          hint: 'Name a task in the filter.',
        });
      }
      const inTask = { ...asked, task };
      const { items } = conditionsOf(inTask, await session.freshDictionary());
      if (items === 'images' && options.operation === undefined) {
        return sayOfAllImages(session, inTask, { ...said, actor: actorOf(session, options) });
      }
      return session.write('labels', (work) => sayOfEach(session, work, inTask, said, options));
    },
  };

  /** What is asked, with the index that its order needs. */
  async function asked({ filter = {}, order = 'id', after }: PageRequest) {
    const place = after === undefined ? undefined : placeOf(after, order);
    const needsLabels = order === 'confidence' || order === 'uncertainty';
    const conditions = conditionsOf(checked(filter), await session.freshDictionary(), needsLabels);
    await makeIndex(session, indexFor(conditions, order), made);
    return { conditions, stretch: { after: place } };
  }
}

/** Item by item: what is said of regions freezes them. */
async function sayOfEach(
  session: Session,
  work: Work,
  filter: ItemFilter & { readonly task: string },
  { className, present = true, annotator }: SaidOfAll,
  options: Omit<WriteOptions, 'expected'>,
): Promise<number> {
  const { task } = filter;
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

const idsOf = (row: ItemRow) => ({ imageId: hexOf(row.image_id), regionId: hexOf(row.region_id) });
const itemIdOf = (row: ItemRow) => itemOf(idsOf(row));
const endOf = (row: ItemRow) => ({ ...idsOf(row), place: row.place });

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
