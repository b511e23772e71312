/** Clusters of images against the classes of a truth. */
import type { ImageId } from '../../core/ids.ts';
import { sampleIndices, seededRandom } from '../../core/random.ts';
import { clusteringMetrics, silhouette } from '../../math/metrics/clustering.ts';
import type { ClusteringPart, Predictions } from './evaluation.ts';
import type { Truth } from './ground-truth.ts';
import type { ImageColumns } from './image-columns.ts';

/** Distances between so many images take a second. */
const SILHOUETTE_SAMPLE = 1000;

/** Over the images with one true class that are in a cluster; null where there are none. */
export async function compareClusters(
  truth: Truth,
  columns: ImageColumns,
  vectorsOf: Predictions['vectorsOf'],
): Promise<ClusteringPart | null> {
  const ids: ImageId[] = [];
  const classes: number[] = [];
  const clusters: number[] = [];
  for (const [id, image] of truth.images) {
    if (image.classes.length !== 1 || columns.cluster[image.order] < 0) continue;
    ids.push(id);
    classes.push(image.classes[0]);
    clusters.push(columns.cluster[image.order]);
  }
  if (classes.length === 0) return null;
  const metrics = clusteringMetrics(classes, clusters);
  const score = vectorsOf ? await silhouetteOf(ids, clusters, vectorsOf) : null;
  return score === null ? metrics : { ...metrics, silhouette: score };
}

async function silhouetteOf(
  ids: readonly ImageId[],
  clusters: readonly number[],
  vectorsOf: NonNullable<Predictions['vectorsOf']>,
): Promise<number | null> {
  const sample = sampleIndices(ids.length, SILHOUETTE_SAMPLE, seededRandom(0, 'evaluate:silhouette'));
  const vectors = await vectorsOf(Array.from(sample, (i) => ids[i]));
  const found = [...sample].flatMap((i) => {
    const vector = vectors.get(ids[i]);
    return vector ? [{ vector, cluster: clusters[i] }] : [];
  });
  if (found.length === 0) return null;
  const columns = found[0].vector.length;
  const data = new Float32Array(found.length * columns);
  for (const [i, { vector }] of found.entries()) data.set(vector, i * columns);
  return silhouette(
    data,
    columns,
    found.map(({ cluster }) => cluster),
    { sample: SILHOUETTE_SAMPLE },
  );
}
