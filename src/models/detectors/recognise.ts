/** Tells by the output of a trial run which decoder an unknown detector needs. */
import { float32Data, type Tensor } from '../../onnx/tensor.ts';
import { anchorPointCount, anchorPoints } from './anchor-points.ts';
import type { Decoder } from './decoder.ts';

export type Recognised =
  | { readonly decoder: Extract<Decoder, { kind: 'yolox' }>; readonly classCount: number }
  | { readonly reason: string; readonly hint: string };

/** What can be recognised, for people. */
export const KNOWN =
  'Detectors that can be imported: YOLOX, one output [1, cells, 5 + classes] with a box a cell at strides 8, 16, 32 (and 64); ' +
  'RF-DETR, outputs dets and labels.';

const YOLOX_STRIDES = [
  [8, 16, 32],
  [8, 16, 32, 64],
];

interface Size {
  readonly width: number;
  readonly height: number;
}

/** `value`: the network's one output in a run on any image of that size, float32. */
export function recognise(output: string, value: Tensor, size: Size): Recognised {
  const { dims } = value;
  const strides = YOLOX_STRIDES.find((one) => anchorPointCount(size.width, size.height, one) === dims[1]);
  const classCount = (dims[2] ?? 0) - 5;
  if (dims.length !== 3 || !strides || classCount < 1) return { reason: whyNot(output, dims, size), hint: KNOWN };
  const row = 5 + classCount;
  const numbers = float32Data(value, `output ${output}`);
  for (const [i, score] of numbers.entries()) {
    if (i % row >= 4 && !(score >= 0 && score <= 1)) {
      return {
        reason: `its scores are not from 0 to 1 (${score} in a trial run)`,
        hint: 'Export it with the sigmoid on objectness and classes.',
      };
    }
  }
  const boxes = unitOfBoxes(numbers, row, size, strides);
  return { decoder: { kind: 'yolox', output, strides, boxes }, classCount };
}

/**
 * Whether x and y count from the input's corner in pixels, or from the cell's corner in cells: in the one case they
 * differ from the cell's place by a few strides, in the other from 0 by a few.
 */
function unitOfBoxes(
  numbers: Float32Array,
  row: number,
  { width, height }: Size,
  strides: readonly number[],
): 'pixels' | 'cells' {
  const { count, corner, stride } = anchorPoints(width, height, strides);
  let fromCorner = 0;
  let fromZero = 0;
  for (let i = 0; i < 2 * count; i++) {
    const cell = i >> 1;
    const place = numbers[cell * row + (i & 1)];
    fromZero += Math.abs(place);
    fromCorner += Math.abs(place - corner[i]) / stride[cell];
  }
  return fromCorner < fromZero ? 'pixels' : 'cells';
}

function whyNot(output: string, dims: readonly number[], { width, height }: Size): string {
  const cells = anchorPointCount(width, height, [8, 16, 32]);
  const what = `its output ${output} [${dims}] fits no decoder (at ${width} × ${height} there would be ${cells} cells)`;
  if (dims[1] === 3 * cells) return `${what}; three boxes a cell look like YOLOv3 to YOLOv7, which is not decoded here`;
  if (dims[2] === cells)
    return `${what}; boxes along the last axis look like YOLOv8 or later, which is not decoded here`;
  return what;
}
