/** The parts of a picture of masks: what has one value and one instance, or hangs together. Pure. */
import type { Box } from '../../core/boxes.ts';
import type { MaskRle } from '../../core/dataset.ts';
import { maskOfBitmap } from '../contours.ts';

export interface MaskPicture {
  readonly width: number;
  readonly height: number;
  /** Shape [height, width]: the grey of a pixel, or its colour as 0xRRGGBB. */
  readonly values: Uint32Array;
  /** Whether values are colours. */
  readonly coloured: boolean;
  /** Numbers of the palette by colour; null where there is none. */
  readonly palette: ReadonlyMap<number, number> | null;
}

export interface MaskPart {
  readonly value: number;
  readonly box: Box;
  /** Made when it is asked for. Cost: O(pixels of the box and of the image's runs). */
  readonly mask: () => MaskRle;
}

/**
 * Parts in the order of their first pixel, row by row. Without instances, parts hang together over the sides of pixels: by
 * a union of runs in two passes (Rosenfeld and Pfaltz, JACM 13(4), 1966). Resident: four bytes a pixel.
 * @param isObject whether pixels of a value are of any part
 */
export function partsOf(
  { width, height, values }: MaskPicture,
  instances: MaskPicture | null,
  isObject: (value: number) => boolean,
): MaskPart[] {
  const labels = new Int32Array(width * height).fill(-1);
  const objectOf = new Map<number, boolean>();
  const isPart = (value: number) => {
    const known = objectOf.get(value) ?? isObject(value);
    objectOf.set(value, known);
    return known;
  };
  const parents: number[] = [];
  const ofInstance = new Map<string, number>();
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (!isPart(values[i])) continue;
      if (instances !== null) {
        const key = `${values[i]} ${instances.values[i]}`;
        labels[i] = ofInstance.get(key) ?? parents.push(parents.length) - 1;
        ofInstance.set(key, labels[i]);
        continue;
      }
      const left = x > 0 && values[i - 1] === values[i] ? labels[i - 1] : -1;
      const above = y > 0 && values[i - width] === values[i] ? labels[i - width] : -1;
      if (left < 0 && above < 0) labels[i] = parents.push(parents.length) - 1;
      else if (left >= 0 && above >= 0) {
        const [a, b] = [rootOf(parents, left), rootOf(parents, above)];
        labels[i] = Math.min(a, b);
        parents[Math.max(a, b)] = labels[i];
      } else labels[i] = Math.max(left, above);
    }
  const boxes = new Map<number, { value: number; x1: number; y1: number; x2: number; y2: number }>();
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] < 0) continue;
    const root = rootOf(parents, labels[i]);
    labels[i] = root;
    const [x, y] = [i % width, Math.floor(i / width)];
    const box = boxes.get(root);
    if (box === undefined) boxes.set(root, { value: values[i], x1: x, y1: y, x2: x + 1, y2: y + 1 });
    else {
      box.x1 = Math.min(box.x1, x);
      box.x2 = Math.max(box.x2, x + 1);
      box.y2 = y + 1;
    }
  }
  return [...boxes].map(([root, { value, x1, y1, x2, y2 }]) => ({
    value,
    box: [x1, y1, x2, y2],
    mask() {
      const pixels = new Uint8Array((x2 - x1) * (y2 - y1));
      for (let y = y1; y < y2; y++)
        for (let x = x1; x < x2; x++) if (labels[y * width + x] === root) pixels[(y - y1) * (x2 - x1) + x - x1] = 1;
      return maskOfBitmap({ left: x1, top: y1, width: x2 - x1, height: y2 - y1, pixels }, width, height);
    },
  }));
}

function rootOf(parents: number[], label: number): number {
  let root = label;
  while (parents[root] !== root) root = parents[root];
  // What was gone through leads there at once from now on.
  for (let at = label; parents[at] !== root; ) {
    const next = parents[at];
    parents[at] = root;
    at = next;
  }
  return root;
}
