/** The corpus of classes with its history. A part of the store's contract (`store.ts`). */
import type { CorpusChange, CorpusEvent, CorpusState, LoggedChange } from '../core/corpus.ts';
import type { RunId } from '../core/ids.ts';
import type { ItemKind, Origin } from '../core/labels.ts';
import type { Skeleton } from '../core/region-details.ts';
import type { NewOperation } from './operation-store.ts';

export interface CorpusStore {
  /** Classes that do not exist yet are created; a synonym of a class counts as that class. */
  ensureClasses(names: readonly string[]): Promise<void>;
  /**
   * Sets what classes have beside their place in the corpus; a class that is not there is created. Fields that are left
   * out stay, null takes one away. Not an operation of the corpus: it is not undone.
   */
  putClassDetails(details: ReadonlyMap<string, ClassDetails>): Promise<void>;
  /**
   * Removes those of the classes that nothing hangs on, and gives their names: no label of any origin, present or absent, no
   * synonym, parent, part, description, synset or skeleton, and no operation of the corpus' history, so that all of it can be undone.
   * Those that are kept for an operation's sake alone are not listed by `classes` until something hangs on them again.
   */
  dropUnusedClasses(names: readonly string[]): Promise<string[]>;
  /** In order of name. Counts are of current labels (see `currentLabels`), per task; images that are gone do not count. */
  classes(): Promise<ClassRecord[]>;
  /** Of the task, names by now of classes that imports that stand made out of clusters (`core/out-of-clusters.ts`). */
  classesOutOfClusters(task: string): Promise<ReadonlySet<string>>;
  /**
   * Current labels by the run that gave them, in no order; images that are gone do not count. Reads all labels, so it takes
   * longer than `classes`.
   */
  labelCounts(): Promise<LabelCount[]>;
  /** Classes, merged ones too, and synonyms. */
  corpus(): Promise<CorpusState>;
  /**
   * One operation, as one transaction, with what it takes to undo it. `change` is called again when another process
   * changed the corpus meanwhile. Gives null, and writes nothing, when there was nothing to do.
   */
  changeCorpus(
    operation: NewOperation & { readonly atMs: number },
    change: (state: CorpusState) => CorpusChange | Promise<CorpusChange>,
  ): Promise<CorpusEvent | null>;
  /**
   * Undoes the newest operation that is not undone, exactly. What people or stages wrote since stays: a label changed
   * since keeps its change, and a class that was labelled since is kept. Labels of people and imports that were written since
   * under a name that the operation gave keep it, in a class that is made for them where there is none; redoing joins it again.
   * Gives null when there is none.
   */
  undoCorpusChange(): Promise<CorpusEvent | null>;
  /** Newest first. */
  corpusHistory(limit?: number): Promise<CorpusEvent[]>;
  /** The same, all of it, with the rows that each changed. */
  corpusLog(): Promise<LoggedChange[]>;
}

/** Current labels of one class, task, origin and run. */
export interface LabelCount {
  readonly className: string;
  readonly task: string;
  readonly origin: Origin;
  /** Null where no run gave them. */
  readonly runId: RunId | null;
  readonly images: number;
  readonly regions: number;
}

export interface ClassDetails {
  readonly skeleton?: Skeleton | null;
}

export interface ClassRecord {
  readonly name: string;
  readonly synonyms: readonly string[];
  readonly parent: string | null;
  readonly description: string | null;
  /** WordNet synset such as `dog.n.01`, where known. */
  readonly synset: string | null;
  readonly skeleton?: Skeleton;
  /** An operation that stands gave it the name that it had; left out where none did. */
  readonly confirmed?: boolean;
  readonly counts: readonly {
    readonly task: string;
    readonly items: ItemKind;
    readonly count: number;
    readonly meanConfidence: number;
    /** Current labels by origin. */
    readonly origins: Readonly<Partial<Record<Origin, number>>>;
  }[];
  /**
   * Tasks in which clusters gave it to an item, whoever has said something of that item since, in which people said it of a cluster
   * that had the name then, which was undone, or in which an import that stands made it out of clusters (`core/out-of-clusters.ts`);
   * left out where there is none.
   */
  readonly clusteredIn?: readonly string[];
}
