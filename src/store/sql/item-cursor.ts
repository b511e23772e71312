/** Where a page of items ended, as a text that whoever asks hands back for the next one. */
import { z } from 'zod';
import { LabelsmithError } from '../../errors.ts';
import { ITEM_ORDERS, type ItemOrder } from '../item-store.ts';
import { imageKey, NO_BYTES, regionKey } from './column.ts';
import type { ItemRow } from './item-query.ts';

/** The order, the place in it, and the ids in hexadecimal; an image has no region. */
const CURSOR = z.tuple([z.enum(ITEM_ORDERS), z.number(), z.string(), z.string()]);

export interface ItemEnd {
  readonly place: number;
  readonly imageId: string;
  readonly regionId: string;
}

export function cursorOf({ place, imageId, regionId }: ItemEnd, order: ItemOrder): string {
  return Buffer.from(JSON.stringify([order, place, imageId, regionId])).toString('base64url');
}

/** Fails for a cursor of another order, and for what is no cursor. */
export function placeOf(cursor: string, order: ItemOrder): ItemRow {
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
