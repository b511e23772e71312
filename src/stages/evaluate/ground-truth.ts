/**
 * The truth that predictions are compared with: what a class-folder tree, a CSV or a COCO file says of the images that
 * are known here. Each image once, whatever the number of names it goes by.
 *
 * Resident until the comparison ends: about 300 bytes an image and 64 a box.
 */
import { chunksOfStream } from '../../core/chunks.ts';
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import type { ImageId } from '../../core/ids.ts';
import type { ImageRecord } from '../../core/image.ts';
import { polygonsArea } from '../../formats/polygons-area.ts';
import { Reckoning } from '../../formats/reckoning.ts';
import { maskArea } from '../../formats/rle.ts';
import { regionsInImage } from '../import/frame.ts';

/** The image a name in TRUTH stands for. */
export type ResolvedImage = Pick<ImageRecord, 'id' | 'width' | 'height' | 'orientation'>;

export interface TruthOptions {
  /** Finds the images of a page of names: as many answers as names, null where no image matches. */
  readonly resolve: (images: readonly ImportedImage[]) => Promise<readonly (ResolvedImage | null)[]>;
  /** Labels that name another task than this one are left out. */
  readonly task: string;
  /** The name of a class in the corpus, for a synonym of it; anything else stays as it is. Default: all stay. */
  readonly canonical?: (className: string) => string;
  /** Told of boxes whose frame is not the image's. Default: nobody is. */
  readonly reckoning?: Reckoning;
}

export interface TruthImage {
  /** Place among the images, from 0, in the order TRUTH names them. */
  readonly order: number;
  readonly file: string;
  /** Indices into `classNames`, each once; empty where TRUTH says no class of the whole image. */
  readonly classes: number[];
  /** Flat, `BOX_FIELDS` numbers a box: x1, y1, x2, y2 in pixels, area in square pixels, class index, crowd 0 or 1. */
  readonly boxes: number[];
}

export const BOX_FIELDS = 7;

export interface Truth {
  readonly images: ReadonlyMap<ImageId, TruthImage>;
  readonly classNames: readonly string[];
  /** Names that match no image. */
  readonly unmatched: number;
  /** Where the first of them stood, for messages. */
  readonly unmatchedWhere: readonly string[];
  /** Further names of images that TRUTH had named already. */
  readonly repeated: number;
  readonly labelledImages: number;
  readonly boxes: number;
}

const PAGE = 256;
const UNMATCHED_SHOWN = 20;

/**
 * Reads all of TRUTH. A file that comes again adds to what was said of it; another file with the same bytes adds its
 * classes, but not its boxes, which are the same ones again.
 */
export async function readTruth(source: AsyncIterable<ImportedImage>, options: TruthOptions): Promise<Truth> {
  const canonical = options.canonical ?? ((name: string) => name);
  const reckoning = options.reckoning ?? new Reckoning();
  const images = new Map<ImageId, TruthImage>();
  const indexOf = new Map<string, number>();
  const unmatchedFiles = new Set<string>();
  const unmatchedWhere: string[] = [];
  const repeatedFiles = new Set<string>();

  const classIndex = (name: string) => {
    const known = canonical(name);
    let index = indexOf.get(known);
    if (index === undefined) {
      index = indexOf.size;
      indexOf.set(known, index);
    }
    return index;
  };
  const classesOf = (labels: ImportedImage['labels']) =>
    labels
      .filter((label) => label.task === null || label.task === options.task)
      .map((label) => classIndex(label.className));

  const take = (image: ImportedImage, resolved: ResolvedImage | null) => {
    if (!resolved) {
      if (!unmatchedFiles.has(image.file) && unmatchedWhere.length < UNMATCHED_SHOWN) {
        unmatchedWhere.push(`${image.file} (${image.where})`);
      }
      unmatchedFiles.add(image.file);
      return;
    }
    let entry = images.get(resolved.id);
    if (!entry) {
      entry = { order: images.size, file: image.file, classes: [], boxes: [] };
      images.set(resolved.id, entry);
    }
    for (const index of classesOf(image.labels)) if (!entry.classes.includes(index)) entry.classes.push(index);
    if (entry.file !== image.file) {
      repeatedFiles.add(image.file);
      return;
    }
    for (const region of regionsInImage(image, resolved, reckoning)) {
      for (const index of classesOf(region.labels)) entry.boxes.push(...boxFields(region, index));
    }
  };

  for await (const page of chunksOfStream(source, PAGE)) {
    const resolved = await options.resolve(page);
    for (const [i, image] of page.entries()) take(image, resolved[i]);
  }
  let labelledImages = 0;
  let boxes = 0;
  for (const image of images.values()) {
    if (image.classes.length > 0) labelledImages++;
    boxes += image.boxes.length / BOX_FIELDS;
  }
  return {
    images,
    classNames: [...indexOf.keys()],
    unmatched: unmatchedFiles.size,
    unmatchedWhere,
    repeated: repeatedFiles.size,
    labelledImages,
    boxes,
  };
}

function boxFields(region: ImportedRegion, classIndex: number): number[] {
  const { box } = region;
  const area = objectArea(region) ?? (box[2] - box[0]) * (box[3] - box[1]);
  return [...box, area, classIndex, region.crowd ? 1 : 0];
}

/** Square pixels: what the file says, else those under the mask or the polygons; null where there is none of it. */
function objectArea(region: ImportedRegion): number | null {
  if (region.area !== undefined) return region.area;
  if (region.mask) return maskArea(region.mask);
  if (!region.polygons) return null;
  return polygonsArea(region.polygons);
}
