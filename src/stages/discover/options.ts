/** What `discover` is asked for and what it gives back. */
import type { ItemKind } from '../../core/labels.ts';
import type { VotedNames } from '../../corpus/voted-names.ts';
import type { ReadPath } from '../../jobs/image-reader.ts';
import type { RunOptions, RunResult } from '../../jobs/run.ts';
import type { VoteClasses } from '../../models/bundle.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import type { Store } from '../../store/store.ts';
import type { VectorStore } from '../../vectors/vector-store.ts';
import type { BeginAgainOptions } from '../begin-again.ts';
import type { Candidate, HypernymsOf } from './evidence.ts';
import type { Voter, WordReader } from './gather-evidence.ts';
import type { Method } from './hierarchy.ts';
import type { NamerOptions } from './namer-request.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface DiscoverOptions extends RunOptions, BeginAgainOptions {
  /** Clusters to make, or `auto` for what the data suggests. Default: as before here, else and with `recluster` `auto`. */
  readonly k?: number | 'auto';
  /**
   * Which of the numbers of clusters that the tree suggests, 1 the coarsest (see `levelsOf`); in place of `k`. Cuts the tree
   * there is; nothing is clustered again. A tree that is made in this run gives its finest where it has fewer levels; one that
   * is there is refused then.
   */
  readonly level?: number;
  /** Takes the finest level in place of one that there is not, of trees that are there too. Default false. */
  readonly finestOtherwise?: boolean;
  /** Default: as before here, else `graph`. */
  readonly method?: Method;
  /** The task that gets the labels. Default `class`. */
  readonly task?: string;
  /** Default `images`. */
  readonly items?: ItemKind;
  /** Clusters all items again, those that came since too. Default false. */
  readonly recluster?: boolean;
  /** Of more items than this a random sample is clustered; time grows with its square. Default {@link MAX_SAMPLE}. */
  readonly maxSample?: number;
  /** Vectors from which passes over all of them are spread over machines, and what came of them is kept. Default 100,000. */
  readonly spreadFrom?: number;
  /** Votes on images that are typical of clusters, as evidence for names. Default none. */
  readonly classifier?: Voter;
  /** Reads what is written on images that are typical of clusters, as evidence for names. Default none. */
  readonly reader?: WordReader;
  /** What a name is a kind of, so that kinds of one thing can be named together. Default: that is not known. */
  readonly hypernymsOf?: HypernymsOf;
  /** Whether a term is a word of a language, and no prefix of cameras or tools. Default: that is not known, and all count. */
  readonly isWord?: (term: string) => boolean;
  /** A model elsewhere that is shown a contact sheet of each new cluster. Default none: nothing is sent. */
  readonly namer?: NamerOptions;
  /** Words that are compared with the items of new clusters. Default none. */
  readonly vocabulary?: Vocabulary;
  /** What the classes are called that an embedder votes for. Default: that is not known, and votes name nothing. */
  readonly votedNames?: (classes: VoteClasses) => VotedNames;
}

export interface DiscoverEffects {
  readonly store: Store;
  readonly vectors: VectorStore;
  readonly pool: InferencePool;
  readonly readBytes: ReadPath;
}

export interface DiscoveredCluster {
  /** Its class in the corpus. */
  readonly name: string;
  /** Items in it. */
  readonly size: number;
  /** The chance that it is one thing, four fifths of it of one class; null where nothing says so. */
  readonly chance: number | null;
  readonly candidates: readonly Candidate[];
  /** Paths of the items that stand for it, best first. */
  readonly exemplars: readonly string[];
}

/** An item that stands far from everything. */
export interface OutlierFile {
  readonly path: string;
  /** Mean cosine distance to its ten nearest. */
  readonly distance: number;
  /** How many times farther that is than theirs to their own. */
  readonly factor: number;
}

export interface DiscoverResult extends RunResult {
  readonly counts: {
    /** Items with a vector. */
    readonly items: number;
    readonly clusters: number;
    /** Items that got their cluster in this run. */
    readonly assigned: number;
    /** Items that belong to no cluster. */
    readonly none: number;
    /** Items that are near copies of one that was clustered, and went where it went. */
    readonly copies: number;
    /** Items that got their vector after these clusters were made: no cluster was looked for among them. */
    readonly since: number;
  };
  /** Whether items were clustered in this run, or only given to the clusters there were. */
  readonly clustered: boolean;
  /** Why, where there were clusters and nobody asked for others. */
  readonly because: string | null;
  /** Whether the clusters are of a run with a limit: with more vectors they are made again. */
  readonly pilot: boolean;
  readonly method: Method;
  /** By class: fewer than `counts.clusters` where classes were merged since. */
  readonly clusters: readonly DiscoveredCluster[];
  /** Clusters of the tree that are not counted, since all that was in them was forgotten. */
  readonly emptied: number;
  /** Share of the items that are likely of the class that most of their cluster is of; null where nothing says so. */
  readonly likelyRight: number | null;
  /** Items that this is said of: those with a cluster, or, where some came after the clusters were made, those that these were made of. */
  readonly judged: number;
  /**
   * Numbers of clusters at the tree's levels, for `level`: groups, classes, kinds, as far as there is room for them around the
   * classes of people.
   */
  readonly levels: readonly number[];
  /** The levels there were before people named or labelled more of the same tree; null where they are the same. */
  readonly levelsBefore: readonly number[] | null;
  /** Classes that people named or labelled among what was clustered: each is one cluster at every level. */
  readonly held: number;
  /**
   * Images that only the name of their cluster made people's, and that lie with other things in these clusters: they went there. Of regions
   * ids in place of paths.
   */
  readonly strays: { readonly count: number; readonly first: readonly string[] };
  /** Items that people said to be of another class than their cluster is, which `recluster` would go by; 0 where these clusters do. */
  readonly unheard: number;
  /** How many clusters the tree is cut at. */
  readonly asked: number | 'auto';
  /** The number that an earlier command asked for, where this one asked for none; it holds still where `asked` is the same. */
  readonly askedBefore: number | null;
  /** Between which numbers of clusters the right one likely is; undefined where nothing says so. */
  readonly range?: { readonly least: number; readonly most: number };
  /** Names of classes of earlier clusterings that nothing hung on, which are gone now. */
  readonly retired: readonly string[];
  /** What stands far from everything; undefined where the run was interrupted. */
  readonly outliers?: { readonly count: number; readonly first: readonly OutlierFile[] };
  /** Pairs that are much nearer to each other than neighbours are here. */
  readonly duplicates?: {
    readonly count: number;
    readonly first: readonly { a: string; b: string; similarity: number }[];
  };
}
