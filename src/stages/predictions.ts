/**
 * Predictions: what a model thinks of every item of a task, below its threshold too. They are no labels: nothing counts,
 * exports or shows them as such. `evaluate` asks for the best guess, `teach select` for how sure the model is, and lists
 * of label errors for what it would have said.
 *
 * Derived, so they are files (one set of Arrow files a task, a probability a class) that the record names; another set
 * takes their place at once, and a run that is killed leaves the old one standing.
 */
import { z } from 'zod';
import type { IdSet } from '../core/id-set.ts';
import type { ItemId } from '../core/ids.ts';
import { ORIGINS, type Origin } from '../core/labels.ts';
import { namesNow } from '../corpus/class-names.ts';
import { LabelsmithError } from '../errors.ts';
import type { Workspace } from '../jobs/workspace.ts';
import { argMax } from '../math/calibration.ts';
import { type Matrix, rowsOf } from '../math/matrix.ts';
import { type Artifact, readArtifact, writeArtifact } from '../store/typed.ts';
import type { VectorStore } from '../vectors/vector-store.ts';

const PREDICTION_SET = z
  .object({
    task: z.string(),
    items: z.enum(['images', 'regions']),
    /** Whose predictions: the origin that its labels have. */
    origin: z.enum(ORIGINS),
    classNames: z.array(z.string()).readonly(),
    runId: z.string().nullable(),
    /** Names the content of what made them. */
    key: z.string(),
  })
  .readonly();
export type PredictionSet = z.infer<typeof PREDICTION_SET>;

/** The set that counts in a task. */
const PREDICTIONS: Artifact<PredictionSet> = {
  kind: 'predictions',
  version: 1,
  schema: PREDICTION_SET,
  what: 'The set of predictions',
  remedy: 'Run labelsmith teach rounds, match, or classify again.',
};

export interface BestPrediction {
  readonly className: string;
  readonly confidence: number;
  readonly origin: Origin;
}

const SHARD_ROWS = 16_384;

/** The space of the vectors that hold a set's probabilities. */
export const predictionSpace = ({ task, key }: Pick<PredictionSet, 'task' | 'key'>) => `guesses:${task}:${key}`;

/** @param ids ascending. @param probabilities shape [ids, classes]. */
export async function putPredictions(
  { store, vectors }: Pick<Workspace, 'store' | 'vectors'>,
  set: PredictionSet,
  ids: readonly ItemId[],
  probabilities: Matrix,
): Promise<void> {
  const space = predictionSpace(set);
  // What a killed run left under the same name, or another part of the same content.
  await store.clearVectorShards(space, set.items);
  for (let start = 0; start < ids.length; start += SHARD_ROWS) {
    const end = Math.min(ids.length, start + SHARD_ROWS);
    const shard = await vectors.write({
      space,
      items: set.items,
      shard: String(start / SHARD_ROWS),
      runId: set.runId,
      ids: ids.slice(start, end),
      vectors: rowsOf(probabilities, start, end),
      precision: 'float32',
    });
    await store.putVectorShard(shard);
  }
  await adoptPredictions({ store, vectors }, set);
}

/** Where rows of a set's probabilities wait until all of them are there, so that those of an earlier run stand till then. */
export const stagedSpace = (set: Pick<PredictionSet, 'task' | 'key'>) => `${predictionSpace(set)}${STAGED}`;
const STAGED = '#staged';

/** Forgets what waits for a task, of runs that were stopped. */
export async function dropStaged(
  { store, vectors }: Pick<Workspace, 'store' | 'vectors'>,
  task: string,
  items: PredictionSet['items'],
): Promise<void> {
  for (const space of await store.vectorSpaces(items)) {
    if (!space.startsWith(predictionSpace({ task, key: '' })) || !space.endsWith(STAGED)) continue;
    const there = await store.vectorShards(space.slice(0, -STAGED.length), items);
    const adopted = new Set(there.map(({ file }) => file));
    const dropped = await store.clearVectorShards(space, items);
    await vectors.remove(dropped.filter(({ file }) => !adopted.has(file)));
  }
}

