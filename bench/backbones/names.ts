/**
 * Names by votes, judged against `names/acceptable.ts`: of the clusters of a set, how many are named and how many of the names
 * are right, by the rule that is built in and by the rule that is best on piles that have nothing of the set.
 */
import { imagenetNames } from '../../src/corpus/imagenet.ts';
import type { VotedNames } from '../../src/corpus/voted-names.ts';
import { type Synset, wordNet } from '../../src/corpus/wordnet.ts';
import type { InferencePool } from '../../src/onnx/pool.ts';
import { NAMING_SCORE } from '../../src/stages/discover/evidence.ts';
import { RULE, type VoteRule, voteCandidates } from '../../src/stages/discover/vote-names.ts';
import { ACCEPTABLE, NAMEABLE, STRICT } from '../names/acceptable.ts';
import { rounded } from '../process.ts';
import type { EmbeddedSet } from './embedded.ts';
import { type Member, namingPiles, type VotedPile, votedPile } from './naming-piles.ts';

interface EmbeddedAndClustered extends Clustered {
  readonly set: EmbeddedSet;
}

export interface Clustered {
  readonly set: Pick<EmbeddedSet, 'name' | 'classNames' | 'truth' | 'votes'>;
  /** Clusters that `discover` makes with no number given; shape [n]. */
  readonly clusters: Int32Array;
}

/** Of clusters. */
interface Counts {
  readonly clusters: number;
  readonly named: number;
  readonly right: number;
}

interface Named extends Counts {
  /** What was said wrongly: the name for the class that most of the cluster is of. */
  readonly wrong: readonly string[];
  /** What got no name, and what comes nearest to one: the class that most of the cluster is of, its part, the best candidate. */
  readonly unnamed: readonly string[];
}

/** What votes, and which rules are tried for a name. */
export interface Naming {
  readonly names: VotedNames;
  readonly source: 'votes' | 'words';
  /** Undefined where none was measured yet. */
  readonly builtIn?: VoteRule;
  /** The strictest first: of rules that name as many, the first is taken. */
  readonly rules: readonly VoteRule[];
  /** The share of given names that has to be right. */
  readonly precision: number;
}

export interface Totals {
  readonly clusters: number;
  readonly named: number;
  readonly right: number;
  readonly shareNamed: number;
  readonly shareRight: number;
}

const CLASS_SHARES = [3 / 4, 2 / 3, 3 / 5, 1 / 2];
const KIND_SHARES = [2 / 3, 1 / 2, 2 / 5, 1 / 3];
const OWN_SHARES = [undefined, 1 / 2, 2 / 5, 1 / 3, 1 / 4];
/** Nine of ten. */
const PRECISION = 0.9;
/** Of the clusters of components, parts and defects, in piles of nothing else, hardly any may get a wrong name. */
const MAX_WRONG_OF_STRICT = 0.01;

export async function scoreNames(pool: InferencePool, sets: readonly EmbeddedAndClustered[]): Promise<unknown> {
  const voting = judged(sets);
  if (voting.length === 0) return null;
  const naming: Naming = {
    names: imagenetNames(wordNet()),
    source: 'votes',
    builtIn: RULE,
    precision: PRECISION,
    rules: rulesOf(CLASS_SHARES, KIND_SHARES, OWN_SHARES),
  };
  const from = voting.map(({ set }) => set);
  // One set leaves nothing to choose on, and no other one to draw junk from.
  const piles = from.length > 1 ? await namingPiles(pool, from, naming.names) : [];
  const scored = scoreRules(voting, naming, piles);
  const builtIn = scored.builtIn ?? [];
  const of = (named: readonly Named[], which: readonly string[]) =>
    totals(named.filter((_, i) => which.includes(voting[i].set.name)));
  return {
    rule: RULE,
    sets: Object.fromEntries(voting.map(({ set }, i) => [set.name, builtIn[i]])),
    ofNameableSets: of(builtIn, NAMEABLE),
    ofAllSets: totals(builtIn),
    // Each set by the rule that is best on all piles that have nothing of it.
    leftOut:
      piles.length === 0
        ? null
        : {
            chosenOn: { piles: piles.length, clusters: piles.reduce((sum, { clusters }) => sum + clusters.length, 0) },
            ofNameableSets: of(scored.leftOut, NAMEABLE),
            ofPartsAndDefects: of(scored.leftOut, STRICT),
            ofAllSets: totals(scored.leftOut),
            rules: Object.fromEntries(voting.map(({ set }, i) => [set.name, scored.chosen[i]])),
            wrong: scored.leftOut.flatMap(({ wrong }) => wrong),
          },
    bestOnAllPiles: scored.best,
    builtInOnPiles: totals(piles.map((pile) => judgedPile(pile, RULE, naming.names))),
  };
}

