/**
 * What a clustering leaves in the workspace: enough to give later items a cluster, and to cut the tree elsewhere without
 * looking at any image again. One a task: up to 20,000 sampled items of 12 bytes each, and the tree.
 */

import { z } from 'zod';
import { IdMap } from '../../core/id-set.ts';
import type { ItemKind } from '../../core/labels.ts';
import type { ClusterEvidence, CutEvidence } from '../../math/graph-cluster/cut-evidence.ts';
import type { Store } from '../../store/store.ts';
import { type Artifact, oldFields, readArtifact, writeArtifact } from '../../store/typed.ts';
import type { ClusterInCut } from './cluster-confidence.ts';
import { type Candidate, EVIDENCE_SOURCES } from './evidence.ts';
import { cutHierarchy, evidenceOfNodes, type Hierarchy, METHODS, type Method, nodesOfClusters } from './hierarchy.ts';

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
  /** Items that had a vector when it was made, those outside of the sample too. Models of earlier versions do not say. */
  readonly count?: number;
  readonly hierarchy: Hierarchy;
  /** Where it is not that of the tree at k: the cut that people's classes made of it. */
  readonly cut?: ClusterCut;
  /** In order of size. */
  readonly clusters: readonly NamedCluster[];
  /** Made in a run with a limit. */
  readonly subset?: boolean;
  /** Classes of earlier clusterings of the task, to be removed where nothing hangs on them. */
  readonly leftovers?: readonly string[];
  /** What people did to the clusters of the task. Models of earlier versions have none. */
  readonly acts?: ActRecord;
}

/** See `people-acts.ts`. */
export interface ActRecord {
  /** Of the newest operation on the corpus there was when the record was made. */
  readonly seen: number;
  /** Of the newest that stood then. */
  readonly stood: number;
  /** Classes that items of the sample, or of cores, are of. */
  readonly rows: readonly ClassRow[];
  /** In order of their acts. */
  readonly cores: readonly Core[];
}

/** A class of the corpus by its id, which no renaming and no merge changes. */
export interface ClassRow {
  readonly classId: number;
  /** The operation that split it off another class. */
  readonly splitBy?: number;
  /** The place among the rows of what the items of this row were then: parts of what was merged come from several. */
  readonly from?: number;
}

/** What an act was about: the items that were of a class when it was done. */
export interface Core {
  /** The operation; 0 for what was there when nobody wrote down acts, which stands forever. */
  readonly act: number;
  /** The place of the class among the rows. */
  readonly row: number;
  /** The first 16 digits of the items' ids. Those that an earlier act was about in the same class are left out. */
  readonly members: readonly string[];
}

/** A cut that people's classes changed. */
export interface ClusterCut {
  /** The cluster of each item of the sample, the largest first; −1 for none, [items]. */
  readonly clusters: Int32Array;
  /** The node of the tree that tells most of each cluster: that which is most like it. */
  readonly nodes: Int32Array;
  /** The cluster of each item that people's words put there; −1 for those that the tree put where they are, [items]. */
  readonly known: Int32Array;
  /** The class of each item of people's clusters, as a place in `acts.rows`; −1 for those that are of their cluster's class, [items]. */
  readonly rows?: Int32Array;
}

export interface NamedCluster {
  /** People gave it its name: later clusterings go around it. */
  readonly held?: boolean;
  /** Of versions that wrote down no acts: the class that it was split off. */
  readonly partOf?: string;
  /** Of the same: whether that class was people's already. */
  readonly ofHeld?: boolean;
  /** The class its items are given, unique within the model. */
  readonly name: string;
  /** Best first. */
  readonly candidates: readonly Candidate[];
  /** Ids of the items that stand for it, best first. */
  readonly exemplars: readonly string[];
}

const CLUSTER_COLUMNS = [
  'size',
  'cohesion',
  'concentration',
  'split',
  'similarity',
  'splitSimilarity',
  'remote',
  'remoteSpread',
  'remoteShare',
  'fromMean',
  'fromMeanSpread',
] as const satisfies readonly (keyof ClusterEvidence)[];

