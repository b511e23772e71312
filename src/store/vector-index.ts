/** Which files of vectors exist. A part of the store's contract (`store.ts`). */
import type { ItemId, RunId } from '../core/ids.ts';
import type { ItemKind } from '../core/labels.ts';

export interface VectorIndex {
  /** Every space that has vectors of this kind of items, in order of name. */
  vectorSpaces(items: ItemKind): Promise<string[]>;
  /** Makes a file of vectors exist. Files that no row names are ignored, so the file is written first. */
  putVectorShard(shard: VectorShard): Promise<void>;
  /** In order of first id, then of shard. */
  vectorShards(space: string, items: ItemKind): Promise<VectorShard[]>;
  /**
   * Forgets the files of one space, or only those shards, and gives their rows, so that the caller can delete the files
   * afterwards.
   */
  clearVectorShards(space: string, items: ItemKind, only?: ReadonlySet<string>): Promise<VectorShard[]>;
  /** Forgets some files and makes others exist in their place, in one transaction. */
  replaceVectorShards(gone: readonly VectorShard[], shards: readonly VectorShard[]): Promise<void>;
}

/** One immutable file of vectors. */
export interface VectorShard {
  /** Key of model and recipe: vectors of one space may be compared. */
  readonly space: string;
  readonly items: ItemKind;
  /** Unique within its space and kind of items. */
  readonly shard: string;
  /** Relative to the workspace folder, `/` between parts. */
  readonly file: string;
  /** Of the file's bytes, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly count: number;
  readonly firstId: ItemId;
  readonly lastId: ItemId;
  readonly runId: RunId | null;
}
