/**
 * What people did, with what it takes to undo it, and what changed since one looked last. A part of the store's contract
 * (`store.ts`).
 */
import type { ImageId } from '../core/ids.ts';

/** What a write of people's words and regions may say beside them. */
export interface WriteOptions {
  /** Who does it. Default: whom the store was opened for. */
  readonly actor?: string;
  /** An operation (`beginOperation`) that this write is a part of. Default: one of its own. */
  readonly operation?: number;
  /** Refuses the write (`REFUSED`) when one of these images was changed after it had this revision. */
  readonly expected?: ReadonlyMap<ImageId, number>;
}

export interface OperationStore {
  /** Begins an operation that several writes belong to, such as an import: it is undone as one. Gives its id. */
  beginOperation(operation: NewOperation): Promise<number>;
  /** Newest first: every write of people's words and regions, imports too, and every operation on the corpus. */
  operations(filter?: OperationFilter): Promise<OperationRecord[]>;
  /**
   * Undoes one operation, by default the newest that is not undone. What was written again since keeps that: a label that
   * somebody changed, a box that somebody moved. Operations on the corpus are undone from the newest on; another one is
   * `REFUSED`. Gives null where there is none.
   *
   * Many labels and boxes are taken back in parts, each a transaction. Stopped in between, the operation is not undone yet, and
   * undoing it again takes back the rest.
   */
  undo(operationId?: number): Promise<OperationRecord | null>;
  /** The other way, by default of the operation that was undone last. */
  redo(operationId?: number): Promise<OperationRecord | null>;
  /** Grows with every change of an image's labels, regions, split, attributes and presence. Unknown images are left out. */
  revisionsOf(ids: readonly ImageId[]): Promise<Map<ImageId, number>>;
  /** What changed after a revision; 0 is before everything. */
  changes(since: number): Promise<Changes>;
}

export interface NewOperation {
  /** `import`, `label`, `draw`, `delete`, … */
  readonly name: string;
  /** What was asked, for people: a file, a class. */
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly actor?: string;
}

export interface OperationFilter {
  readonly limit?: number;
  /** Only those that are older than this one. */
  readonly before?: number;
  readonly actor?: string;
  readonly kind?: OperationRecord['kind'];
}

export interface OperationRecord {
  /** Grows with time. */
  readonly id: number;
  readonly atMs: number;
  /** Empty where nobody is named. */
  readonly actor: string;
  readonly kind: 'corpus' | 'items';
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly undone: boolean;
  /** Labels and regions that it wrote, changed or took away. */
  readonly labels: number;
  readonly regions: number;
}

export interface Changes {
  /** The newest there is: what to ask with the next time. */
  readonly revision: number;
  /** Classes have other names, places or skeletons. */
  readonly corpus: boolean;
  /** Images were forgotten, which `images` cannot name any more. */
  readonly forgotten: boolean;
  /** In order of id, in pages. */
  images(): AsyncIterable<readonly { readonly id: ImageId; readonly revision: number }[]>;
}
