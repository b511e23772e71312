/**
 * Temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017): logits are divided by the one
 * number that makes held-out labels most likely. Classes keep their order, so no accuracy changes.
 */
import { goldenSection } from './golden-section.ts';
import { type Matrix, newSharedMatrix } from './matrix.ts';

const MIN_TEMPERATURE = 0.05;
const MAX_TEMPERATURE = 20;

/**
 * The temperature of least mean cross-entropy, between 0.05 and 20. Golden-section search on its logarithm (the loss is
 * convex in 1/T, hence has one minimum); 40 passes over the logits.
 *
 * @param logits shape [n, classes], of items the head was not trained on.
 * @param labels shape [n], the true class of each.
 */
export function fitTemperature(logits: Matrix, labels: ArrayLike<number>): number {
  const loss = (log: number) => meanCrossEntropy(logits, labels, Math.exp(log));
  return Math.exp(
    goldenSection(loss, {
      low: Math.log(MIN_TEMPERATURE),
      high: Math.log(MAX_TEMPERATURE),
      steps: 38,
      onTie: 'low',
    }),
  );
}

/** Mean of −log softmax(logits / temperature)[label]; shape of `logits` [n, classes]. */
export function meanCrossEntropy({ data, rows, columns }: Matrix, labels: ArrayLike<number>, temperature = 1): number {
  let sum = 0;
  for (let r = 0; r < rows; r++) {
    let most = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < columns; c++) most = Math.max(most, data[r * columns + c]);
    let total = 0;
    for (let c = 0; c < columns; c++) total += Math.exp((data[r * columns + c] - most) / temperature);
    sum += Math.log(total) - (data[r * columns + labels[r]] - most) / temperature;
  }
  return rows === 0 ? 0 : sum / rows;
}

/** softmax(logits / temperature), row by row; shape [n, classes], in shared memory. */
export function softmaxRows({ data, rows, columns }: Matrix, temperature = 1): Matrix {
  const result = newSharedMatrix(rows, columns);
  for (let r = 0; r < rows; r++) {
    const start = r * columns;
    let most = Number.NEGATIVE_INFINITY;
    for (let c = start; c < start + columns; c++) most = Math.max(most, data[c]);
    let total = 0;
    for (let c = start; c < start + columns; c++) {
      const value = Math.exp((data[c] - most) / temperature);
      result.data[c] = value;
      total += value;
    }
    for (let c = start; c < start + columns; c++) result.data[c] = result.data[c] / total;
  }
  return result;
}

/** Column of the largest element of each row, the first on a tie; shape [n]. */
export function argMaxRows({ data, rows, columns }: Matrix): Int32Array {
  const best = new Int32Array(rows);
  for (let r = 0; r < rows; r++) best[r] = argMax(data.subarray(r * columns, (r + 1) * columns));
  return best;
}

/** The largest element of each row; shape [n]. */
export function largestOfRows({ data, rows, columns }: Matrix): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) =>
    Math.max(...data.subarray(row * columns, (row + 1) * columns)),
  );
}

/** 1 for each row whose largest element is in the column of its label, else 0; shape [n]. */
export function correctRows(logits: Matrix, labels: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(argMaxRows(logits), (column, row) => Number(column === labels[row]));
}

/** The place of the largest value, the first where several are; 0 where there is none. */
export function argMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
