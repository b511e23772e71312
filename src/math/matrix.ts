/**
 * A matrix of vectors, one a row: what clustering, search and projections take.
 *
 * Inference threads read a matrix in shared memory as it is; any other is copied there first, so whoever calls several
 * of them on the same vectors shares the matrix once.
 */
import { LabelsmithError } from '../errors.ts';
import type { Tensor } from '../onnx/tensor.ts';

export interface Matrix {
  /** Shape [rows, columns], row after row. */
  readonly data: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

export function matrix(data: Float32Array, rows: number, columns: number): Matrix {
  if (data.length === rows * columns) return { data, rows, columns };
  throw new LabelsmithError('UNSUPPORTED', `a matrix of ${rows} × ${columns} has ${data.length} elements`);
}

/** So many zeros in shared memory; pages that are never written take no memory. */
export function sharedFloats(length: number): Float32Array<SharedArrayBuffer> {
  return new Float32Array(new SharedArrayBuffer(4 * length));
}

/** An empty matrix in shared memory. */
export function newSharedMatrix(rows: number, columns: number): Matrix {
  return { data: sharedFloats(rows * columns), rows, columns };
}

/** The matrix itself when it is in shared memory, else a copy that is. */
export function shareMatrix(from: Matrix): Matrix {
  if (from.data.buffer instanceof SharedArrayBuffer) return from;
  const copy = newSharedMatrix(from.rows, from.columns);
  copy.data.set(from.data);
  return copy;
}

/** Rows `start` up to but not including `end`, a view. */
export function rowsOf({ data, columns }: Matrix, start: number, end: number): Matrix {
  return { data: data.subarray(start * columns, end * columns), rows: end - start, columns };
}

/** The rows of these indices, a copy in shared memory. */
export function gatherRows({ data, columns }: Matrix, indices: ArrayLike<number>): Matrix {
  const result = newSharedMatrix(indices.length, columns);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] * columns;
    result.data.set(data.subarray(from, from + columns), i * columns);
  }
  return result;
}

/** The sum of the rows of each part, in double precision: shape [parts, columns]. @param partOf of each row; below 0 it is in none */
export function sumsByPart({ data, rows, columns }: Matrix, partOf: ArrayLike<number>, parts: number): Float64Array {
  const sums = new Float64Array(parts * columns);
  for (let row = 0; row < rows; row++) {
    const part = partOf[row];
    if (part < 0) continue;
    for (let j = 0, to = part * columns, from = row * columns; j < columns; j++) {
      sums[to + j] = sums[to + j] + data[from + j];
    }
  }
  return sums;
}

export function matrixTensor({ data, rows, columns }: Matrix): Tensor {
  return { dtype: 'float32', data, dims: [rows, columns] };
}

/** A copy with every row scaled to length 1; rows of zeros stay as they are. */
export function normalisedRows(from: Matrix): Matrix {
  const { data, rows, columns } = from;
  const result = newSharedMatrix(rows, columns);
  for (let r = 0; r < rows; r++) {
    let square = 0;
    for (let i = r * columns, end = i + columns; i < end; i++) square += data[i] * data[i];
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let i = r * columns, end = i + columns; i < end; i++) result.data[i] = data[i] * scale;
  }
  return result;
}

/** The rows of one matrix, then those of another: shape [a + b, columns], in shared memory. */
export function stacked(a: Matrix, b: Matrix): Matrix {
  const result = newSharedMatrix(a.rows + b.rows, b.columns);
  result.data.set(a.data);
  result.data.set(b.data, a.data.length);
  return result;
}
