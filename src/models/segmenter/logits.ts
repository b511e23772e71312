/** From a network's logits on a small grid to a mask of the image, as Python's transformers does it. Pure. */
import type { Box } from '../../core/boxes.ts';
import type { MaskRle } from '../../core/dataset.ts';
import type { InputSpec } from '../bundle.ts';
import type { Frame } from '../detectors/in-image.ts';
import { maskInBox } from './crop.ts';

export interface MaskLogits {
  /** Shape [rows, columns], over the whole input. */
  readonly logits: Float32Array;
  readonly rows: number;
  readonly columns: number;
  /** How good the network thinks it is, 0 to 1 mostly. */
  readonly score: number;
}

/**
 * What is above 0 within the box. Where the image fills the input, logits are made as large as it in one step, linear between
 * the middles of pixels; where it fills a part, they are made as large as the input first and that part is taken.
 */
export function maskOfLogits(
  { logits, rows, columns }: MaskLogits,
  input: Pick<InputSpec, 'width' | 'height' | 'pillow'>,
  { width: imageWidth, height: imageHeight, scaleX, scaleY }: Frame,
  box: Box,
): MaskRle {
  const within = { box, imageWidth, imageHeight, left: 0, top: 0, isIn: (value: number) => value > 0 };
  if (input.pillow?.size.kind === 'exact') {
    const grid = { width: columns, height: rows, scaleX: columns / imageWidth, scaleY: rows / imageHeight };
    return maskInBox({ ...within, ...grid, values: logits });
  }
  const width = Math.round(imageWidth * scaleX);
  const height = Math.round(imageHeight * scaleY);
  const scaled = { columns, rows, stepX: columns / input.width, stepY: rows / input.height };
  const grid = { width, height, scaleX: width / imageWidth, scaleY: height / imageHeight };
  return maskInBox({ ...within, ...grid, values: enlargedTo(logits, scaled, width, height) });
}

interface Grid {
  readonly columns: number;
  readonly rows: number;
  /** Places of the grid per new one. */
  readonly stepX: number;
  readonly stepY: number;
}

/** @returns shape [height, width] */
function enlargedTo(
  values: Float32Array,
  { columns, rows, stepX, stepY }: Grid,
  width: number,
  height: number,
): Float32Array {
  const out = new Float32Array(width * height);
  const between = (place: number, step: number, size: number) => {
    const at = Math.min(Math.max((place + 0.5) * step - 0.5, 0), size - 1);
    const before = Math.floor(at);
    return { before, behind: Math.min(size - 1, before + 1), share: at - before };
  };
  const across = Array.from({ length: width }, (_, x) => between(x, stepX, columns));
  for (let y = 0; y < height; y++) {
    const down = between(y, stepY, rows);
    const [above, below] = [down.before * columns, down.behind * columns];
    for (const [x, { before, behind, share }] of across.entries()) {
      const top = values[above + before] * (1 - share) + values[above + behind] * share;
      const bottom = values[below + before] * (1 - share) + values[below + behind] * share;
      out[y * width + x] = top * (1 - down.share) + bottom * down.share;
    }
  }
  return out;
}
