/**
 * Names by votes, judged against `names/acceptable.ts`: of the clusters of a set, how many are named and how many of the names
 * are right, by the rule that is built in and by the rule that is best on all other sets.
 */
import { imagenetNames } from '../../src/corpus/imagenet.ts';
import type { VotedNames } from '../../src/corpus/voted-names.ts';
import { type Synset, wordNet } from '../../src/corpus/wordnet.ts';
import { NAMING_SCORE } from '../../src/stages/discover/evidence.ts';
import { type OwnNamesRule, RULE, type VoteRule, voteCandidates } from '../../src/stages/discover/vote-names.ts';
import { ACCEPTABLE, NAMEABLE, STRICT } from '../names/acceptable.ts';
import { rounded } from '../process.ts';
import type { EmbeddedSet } from './embedded.ts';

export interface Clustered {
  readonly set: Pick<EmbeddedSet, 'name' | 'classNames' | 'truth' | 'votes'>;
  /** Clusters that `discover` makes with no number given; shape [n]. */
  readonly clusters: Int32Array;
}

/** Counts of clusters. */
interface Named {
  readonly clusters: number;
  readonly named: number;
  readonly right: number;
  /** What was said wrongly: the name for the class that most of the cluster is of. */
  readonly wrong: readonly string[];
  /** What got no name, and what comes nearest to one: the class that most of the cluster is of, its part, the best candidate. */
  readonly unnamed: readonly string[];
}

/** What votes and which shares are tried for a name. */
export interface Naming {
  readonly names: VotedNames;
  readonly source: 'votes' | 'words';
  /** Undefined where none was measured yet. */
  readonly builtIn?: VoteRule;
  readonly classShares: readonly number[];
  readonly kindShares: readonly number[];
  /** For clusters that these do not name. Default: none. */
  readonly own?: readonly OwnNamesRule[];
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

// The strictest first: of rules that name as many, the first is taken.
const CLASS_SHARES = [0.75, 0.7, 0.65, 0.6, 0.55, 0.5];
const KIND_SHARES = [0.65, 0.6, 0.55, 0.5, 0.45, 0.4];
const OWN: readonly OwnNamesRule[] = [0.55, 0.5, 0.45, 0.4].flatMap((minClassShare) =>
  [0.45, 0.4, 0.35, 0.3].map((minKindShare) => ({ minClassShare, minKindShare, minWithin: 0.9 })),
);
/** Nine of ten. */
const PRECISION = 0.9;

export function scoreNames(sets: readonly Clustered[]): unknown {
  const voting = judged(sets);
  if (voting.length === 0) return null;
  const scored = scoreRules(voting, {
    names: imagenetNames(wordNet()),
    source: 'votes',
    builtIn: RULE,
    precision: PRECISION,
    classShares: CLASS_SHARES,
    kindShares: KIND_SHARES,
    own: OWN,
  });
  const builtIn = scored.builtIn ?? [];
  const nameable = builtIn.filter((_, i) => NAMEABLE.includes(voting[i].set.name));
  return {
    rule: RULE,
    sets: Object.fromEntries(voting.map(({ set }, i) => [set.name, builtIn[i]])),
    ofNameableSets: totals(nameable),
    ofAllSets: totals(builtIn),
    // Each set by the rule that is best on all others.
    leftOut: scored.leftOut,
  };
}

/** Those with votes whose classes' names were written down. */
export function judged(sets: readonly Clustered[]): readonly Clustered[] {
  return sets.filter(({ set }) => set.votes.some(Boolean) && ACCEPTABLE[set.name]);
}

interface ScoredRules {
  /** By the order of the sets; undefined where no rule is built in. */
  readonly builtIn: readonly Named[] | undefined;
  /** Over all sets. */
  readonly byRule: readonly { readonly rule: VoteRule; readonly totals: Totals }[];
  /** The rule that names most among those that are right enough on all sets. */
  readonly best: VoteRule | undefined;
  /** Each set by the rule that is best on all others. */
  readonly leftOut: Totals;
}

export function scoreRules(voting: readonly Clustered[], naming: Naming): ScoredRules {
  const rules = naming.classShares.flatMap((minClassShare) =>
    naming.kindShares
      .filter((share) => share <= minClassShare)
      .flatMap((minKindShare) => [
        { minClassShare, minKindShare },
        ...(naming.own ?? []).map((own) => ({ minClassShare, minKindShare, own })),
      ]),
  );
  const table = rules.map((rule) => ({ rule, counts: voting.map((one) => namesOf(one, naming, rule)) }));
  const bestOn = (chosen: (i: number) => boolean) => {
    const of = <T>(values: readonly T[]) => values.filter((_, i) => chosen(i));
    return table
      .filter(({ counts }) => isRightEnough(of(counts), of(voting), naming.precision))
      .sort((a, b) => sumOf(of(b.counts), 'named') - sumOf(of(a.counts), 'named'))[0];
  };
  const { builtIn } = naming;
  return {
    builtIn: builtIn && voting.map((one) => namesOf(one, naming, builtIn)),
    byRule: table.map(({ rule, counts }) => ({ rule, totals: totals(counts) })),
    best: bestOn(() => true)?.rule,
    leftOut: totals(
      voting.map(
        (_, i) => bestOn((j) => j !== i)?.counts[i] ?? { clusters: 0, named: 0, right: 0, wrong: [], unnamed: [] },
      ),
    ),
  };
}

function isRightEnough(counts: readonly Named[], sets: readonly Clustered[], precision: number): boolean {
  const wrongWhereNoneMayBe = counts.some((one, i) => STRICT.includes(sets[i].set.name) && one.right < one.named);
  return !wrongWhereNoneMayBe && sumOf(counts, 'right') >= precision * sumOf(counts, 'named');
}

function totals(counts: readonly Named[]): Totals {
  const [clusters, named, right] = (['clusters', 'named', 'right'] as const).map((what) => sumOf(counts, what));
  return { clusters, named, right, shareNamed: rounded(named / clusters), shareRight: rounded(right / named) };
}

function sumOf(counts: readonly Named[], what: 'clusters' | 'named' | 'right'): number {
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
    const fitting = members.filter((className) => isRightName(first.name, set.name, className)).length;
    if (fitting > members.length / 2) right++;
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
