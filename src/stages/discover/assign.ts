/**
 * The second step of `discover`: a cluster for every item that has none, and its place on the data map. One file of vectors
 * is one shard.
 */
import type { Stage } from '../../jobs/stage.ts';
import type { NewLabel, VectorShard } from '../../store/store.ts';
import { centreAndNormalise } from '../embed/recipe.ts';
import type { ClusterModel } from './cluster-model.ts';
import type { ClusteringRequest } from './clustering.ts';
import { assignByNeighbours, type ClusteredSample } from './knn-assignment.ts';
import type { MapWriter } from './map-writer.ts';

export interface Tally {
  assigned: number;
  none: number;
  /** Items by the name of their cluster's class. */
  readonly sizes: Map<string, number>;
}

export interface AssignContext {
  readonly request: ClusteringRequest;
  readonly model: ClusterModel;
  readonly sample: ClusteredSample;
  /** The cluster of an item that is in the sample. */
  readonly own: { get(id: string): number | undefined };
  readonly map: MapWriter;
  readonly runId: string;
}

interface Assigned {
  readonly labels: readonly NewLabel[];
  readonly none: number;
  /** Class names of items that had their cluster already. */
  readonly kept: readonly string[];
  /** Where the items stand on the data map, where they had no place yet. */
  readonly marks?: VectorShard;
}

export function assignStage(context: AssignContext, tally: Tally): Stage<VectorShard, Assigned> {
  const { effects, shards } = context.request;
  const { store } = effects;
  return {
    name: 'discover',
    total: shards.length,
    async *shards() {
      for (const [index, shard] of shards.entries()) yield { index, items: [shard] };
    },
    process: (shard) => assigned(context, shard),
    async commit(_shard, results) {
      for (const { labels, none, kept, marks } of results) {
        if (marks) await store.putVectorShard(marks);
        if (labels.length > 0) await store.putLabels(labels, { replace: true });
        tally.assigned += labels.length;
        tally.none += none;
        for (const name of [...kept, ...labels.map(({ className }) => className)]) {
          tally.sizes.set(name, (tally.sizes.get(name) ?? 0) + 1);
        }
      }
    },
  };
}

async function assigned(
  { request, model, sample, own, map, runId }: AssignContext,
  shard: VectorShard,
): Promise<Assigned> {
  const { effects, task, recipe, mean } = request;
  const { ids, vectors } = await effects.vectors.read(shard);
  const known = await effects.store.labelsOf(ids, task);
  const before = (id: string) => known.get(id)?.find(({ origin, present }) => present && origin === 'cluster');
  const kept = ids.flatMap((id) => before(id)?.className ?? []);
  if (kept.length === ids.length && !map.lacks(ids)) return { labels: [], none: 0, kept };
  centreAndNormalise(vectors, recipe, mean.values);
  const assignments = await assignByNeighbours(
    sample,
    ids,
    vectors,
    ids.map((id) => own.get(id)),
  );
  let none = 0;
  const labels = ids.flatMap((itemId, i): NewLabel[] => {
    if (before(itemId)) return [];
    const { cluster, confidence } = assignments[i];
    const className = model.clusters[cluster]?.name;
    if (className === undefined) none++;
    return className === undefined
      ? []
      : [{ itemId, task, className, present: true, origin: 'cluster', confidence, runId }];
  });
  const marks = map.lacks(ids) ? await map.write({ shard, ids, assignments, runId }) : undefined;
  return { labels, none, kept, marks };
}
