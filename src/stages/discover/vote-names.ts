/**
 * Names for clusters from what the embedder's network itself says of the items: its votes, kept beside the vectors; pure.
 *
 * A class's share of a cluster is the sum of its probabilities over the items, by one more than their number, so that a
 * handful of items says less. Where relatives share a cluster, what they are kinds of has the sum of their shares (crayfish
 * and scorpion: arthropod). A class names a cluster by itself only where it has twice as much as all else: at less, networks
 * take one thing for another that looks like it (a cornet for a euphonium), and only what the classes are kinds of is said
 * (brass). More than half is enough for that where several classes make it up, and a third where it is said of hardly anything
 * else in the pile: what a network says of things that it does not know (a screwdriver, of wires) it says all over the pile.
 * Of what may name a cluster the least general does, unless more general ones have more. `npm run bench -- backbones` measures
 * it on sets left out.
 */
import type { VotedNames } from '../../corpus/voted-names.ts';
import { type Candidate, EVIDENCE_TRUST, type Evidence, NAMING_SCORE } from './evidence.ts';

/** What a class must reach, and a kind that one class makes up. */
const MIN_CLASS_SHARE = 2 / 3;
/** What a kind must reach that several of its classes make up: there they need not agree. */
const MIN_KIND_SHARE = 1 / 2;
/** What is enough for a kind that is said of hardly anything but the cluster. */
const OWN_NAMES: OwnNamesRule = { minShare: 1 / 3, minWithin: 0.9 };
/** What a name must have of the largest share of those that may be given, or else what a class must reach. */
const MIN_OF_LARGEST = 0.9;
/** A larger cluster leaves too little of the pile to tell what is said of nothing else. */
const MAX_OWN_ITEMS = 0.5;
/** Of a kind with one class that has more than this of its share, that class is all that speaks for it. */
const MAX_ONE_CLASS = 0.85;
/** A class of less is no candidate. */
const MIN_CANDIDATE_SHARE = 0.1;
const CANDIDATES = 4;
/** Classes that are told of a kind. */
const MAX_KINDS = 5;

/** What the items of the clusters were voted to be. */
export interface ItemVotes {
  /** Numbers of the best classes, then their probabilities; shape [items]; undefined where there are none. */
  readonly votes: readonly (Float32Array | undefined)[];
  readonly names: VotedNames;
  /** Default `votes`. */
  readonly source?: 'votes' | 'words';
  /** No name is given, since nobody measured how often they are right: what the rule would give is the first candidate. Default false. */
  readonly proposed?: boolean;
}

export interface VoteRule {
  readonly minClassShare: number;
  readonly minKindShare: number;
  /** What names a cluster that has no name by these shares. Default: nothing. */
  readonly own?: OwnNamesRule;
}

export interface OwnNamesRule {
  /** Of a kind, also of one that one class makes up. */
  readonly minShare: number;
  /** The least part of all probability for the name that lies within the cluster, 0 to 1. */
  readonly minWithin: number;
}

export const RULE: VoteRule = { minClassShare: MIN_CLASS_SHARE, minKindShare: MIN_KIND_SHARE, own: OWN_NAMES };

/**
 * Candidates for every cluster, best first: the name that may be given, if any, then classes that may not.
 *
 * @param clusters shape [items], the cluster of each item, −1 for none.
 */
export function voteCandidates(
  clusters: Int32Array,
  k: number,
  { votes, names, source = 'votes', proposed = false }: ItemVotes,
  rule: VoteRule = RULE,
): Candidate[][] {
  const { within, all } = talliesOf(clusters, k, { votes, names });
  return within.map((tally) => candidatesOf(tally, all, { names, source, proposed }, rule));
}

/** Votes added up over every cluster, and over all items. @param clusters as in {@link voteCandidates} */
export function talliesOf(
  clusters: Int32Array,
  k: number,
  { votes, names }: Pick<ItemVotes, 'votes' | 'names'>,
): { readonly within: readonly VoteTally[]; readonly all: VoteTally } {
  const within = Array.from({ length: k }, () => new VoteTally(names));
  const all = new VoteTally(names);
  votes.forEach((vote, item) => {
    if (!vote) return;
    all.add(vote);
    within[clusters[item]]?.add(vote);
  });
  return { within, all };
}