/** Of the two shares and what is enough for a name of its own. */
export function rulesOf(
  classShares: readonly number[],
  kindShares: readonly number[],
  ownShares: readonly (number | undefined)[] = [undefined],
): VoteRule[] {
  const { minWithin } = RULE.own ?? { minWithin: 1 };
  return classShares.flatMap((minClassShare) =>
    kindShares
      .filter((share) => share <= minClassShare)
      .flatMap((minKindShare) =>
        ownShares.map((minShare) => {
          return { minClassShare, minKindShare, ...(minShare ? { own: { minShare, minWithin } } : {}) };
        }),
      ),
  );
}

/** Those with votes whose classes' names were written down. */
export function judged<T extends Clustered>(sets: readonly T[]): readonly T[] {
  return sets.filter(({ set }) => set.votes.some(Boolean) && ACCEPTABLE[set.name]);
}

interface ScoredRules {
  /** By the order of the sets; undefined where no rule is built in. */
  readonly builtIn: readonly Named[] | undefined;
  /** Over all sets. */
  readonly byRule: readonly { readonly rule: VoteRule; readonly totals: Totals }[];
  /** The rule that names most among those that are right enough on all piles. */
  readonly best: VoteRule | undefined;
  /** For each set the rule that is best on all piles without it; undefined where none is right enough. */
  readonly chosen: readonly (VoteRule | undefined)[];
  /** Each set by that. */
  readonly leftOut: readonly Named[];
}

/** @param piles that rules are chosen on, every set counting as much as another. Default: the sets themselves */
export function scoreRules(
  voting: readonly Clustered[],
  naming: Naming,
  piles: readonly VotedPile[] = voting.map((one) => wholeSet(one, naming.names)),
): ScoredRules {
  const { builtIn, names, rules, precision } = naming;
  const table = rules.map((rule) => ({ rule, counts: piles.map((pile) => judgedPile(pile, rule, names)) }));
  const bestOn = (chosen: (pile: VotedPile) => boolean): VoteRule | undefined => {
    const places = piles.flatMap((pile, i) => (chosen(pile) ? [i] : []));
    const weights = weightsOf(places.map((i) => piles[i]));
    const strict = places.filter((i) => piles[i].sets.every((set) => STRICT.includes(set)));
    let best: { rule: VoteRule; named: number } | undefined;
    for (const { rule, counts } of table) {
      const [named, right] = (['named', 'right'] as const).map((what) =>
        places.reduce((sum, i, p) => sum + weights[p] * counts[i][what], 0),
      );
      const ofStrict = strict.map((i) => counts[i]);
      const wrong = sumOf(ofStrict, 'named') - sumOf(ofStrict, 'right');
      if (right < precision * named || wrong > MAX_WRONG_OF_STRICT * sumOf(ofStrict, 'clusters')) continue;
      if (!best || named > best.named) best = { rule, named };
    }
    return best?.rule;
  };
  const chosen = voting.map(({ set }) => bestOn(({ sets }) => !sets.includes(set.name)));
  const nothing = { clusters: 0, named: 0, right: 0, wrong: [], unnamed: [] };
  return {
    builtIn: builtIn && voting.map((one) => namesOf(one, naming, builtIn)),
    byRule: table.map(({ rule }) => ({ rule, totals: totals(voting.map((one) => namesOf(one, naming, rule))) })),
    best: bestOn(() => true),
    chosen,
    leftOut: voting.map((one, i) => (chosen[i] ? namesOf(one, naming, chosen[i]) : nothing)),
  };
}

