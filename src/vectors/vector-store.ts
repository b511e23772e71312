/**
 * Where vectors live: the contract of every vector store (checked by `test/contracts/vectors.ts`).
 *
 * A vector store owns files; which of them exist is said by the rows of `Store.putVectorShard`, which the caller writes
 * after the file. Guarantees:
 * - Written is written: when `write` resolves, the bytes are on disk under their final name, which derives from them.
 *   Writing the same vectors again gives the same row, and no second file.
 * - Files that no given row names are never looked at. A file that is gone or differs from its row's hash is an error
 *   that says how to make it again; vectors are derived, nothing is lost.
 * - Memory: `stream` holds one shard, `readAll` all vectors as single precision (4 · columns + about 100 bytes a vector),
 *   `lookup` and
 *   `lookupVotes` one shard and what was found.
 */
import type { ItemId } from '../core/ids.ts';
import type { ItemKind } from '../core/labels.ts';
import type { Matrix } from '../math/matrix.ts';
import type { VectorShard } from '../store/store.ts';

export interface VectorStore {
  /** Writes a shard's file and gives the row that makes it exist. */
  write(shard: NewVectorShard): Promise<VectorShard>;
  read(shard: VectorShard): Promise<Vectors>;
  /** A shard's file as it is, for another store: `adopt` puts it there under the same row. */
  readFile(shard: VectorShard): Promise<Uint8Array>;
  adopt(shard: VectorShard, bytes: Uint8Array): Promise<void>;
  /** One after the other, in the order given. */
  stream(shards: Iterable<VectorShard>): AsyncIterable<Vectors>;
  /** All vectors in order of id, in shared memory, whatever shards they came in; without votes. */
  readAll(shards: readonly VectorShard[]): Promise<Vectors>;
  /** Those of the ids that are there. */
  lookup(shards: Iterable<VectorShard>, ids: Iterable<ItemId>): Promise<Map<ItemId, Float32Array>>;
  /** The votes of those of the ids that have some. */
  lookupVotes(shards: Iterable<VectorShard>, ids: Iterable<ItemId>): Promise<Map<ItemId, Float32Array>>;
  /** Deletes the files of these rows; the rows must be gone before. Files that are gone already are fine. */
  remove(shards: Iterable<VectorShard>): Promise<void>;
  /** Deletes every file that none of `keep` names, left by runs that were killed; returns how many. */
  prune(keep: Iterable<VectorShard>): Promise<number>;
}

export interface NewVectorShard extends Pick<VectorShard, 'space' | 'items' | 'shard' | 'runId'> {
  /** Strictly ascending. At least one, at most {@link MAX_SHARD_ROWS}. */
  readonly ids: readonly ItemId[];
  /** Shape [ids, columns], finite. */
  readonly vectors: Matrix;
  /** Shape [ids, any], finite: further numbers of each id, kept in single precision. */
  readonly votes?: Matrix;
  /** Half precision (the default) keeps 3 digits and holds up to 65,504. */
  readonly precision?: 'float16' | 'float32';
}

export interface Vectors {
  readonly ids: readonly ItemId[];
  /** Shape [ids, columns]. */
  readonly vectors: Matrix;
  /** Where they were written with the vectors. */
  readonly votes?: Matrix;
  /** That of the file. Default: half precision. */
  readonly precision?: 'float32';
}

/** A shard is read as a whole, so it must not be large: 75 MB for 576 numbers in half precision. */
export const MAX_SHARD_ROWS = 65_536;

export const ID_LENGTH: Readonly<Record<ItemKind, number>> = { images: 64, regions: 32 };