function candidatesOf(
  tally: VoteTally,
  all: VoteTally,
  { names: { names }, source, proposed }: Required<Omit<ItemVotes, 'votes'>>,
  rule: VoteRule,
): Candidate[] {
  const given = tally.name(rule, all);
  const scored = (share: number) =>
    // A rule may be measured, or asked for, that is content with less than what other evidence needs.
    proposed ? NAMING_SCORE * share : Math.max(NAMING_SCORE, EVIDENCE_TRUST[source] * share);
  const sure = given === undefined ? [] : [{ place: given, score: scored(tally.share(given)) }];
  const unsure = tally
    .classes()
    .filter((place) => place !== given && tally.share(place) >= MIN_CANDIDATE_SHARE)
    .map((place) => ({ place, score: NAMING_SCORE * tally.share(place) }));
  return [...sure, ...unsure].slice(0, CANDIDATES).map(({ place, score }) => {
    return { name: names[place].name, score, evidence: [{ ...evidenceOf(place, tally, all, names), source }] };
  });
}

function evidenceOf(place: number, tally: VoteTally, all: VoteTally, names: VotedNames['names']): Evidence {
  const count = tally.best(place);
  const rest = all.items - tally.items;
  const kinds = tally.classes(place).filter((one) => one !== place);
  return {
    source: 'votes',
    count,
    of: tally.items,
    outside: rest > 0 ? (all.best(place) - count) / rest : 0,
    lift: count === 0 ? 0 : count / tally.items / (all.best(place) / all.items),
    ...(kinds.length > 0 ? { kinds: kinds.slice(0, MAX_KINDS).map((one) => names[one].name) } : {}),
  };
}

/** Votes added up, by place among the names. */
export class VoteTally {
  readonly #of: VotedNames['of'];
  readonly #names: VotedNames['names'];
  readonly #sums = new Map<number, number>();
  readonly #best = new Map<number, number>();
  /** Sums of classes alone, by class. */
  readonly #classes = new Map<number, number>();
  items = 0;

  constructor({ names, of }: VotedNames) {
    this.#names = names;
    this.#of = of;
  }

  add(vote: Float32Array): void {
    this.items++;
    const kept = vote.length / 2;
    for (let i = 0; i < kept; i++) {
      const [number, probability] = [vote[i], vote[kept + i]];
      this.#classes.set(number, (this.#classes.get(number) ?? 0) + probability);
      for (const place of this.#of[number] ?? []) {
        this.#sums.set(place, (this.#sums.get(place) ?? 0) + probability);
        if (i === 0) this.#best.set(place, (this.#best.get(place) ?? 0) + 1);
      }
    }
  }

  share(place: number): number {
    return (this.#sums.get(place) ?? 0) / (this.items + 1);
  }

  /** Items whose best class is this, or a kind of it. */
  best(place: number): number {
    return this.#best.get(place) ?? 0;
  }

  /** Places of the classes that were voted for, of a kind if one is given, those with the largest share first. */
  classes(kind?: number): number[] {
    return [...this.#classes]
      .filter(([number]) => kind === undefined || this.#of[number]?.includes(kind))
      .sort(([a, m], [b, n]) => n - m || a - b)
      .flatMap(([number]) => this.#of[number]?.[0] ?? []);
  }

  /** The place of the name that may be given. @param all the tally of the whole pile */
  name({ minClassShare, minKindShare, own }: VoteRule, all: VoteTally): number | undefined {
    const largest = new Map<number, number>();
    for (const [number, sum] of this.#classes) {
      for (const place of this.#of[number] ?? []) largest.set(place, Math.max(largest.get(place) ?? 0, sum));
    }
    const several = (place: number, sum: number) => (largest.get(place) ?? 0) <= MAX_ONE_CLASS * sum;
    const sure = this.#leastGeneral(minClassShare, (place, sum) => {
      return this.share(place) >= (several(place, sum) ? minKindShare : minClassShare);
    });
    if (sure !== undefined || !own || this.items > MAX_OWN_ITEMS * all.items) return sure;
    const { minShare, minWithin } = own;
    const classes = new Set(this.classes());
    return this.#leastGeneral(minClassShare, (place, sum) => {
      // A class may be a kind of others that were voted for: a screen, of window screens.
      const alone = classes.has(place) && !several(place, sum);
      return !alone && this.share(place) >= minShare && sum >= minWithin * (all.#sums.get(place) ?? 0);
    });
  }

  /** Of those that may be given. */
  #leastGeneral(minClassShare: number, may: (place: number, sum: number) => boolean): number | undefined {
    const given = [...this.#sums].filter(([place, sum]) => may(place, sum));
    const most = given.reduce((largest, [, sum]) => Math.max(largest, sum), 0) / (this.items + 1);
    const least = Math.min(minClassShare, MIN_OF_LARGEST * most);
    const near = given.filter(([place]) => this.share(place) >= least);
    const classes = (place: number) => this.#names[place].classes;
    // Of two that say as much, that of the larger share; of two with the same, that which was met first: the nearer one.
    near.sort(([a, m], [b, n]) => classes(a) - classes(b) || n - m);
    return near[0]?.[0];
  }
}
