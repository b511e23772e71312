/** Reference images of classes, kept so that more can join. A part of the store's contract (`store.ts`). */
import type { ImageId } from '../core/ids.ts';

export interface ReferenceStore {
  /** In order of id. @param space the embeddings' */
  references(task: string, space: string): Promise<StoredReference[]>;
  /**
   * Joins references to those that are there, each picture once; with `replace` they take the place of all of the task's
   * in this space. Two processes that add references at once lose none.
   */
  putReferences(
    task: string,
    space: string,
    references: readonly StoredReference[],
    options?: { readonly replace?: boolean },
  ): Promise<void>;
}

export interface StoredReference {
  /** SHA-256 of its bytes. */
  readonly id: ImageId;
  /** The name of its folder. */
  readonly className: string;
  /** As the model gives it. */
  readonly vector: Float32Array;
}