/** Makes what waits under {@link stagedSpace} the set of its task. */
export async function adoptStaged(
  { store, vectors }: Pick<Workspace, 'store' | 'vectors'>,
  set: PredictionSet,
): Promise<void> {
  const space = predictionSpace(set);
  const staged = (await store.vectorShards(stagedSpace(set), set.items)).map((shard) => ({ ...shard, space }));
  const there = await store.vectorShards(space, set.items);
  await store.replaceVectorShards(there, staged);
  await store.clearVectorShards(stagedSpace(set), set.items);
  await adoptPredictions({ store, vectors }, set);
  const files = new Set(staged.map(({ file }) => file));
  await vectors.remove(there.filter(({ file }) => !files.has(file)));
}

/** Makes a set whose probabilities are all written that of its task, in place of the one before. */
export async function adoptPredictions(
  { store, vectors }: { readonly store: Workspace['store']; readonly vectors: Pick<VectorStore, 'remove'> },
  set: PredictionSet,
): Promise<void> {
  const before = await readSet(store, set.task);
  await writeArtifact(store, PREDICTIONS, set.task, set);
  if (before && predictionSpace(before) !== predictionSpace(set)) {
    await vectors.remove(await store.clearVectorShards(predictionSpace(before), before.items));
  }
}

function readSet(store: Workspace['store'], task: string): Promise<PredictionSet | undefined> {
  return readArtifact(store, PREDICTIONS, task);
}

/** The set of a task, or an error that says how to get one. */
export async function requirePredictionSet(store: Workspace['store'], task: string): Promise<PredictionSet> {
  const set = await readSet(store, task);
  if (set) return set;
  throw new LabelsmithError('NOT_FOUND', `No model has looked at the items of the task "${task}".`, {
    hint: 'Run labelsmith teach rounds first.',
  });
}

export interface Predictions extends PredictionSet {
  /** Probabilities of some items, shape [classes] each; items without any are left out. */
  probabilities(ids: Iterable<ItemId>): Promise<Map<ItemId, Float32Array>>;
  /** How many of these items have some, in one pass. */
  countAmong(ids: IdSet): Promise<number>;
  /** The best guess for some items. */
  best(ids: Iterable<ItemId>): Promise<Map<ItemId, BestPrediction>>;
}

/** What classes are called by now; those that were merged since share a column, and their probabilities add up. */
async function columnsNow(
  store: Pick<Workspace['store'], 'classes'>,
  names: readonly string[],
): Promise<{ classNames: readonly string[]; columnOf: readonly number[] }> {
  const now = names.map(await namesNow(store));
  const classNames = [...new Set(now)];
  const place = new Map(classNames.map((name, column) => [name, column]));
  return { classNames, columnOf: now.map((name) => place.get(name) as number) };
}

/** The guesses of a task; undefined where nothing has guessed yet. */
export async function openPredictions(
  { store, vectors }: Pick<Workspace, 'store' | 'vectors'>,
  task: string,
): Promise<Predictions | undefined> {
  const set = await readSet(store, task);
  if (!set) return undefined;
  const shards = await store.vectorShards(predictionSpace(set), set.items);
  const { classNames, columnOf } = await columnsNow(store, set.classNames);
  const probabilities = async (ids: Iterable<ItemId>) => {
    const found = await vectors.lookup(shards, ids);
    for (const [id, row] of found) {
      const now = new Float32Array(classNames.length);
      for (const [c, column] of columnOf.entries()) now[column] = now[column] + row[c];
      found.set(id, now);
    }
    return found;
  };
  return {
    ...set,
    classNames,
    probabilities,
    async countAmong(among) {
      let count = 0;
      for await (const { ids } of vectors.stream(shards)) for (const id of ids) if (among.has(id)) count++;
      return count;
    },
    async best(ids) {
      const result = new Map<ItemId, BestPrediction>();
      for (const [id, row] of await probabilities(ids)) {
        const most = argMax(row);
        const className = classNames[most];
        result.set(id, { className, confidence: row[most], origin: set.origin });
      }
      return result;
    },
  };
}
