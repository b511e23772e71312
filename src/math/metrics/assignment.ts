/**
 * The assignment problem: which column each row takes so that the sum of costs is least.
 *
 * Shortest augmenting paths with potentials (Jonker and Volgenant, "A shortest augmenting path algorithm for dense and
 * sparse linear assignment problems", Computing 38, 1987, without its initialisation). Cost O(r² · c), r the smaller
 * side; memory O(r + c) beside the input.
 */

/**
 * @param costs shape [rows, columns], row after row, finite.
 * @returns shape [rows]: the column of each row, −1 for rows left over when there are more rows than columns.
 */
export function assign(costs: ArrayLike<number>, rows: number, columns: number): Int32Array {
  if (rows <= columns) return assignRows((r, c) => costs[r * columns + c], rows, columns);
  const rowOfColumn = assignRows((r, c) => costs[c * columns + r], columns, rows);
  const result = new Int32Array(rows).fill(-1);
  for (let c = 0; c < columns; c++) result[rowOfColumn[c]] = c;
  return result;
}

/** For rows ≤ columns. Index 0 of columns stands for "none yet"; rows and columns count from 1 inside. */
function assignRows(cost: (row: number, column: number) => number, rows: number, columns: number): Int32Array {
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(columns + 1);
  const rowOf = new Int32Array(columns + 1);
  const previous = new Int32Array(columns + 1);
  const slack = new Float64Array(columns + 1);
  const done = new Uint8Array(columns + 1);
  for (let row = 1; row <= rows; row++) {
    slack.fill(Number.POSITIVE_INFINITY);
    done.fill(0);
    rowOf[0] = row;
    let column = 0;
    while (rowOf[column] !== 0) {
      done[column] = 1;
      const at = rowOf[column];
      let least = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let c = 1; c <= columns; c++) {
        if (done[c]) continue;
        const reduced = cost(at - 1, c - 1) - rowPotential[at] - columnPotential[c];
        if (reduced < slack[c]) {
          slack[c] = reduced;
          previous[c] = column;
        }
        if (slack[c] < least) {
          least = slack[c];
          next = c;
        }
      }
      for (let c = 0; c <= columns; c++) {
        if (done[c]) {
          rowPotential[rowOf[c]] += least;
          columnPotential[c] -= least;
        } else {
          slack[c] -= least;
        }
      }
      column = next;
    }
    while (column !== 0) {
      rowOf[column] = rowOf[previous[column]];
      column = previous[column];
    }
  }
  const result = new Int32Array(rows).fill(-1);
  for (let c = 1; c <= columns; c++) if (rowOf[c] > 0) result[rowOf[c] - 1] = c - 1;
  return result;
}
