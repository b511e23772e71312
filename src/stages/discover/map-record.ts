/**
 * Where the data map of a task is kept, and what its files hold.
 *
 * The map is derived: one file of vectors for each file of embeddings, written before the labels of the same items, so a
 * run that is killed goes on, and what is deleted is made again. It depends on the sample and the seed, not on how the
 * sample was clustered.
 */
import { z } from 'zod';
import { sha256Hex } from '../../core/ids.ts';
import type { Store } from '../../store/store.ts';
import { type Artifact, readArtifact, writeArtifact } from '../../store/typed.ts';
import type { VectorStore } from '../../vectors/vector-store.ts';
import type { ClusterModel } from './cluster-model.ts';

/** Columns of an item in a file of the map. */
export const MAP_COLUMN = {
  x: 0,
  y: 1,
  /** Mean distance to its ten nearest of the sample, by `remoteness`. */
  distance: 2,
  /** Place of the nearest in the sample. */
  nearest: 3,
  /** Cosine to the nearest. */
  similarity: 4,
  /** How many times farther that is than it is for the median item of the sample. */
  outlierScore: 5,
} as const;
export const MAP_COLUMNS = 6;

export interface MapEffects {
  readonly store: Store;
  readonly vectors: VectorStore;
}

const MAP_RECORD = z.object({ key: z.string(), items: z.enum(['images', 'regions']) }).readonly();
export type MapRecord = z.infer<typeof MAP_RECORD>;

/** The map that counts in a task. */
const MAP: Artifact<MapRecord> = {
  kind: 'map',
  version: 1,
  schema: MAP_RECORD,
  what: 'The data map',
  remedy: 'Run labelsmith discover again.',
};

/** The space of the files that hold a task's map. */
export const mapSpace = (task: string, key: string) => `map:${task}:${key}`;

/** What the columns of a file mean; other than in earlier versions, whose maps are read as they are and not added to. */
const COLUMNS_KEY = 'remoteness';

type Mapped = Pick<ClusterModel, 'space' | 'meanKey' | 'seed' | 'sample'>;

/** Names a map by all that decides where items stand on it, and what else is told of them. */
export function mapKeyOf({ space, meanKey, seed, sample }: Mapped): string {
  return sha256Hex([COLUMNS_KEY, space, meanKey, seed, ...sample].join('\n')).slice(0, 16);
}

/** Whether a map is of this clustering, made by this version or an earlier one. */
export function isMapOf({ key }: Pick<MapRecord, 'key'>, model: Mapped): boolean {
  const { space, meanKey, seed, sample } = model;
  return key === mapKeyOf(model) || key === sha256Hex([space, meanKey, seed, ...sample].join('\n')).slice(0, 16);
}

export function savedMap(store: Pick<Store, 'artifact'>, task: string): Promise<MapRecord | undefined> {
  return readArtifact(store, MAP, task);
}

export function saveMap(store: Pick<Store, 'putArtifact'>, task: string, map: MapRecord): Promise<void> {
  return writeArtifact(store, MAP, task, map);
}
