/** COCO's run lengths: column-major, the first run counts zeros. */
import type { MaskRle } from '../core/dataset.ts';
import { arrayAt, badFile, numberAt } from './check.ts';

/** Pixels that are set. */
export function maskArea(mask: MaskRle): number {
  let area = 0;
  for (let i = 1; i < mask.counts.length; i += 2) area += mask.counts[i];
  return area;
}

/**
 * COCO's compressed counts as numbers: six-bit characters from code 48, five bits of value, low ones first, bit 6 says
 * that more follow, the sign is the top bit of the last one; from the fourth on a count is the difference to the one two
 * before (`rleFrString` of pycocotools' maskApi).
 * @returns null when the text is none
 */
export function decodeCounts(text: string): number[] | null {
  const counts: number[] = [];
  for (let at = 0; at < text.length; ) {
    let value = 0;
    let shift = 0;
    for (let more = true; more; shift += 5) {
      const code = text.charCodeAt(at++) - 48;
      if (!(code >= 0 && code < 64) || shift > 30) return null;
      value += (code & 31) * 2 ** shift;
      more = (code & 32) !== 0;
      if (!more && (code & 16) !== 0) value -= 2 ** (shift + 5);
    }
    counts.push(counts.length > 2 ? value + counts[counts.length - 2] : value);
  }
  return counts;
}

/** Counts as numbers or compressed, as JSON has them. */
export function countsAt(value: unknown, where: string): readonly number[] {
  if (typeof value !== 'string') return arrayAt(value, where).map((count, i) => numberAt(count, `${where}[${i}]`));
  const counts = decodeCounts(value);
  if (counts === null) throw badFile(where, 'the compressed run lengths are damaged');
  return counts;
}

/** Area of a polygon `[x, y, x, y, …]` by the shoelace formula. */
export function polygonArea(polygon: readonly number[]): number {
  let twice = 0;
  for (let i = 0; i < polygon.length; i += 2) {
    const j = (i + 2) % polygon.length;
    twice += polygon[i] * polygon[j + 1] - polygon[j] * polygon[i + 1];
  }
  return Math.abs(twice) / 2;
}