/** Arrays of numbers are base64 of their bytes. */
const PACKED_EVIDENCE = z.object({
  ks: z.array(z.number()),
  measures: z.base64(),
  /** The node of each, then as {@link CLUSTER_COLUMNS} has it. Those of fewer columns are of earlier versions. */
  clusters: z.array(z.array(z.number())),
});
type PackedEvidence = z.infer<typeof PACKED_EVIDENCE>;

const EVIDENCE = z.object({
  source: z.enum(EVIDENCE_SOURCES),
  count: z.number(),
  of: z.number(),
  outside: z.number(),
  lift: z.number(),
  kinds: z.array(z.string()).optional(),
  by: z.string().optional(),
  told: z.string().optional(),
});

const PACKED_CUT = z.object({
  clusters: z.base64(),
  nodes: z.base64(),
  known: z.base64(),
  rows: z.base64().optional(),
});

const PACKED_ACTS = z.object({
  seen: z.number(),
  stood: z.number(),
  rows: z.array(z.object({ classId: z.number(), splitBy: z.number().optional(), from: z.number().optional() })),
  cores: z.array(z.object({ act: z.number(), row: z.number(), members: z.base64() })),
});

const PACKED_MODEL = z.object({
  task: z.string(),
  items: z.enum(['images', 'regions']),
  space: z.string(),
  meanKey: z.string(),
  method: z.enum(METHODS),
  seed: z.number(),
  asked: z.union([z.number(), z.literal('auto')]),
  k: z.number(),
  sample: z.base64(),
  count: z.number().optional(),
  cut: PACKED_CUT.optional(),
  leafOf: z.base64(),
  tree: z.object({ points: z.number(), left: z.base64(), right: z.base64(), costs: z.base64() }),
  /** Trees of earlier versions have none. */
  evidence: PACKED_EVIDENCE.optional(),
  clusters: z.array(
    z.object({
      name: z.string(),
      held: z.boolean().optional(),
      partOf: z.string().optional(),
      ofHeld: z.boolean().optional(),
      candidates: z.array(z.object({ name: z.string(), score: z.number(), evidence: z.array(EVIDENCE) })),
      exemplars: z.array(z.string()),
    }),
  ),
  subset: z.boolean().optional(),
  leftovers: z.array(z.string()).optional(),
  acts: PACKED_ACTS.optional(),
});

const CLUSTERS: Artifact<z.infer<typeof PACKED_MODEL>> = {
  kind: 'clusters',
  version: 1,
  schema: PACKED_MODEL,
  /** Some words were others. */
  upgrade(value) {
    const { statistics, pilot, members, ...rest } = oldFields(value);
    return { ...rest, meanKey: statistics, subset: pilot, sample: members };
  },
  what: 'The clusters of a task',
  remedy: 'Run labelsmith discover --recluster.',
};

export async function saveModel(store: Pick<Store, 'putArtifact'>, model: ClusterModel): Promise<void> {
  const { sample, hierarchy, asked, clusters, leftovers, cut, acts, ...plain } = model;
  const { leafOf, tree, evidence } = hierarchy;
  const packed = {
    ...plain,
    asked,
    clusters: clusters as z.infer<typeof PACKED_MODEL>['clusters'],
    leftovers: leftovers && [...leftovers],
    sample: packKeys(sample),
    cut: cut && {
      clusters: pack(cut.clusters),
      nodes: pack(cut.nodes),
      known: pack(cut.known),
      rows: cut.rows && pack(cut.rows),
    },
    acts: acts && {
      ...acts,
      rows: [...acts.rows],
      cores: acts.cores.map((core) => ({ ...core, members: packKeys(core.members) })),
    },
    leafOf: pack(leafOf),
    tree: { points: tree.points, left: pack(tree.left), right: pack(tree.right), costs: pack(tree.costs) },
    evidence: evidence && packedEvidence(evidence),
  };
  await writeArtifact(store, CLUSTERS, model.task, packed);
}

export async function isClustered(store: Pick<Store, 'artifact'>, task: string): Promise<boolean> {
  return (await store.artifact(CLUSTERS.kind, task)) !== undefined;
}

