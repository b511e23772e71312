/** Which items stand for a cluster. */
import { type Matrix, sumsByPart } from '../../math/matrix.ts';
import { assignByNeighbours, type ClusteredSample } from './knn-assignment.ts';

/** The rows of each of k clusters, those first whose neighbours agree and which are nearest to the cluster's mean. */
export async function mostTypicalFirst(sample: ClusteredSample, vectors: Matrix, k: number): Promise<number[][]> {
  const { ids, clusters } = sample;
  const { columns, data } = vectors;
  const means = sumsByPart(vectors, clusters, k);
  const rows: number[][] = Array.from({ length: k }, () => []);
  clusters.forEach((cluster, row) => {
    if (cluster >= 0) rows[cluster]?.push(row);
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

/** Of each of k clusters the others whose means are nearest by cosine, the nearest first. Cost: k² · columns. */
export function nearestClusters(
  { clusters }: Pick<ClusteredSample, 'clusters'>,
  vectors: Matrix,
  k: number,
  count: number,
): number[][] {
  const { columns } = vectors;
  const sums = sumsByPart(vectors, clusters, k);
  const rows = Array.from({ length: k }, (_, c) => sums.subarray(c * columns, (c + 1) * columns));
  const lengths = rows.map((row) => Math.hypot(...row) || 1);
  return rows.map((row, c) => {
    const cosines = rows.map((other, d) => row.reduce((sum, value, j) => sum + value * other[j], 0) / lengths[d]);
    return [...rows.keys()]
      .filter((d) => d !== c)
      .sort((a, b) => cosines[b] - cosines[a] || a - b)
      .slice(0, count);
  });
}
