/**
 * Where lines of text are, from what a network of differentiable binarisation says of every pixel (Liao et al. 2020, section 3.4):
 * the map has their shrunk kernels, so each is found as what hangs together, and its rectangle is moved out again.
 */
import { componentsAbove } from './components.ts';
import { cornersOf, grown, meanWithin, minAreaRectangle, type Quadrilateral } from './rectangle.ts';

/** PaddleOCR's own numbers. */
const THRESHOLD = 0.3;
const LEAST_MEAN = 0.6;
/** Times area over perimeter is how far the sides move out. */
const UNCLIP = 1.5;
/** Sides in pixels of the map: of the kernel, and of what is grown from it. */
const LEAST_SIDE = 3;
const LEAST_GROWN_SIDE = 5;

export interface LineBox {
  readonly corners: Quadrilateral;
  /** Mean of the map within its kernel, 0 to 1. */
  readonly score: number;
}

/**
 * @param map shape [rows, columns], 0 to 1
 * @returns in pixels of the map
 */
export function linesInMap(map: Float32Array, size: { readonly rows: number; readonly columns: number }): LineBox[] {
  return componentsAbove(map, { ...size, threshold: THRESHOLD }).flatMap((points) => {
    const kernel = minAreaRectangle(points);
    const { width, height } = kernel;
    if (Math.min(width, height) < LEAST_SIDE) return [];
    const score = meanWithin(map, size, kernel);
    if (score < LEAST_MEAN) return [];
    const line = grown(kernel, (UNCLIP * width * height) / (2 * (width + height)));
    return Math.min(line.width, line.height) < LEAST_GROWN_SIDE ? [] : [{ corners: cornersOf(line), score }];
  });
}
