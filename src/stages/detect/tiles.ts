/**
 * `detect --tiles`: one image as many overlapping ones, merged without double boxes. Slicing as in Akyon, Altinuc and
 * Temizel, "Slicing Aided Hyper Inference and Fine-tuning for Small Object Detection" (ICIP 2022), over a pyramid
 * (`images/tiles.ts`) in place of one size of slices.
 *
 * Owns which boxes of a tile count and which boxes of different tiles are one thing. Pure.
 */
import { type Box, boxArea, boxAt, clipBox, compareBoxes, type Detections, iou } from '../../core/boxes.ts';

/** A quarter of the input's side: what is larger is whole in a tile of the next coarser level, at half the size. */
export const TILE_OVERLAP = 0.25;
/**
 * A box that comes this near to a tile's border inside the image, as a share of the tile's side, is of a thing that goes
 * on behind it: another tile or a coarser level shows it whole.
 */
const CUT_MARGIN = 0.01;
/** Boxes of one class that overlap this much are one thing. */
const SAME_IOU = 0.5;
/** And so is a box of which this share lies in a better one of another tile: a part of what that tile shows whole. */
const PART_SHARE = 0.8;
/** COCO's hundred are few for an aerial photograph; so many take 22 kB of the record. */
export const MAX_TILED = 1000;

/** Names what makes detections: the model, and all that decides what it sees and what becomes of it. */
export function tiledKey(modelKey: string): string {
  return `${modelKey}+tiles:overlap=${TILE_OVERLAP},cut=${CUT_MARGIN},iou=${SAME_IOU},part=${PART_SHARE},most=${MAX_TILED}`;
}

/** A tile in pixels of the image, and what was found in it. */
export interface TileView {
  readonly tile: Box;
  /** Boxes in pixels of the image. */
  readonly detections: Detections;
}

/** Detections in pixels of a tile, as they are in the image. */
export function placed(
  { count, boxes, scores, classes }: Detections,
  left: number,
  top: number,
  { width, height }: { readonly width: number; readonly height: number },
): TileView {
  const moved = boxes.map((value, i) => value + (i % 2 === 0 ? left : top));
  return { tile: [left, top, left + width, top + height], detections: { count, boxes: moved, scores, classes } };
}

interface Found {
  readonly box: Box;
  readonly score: number;
  readonly label: number;
  readonly view: number;
}

/** All that is in an image, most confident first, at most {@link MAX_TILED}. Cost: O(found × kept) a class. */
export function mergeTiles(
  views: readonly TileView[],
  image: { readonly width: number; readonly height: number },
): Detections {
  // An image that the model saw whole and no other way is as it is without tiles.
  const [whole, ...tiles] = views;
  if (whole !== undefined && tiles.length === 0) return whole.detections;
  const found = views.flatMap(({ tile, detections }, view): Found[] =>
    Array.from({ length: detections.count }, (_, i) => ({
      box: boxAt(detections, i),
      score: detections.scores[i],
      label: detections.classes[i],
      view,
    })).filter(({ box }) => !isCut(box, tile, image)),
  );
  found.sort((a, b) => b.score - a.score || a.label - b.label || compareBoxes(a.box, b.box) || a.view - b.view);
  const kept: Found[] = [];
  const ofClass = new Map<number, Found[]>();
  for (const one of found) {
    const better = ofClass.get(one.label) ?? [];
    // Within one tile a box in a box may be another thing (a person in a crowd); two in one place are one.
    const known = (other: Found) =>
      other.view === one.view ? iou(one.box, other.box) >= SAME_IOU : isSame(one.box, other.box);
    if (better.some(known)) continue;
    better.push(one);
    ofClass.set(one.label, better);
    kept.push(one);
    if (kept.length === MAX_TILED) break;
  }
  return {
    count: kept.length,
    boxes: Float32Array.from(kept.flatMap(({ box }) => clipBox(box, image.width, image.height))),
    scores: Float32Array.from(kept, ({ score }) => score),
    classes: Int32Array.from(kept, ({ label }) => label),
  };
}

/** Half a pixel is what rounding a level's size moves the image's far edges by. */
function isCut(box: Box, tile: Box, { width, height }: { readonly width: number; readonly height: number }): boolean {
  const marginX = CUT_MARGIN * (tile[2] - tile[0]);
  const marginY = CUT_MARGIN * (tile[3] - tile[1]);
  return (
    (tile[0] > 0 && box[0] < tile[0] + marginX) ||
    (tile[1] > 0 && box[1] < tile[1] + marginY) ||
    (tile[2] < width - 0.5 && box[2] > tile[2] - marginX) ||
    (tile[3] < height - 0.5 && box[3] > tile[3] - marginY)
  );
}

function isSame(box: Box, better: Box): boolean {
  if (iou(box, better) >= SAME_IOU) return true;
  const width = Math.min(box[2], better[2]) - Math.max(box[0], better[0]);
  const height = Math.min(box[3], better[3]) - Math.max(box[1], better[1]);
  return width > 0 && height > 0 && width * height >= PART_SHARE * boxArea(box);
}
