/** Boxes of a COCO file, and which found ones are which true ones. */
import { readFileSync } from 'node:fs';
import { type Box, iou } from '../src/core/boxes.ts';

export interface CocoImage {
  readonly id: number;
  readonly file_name: string;
  readonly width: number;
  readonly height: number;
}

export interface CocoBox {
  readonly box: Box;
  /** COCO's own number of the class. */
  readonly category: number;
  readonly score: number;
  readonly crowd: boolean;
  readonly segmentation: unknown;
  readonly keypoints: readonly number[] | undefined;
}

interface CocoFile {
  readonly images: readonly CocoImage[];
  readonly annotations: readonly {
    readonly image_id: number;
    readonly category_id: number;
    readonly bbox: readonly [number, number, number, number];
    readonly score?: number;
    readonly iscrowd: number;
    readonly segmentation?: unknown;
    readonly keypoints?: readonly number[];
  }[];
}

/** By file name, in the order of the file. */
export function readCoco(path: string): Map<string, { image: CocoImage; boxes: CocoBox[] }> {
  const { images, annotations } = JSON.parse(readFileSync(path, 'utf8')) as CocoFile;
  const boxes = Map.groupBy(annotations, ({ image_id }) => image_id);
  return new Map(
    images.map((image) => [
      image.file_name,
      {
        image,
        boxes: (boxes.get(image.id) ?? []).map(({ bbox: [x, y, w, h], ...rest }) => ({
          box: [x, y, x + w, y + h] as Box,
          category: rest.category_id,
          score: rest.score ?? 1,
          crowd: rest.iscrowd === 1,
          segmentation: rest.segmentation,
          keypoints: rest.keypoints,
        })),
      },
    ]),
  );
}

const MATCH_IOU = 0.5;

export interface Matches {
  /** A true box and the found one that is it: of its class, best score first, IoU .5 or more; one to one. */
  readonly pairs: readonly { readonly truth: CocoBox; readonly found: CocoBox }[];
  /** Found over a true box that has its match already. */
  readonly doubles: number;
  /** Found over a crowd: neither right nor wrong. */
  readonly ignored: number;
}

export function matchBoxes(truth: readonly CocoBox[], found: readonly CocoBox[]): Matches {
  const pairs: { truth: CocoBox; found: CocoBox }[] = [];
  const taken = new Set<CocoBox>();
  let doubles = 0;
  let ignored = 0;
  for (const one of [...found].sort((a, b) => b.score - a.score)) {
    const over = truth.filter(({ category, box }) => category === one.category && iou(box, one.box) >= MATCH_IOU);
    const free = over
      .filter((box) => !box.crowd && !taken.has(box))
      .sort((a, b) => iou(b.box, one.box) - iou(a.box, one.box))[0];
    if (free) {
      taken.add(free);
      pairs.push({ truth: free, found: one });
    } else if (over.some(({ crowd }) => crowd)) ignored++;
    else if (over.length > 0) doubles++;
  }
  return { pairs, doubles, ignored };
}
