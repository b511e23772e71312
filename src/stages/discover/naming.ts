/** Names for new clusters, from evidence on their items, and the items that stand for each of them. */
import type { Store } from '../../store/store.ts';
import type { ClusterModel } from './cluster-model.ts';
import type { Clustering, ClusteringRequest } from './clustering.ts';
import { type Candidate, chooseNames, joinCandidates, nameCandidates } from './evidence.ts';
import { gatherEvidence } from './gather-evidence.ts';
import type { ClusteredSample } from './knn-assignment.ts';
import { namerCandidates } from './namer-sheets.ts';
import { mostTypicalFirst } from './typical.ts';
import { type Vocabulary, votesOfWords } from './vocabulary.ts';
import { voteCandidates } from './vote-names.ts';

const EXEMPLARS = 9;
/** Items of a cluster whose files are opened for keywords and words on them and that are compared with words, and those in all clusters. */
export const INSPECTED = 20;
const MAX_INSPECTED = 1000;

/** The model with a name, its evidence and exemplars for each cluster; clusters that are people's keep their name. */
export async function withNames(
  request: ClusteringRequest,
  { model, sample: { vectors }, held }: Pick<Clustering, 'model' | 'sample' | 'held'>,
  sample: ClusteredSample,
): Promise<ClusterModel> {
  const { effects, options, task, items } = request;
  const { classifier, reader, hypernymsOf, isWord } = options;
  const { ids, clusters: clusterOf } = sample;
  const k = clusterOf.reduce((most, one) => Math.max(most, one + 1), 0);
  const order = await mostTypicalFirst(sample, vectors, k);
  const perCluster = Math.max(1, Math.min(INSPECTED, Math.floor(MAX_INSPECTED / Math.max(1, k))));
  const inspected = new Set(order.flatMap((rows) => spread(rows, perCluster).map((row) => ids[row])));
  const tables = await gatherEvidence(effects, ids, { task, items, inspected, classifier, reader, isWord });
  const voted = await votedCandidates(request, sample, k);
  const worded = options.vocabulary
    ? await wordCandidates(request, sample, k, { inspected, vocabulary: options.vocabulary })
    : [];
  const said = options.namer
    ? await namerCandidates(request, { order, held, namer: options.namer, sample, vectors })
    : [];
  const candidates = nameCandidates(clusterOf, k, tables, hypernymsOf).map((some, c) =>
    joinCandidates(joinCandidates(joinCandidates(some, voted[c] ?? []), worded[c] ?? []), said[c] ?? []),
  );
  const reserved = await numberedNamesInUse(effects.store, task, model);
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

/** What the embedder's own network says of the items of each cluster; nothing where it does not classify. */
async function votedCandidates(
  { effects, options, recipe, shards }: ClusteringRequest,
  { ids, clusters }: ClusteredSample,
  k: number,
): Promise<Candidate[][]> {
  const names = recipe.votes && options.votedNames?.(recipe.votes);
  if (!names) return [];
  const found = await effects.vectors.lookupVotes(shards, ids);
  return voteCandidates(clusters, k, { votes: ids.map((id) => found.get(id)), names });
}

/** What words the items of each cluster that were looked at are near to. */
async function wordCandidates(
  { effects, shards }: ClusteringRequest,
  { ids, clusters }: ClusteredSample,
  k: number,
  { inspected, vocabulary }: { readonly inspected: ReadonlySet<string>; readonly vocabulary: Vocabulary },
): Promise<Candidate[][]> {
  const found = await effects.vectors.lookup(
    shards,
    ids.filter((id) => inspected.has(id)),
  );
  const votes = await votesOfWords(effects.pool, vocabulary, found);
  const { names, rule } = vocabulary;
  const said = { votes: ids.map((id) => votes.get(id)), names, source: 'words', proposed: rule === undefined } as const;
  return voteCandidates(clusters, k, said, rule);
}

/**
 * Names with a number that a new cluster must not get, since it is not what they stood for: those that somebody gave
 * another name to, also where that was undone and can be done again, and those of clusters of other tasks.
 */
async function numberedNamesInUse(
  store: Pick<Store, 'classes' | 'corpus'>,
  task: string,
  { acts }: ClusterModel,
): Promise<Set<string>> {
  const inUse = new Set<string>();
  const { classes } = await store.corpus();
  for (const { row } of acts?.cores ?? []) {
    const name = classes.get(acts?.rows[row].classId ?? -1)?.name;
    if (name !== undefined && /^unnamed-\d+$/.test(name)) inUse.add(name);
  }
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
