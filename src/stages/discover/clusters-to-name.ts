/** The clusters of a task for people to name: as they stand now, the largest first, with what speaks for names. */
import type { Store } from '../../store/store.ts';
import { chanceOfOneThing } from './cluster-confidence.ts';
import { type ClusterModel, evidenceOf, savedModel } from './cluster-model.ts';
import { clustersNow } from './clusters-now.ts';
import type { Candidate, Evidence } from './evidence.ts';
import { isUnnamed } from './evidence.ts';
import type { NearClusters } from './near-clusters.ts';

export interface ClusterToName {
  /** Its class now. */
  readonly name: string;
  readonly unnamed: boolean;
  /** That clustering gave it, and that hold. */
  readonly items: number;
  /** People gave it its name. */
  readonly held: boolean;
  /** That it is one thing; null where nothing says so. */
  readonly chance: number | null;
  /** Ids. */
  readonly exemplars: string[];
  readonly candidates: { readonly name: string; readonly score: number; readonly why: string[] }[];
  /** Others that may be the same thing, the nearest first. */
  readonly near: { readonly name: string; readonly unnamed: boolean; readonly exemplars: string[] }[];
}

const MAX_CANDIDATES = 4;
const MAX_EXEMPLARS = 12;
const MAX_NEAR = 3;
const NEAR_EXEMPLARS = 3;

/** Empty where nothing was clustered. Clusters whose classes were merged are one. */
export async function clustersToName(
  store: Pick<Store, 'artifact' | 'corpus' | 'corpusLog' | 'countItems'>,
  task: string,
  nearOf: (model: ClusterModel) => Promise<readonly NearClusters[]> = async () => [],
): Promise<ClusterToName[]> {
  const model = await savedModel(store, task);
  if (!model) return [];
  const clusters = await clustersNow(store, model);
  const cut = evidenceOf(model);
  const found = new Map<string, ClusterToName>();
  for (const cluster of clusters) {
    const { name } = cluster;
    // Of a clustering that is under way or was stopped some are not there.
    if (!cluster.exists || found.has(name)) continue;
    const evidence = cut[cluster.number];
    // Who said of one of them that it is what clustering called it agreed with the name.
    const held = cluster.held || (await store.countItems({ task, className: name, origins: ['human'] })) > 0;
    const items = await store.countItems({ task, cluster: name });
    found.set(name, {
      name,
      unnamed: isUnnamed(name),
      held,
      items,
      chance: evidence && items !== 1 ? chanceOfOneThing(evidence) : null,
      exemplars: cluster.exemplars.slice(0, MAX_EXEMPLARS),
      candidates: cluster.candidates.slice(0, MAX_CANDIDATES).map(candidate),
      near: [],
    });
  }
  const nameOf = new Map(clusters.toReversed().map(({ number, name }) => [number, name]));
  for (const { a, b } of await nearOf(model)) {
    const [one, other] = [a, b].map((number) => found.get(nameOf.get(number) ?? ''));
    // What people named differently is not the same.
    if (!one || !other || one === other || isSettled(one, other)) continue;
    for (const [to, from] of [[one, other] as const, [other, one] as const]) {
      const { name, unnamed, exemplars } = from;
      if (from.items === 0 || to.near.length >= MAX_NEAR || to.near.some((known) => known.name === name)) continue;
      to.near.push({ name, unnamed, exemplars: exemplars.slice(0, NEAR_EXEMPLARS) });
    }
  }
  return [...found.values()].filter(({ items }) => items > 0).sort((a, b) => b.items - a.items);
}

function isSettled(one: ClusterToName, other: ClusterToName): boolean {
  return [one, other].every(({ held, unnamed }) => held && !unnamed);
}

function candidate({ name, score, evidence }: Candidate): ClusterToName['candidates'][number] {
  return { name, score, why: evidence.map(reason) };
}

const SPEAKS: Readonly<Record<Evidence['source'], string>> = {
  label: 'labels that are here',
  keyword: 'keywords in the files',
  classifier: 'a classifier',
  written: 'words that are written on things',
  path: 'names of files and folders',
  votes: "the embedder's own network",
  namer: 'a model that was shown pictures',
  words: 'words that the embedder finds near',
  detector: 'objects that were detected',
};

function reason({ source, count, of }: Evidence): string {
  return `${SPEAKS[source]} (${count} of ${of})`;
}
