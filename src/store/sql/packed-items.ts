/**
 * Ids of many items as one value: the database joins them, so that a part of 20,000 is one row that crosses threads, and not
 * 20,000 with two blobs each.
 */
import { type RawBuilder, sql } from 'kysely';
import type { ItemKind } from '../../core/labels.ts';
import type { ItemOrder, PackedItems } from '../item-store.ts';
import type { SqlDriver } from './driver.ts';
import { cursorOf } from './item-cursor.ts';
import { DESCENDING, type ItemRow } from './item-query.ts';

/** In hexadecimal. */
const IMAGE_ID_LENGTH = 64;
const REGION_ID_LENGTH = 32;

export interface PackedRow {
  /** In order, each item's ids after the other; null where there is none. */
  readonly ids: string | null;
  readonly n: number;
  /** Of the last one. */
  readonly place: number | null;
}

/** @param items in their order, which joining keeps */
export function packedQuery(
  items: RawBuilder<ItemRow>,
  order: ItemOrder,
  { joinedHex }: Pick<SqlDriver, 'joinedHex'>,
): RawBuilder<PackedRow> {
  const furthest = DESCENDING.has(order) ? sql`min` : sql`max`;
  return sql<PackedRow>`select ${sql.raw(joinedHex(['image_id', 'region_id']))} as ids, count(*) as n,
    ${furthest}(place) as place from (${items}) as item`;
}

interface PackedOptions {
  readonly order: ItemOrder;
  /** Items that were asked for: fewer are the last ones. */
  readonly limit: number;
  readonly kind: ItemKind;
}

export function packedOf({ ids, n, place }: PackedRow, { order, limit, kind }: PackedOptions): PackedItems {
  const count = Number(n);
  const text = ids ?? '';
  const each = kind === 'images' ? IMAGE_ID_LENGTH : IMAGE_ID_LENGTH + REGION_ID_LENGTH;
  const last = text.slice(-each).toLowerCase();
  const end = {
    place: Number(place ?? 0),
    imageId: last.slice(0, IMAGE_ID_LENGTH),
    regionId: last.slice(IMAGE_ID_LENGTH),
  };
  const next = count < limit ? null : cursorOf(end, order);
  return { ids: new Uint8Array(Buffer.from(text, 'hex')), count, kind, next };
}
