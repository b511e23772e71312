/**
 * Names by words with a model of images and texts: how many are right by the share of a cluster that a word has, so that the
 * share from which words are names (`MEASURED_RULES` of `stages/discover/vocabulary.ts`) can be set from what is printed.
 */
import { join } from 'node:path';
import type { VotedNames } from '../../src/corpus/voted-names.ts';
import { openWorkspace } from '../../src/jobs/workspace.ts';
import { InferencePool } from '../../src/onnx/pool.ts';
import { INSPECTED } from '../../src/stages/discover/naming.ts';
import { openVocabulary, votesOfWords } from '../../src/stages/discover/vocabulary.ts';
import { requireRecipe } from '../../src/stages/embed/recipe.ts';
import { type Clustered, judged, rulesOf, scoreRules, type Totals, totals } from '../backbones/names.ts';

const THREADS = 2;
const SHARES = [0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9];
/** Eight of ten. */
const PRECISION = 0.8;
/** Of fewer names nobody can tell how often they are right. */
const MIN_NAMES = 10;

export interface Worded {
  readonly names: VotedNames;
  readonly clustered: Clustered;
}

/** An image with the class that it is of and the cluster that it was given. */
export interface ClusteredImage {
  readonly id: string;
  readonly className: string;
  readonly cluster: string;
}

/**
 * What WordNet's nouns say to the images of a workspace that is embedded with a model that knows words: of each cluster to as many
 * as `discover` looks at, which here are the first in the order given, and there are spread from the most typical to the least.
 */
export async function worded(set: string, images: readonly ClusteredImage[], dir: string): Promise<Worded> {
  const workspace = await openWorkspace(join(dir, '.labelsmith'), { create: false });
  const pool = await InferencePool.create({ threads: THREADS });
  try {
    const vocabulary = await openVocabulary(workspace, 'wordnet', { items: 'images', threads: THREADS });
    const { space } = await requireRecipe(workspace.store, 'images');
    const shards = await workspace.store.vectorShards(space, 'images');
    const clusters = Map.groupBy(
      images.filter(({ cluster }) => cluster !== ''),
      ({ cluster }) => cluster,
    );
    const looked = [...clusters.values()].flatMap((members) => members.slice(0, INSPECTED));
    const found = await workspace.vectors.lookup(
      shards,
      looked.map(({ id }) => id),
    );
    const votes = await votesOfWords(pool, vocabulary, found);
    const clusterNames = [...clusters.keys()];
    const classNames = [...new Set(images.map(({ className }) => className))].sort();
    return {
      names: vocabulary.names,
      clustered: {
        set: {
          name: set,
          classNames,
          truth: Int32Array.from(images, ({ className }) => classNames.indexOf(className)),
          votes: images.map(({ id }) => votes.get(id)),
        },
        clusters: Int32Array.from(images, ({ cluster }) => clusterNames.indexOf(cluster)),
      },
    };
  } finally {
    await pool.close();
    await workspace.close();
  }
}

export interface WordNames {
  /** By the least share of a word, or of what several are kinds of: names given and right over all sets. */
  readonly byShare: readonly ({ readonly share: number } & Totals)[];
  /** What names most clusters while eight of ten names are right, on sets of parts all of them; null where nothing does, or names too few. */
  readonly rule: { readonly minClassShare: number; readonly minKindShare: number } | null;
  /** Each set by the rule that is best on all others. */
  readonly leftOut: Totals;
}

/** @returns null where no set has names to judge by */
export function scoreWords(sets: readonly Worded[]): WordNames | null {
  const [first] = sets;
  const voting = judged(sets.map(({ clustered }) => clustered));
  if (!first || voting.length === 0) return null;
  const { byRule, best, leftOut } = scoreRules(voting, {
    names: first.names,
    source: 'words',
    precision: PRECISION,
    rules: rulesOf(SHARES, SHARES),
  });
  const byShare = byRule
    .filter(({ rule }) => rule.minClassShare === rule.minKindShare)
    .map(({ rule, totals }) => ({ share: rule.minClassShare, ...totals }));
  const named = byRule.find(({ rule }) => rule === best)?.totals.named ?? 0;
  return { byShare, rule: best && named >= MIN_NAMES ? best : null, leftOut: totals(leftOut) };
}

export function linesOf(model: string, { byShare, rule, leftOut }: WordNames): string[] {
  const right = ({ named, right: of }: Totals) => (named === 0 ? 'none named' : `${of} of ${named} right`);
  return [
    `names by words of ${model}, by the share that a word needs (${byShare[0]?.clusters ?? 0} clusters):`,
    ...byShare.map((row) => `  ${row.share.toFixed(2)}  ${right(row)}`),
    `  each set by what is best on the others: ${right(leftOut)}`,
    rule
      ? `  for MEASURED_RULES: '${model}': { minClassShare: ${rule.minClassShare}, minKindShare: ${rule.minKindShare} },`
      : `  no share names ${MIN_NAMES} clusters and is right eight times of ten: names by words stay candidates`,
  ];
}
