/** The grids of an anchor-free head: a cell for each `stride` pixels of the input, level after level, row by row. */
export interface Cells {
  readonly count: number;
  /** Shape [count]: input pixels a cell. */
  readonly stride: Float32Array;
  /** Shape [count, 2]: x and y of each cell's top left corner, in input pixels. */
  readonly corner: Float32Array;
  /** Shape [count, 2]: x and y of each cell's middle, in input pixels. */
  readonly centre: Float32Array;
}

/** How many cells an input has: a level's last cell may stand over the edge. */
export function cellCount(width: number, height: number, strides: readonly number[]): number {
  return strides.reduce((sum, stride) => sum + Math.ceil(width / stride) * Math.ceil(height / stride), 0);
}

export function cellCentres(width: number, height: number, strides: readonly number[]): Cells {
  const count = cellCount(width, height, strides);
  const cells = {
    count,
    stride: new Float32Array(count),
    corner: new Float32Array(2 * count),
    centre: new Float32Array(2 * count),
  };
  let i = 0;
  for (const stride of strides) {
    for (let y = 0; y < height; y += stride) {
      for (let x = 0; x < width; x += stride, i++) {
        cells.stride[i] = stride;
        cells.corner.set([x, y], 2 * i);
        cells.centre.set([x + stride / 2, y + stride / 2], 2 * i);
      }
    }
  }
  return cells;
}
