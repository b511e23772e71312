/** From a crop around a box to a mask of the whole image. */
import type { Box } from '../../core/boxes.ts';
import type { MaskRle } from '../../core/dataset.ts';
import { RunLengths } from '../../core/masks.ts';
import { type CropPixels, type SegmentSettings, segmentBox } from './grab-cut.ts';

/** What is cut out of an image for one box, and where it was. */
export interface BoxCrop extends CropPixels {
  /** Of the crop's top-left corner, in pixels of the image. */
  readonly left: number;
  readonly top: number;
  /** Crop pixels per image pixel. */
  readonly scaleX: number;
  readonly scaleY: number;
  /** In pixels of the image. */
  readonly box: Box;
  /** Of the image, in pixels. */
  readonly imageWidth: number;
  readonly imageHeight: number;
}

/**
 * The mask of what is in the box, within the image and the box, never empty: where nothing can be told apart, it is the
 * box. Cost: O(crop pixels) for the segmenting, O(box pixels of the image) for the mask; resident: a column.
 */
export function maskOfCrop(crop: BoxCrop, settings: SegmentSettings): MaskRle {
  const { box, left, top, scaleX, scaleY } = crop;
  const inCrop: Box = [
    (box[0] - left) * scaleX,
    (box[1] - top) * scaleY,
    (box[2] - left) * scaleX,
    (box[3] - top) * scaleY,
  ];
  const mask = segmentBox(crop, inCrop, settings);
  return maskInBox({ ...crop, values: mask, isIn: (value) => value >= 0.5 });
}

/** Numbers on a grid that covers a part of an image, of which a mask is made. */
export interface BoxValues extends Omit<BoxCrop, keyof CropPixels>, Pick<CropPixels, 'width' | 'height'> {
  /** Shape [height, width]. */
  readonly values: Uint8Array | Float32Array;
  readonly isIn: (value: number) => boolean;
}

/** What is in, of the values at the image's pixels within the box; the whole box where nothing is. */
export function maskInBox(grid: BoxValues): MaskRle {
  const { box, left, top, scaleX, scaleY, imageWidth, imageHeight } = grid;
  const columns = pixelsBetween(box[0], box[2], imageWidth);
  const rows = pixelsBetween(box[1], box[3], imageHeight);
  const x = placesOf(columns, left, scaleX, grid.width);
  const y = placesOf(rows, top, scaleY, grid.height);
  const runs = enlarged({ ...grid, x, y }, { columns, rows, imageHeight });
  const counts = runs ?? filled(columns, rows, imageHeight);
  counts.add(0, (imageWidth - columns.end) * imageHeight);
  return { size: [imageHeight, imageWidth], counts: counts.counts() };
}

interface Range {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** Pixels whose middle is between two places; the one pixel there where there is none. */
function pixelsBetween(from: number, to: number, most: number): Range {
  const start = Math.max(0, Math.ceil(from - 0.5));
  const end = Math.min(most, Math.ceil(to - 0.5));
  if (end > start) return { start, end };
  const only = Math.min(most - 1, Math.max(0, Math.floor((from + to) / 2)));
  return { start: only, end: only + 1 };
}

/** Of each image pixel of a range: the crop pixel before its middle, the one behind it, and how near that one is. */
interface Places {
  readonly before: Int32Array;
  readonly behind: Int32Array;
  readonly share: Float32Array;
}

function placesOf({ start, end }: Range, offset: number, scale: number, size: number): Places {
  const n = end - start;
  const places = { before: new Int32Array(n), behind: new Int32Array(n), share: new Float32Array(n) };
  for (let i = 0; i < n; i++) {
    const at = Math.min(Math.max((start + i + 0.5 - offset) * scale - 0.5, 0), size - 1);
    places.before[i] = Math.floor(at);
    places.behind[i] = Math.min(size - 1, Math.floor(at) + 1);
    places.share[i] = at - Math.floor(at);
  }
  return places;
}

interface PlacedValues extends Pick<BoxValues, 'width' | 'height' | 'values' | 'isIn'> {
  readonly x: Places;
  readonly y: Places;
}

/** The part of the image that the box is in. */
interface Target {
  readonly columns: Range;
  readonly rows: Range;
  readonly imageHeight: number;
}

/** The values at the image's pixels, linear between the middles of its own; undefined where nothing is left. */
function enlarged(
  { values, isIn, width, height, x, y }: PlacedValues,
  { columns, rows, imageHeight }: Target,
): RunLengths | undefined {
  const runs = new RunLengths();
  const column = new Float32Array(height);
  let any = false;
  runs.add(0, columns.start * imageHeight);
  for (let i = 0; i < columns.end - columns.start; i++) {
    const [before, behind, share] = [x.before[i], x.behind[i], x.share[i]];
    for (let j = 0; j < height; j++) {
      const row = j * width;
      column[j] = values[row + before] * (1 - share) + values[row + behind] * share;
    }
    runs.add(0, rows.start);
    for (let j = 0; j < rows.end - rows.start; j++) {
      const near = y.share[j];
      const value = column[y.before[j]] * (1 - near) + column[y.behind[j]] * near;
      const set = isIn(value);
      if (set) any = true;
      runs.add(set ? 1 : 0, 1);
    }
    runs.add(0, imageHeight - rows.end);
  }
  return any ? runs : undefined;
}

function filled(columns: Range, rows: Range, imageHeight: number): RunLengths {
  const runs = new RunLengths();
  runs.add(0, columns.start * imageHeight);
  for (let x = columns.start; x < columns.end; x++) {
    runs.add(0, rows.start);
    runs.add(1, rows.end - rows.start);
    runs.add(0, imageHeight - rows.end);
  }
  return runs;
}
