/**
 * Sparse symmetric matrices by rows, and their product with a block of vectors.
 *
 * In typed arrays and not in ONNX, which has no sparse product: dense, a graph of 20,000 nodes with 20 neighbours each
 * would cost a thousand times the work.
 */

/** Compressed rows: row i has its columns and values from `starts[i]` up to `starts[i + 1]`, columns ascending. */
export interface SparseMatrix {
  readonly size: number;
  /** Shape [size + 1]. */
  readonly starts: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

/** `into` = matrix · block. @param block shape [size, width], row after row. @param into the same shape, overwritten. */
export function multiply(matrix: SparseMatrix, block: Float64Array, width: number, into: Float64Array): void {
  const { size, starts, columns, values } = matrix;
  into.fill(0);
  for (let row = 0; row < size; row++) {
    const to = row * width;
    for (let e = starts[row], end = starts[row + 1]; e < end; e++) {
      const from = columns[e] * width;
      const value = values[e];
      for (let j = 0; j < width; j++) into[to + j] = into[to + j] + value * block[from + j];
    }
  }
}

/** Shape [size, size], row after row. */
export function dense({ size, starts, columns, values }: SparseMatrix): Float64Array {
  const all = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let e = starts[row]; e < starts[row + 1]; e++) {
      all[row * size + columns[e]] = values[e];
    }
  }
  return all;
}
