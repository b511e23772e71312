/**
 * Outlines that came back without their boxes. Tools that draw have one thing a shape, and our exports tie the shapes of a region
 * together by a mark that such a tool may drop; a box and its outline are then two regions of the file. What is an outline of a
 * region of the workspace joins the box that lies on that region. Pure.
 */
import { iou } from '../../core/boxes.ts';
import type { ImportedRegion } from '../../core/dataset.ts';
import type { StoredRegion } from '../../store/store.ts';
import { isMoved, SAME_PLACE_IOU } from './pairing.ts';
import { sameNumbers } from './region-shapes.ts';

type Outlines = Pick<ImportedRegion, 'polygons' | 'mask' | 'keypoints'>;
type Format = Parameters<typeof isMoved>[2];

/** @param now regions of the workspace, of the same image */
export function withOutlines(
  given: readonly ImportedRegion[],
  now: readonly StoredRegion[],
  format: Format,
): readonly ImportedRegion[] {
  const loose = given.filter((region) => region.writtenAs === undefined && hasOutline(region));
  if (loose.length === 0 || !now.some(hasOutline)) return given;
  return new OutlineJoin(given, now, format).run(loose);
}

class OutlineJoin {
  readonly #given: readonly ImportedRegion[];
  readonly #now: readonly StoredRegion[];
  readonly #outlined: readonly StoredRegion[];
  readonly #format: Format;
  /** Outlines of each box, and the region of the workspace that they are of. */
  readonly #joined = new Map<ImportedRegion, { readonly of: StoredRegion; readonly outlines: ImportedRegion[] }>();

  constructor(given: readonly ImportedRegion[], now: readonly StoredRegion[], format: Format) {
    this.#given = given;
    this.#now = now;
    this.#outlined = now.filter(hasOutline);
    this.#format = format;
  }

  run(loose: readonly ImportedRegion[]): readonly ImportedRegion[] {
    const redrawn: ImportedRegion[] = [];
    for (const outline of loose) {
      const of = this.#outlined.filter((region) => isOutlineOf(outline, region));
      const isJoined =
        of.some((region) => this.#join(outline, region)) || of.some((one) => this.#join(outline, one, true));
      if (!isJoined) redrawn.push(outline);
    }
    // Somebody drew it anew: the box whose own outline is in the file no more.
    for (const outline of redrawn)
      this.#outlined.some(
        (region) =>
          iou(outline.box, region.box) >= SAME_PLACE_IOU &&
          ![...this.#joined.values()].some(({ of }) => of === region) &&
          this.#join(outline, region),
      );
    const gone = new Set([...this.#joined.values()].flatMap(({ outlines }) => outlines));
    return this.#given.flatMap((region) => {
      if (gone.has(region)) return [];
      const joined = this.#joined.get(region);
      return [joined === undefined ? region : { ...region, ...shapesIn(joined) }];
    });
  }

  /** Whether a box of the file, of the outline's class, lies on the region, or was moved a little and lies on no other. */
  #join(outline: ImportedRegion, region: StoredRegion, moved = false): boolean {
    const names = outline.labels.map(({ className }) => className);
    const box = this.#given.find(
      (one) =>
        !hasOutline(one) &&
        (this.#joined.get(one)?.of ?? region) === region &&
        one.labels.some(({ className }) => names.includes(className)) &&
        (moved ? this.#isMovedFrom(region, one) : !isMoved(one.box, region.box, this.#format)),
    );
    if (box === undefined) return false;
    const known = this.#joined.get(box);
    if (known === undefined) this.#joined.set(box, { of: region, outlines: [outline] });
    else known.outlines.push(outline);
    return true;
  }

  #isMovedFrom(region: StoredRegion, { box }: ImportedRegion): boolean {
    if (iou(box, region.box) < SAME_PLACE_IOU) return false;
    return this.#now.every((other) => isMoved(box, other.box, this.#format));
  }
}

function hasOutline({ polygons, mask, keypoints }: Outlines): boolean {
  return polygons !== null || mask !== null || keypoints !== null;
}

function isOutlineOf({ polygons, mask, keypoints }: Outlines, region: StoredRegion): boolean {
  if (polygons !== null)
    return polygons.every((one) => region.polygons?.some((other) => sameNumbers(one, other)) ?? false);
  if (mask !== null) return region.mask !== null && sameNumbers(mask.counts, region.mask.counts);
  return sameNumbers(keypoints?.flat() ?? [], region.keypoints?.flat() ?? []);
}

/** Polygons in the region's own order, since a tool may have another. */
function shapesIn({ of, outlines }: { readonly of: StoredRegion; readonly outlines: readonly Outlines[] }): Outlines {
  const own = of.polygons ?? [];
  const orderOf = (polygon: readonly number[]) => {
    const at = own.findIndex((other) => sameNumbers(polygon, other));
    return at < 0 ? own.length : at;
  };
  const polygons = outlines.flatMap((outline) => outline.polygons ?? []).sort((a, b) => orderOf(a) - orderOf(b));
  return {
    polygons: polygons.length === 0 ? null : polygons,
    mask: outlines.find(({ mask }) => mask !== null)?.mask ?? null,
    keypoints: outlines.find(({ keypoints }) => keypoints !== null)?.keypoints ?? null,
  };
}
