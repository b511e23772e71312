/**
 * Names for clusters, from what is known of their items; pure.
 *
 * A term (a detector's class, a word of a path or on the thing, a keyword, a label, a classifier's vote) speaks for a name where it is more
 * frequent in the cluster than elsewhere. Its score is trust · lower(share) · (1 − outside / share): `lower` is the lower end
 * of the share's 95 % interval (Wilson 1927), so three of three items say less than thirty of thirty; `outside` is the term's
 * share among all other items, so what is everywhere says nothing. Scores of several sources for one name add as
 * independent chances, 1 − Π (1 − s). Votes of the embedder's own network have a rule of their own (`vote-names.ts`).
 */
import { wilsonInterval } from '../../math/metrics/classification.ts';

/** Where a term comes from, and how far it is trusted when it fits a cluster perfectly. */
export const EVIDENCE_TRUST = {
  /** What people, imports, references or models said of items of the cluster in the same task. */
  label: 1,
  /** Keywords written into files: EXIF, IPTC, XMP. */
  keyword: 0.9,
  /** The best class of an image classifier. */
  classifier: 0.8,
  /** Words of folders and file names. */
  path: 0.8,
  /** What the embedder's own network takes items for; `vote-names.ts` has the rule. */
  votes: 0.75,
  /** Words of a vocabulary that the embedder finds near to the items; the same rule. */
  words: 0.75,
  /** Words that are written on things: a maker's or a slogan's ("creamy") as well as what is in them. */
  written: 0.6,
  /** What a model that the user named says of a contact sheet. */
  namer: 0.7,
  /** Objects that a detector found in the image: they may be beside the point. */
  detector: 0.6,
} as const;
export type EvidenceSource = keyof typeof EVIDENCE_TRUST;
export const EVIDENCE_SOURCES = Object.keys(EVIDENCE_TRUST) as EvidenceSource[];

export interface Evidence {
  readonly source: EvidenceSource;
  /** Items of the cluster that have the term, of those that were looked at. */
  readonly count: number;
  readonly of: number;
  /** The term's share among all items that are not in the cluster, 0 to 1. */
  readonly outside: number;
  /** The term's share in the cluster over its share among all items looked at. */
  readonly lift: number;
  /** Of a name that is what several terms are kinds of: these, the most frequent first. */
  readonly kinds?: readonly string[];
  /** Of `namer`: the model that said it, and its definition. */
  readonly by?: string;
  readonly told?: string;
}

export interface Candidate {
  readonly name: string;
  /** 0 to 1. */
  readonly score: number;
  readonly evidence: readonly Evidence[];
}

/** Terms of one source for the items that were looked at. */
export interface TermTable {
  readonly source: Exclude<EvidenceSource, 'votes' | 'words' | 'namer'>;
  /** The distinct terms of each item, [items]; undefined where the item was not looked at. */
  readonly terms: readonly (readonly string[] | undefined)[];
  /**
   * Terms that may be what a camera or a tool calls everything (`mimg0001.jpg`): one of them speaks for a cluster only where
   * nearly all items that have it are in it. Default none.
   */
  readonly vague?: ReadonlySet<string>;
}

/** The names of what a term is a kind of, the nearest first; empty where that is not known. */
export type HypernymsOf = (term: string) => readonly string[];

/** A term of fewer items than this names nothing, but for clusters that are hardly larger. */
const MIN_COUNT = 3;
const MIN_LIFT = 1.5;
/** A vague term names a cluster that has so much of it: some of a class always lie elsewhere, and a batch of several classes is parted. Set by hand. */
const MIN_OF_VAGUE = 0.75;
/** A name must fit at least so well to be given without asking: about half of the cluster, and little else. */
export const NAMING_SCORE = 0.35;
const CANDIDATES = 8;

/** A common kind is no news where nearly all items under it have one term. */
const MAX_ONE_HYPONYM = 0.85;
/** The least share of a term among the items of a common kind for it to be one of several that agree. */
const MIN_HYPONYM_SHARE = 0.1;

