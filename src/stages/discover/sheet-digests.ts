/**
 * Binds rows of a naming sheet to clusters: a digest of the items that were in each. Numbers of clusters that have no name are given
 * again by later cuts, to other items.
 */

import { sha256Hex } from '../../core/ids.ts';
import { nearestNames } from '../../core/nearest-names.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import { type CorpusNow, corpusNow } from './class-rows.ts';
import { type ClusterModel, savedModel } from './cluster-model.ts';
import { clustersNow, namesOfEach } from './clusters-now.ts';

const NAMES_TOLD = 3;

/** Of each class of the clusters, as it is called by now, the digest of its items in the sample; of what was merged, of each part too. */
function digestsOf(
  model: ClusterModel,
  now: CorpusNow,
): { readonly byRoot: ReadonlyMap<string, string>; readonly byWritten: ReadonlyMap<string, string> } {
  const { root, written } = namesOfEach(model, now);
  const digests = (names: readonly (string | undefined)[]) => {
    const members = Map.groupBy(model.sample.keys(), (item) => names[item]);
    return new Map(
      [...members].flatMap(([name, items]): [string, string][] => {
        if (name === undefined) return [];
        const keys = items.map((item) => model.sample[item]).sort();
        return [[name, sha256Hex(keys.join(' ')).slice(0, 12)]];
      }),
    );
  };
  return { byRoot: digests(root), byWritten: digests(written) };
}

export async function clusterDigests(
  store: Pick<Store, 'artifact' | 'corpus' | 'corpusLog'>,
  task: string,
): Promise<ReadonlyMap<string, string>> {
  const model = await savedModel(store, task);
  return model ? digestsOf(model, await corpusNow(store)).byRoot : new Map();
}

export interface SheetRows {
  readonly mapping: ReadonlyMap<string, string>;
  /** Of rows of a naming sheet the digest in the column `cluster`, by the name in `from`. */
  readonly clusterOf: ReadonlyMap<string, string>;
}

/**
 * The mapping of a sheet for the clusters there are by now: a cluster that has another name since is followed by its items. Refused
 * where a row's cluster is not there any more, and where a class is none.
 *
 * @param onFollowed told of each row that goes by another name now
 */
export async function mappingNow(
  store: Pick<Store, 'artifact' | 'corpus' | 'corpusLog' | 'tasks'>,
  { mapping, clusterOf }: SheetRows,
  onFollowed: (from: string, now: string) => void,
): Promise<ReadonlyMap<string, string>> {
  if (clusterOf.size === 0) return mapping;
  const now = await corpusNow(store);
  const names = new Map<string, string>();
  const nameOf = new Map<string, string>();
  const held = new Set<string>();
  for (const { name: task } of await store.tasks()) {
    const model = await savedModel(store, task);
    if (!model) continue;
    const { byRoot, byWritten } = digestsOf(model, now);
    for (const [name, digest] of [...byWritten, ...byRoot]) nameOf.set(digest, name);
    for (const [name, digest] of byRoot) names.set(name, digest);
    for (const one of await clustersNow(store, model)) if (one.held) held.add(one.name);
  }
  const followed = new Map<string, string>();
  const problems: string[] = [];
  const meant = (from: string) => {
    const near = nearestNames(from, names.keys(), NAMES_TOLD).map((name) => `"${name}"`);
    return near.length > 0 ? `; did you mean ${near.join(', ')}?` : '';
  };
  for (const [from, to] of mapping) {
    const digest = clusterOf.get(from);
    const current = digest === undefined ? undefined : nameOf.get(digest);
    const known = now.index.find(from)?.name;
    // What people named stays with its items, whatever was cut since.
    if (current === undefined && digest !== undefined && !(known !== undefined && held.has(known))) {
      // Of a class that is none nobody knows whether it ever was one.
      problems.push(
        known === undefined
          ? `"${from}", to become "${to}": there is neither such a class nor a cluster of these items${meant(from)}`
          : `"${from}", to become "${to}": the cluster of this row is no more, since clusters were made again`,
      );
    } else if (known === undefined && current === undefined) {
      problems.push(`"${from}" is no class here${meant(from)}`);
    } else {
      const name = current ?? from;
      if (current !== undefined && now.index.find(current)?.name !== known) onFollowed(from, current);
      followed.set(name, to === from ? name : to);
    }
  }
  if (problems.length > 0) {
    throw new LabelsmithError('REFUSED', `The sheet does not fit the clusters there are:\n  ${problems.join('\n  ')}`, {
      hint: 'Nothing was applied. Write a new sheet: labelsmith corpus names FILE.csv; names that you gave are in it.',
      details: { problems },
    });
  }
  return followed;
}