export async function savedModel(store: Pick<Store, 'artifact'>, task: string): Promise<ClusterModel | undefined> {
  const packed = await readArtifact(store, CLUSTERS, task);
  if (packed === undefined) return undefined;
  const { sample, cut, leafOf, tree, evidence, acts, ...plain } = packed;
  const [left, right] = [unpack(tree.left), unpack(tree.right)].map((bytes) => new Int32Array(bytes));
  return {
    ...plain,
    sample: unpackKeys(sample),
    ...(cut ? { cut: unpackedCut(cut) } : {}),
    ...(acts ? { acts: unpackedActs(acts) } : {}),
    hierarchy: {
      leafOf: new Int32Array(unpack(leafOf)),
      tree: { points: tree.points, left, right, costs: new Float64Array(unpack(tree.costs)) },
      ...(evidence ? { evidence: unpackedEvidence(evidence) } : {}),
    },
  };
}

function packedEvidence({ ks, measures, clusters }: CutEvidence): PackedEvidence {
  return {
    ks: [...ks],
    measures: pack(measures),
    clusters: Array.from(clusters, ([node, one]) => [node, ...CLUSTER_COLUMNS.map((column) => one[column])]),
  };
}

function unpackedEvidence({ ks, measures, clusters }: PackedEvidence): CutEvidence {
  return {
    ks,
    measures: new Float64Array(unpack(measures)),
    // What earlier versions measured does not say how sure a cluster is.
    clusters: new Map(
      clusters
        .filter((row) => row.length === CLUSTER_COLUMNS.length + 1)
        .map(([node, ...values]) => [node, clusterEvidence(values)]),
    ),
  };
}

function clusterEvidence(values: readonly number[]): ClusterEvidence {
  const of = (column: (typeof CLUSTER_COLUMNS)[number]) => values[CLUSTER_COLUMNS.indexOf(column)];
  return {
    size: of('size'),
    cohesion: of('cohesion'),
    concentration: of('concentration'),
    split: of('split'),
    similarity: of('similarity'),
    splitSimilarity: of('splitSimilarity'),
    remote: of('remote'),
    remoteSpread: of('remoteSpread'),
    remoteShare: of('remoteShare'),
    fromMean: of('fromMean'),
    fromMeanSpread: of('fromMeanSpread'),
  };
}

function unpackedCut({ clusters, nodes, known, rows }: z.infer<typeof PACKED_CUT>): ClusterCut {
  const numbers = (text: string) => new Int32Array(unpack(text));
  return {
    clusters: numbers(clusters),
    nodes: numbers(nodes),
    known: numbers(known),
    ...(rows === undefined ? {} : { rows: numbers(rows) }),
  };
}

function unpackedActs({ cores, ...rest }: z.infer<typeof PACKED_ACTS>): ActRecord {
  return { ...rest, cores: cores.map((core) => ({ ...core, members: unpackKeys(core.members) })) };
}

const packKeys = (keys: readonly string[]) => Buffer.from(keys.join(''), 'hex').toString('base64');

const unpackKeys = (text: string): string[] => Buffer.from(text, 'base64').toString('hex').match(/.{16}/g) ?? [];

function pack({ buffer, byteOffset, byteLength }: Int32Array | Float64Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

function unpack(text: string): ArrayBuffer {
  return new Uint8Array(Buffer.from(text, 'base64')).buffer;
}

type Cut = Pick<ClusterModel, 'hierarchy' | 'cut' | 'k'>;

/** The cluster of every item of the sample; −1 for none. */
export function clustersOf({ sample, ...cut }: Cut & Pick<ClusterModel, 'sample'>): IdMap {
  return byItem(sample, clusterOfEach(cut));
}

/** The same in the order of the sample, [items]. */
export function clusterOfEach({ hierarchy, cut, k }: Cut): Int32Array {
  return cut?.clusters ?? cutHierarchy(hierarchy, k);
}

function byItem(sample: readonly string[], values: Int32Array): IdMap {
  const map = new IdMap();
  for (const [i, key] of sample.entries()) map.set(key, values[i]);
  return map;
}

/** What is known of each cluster, by its number; undefined for those the evidence does not reach. */
export function evidenceOf(model: Cut): (ClusterInCut | undefined)[] {
  return evidenceOfNodes(model.hierarchy, evidenceNodes(model));
}

/** The node of the tree that tells most of each cluster; −1 for none. */
export function evidenceNodes({ hierarchy, cut, k }: Cut): Int32Array {
  return cut?.nodes ?? nodesOfClusters(hierarchy, k);
}