/**
 * Candidates for every cluster, best first. Where several terms of a cluster are kinds of one thing (car, truck and bus of
 * conveyance) and that thing fits the cluster better than any of them, it is one more candidate: of those that do, the best one,
 * and the nearest where several are as good.
 *
 * @param clusters shape [items], the cluster of each item, −1 for none.
 */
export function nameCandidates(
  clusters: Int32Array,
  k: number,
  tables: readonly TermTable[],
  hypernymsOf?: HypernymsOf,
): Candidate[][] {
  const found = evidenceOf(clusters, k, tables);
  const above = hypernymsOf ? hypernymEvidence(clusters, k, tables, hypernymsOf) : [];
  return found.map((names, cluster) => {
    const own = candidatesFrom(names);
    const best = own[0]?.score ?? 0;
    const [kind] = candidatesFrom(above[cluster] ?? new Map()).filter(
      ({ name, score }) => score > best && !names.has(name),
    );
    return [...(kind ? [kind] : []), ...own].slice(0, CANDIDATES);
  });
}

function candidatesFrom(names: ReadonlyMap<string, readonly Evidence[]>): Candidate[] {
  return [...names].map(([name, evidence]) => ({ name, score: scoreOf(evidence), evidence })).sort(better);
}

function better(a: Candidate, b: Candidate): number {
  const outside = (evidence: readonly Evidence[]) => evidence.reduce((sum, one) => sum + one.outside, 0);
  return (
    b.score - a.score ||
    outside(a.evidence) - outside(b.evidence) ||
    b.name.length - a.name.length ||
    (a.name < b.name ? -1 : 1)
  );
}

/** Candidates of a cluster from two sides, best first: what both speak for is scored as from independent sources. */
export function joinCandidates(some: readonly Candidate[], others: readonly Candidate[]): Candidate[] {
  if (others.length === 0) return [...some];
  const joined = new Map<string, Candidate>();
  for (const one of [...some, ...others]) {
    const there = joined.get(one.name);
    const score = there ? 1 - (1 - there.score) * (1 - one.score) : one.score;
    joined.set(one.name, { name: one.name, score, evidence: [...(there?.evidence ?? []), ...one.evidence] });
  }
  return [...joined.values()].sort(better).slice(0, CANDIDATES);
}

/** For every cluster the evidence for each term that is frequent and more frequent than elsewhere. */
function evidenceOf(clusters: Int32Array, k: number, tables: readonly TermTable[]): Map<string, Evidence[]>[] {
  const found: Map<string, Evidence[]>[] = Array.from({ length: k }, () => new Map());
  for (const { source, terms, vague } of tables) {
    const looked = new Int32Array(k);
    let all = 0;
    const total = new Map<string, number>();
    const within: Map<string, number>[] = Array.from({ length: k }, () => new Map());
    terms.forEach((own, item) => {
      if (own === undefined) return;
      const cluster = clusters[item];
      all++;
      if (cluster >= 0) looked[cluster] = looked[cluster] + 1;
      for (const term of new Set(own)) {
        total.set(term, (total.get(term) ?? 0) + 1);
        if (cluster >= 0) within[cluster]?.set(term, (within[cluster]?.get(term) ?? 0) + 1);
      }
    });
    within.forEach((counts, cluster) => {
      const of = looked[cluster];
      for (const [name, count] of counts) {
        const everywhere = total.get(name) as number;
        const lift = count / of / (everywhere / all);
        if (vague?.has(name) && count < MIN_OF_VAGUE * everywhere) continue;
        const outside = all > of ? (everywhere - count) / (all - of) : 0;
        if (count < Math.min(MIN_COUNT, Math.ceil(of / 2)) || (all > of && lift < MIN_LIFT)) continue;
        const evidence = found[cluster]?.get(name) ?? [];
        evidence.push({ source, count, of, outside, lift });
        found[cluster]?.set(name, evidence);
      }
    });
  }
  return found;
}