function wholeSet({ set, clusters }: Clustered, names: VotedNames): VotedPile {
  const members = Array.from(set.truth, (label) => ({ set: set.name, className: set.classNames[label] }));
  return votedPile({ sets: [set.name], members, votes: set.votes }, clusters, names);
}

/** So that every set that piles were drawn for counts as much as another. */
function weightsOf(piles: readonly VotedPile[]): number[] {
  const clusters = new Map<string, number>();
  for (const pile of piles) clusters.set(pile.sets[0], (clusters.get(pile.sets[0]) ?? 0) + pile.clusters.length);
  return piles.map(({ sets: [set] }) => 1 / (clusters.get(set) ?? 1));
}

function judgedPile({ clusters, all }: VotedPile, rule: VoteRule, { names }: VotedNames): Counts {
  let [named, right] = [0, 0];
  for (const { tally, members } of clusters) {
    const place = tally.name(rule, all);
    if (place === undefined) continue;
    named++;
    if (fitsMost(names[place].name, members)) right++;
  }
  return { clusters: clusters.length, named, right };
}

const fitsMost = (name: string, members: readonly Member[]) =>
  members.filter(({ set, className }) => isRightName(name, set, className)).length > members.length / 2;

export function totals(counts: readonly Counts[]): Totals {
  const [clusters, named, right] = (['clusters', 'named', 'right'] as const).map((what) => sumOf(counts, what));
  return { clusters, named, right, shareNamed: rounded(named / clusters), shareRight: rounded(right / named) };
}

function sumOf(counts: readonly Counts[], what: keyof Counts): number {
  return counts.reduce((sum, one) => sum + one[what], 0);
}

function namesOf({ set, clusters }: Clustered, { names, source }: Naming, rule: VoteRule): Named {
  const k = clusters.reduce((most, one) => Math.max(most, one + 1), 0);
  const candidates = voteCandidates(clusters, k, { votes: set.votes, names, source }, rule);
  let [named, right] = [0, 0];
  const wrong: string[] = [];
  const unnamed: string[] = [];
  for (const [c, [first]] of candidates.entries()) {
    const members = [...set.truth].filter((_, i) => clusters[i] === c).map((label) => set.classNames[label]);
    if (!first || first.score < NAMING_SCORE) {
      const most = mostFrequent(members);
      const part = rounded(members.filter((one) => one === most).length / members.length, 2);
      const nearest = first ? `${first.name} ${rounded(first.score / NAMING_SCORE, 2)}` : 'nothing';
      unnamed.push(`${most} ${part}: ${nearest}`);
      continue;
    }
    named++;
    const all = members.map((className) => ({ set: set.name, className }));
    if (fitsMost(first.name, all)) right++;
    else wrong.push(`${first.name} for ${mostFrequent(members)}`);
  }
  return { clusters: k, named, right, wrong, unnamed };
}

const acceptableNames = new Map<string, ReadonlySet<string>>();

/** Whether the name is one of the class's synsets, or of what they are kinds of. */
export function isRightName(name: string, set: string, className: string): boolean {
  const key = `${set}/${className}`;
  let known = acceptableNames.get(key);
  if (!known) {
    const keys = ACCEPTABLE[set]?.[className];
    if (!keys) throw new Error(`names/acceptable.ts has no class ${className} of ${set}`);
    known = new Set(keys.flatMap(wordsAbove));
    acceptableNames.set(key, known);
  }
  return known.has(name);
}

/** The first words of a synset and of all that it is a kind of. */
function wordsAbove(key: string): string[] {
  const start = wordNet().synset(key);
  if (!start) throw new Error(`WordNet has no ${key}`);
  const found = new Map<number, Synset>([[start.offset, start]]);
  for (const { above } of found.values()) {
    for (const offset of above) if (!found.has(offset)) found.set(offset, wordNet().at(offset));
  }
  return [...found.values()].map(({ words }) => words[0]);
}

function mostFrequent(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? '';
}
