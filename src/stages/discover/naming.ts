/** Names for new clusters, from evidence on their items, and the items that stand for each of them. */
import type { Matrix } from '../../math/matrix.ts';
import type { Store } from '../../store/store.ts';
import type { ClusterModel } from './cluster-model.ts';
import type { Clustering, ClusteringRequest } from './clustering.ts';
import { chooseNames, nameCandidates } from './evidence.ts';
import { gatherEvidence } from './gather-evidence.ts';
import { assignByNeighbours, type ClusteredSample } from './knn-assignment.ts';

const EXEMPLARS = 9;
/** Files opened for keywords, per cluster and in all. */
const INSPECTED = 20;
const MAX_INSPECTED = 1000;

/** The model with a name, its evidence and exemplars for each cluster; clusters that are people's keep their name. */
export async function withNames(
  { effects, options, task, items }: ClusteringRequest,
  { model, sample: { vectors }, held }: Pick<Clustering, 'model' | 'sample' | 'held'>,
  sample: ClusteredSample,
): Promise<ClusterModel> {
  const { classifier, hypernymsOf } = options;
  const { ids, clusters: clusterOf } = sample;
  const k = clusterOf.reduce((most, one) => Math.max(most, one + 1), 0);
  const order = await mostTypicalFirst(sample, vectors, k);
  const perCluster = Math.max(1, Math.min(INSPECTED, Math.floor(MAX_INSPECTED / Math.max(1, k))));
  const inspected = new Set(order.flatMap((rows) => spread(rows, perCluster).map((row) => ids[row])));
  const tables = await gatherEvidence(effects, ids, { task, items, inspected, classifier });
  const candidates = nameCandidates(clusterOf, k, tables, hypernymsOf);
  const reserved = await numberedNamesInUse(effects.store, task);
  for (const one of held) if (one) reserved.add(one.name);
  // A cluster that is people's needs no name; the others are numbered as if it had one of the numbers.
  const proposed = chooseNames(
    candidates.map((own, c) => (held[c] === undefined ? own : [])),
    reserved,
  );
  const clusters = proposed.map((name, c) => ({
    name: held[c]?.name ?? name,
    ...(held[c]?.whole ? { held: true } : {}),
    candidates: candidates[c],
    exemplars: order[c].slice(0, EXEMPLARS).map((row) => ids[row]),
  }));
  return { ...model, clusters };
}

/**
 * Names with a number that a new cluster must not get, since it is not what they stood for: those that somebody gave
 * another name to, and those of clusters of other tasks.
 */
async function numberedNamesInUse(store: Pick<Store, 'classes'>, task: string): Promise<Set<string>> {
  const inUse = new Set<string>();
  for (const { name, synonyms, counts } of await store.classes()) {
    for (const one of synonyms) if (/[- ]\d+$/.test(one)) inUse.add(one);
    if (/^unnamed-\d+$/.test(name) && counts.some((of) => of.task !== task && of.count > 0)) inUse.add(name);
  }
  return inUse;
}

/** Some of all, from the most typical to the least: the most typical alone would say that a mixed cluster is one thing. */
function spread(rows: readonly number[], count: number): number[] {
  if (rows.length <= count) return [...rows];
  return Array.from({ length: count }, (_, i) => rows[Math.floor((i * rows.length) / count)]);
}

/** The rows of each cluster, those first whose neighbours agree and which are nearest to the cluster's mean. */
async function mostTypicalFirst(sample: ClusteredSample, vectors: Matrix, k: number): Promise<number[][]> {
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