/** The same for what terms are kinds of, as far as several terms of the cluster are. */
function hypernymEvidence(
  clusters: Int32Array,
  k: number,
  tables: readonly TermTable[],
  hypernymsOf: HypernymsOf,
): Map<string, Evidence[]>[] {
  const known = new Map<string, readonly string[]>();
  const kinds = (term: string) => {
    const there = known.get(term) ?? hypernymsOf(term);
    known.set(term, there);
    return there;
  };
  const found: Map<string, Evidence[]>[] = Array.from({ length: k }, () => new Map());
  for (const { source, terms } of tables) {
    // A carton with an apple's name on it is no fruit.
    if (source === 'written') continue;
    /** For every cluster and kind: how many items have each term of it. */
    const parts: Map<string, Map<string, number>>[] = Array.from({ length: k }, () => new Map());
    const lifted = terms.map((own, item) => {
      if (own === undefined) return undefined;
      const part = parts[clusters[item]];
      const names: string[] = [];
      for (const term of new Set(own)) {
        for (const kind of kinds(term)) {
          names.push(kind);
          const counts = part?.get(kind) ?? new Map<string, number>();
          counts.set(term, (counts.get(term) ?? 0) + 1);
          part?.set(kind, counts);
        }
      }
      return names;
    });
    for (const [cluster, names] of evidenceOf(clusters, k, [{ source, terms: lifted }]).entries()) {
      for (const [name, [evidence]] of names) {
        if (!evidence) continue;
        const counts = [...(parts[cluster]?.get(name) ?? [])].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
        const agreeing = counts.filter(([, n]) => n >= MIN_COUNT && n >= MIN_HYPONYM_SHARE * evidence.count);
        if (agreeing.length < 2 || agreeing[0]?.[1] > MAX_ONE_HYPONYM * evidence.count) continue;
        const joined = found[cluster]?.get(name) ?? [];
        joined.push({ ...evidence, kinds: agreeing.map(([term]) => term) });
        found[cluster]?.set(name, joined);
      }
    }
  }
  return found;
}

/** 95 %. */
const Z = 1.96;

function scoreOf(evidence: readonly Evidence[]): number {
  let doubt = 1;
  for (const { source, count, of, outside } of evidence) {
    const apart = Math.max(0, 1 - outside / (count / of));
    doubt *= 1 - EVIDENCE_TRUST[source] * wilsonInterval(count, of, Z)[0] * apart;
  }
  return 1 - doubt;
}

/**
 * One name a cluster, none twice: the surest cluster takes its best name first; one whose good names are taken gets the best
 * with a number behind it, and one with no good name is `unnamed-N`, N its place in order of size.
 *
 * @param reserved names with a number that stand for something already: the next free number is taken in their place.
 */
export function chooseNames(
  candidates: readonly (readonly Candidate[])[],
  reserved: ReadonlySet<string> = new Set(),
  least: number = NAMING_SCORE,
): string[] {
  const names: string[] = [];
  let beyond = candidates.length;
  for (let i = 1; i <= candidates.length; i++) {
    let name = `unnamed-${i}`;
    while (reserved.has(name)) name = `unnamed-${++beyond}`;
    names.push(name);
  }
  const taken = new Set<string>([...names, ...reserved]);
  const order = candidates.map((_, i) => i);
  order.sort((a, b) => (candidates[b]?.[0]?.score ?? 0) - (candidates[a]?.[0]?.score ?? 0) || a - b);
  for (const cluster of order) {
    const good = (candidates[cluster] ?? []).filter(({ score }) => score >= least);
    const best = good[0];
    if (!best) continue;
    let name = good.find((candidate) => !taken.has(candidate.name) && candidate.score >= best.score * 0.8)?.name;
    for (let number = 2; name === undefined; number++) {
      if (!taken.has(`${best.name} ${number}`)) name = `${best.name} ${number}`;
    }
    taken.add(name);
    names[cluster] = name;
  }
  return names;
}

/** Whether nothing spoke for a name of this class of clusters (see {@link chooseNames}), or of the one that it is a part of. */
export function isUnnamed(className: string): boolean {
  return /^unnamed-\d+(?: \d+)*$/.test(className);
}
