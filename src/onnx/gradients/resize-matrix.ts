/** ONNX's `Resize` along one axis as a matrix: which input places make an output place, and with what weight. */
import { NoAdjoint } from './adjoint.ts';

export interface ResizeRule {
  readonly mode: string;
  readonly coordinates: string;
  readonly nearest: string;
  /** Of the cubic kernel. */
  readonly cubic: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
  /** Outputs a place of the input, where it is not the ratio of the sizes. */
  readonly scale?: number;
}

/** Shape [to, from], rows sum to 1. */
export function resizeMatrix(from: number, to: number, rule: ResizeRule): Float64Array {
  if (rule.antialias) throw new NoAdjoint('it resizes with a filter against aliasing');
  const scale = rule.scale ?? to / from;
  const matrix = new Float64Array(to * from);
  for (let row = 0; row < to; row++) {
    const taps = tapsAt(placeOf(row, { from, to, scale }, rule.coordinates), rule);
    const inside = taps.filter(([at]) => !rule.excludeOutside || (at >= 0 && at < from));
    const sum = inside.reduce((total, [, weight]) => total + weight, 0);
    for (const [at, weight] of inside) {
      const cell = row * from + Math.max(0, Math.min(from - 1, at));
      matrix[cell] = (matrix[cell] ?? 0) + weight / sum;
    }
  }
  return matrix;
}

interface Sizes {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

/** Where an output place lies in the input. */
function placeOf(row: number, { from, to, scale }: Sizes, coordinates: string): number {
  switch (coordinates) {
    case 'half_pixel':
      return (row + 0.5) / scale - 0.5;
    case 'pytorch_half_pixel':
      return to > 1 ? (row + 0.5) / scale - 0.5 : 0;
    case 'align_corners':
      return to > 1 ? (row * (from - 1)) / (to - 1) : 0;
    case 'asymmetric':
      return row / scale;
    default:
      throw new NoAdjoint(`it resizes with coordinates ${coordinates}`);
  }
}

type Tap = readonly [at: number, weight: number];

function tapsAt(place: number, { mode, nearest, cubic }: ResizeRule): Tap[] {
  const low = Math.floor(place);
  const part = place - low;
  switch (mode) {
    case 'nearest':
      return [[nearestTo(place, nearest), 1]];
    case 'linear':
      return part === 0
        ? [[low, 1]]
        : [
            [low, 1 - part],
            [low + 1, part],
          ];
    case 'cubic':
      return [-1, 0, 1, 2].map((offset): Tap => [low + offset, cubicWeight(Math.abs(part - offset), cubic)]);
    default:
      throw new NoAdjoint(`it resizes by ${mode}`);
  }
}

function nearestTo(place: number, rule: string): number {
  switch (rule) {
    case 'round_prefer_floor':
      return Math.ceil(place - 0.5);
    case 'round_prefer_ceil':
      return Math.floor(place + 0.5);
    case 'floor':
      return Math.floor(place);
    case 'ceil':
      return Math.ceil(place);
    default:
      throw new NoAdjoint(`it takes the nearest place by ${rule}`);
  }
}

/** Keys, "Cubic convolution interpolation for digital image processing", 1981. */
function cubicWeight(distance: number, a: number): number {
  const [d, d2, d3] = [distance, distance ** 2, distance ** 3];
  if (d <= 1) return (a + 2) * d3 - (a + 3) * d2 + 1;
  return d < 2 ? a * d3 - 5 * a * d2 + 8 * a * d - 4 * a : 0;
}
