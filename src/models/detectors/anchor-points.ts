/** The grids of an anchor-free head: a point for each `stride` pixels of the input, level after level, row by row. */
export interface AnchorPoints {
  readonly count: number;
  /** Shape [count]: input pixels from one point to the next. */
  readonly stride: Float32Array;
  /** Shape [count, 2]: x and y of the top left corner of each point's square, in input pixels. */
  readonly corner: Float32Array;
  /** Shape [count, 2]: x and y of its middle, in input pixels. */
  readonly centre: Float32Array;
}

/** How many there are for an input: a level's last square may stand over the edge. */
export function anchorPointCount(width: number, height: number, strides: readonly number[]): number {
  return strides.reduce((sum, stride) => sum + Math.ceil(width / stride) * Math.ceil(height / stride), 0);
}

export function anchorPoints(width: number, height: number, strides: readonly number[]): AnchorPoints {
  const count = anchorPointCount(width, height, strides);
  const points = {
    count,
    stride: new Float32Array(count),
    corner: new Float32Array(2 * count),
    centre: new Float32Array(2 * count),
  };
  let i = 0;
  for (const stride of strides) {
    for (let y = 0; y < height; y += stride) {
      for (let x = 0; x < width; x += stride, i++) {
        points.stride[i] = stride;
        points.corner.set([x, y], 2 * i);
        points.centre.set([x + stride / 2, y + stride / 2], 2 * i);
      }
    }
  }
  return points;
}
