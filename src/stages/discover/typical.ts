/** Which items stand for a cluster. */
import type { Matrix } from '../../math/matrix.ts';
import { assignByNeighbours, type ClusteredSample } from './knn-assignment.ts';

/** The rows of each of k clusters, those first whose neighbours agree and which are nearest to the cluster's mean. */
export async function mostTypicalFirst(sample: ClusteredSample, vectors: Matrix, k: number): Promise<number[][]> {
  const { ids, clusters } = sample;
  const { columns, data } = vectors;
  const means = new Float64Array(k * columns);
  const rows: number[][] = Array.from({ length: k }, () => []);
  clusters.forEach((cluster, row) => {
    if (cluster < 0) return;
    rows[cluster]?.push(row);
    for (let j = 0; j < columns; j++) {
      const at = cluster * columns + j;
      means[at] = means[at] + data[row * columns + j];
    }
  });
  const assignments = await assignByNeighbours(sample, ids, vectors, [...clusters]);
  const score = (row: number) => {
    const cluster = clusters[row];
    let dot = 0;
    let square = 0;
    for (let j = 0; j < columns; j++) {
      const mean = means[cluster * columns + j];
      dot += mean * data[row * columns + j];
      square += mean * mean;
    }
    return (assignments[row].confidence * dot) / Math.sqrt(square || 1);
  };
  const scores = Float64Array.from(ids, (_, row) => (clusters[row] < 0 ? 0 : score(row)));
  for (const own of rows) own.sort((a, b) => scores[b] - scores[a] || a - b);
  return rows;
}
