/**
 * What a clustering leaves in the workspace: enough to give later items a cluster, and to cut the tree elsewhere without
 * looking at any image again. Kept as one setting a task: up to 20,000 sampled items of 12 bytes each, and the tree.
 */

import { IdMap } from '../../core/id-set.ts';
import type { ItemKind } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { CutEvidence } from '../../math/graph-cluster/cut-evidence.ts';
import type { Store } from '../../store/store.ts';
import type { Candidate } from './evidence.ts';
import { cutHierarchy, type Hierarchy, type Method } from './hierarchy.ts';

export interface ClusterModel {
  readonly task: string;
  readonly items: ItemKind;
  /** Space of the vectors, and the key of its mean. */
  readonly space: string;
  readonly meanKey: string;
  readonly method: Method;
  readonly seed: number;
  /** What was asked for. */
  readonly asked: number | 'auto';
  /** Clusters there are. */
  readonly k: number;
  /** The first 16 digits of the ids of the items that were clustered, in order. */
  readonly sample: readonly string[];
  readonly hierarchy: Hierarchy;
  /** In order of size. */
  readonly clusters: readonly NamedCluster[];
  /** Made in a run with a limit. */
  readonly subset?: boolean;
  /** Classes of earlier clusterings of the task, to be removed where nothing hangs on them. */
  readonly leftovers?: readonly string[];
}

export interface NamedCluster {
  /** The class its items are given, unique within the model. */
  readonly name: string;
  /** Best first. */
  readonly candidates: readonly Candidate[];
  /** Ids of the items that stand for it, best first. */
  readonly exemplars: readonly string[];
}

const setting = (task: string) => `clusters:${task}`;
const VERSION = 1;

export async function saveModel(store: Pick<Store, 'putSetting'>, model: ClusterModel): Promise<void> {
  const { sample, meanKey, subset, hierarchy, ...plain } = model;
  const { leafOf, tree } = hierarchy;
  const text = JSON.stringify({
    version: VERSION,
    ...plain,
    statistics: meanKey,
    pilot: subset,
    members: Buffer.from(sample.join(''), 'hex').toString('base64'),
    leafOf: pack(leafOf),
    tree: { points: tree.points, left: pack(tree.left), right: pack(tree.right), costs: pack(tree.costs) },
    evidence: hierarchy.evidence && packedEvidence(hierarchy.evidence),
  });
  await store.putSetting(setting(model.task), text);
}

export async function savedModel(store: Pick<Store, 'getSetting'>, task: string): Promise<ClusterModel | undefined> {
  const text = await store.getSetting(setting(task));
  if (text === undefined) return undefined;
  const { version, members, statistics, pilot, leafOf, tree, evidence, ...plain } = JSON.parse(text);
  if (version !== VERSION) {
    throw new LabelsmithError('WORKSPACE', `the clusters of task ${task} are of a form not known here`, {
      hint: 'A newer labelsmith made them. Update labelsmith, or run labelsmith discover --recluster.',
    });
  }
  const hex = Buffer.from(members as string, 'base64').toString('hex');
  const [left, right] = [unpack(tree.left), unpack(tree.right)].map((bytes) => new Int32Array(bytes));
  return {
    ...plain,
    meanKey: statistics,
    subset: pilot,
    sample: hex.match(/.{16}/g) ?? [],
    hierarchy: {
      leafOf: new Int32Array(unpack(leafOf)),
      tree: { points: tree.points, left, right, costs: new Float64Array(unpack(tree.costs)) },
      ...(evidence ? { evidence: unpackedEvidence(evidence as PackedEvidence) } : {}),
    },
  } as ClusterModel;
}

/** As it stands in the record; trees of earlier versions have none. */
interface PackedEvidence {
  readonly ks: readonly number[];
  readonly measures: string;
  /** Node, size, cohesion, concentration, split, similarity, similarity across the split. */
  readonly clusters: readonly (readonly [number, number, number, number, number, number, number])[];
}

function packedEvidence({ ks, measures, clusters }: CutEvidence): PackedEvidence {
  return {
    ks,
    measures: pack(measures),
    clusters: Array.from(clusters, ([node, one]) => [
      node,
      one.size,
      one.cohesion,
      one.concentration,
      one.split,
      one.similarity,
      one.splitSimilarity,
    ]),
  };
}

function unpackedEvidence({ ks, measures, clusters }: PackedEvidence): CutEvidence {
  return {
    ks,
    measures: new Float64Array(unpack(measures)),
    clusters: new Map(
      clusters.map(([node, size, cohesion, concentration, split, similarity, splitSimilarity]) => [
        node,
        { size, cohesion, concentration, split, similarity, splitSimilarity },
      ]),
    ),
  };
}

function pack({ buffer, byteOffset, byteLength }: Int32Array | Float64Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

function unpack(text: string): ArrayBuffer {
  return new Uint8Array(Buffer.from(text, 'base64')).buffer;
}

/** The cluster of every item of the sample at the model's k; −1 for none. */
export function clustersOf({ sample, hierarchy, k }: Pick<ClusterModel, 'sample' | 'hierarchy' | 'k'>): IdMap {
  const cut = cutHierarchy(hierarchy, k);
  const map = new IdMap();
  for (const [i, key] of sample.entries()) map.set(key, cut[i]);
  return map;
}
