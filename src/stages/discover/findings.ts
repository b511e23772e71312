/** What is told of clusters and of the data map when `discover` is done. */
import { type ItemId, isImageId } from '../../core/ids.ts';
import { namesNow } from '../../corpus/class-names.ts';
import type { Store } from '../../store/store.ts';
import { chanceOfOneThing } from './cluster-confidence.ts';
import { type ClusterModel, clusterOfEach, evidenceOf, type NamedCluster } from './cluster-model.ts';
import { clustersNow } from './clusters-now.ts';
import { readMap } from './data-map.ts';
import type { MapEffects } from './map-record.ts';
import type { DiscoveredCluster, DiscoverResult } from './options.ts';
import { sampleKey } from './sample.ts';

/** Outliers and pairs in the result; the report has more. */
const MAX_TOLD = 20;

/** What of the data map is told at once. */
export async function mapFindings(
  { store, vectors }: MapEffects,
  task: string,
): Promise<Pick<DiscoverResult, 'outliers' | 'duplicates'>> {
  const map = await readMap({ store, vectors }, task);
  if (!map) return {};
  const outliers = map.outliers.slice(0, MAX_TOLD);
  const pairs = map.pairs.slice(0, MAX_TOLD);
  const ids = [...outliers.map(({ id }) => id), ...pairs.flatMap(({ a, b }) => [a, b])].filter(isImageId);
  const paths = await store.pathsOfImages(ids);
  const path = (id: string) => paths.get(id)?.[0]?.path ?? id;
  return {
    outliers: { count: map.outlierCount, first: outliers.map(({ id, ...far }) => ({ path: path(id), ...far })) },
    duplicates: {
      count: map.pairCount,
      first: pairs.map(({ a, b, similarity }) => ({ a: path(a), b: path(b), similarity })),
    },
  };
}

/** @param strays the first 16 digits of their ids */
export async function straysTold(
  store: Pick<Store, 'pathsOfImages'>,
  strays: readonly string[],
  ids: readonly ItemId[],
): Promise<DiscoverResult['strays']> {
  const keys = new Set(strays);
  const first = ids.filter((id) => keys.has(sampleKey(id))).slice(0, MAX_TOLD);
  const paths = await store.pathsOfImages(first.filter(isImageId));
  return { count: strays.length, first: first.map((id) => (isImageId(id) && paths.get(id)?.[0]?.path) || id) };
}

/**
 * The clusters under the names that their classes have by now; those that were merged since as their largest one. Beside them, how many
 * clusters of the cut have items, and how many have none left.
 */
export async function described(
  store: Pick<Store, 'classes' | 'corpus' | 'corpusLog' | 'pathsOfImages' | 'regionsOf'>,
  model: ClusterModel,
  sizes: ReadonlyMap<string, number>,
): Promise<{ readonly clusters: DiscoveredCluster[]; readonly left: number; readonly emptied: number }> {
  const nameNow = await namesNow(store);
  const size = new Map<string, number>();
  for (const [name, count] of sizes) size.set(nameNow(name), (size.get(nameNow(name)) ?? 0) + count);
  const cut = evidenceOf(model);
  const largest = new Map<string, NamedCluster & Pick<DiscoveredCluster, 'chance'>>();
  const left = new Set<number>();
  for (const cluster of await clustersNow(store, model)) {
    const { name, number } = cluster;
    if (size.get(name)) left.add(number);
    const evidence = cut[cluster.number];
    if (!largest.has(name)) largest.set(name, { ...cluster, chance: evidence ? chanceOfOneThing(evidence) : null });
  }
  // Of a class whose items were all forgotten, nothing is there to show.
  for (const name of largest.keys()) if (!size.get(name)) largest.delete(name);
  const ids = model.items === 'images' ? [...largest.values()].flatMap(({ exemplars }) => exemplars) : [];
  const paths = await store.pathsOfImages(ids);
  const clusters = Array.from(largest, ([name, { chance, candidates, exemplars }]) => ({
    name,
    size: size.get(name) ?? 0,
    // One item alone is not several things.
    chance: size.get(name) === 1 ? null : chance,
    candidates,
    exemplars: model.items === 'images' ? exemplars.map((id) => paths.get(id)?.[0]?.path ?? id) : exemplars,
  }));
  // Of a cut that was made since, those in the middle of the list have a name that nothing bears, and those at its end none.
  const cutAt = new Set(clusterOfEach(model).filter((cluster) => cluster >= 0)).size;
  return { clusters, left: left.size, emptied: cutAt - left.size };
}
