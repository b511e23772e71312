/**
 * What stages leave for a task and read again: clusters, the set of predictions that counts, the data map. A part of the
 * store's contract (`store.ts`); stages read and write it in their types by way of `typed.ts`.
 */
export interface ArtifactStore {
  /** Undefined where the task has none of this kind. */
  artifact(kind: string, task: string): Promise<StoredArtifact | undefined>;
  /** Takes the place of the one before. */
  putArtifact(kind: string, task: string, artifact: StoredArtifact): Promise<void>;
}

export interface StoredArtifact {
  /** Of the form of `data`, from 1; 0 is the form of labelsmith 0.1.0. */
  readonly version: number;
  /** JSON. */
  readonly data: string;
}
