/**
 * Tools that draw have one thing a shape: a box, a polygon, a mask, points. A region with several of them is written as
 * several shapes that carry the region's id, and read back as one.
 */
import type { Box } from '../core/boxes.ts';
import type { ImportedLabel, ImportedRegion, Keypoints, MaskRle } from '../core/dataset.ts';
import type { RegionId } from '../core/ids.ts';
import { pushTo } from '../core/lists.ts';
import type { RegionDetails } from '../core/region-details.ts';
import { badFile } from './check.ts';
import { extentOf, maskBox, type Polygon } from './contours.ts';
import { polygonsFrom } from './mend.ts';
import type { Reckoning } from './reckoning.ts';

/** One shape as read. `group` is what ties shapes of one region together; null: it is a region of its own. */
export interface Shape {
  readonly group: string | null;
  readonly labels: readonly ImportedLabel[];
  readonly score: number | null;
  readonly crowd: boolean;
  readonly where: string;
  readonly unit: 'pixels' | 'fractions';
  readonly details?: RegionDetails;
  /** See `ImportedRegion.writtenAs`. */
  readonly writtenAs?: RegionId;
  readonly form:
    | { readonly kind: 'box'; readonly box: Box }
    | { readonly kind: 'polygon'; readonly polygon: Polygon }
    | { readonly kind: 'mask'; readonly mask: MaskRle }
    | { readonly kind: 'keypoints'; readonly keypoints: Keypoints };
}

/** Regions in the order of their first shape. A region without a box has the one around its other shapes. */
export function regionsOfShapes(shapes: readonly Shape[], reckoning: Reckoning): ImportedRegion[] {
  const groups = new Map<string | Shape, Shape[]>();
  for (const shape of shapes) {
    const key = shape.group ?? shape;
    pushTo(groups, key, shape);
  }
  return [...groups.values()].flatMap((group) => {
    const region = reckoning.attempt('object-unreadable', () => regionOf(group, reckoning));
    return region === null ? [] : [region];
  });
}

function regionOf(shapes: readonly Shape[], reckoning: Reckoning): ImportedRegion {
  const [first] = shapes as [Shape];
  let box: Box | null = null;
  let mask: MaskRle | null = null;
  let keypoints: Keypoints | null = null;
  const polygons: Polygon[] = [];
  for (const { form } of shapes) {
    if (form.kind === 'box') box = form.box;
    else if (form.kind === 'polygon') polygons.push(form.polygon);
    else if (form.kind === 'mask') mask = form.mask;
    else if (form.kind === 'keypoints') keypoints = form.keypoints;
    else form satisfies never;
  }
  if (box === null) {
    const points = (keypoints ?? []).filter((point) => point[2] > 0).map(([x, y]) => [x, y]);
    const outlines = [...polygons, ...points];
    box = outlines.length > 0 ? extentOf(outlines) : mask === null ? null : maskBox(mask);
  }
  if (box === null) throw badFile(first.where, 'the shape is empty');
  // What is said of a region stands with its first shape that says anything.
  const details = shapes.find((shape) => shape.details !== undefined)?.details;
  const written = shapes.find((shape) => shape.writtenAs !== undefined)?.writtenAs;
  return {
    box,
    where: first.where,
    unit: first.unit,
    score: first.score,
    labels: first.labels,
    mask,
    polygons: polygonsFrom(polygons, first.where, reckoning),
    keypoints,
    crowd: first.crowd,
    ...(details === undefined ? {} : { details }),
    ...(written === undefined ? {} : { writtenAs: written }),
  };
}
