/**
 * The items that are learned from in a pile so large that its vectors are read in parts, by all machines there are: all that people
 * spoke of, the audit's, and others at random. What is learned from them is good for all.
 *
 * Resident: the vectors of those items, what people said (`said.ts`), and nothing an item of the others.
 */
import { holdingBlobs } from '../../blobs/held-blobs.ts';
import { valueBlob } from '../../blobs/value-blob.ts';
import type { ItemId } from '../../core/ids.ts';
import { reduce } from '../../jobs/reduction.ts';
import type { StageJob } from '../../jobs/stage.ts';
import { SAMPLES_FOLDER } from '../discover/kept-sample.ts';
import { lotOf, sampleOf } from '../discover/sample.ts';
import { countItems, eachRow, type VectorRow } from '../vector-shard.ts';
import { type TaskItems, type TaskVectors, taskRecord } from './items.ts';
import { MAX_ROWS } from './learn-rounds.ts';
import { rowsStage } from './rows-stage.ts';
import { type Annotation, readSaid, type SaidOfTask } from './said.ts';

/** Labels that are learned from, at most: the neighbour graphs of `metric` cost their square. */
export const MAX_LEARNED_LABELS = 50_000;
/** Of more labels at least so many of each class are taken, if all classes have room for that. */
const MIN_OF_A_CLASS = 10;
/** Of 32 bits each. */
const LOTS = 2 ** 32;
/** Looked at for each place, so that there are enough whatever the lots. */
const LOTS_A_PLACE = 2;

export interface ManyItemsOptions {
  /** Items in memory beside those that people spoke of. Default {@link MAX_ROWS}, the labels among them. */
  readonly most?: number;
  /** Default {@link MAX_LEARNED_LABELS}. */
  readonly mostLabels?: number;
  /** Items whose labels are summed up at once, where labels are more than that; default as `statistics-stage.ts` has it. */
  readonly itemsAPart?: number;
}

export async function manyItems(
  job: Omit<StageJob<unknown>, 'settings'>,
  taskVectors: TaskVectors,
  { most = MAX_ROWS, mostLabels = MAX_LEARNED_LABELS, itemsAPart }: ManyItemsOptions = {},
): Promise<TaskItems> {
  const { workspace, seed } = job;
  const { task, recipe, mean, shards } = taskVectors;
  const record = await taskRecord(workspace.store, task);
  const said = await readSaid(workspace.store, task, record.audit);
  const { taken, refused, learnable } = chosenLabels(said, record.audit, mostLabels, seed);
  const wanted = new Set<ItemId>(record.audit);
  for (const id of said.annotations.keys()) if (!refused.has(id)) wanted.add(id);
  const count = countItems(shards);
  const others = Math.max(0, most - taken.length);
  const open = Math.max(1, count - said.annotations.size);
  const below = Math.min(LOTS, (LOTS * LOTS_A_PLACE * others) / open);
  const rows = await takenRows(job, taskVectors, { wanted, refused, seed, below });
  const kept = keptRows(rows, wanted, others, seed);
  const { ids, vectors } = sampleOf(kept, recipe, mean);
  return {
    ...record,
    task,
    recipe,
    mean,
    ids,
    features: vectors,
    groups: ids.map((id) => said.groupOf.get(id) ?? id),
    annotations: ids.map((id): Annotation => said.annotations.get(id) ?? { kind: 'nothing' }),
    whole: { ...taskVectors, count, said, learnable, learned: taken.length, itemsAPart },
  };
}

interface Taking {
  readonly wanted: ReadonlySet<ItemId>;
  readonly refused: ReadonlySet<ItemId>;
  readonly seed: number;
  readonly below: number;
}

async function takenRows(
  job: Omit<StageJob<unknown>, 'settings'>,
  { shards }: TaskVectors,
  taking: Taking,
): Promise<VectorRow[]> {
  const { blobs, vectors } = job.workspace;
  const { wanted, refused, seed, below } = taking;
  // Sorted, so that they are the same list however they were found.
  const lists = [wanted, refused].map((ids) => valueBlob(SAMPLES_FOLDER, [...ids].sort()));
  const settings = { wanted: lists[0].key, refused: lists[1].key, seed, below };
  const rows: VectorRow[] = [];
  try {
    await holdingBlobs(blobs, async (hold) => {
      for (const list of lists) await hold(list.key, () => list.put(blobs));
      const merge = (part: Parameters<typeof eachRow>[0]) => void rows.push(...eachRow(part));
      await reduce(rowsStage, { ...job, settings }, { vectors, files: shards, ...taking, merge });
    });
  } finally {
    // What cannot be deleted now goes with the samples that are kept later.
    for (const { key } of lists) await blobs.delete(key).catch(() => {});
  }
  return rows;
}

/** All that are wanted, and of the others those with the lowest lots. */
function keptRows(
  rows: readonly VectorRow[],
  wanted: ReadonlySet<ItemId>,
  others: number,
  seed: number,
): readonly VectorRow[] {
  const drawn = rows.filter(({ id }) => !wanted.has(id)).map((row) => ({ row, id: row.id, lot: lotOf(row.id, seed) }));
  drawn.sort(byLot);
  return [...rows.filter(({ id }) => wanted.has(id)), ...drawn.slice(0, others).map(({ row }) => row)];
}

interface Lot {
  readonly id: ItemId;
  readonly lot: number;
}

const byLot = (a: Lot, b: Lot) => a.lot - b.lot || (a.id < b.id ? -1 : 1);

/** Of the labels that may be learned from: all, or of too many the lowest lots, and some of every class. */
function chosenLabels(
  { annotations, groupOf }: SaidOfTask,
  audit: ReadonlySet<ItemId>,
  most: number,
  seed: number,
): { readonly taken: readonly ItemId[]; readonly refused: ReadonlySet<ItemId>; readonly learnable: readonly ItemId[] } {
  const auditGroups = new Set(Array.from(audit, (id) => groupOf.get(id) ?? id));
  const all: (Lot & { readonly className: string })[] = [];
  for (const [id, annotation] of annotations) {
    if (annotation.kind !== 'class' || auditGroups.has(groupOf.get(id) ?? id)) continue;
    all.push({ id, lot: lotOf(id, seed), className: annotation.className });
  }
  const learnable = all.map(({ id }) => id);
  if (learnable.length <= most) return { taken: learnable, refused: new Set(), learnable };
  const classes = new Set(all.map(({ className }) => className)).size;
  const least = Math.min(MIN_OF_A_CLASS, Math.floor(most / classes));
  const ofClass = new Map<string, number>();
  const first: ItemId[] = [];
  const rest: ItemId[] = [];
  for (const { id, className } of all.sort(byLot)) {
    const before = ofClass.get(className) ?? 0;
    ofClass.set(className, before + 1);
    (before < least ? first : rest).push(id);
  }
  const room = Math.max(0, most - first.length);
  return { taken: [...first, ...rest.slice(0, room)], refused: new Set(rest.slice(room)), learnable };
}
