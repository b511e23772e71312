/** Columns of what holds, row by row. */
import { ORIGINS } from '../../../src/core/labels.ts';
import type { HeldColumns } from '../../../src/store/item-store.ts';

export function heldRows({ ids, classNames, classOf, confidences, originOf }: HeldColumns) {
  const hex = Buffer.from(ids).toString('hex');
  return Array.from(classOf, (place, i) => ({
    id: hex.slice(64 * i, 64 * i + 64),
    className: classNames[place],
    confidence: confidences[i],
    origin: ORIGINS[originOf[i]],
  }));
}
