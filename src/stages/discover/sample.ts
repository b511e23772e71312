/**
 * The items that are clustered: all, or of many a random sample, with their vectors ready to be compared.
 *
 * Resident: 4 bytes a number of the sample's vectors (92 MB for 20,000 of 1152 numbers), and while they are chosen 16 bytes an
 * item of the workspace.
 */
import type { ItemId } from '../../core/ids.ts';
import { type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import type { VectorShard } from '../../store/store.ts';
import type { VectorStore } from '../../vectors/vector-store.ts';
import { centreAndNormalise, columnsOf, type EmbeddingRecipe, type SpaceMean } from '../embed/recipe.ts';
import { type Copies, NO_COPIES } from './copies.ts';

/** More make the clustering slower and hardly better: a class of one in a thousand has twenty items. */
export const MAX_SAMPLE = 20_000;

export interface Sample {
  /** Of its items, in order of id. */
  readonly ids: readonly ItemId[];
  /** Shape [ids, columns], rows of length 1, in shared memory. */
  readonly vectors: Matrix;
  /** How far each was from the mean of all before it had length 1, shape [ids]. */
  readonly fromMean: Float32Array;
}

/** How ids are cut in the record: 64 bits say which item it is. */
export const sampleKey = (id: ItemId) => id.slice(0, 16);

export interface SampleOptions {
  readonly seed: number;
  /** Default {@link MAX_SAMPLE}. */
  readonly most?: number;
  /** Of near copies one is drawn. Default: there are none. */
  readonly copies?: Copies;
}

interface Drawn {
  readonly key: string;
  readonly lot: number;
}

/** A random sample, which depends on the items, their copies and the seed alone. */
export async function chooseSample(
  vectors: Pick<VectorStore, 'stream'>,
  shards: readonly VectorShard[],
  options: SampleOptions,
): Promise<Set<string>> {
  const drawn = new DrawnItems(options);
  for await (const { ids } of vectors.stream(shards)) for (const id of ids) drawn.add(id);
  return drawn.keys();
}

/** Those with the lowest lots of all that were added, in whatever order. */
export class DrawnItems {
  readonly #options: Required<SampleOptions>;
  readonly #drawn: Drawn[] = [];
  readonly #ofSet = new Map<number, Drawn>();
  #limit = Number.POSITIVE_INFINITY;

  constructor({ seed, most = MAX_SAMPLE, copies = NO_COPIES }: SampleOptions) {
    this.#options = { seed, most, copies };
  }

  add(id: ItemId): void {
    const { seed, most, copies } = this.#options;
    const one = { key: sampleKey(id), lot: lotOf(id, seed) };
    if (one.lot > this.#limit) return;
    const set = copies.setOf(id);
    if (set === undefined) this.#drawn.push(one);
    else if (inOrder(one, this.#ofSet.get(set) ?? one) <= 0) this.#ofSet.set(set, one);
    if (this.#drawn.length < 2 * most) return;
    keepLowest(this.#drawn, most);
    this.#limit = this.#drawn.at(-1)?.lot ?? this.#limit;
  }

  keys(): Set<string> {
    const all = [...this.#drawn, ...this.#ofSet.values()];
    keepLowest(all, this.#options.most);
    return new Set(all.map(({ key }) => key));
  }
}

const inOrder = (a: Drawn, b: Drawn) => a.lot - b.lot || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

function keepLowest(drawn: Drawn[], most: number): void {
  drawn.sort(inOrder);
  drawn.length = Math.min(drawn.length, most);
}

/** Ids are hashes of contents, so a part of one is a random number; the seed stirs it. */
export function lotOf(id: ItemId, seed: number): number {
  let h = (Number.parseInt(id.slice(0, 8), 16) ^ Math.imul(seed, 0x9e3779b9)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}

/** Those of the wanted items that have a vector. */
export async function readSample(
  vectors: Pick<VectorStore, 'stream'>,
  shards: readonly VectorShard[],
  wanted: ReadonlySet<string>,
  recipe: EmbeddingRecipe,
  { values: mean }: Pick<SpaceMean, 'values'>,
): Promise<Sample> {
  const columns = columnsOf(recipe);
  const rows: { id: ItemId; vector: Float32Array }[] = [];
  for await (const part of vectors.stream(shards)) {
    part.ids.forEach((id, i) => {
      if (!wanted.has(sampleKey(id))) return;
      rows.push({ id, vector: part.vectors.data.slice(i * columns, (i + 1) * columns) });
    });
  }
  return sampleOf(rows, recipe, { values: mean });
}

/** @param rows of the sample, in any order, as the model gave them; each of the recipe's columns */
export function sampleOf(
  rows: readonly { readonly id: ItemId; readonly vector: Float32Array }[],
  recipe: EmbeddingRecipe,
  { values: mean }: Pick<SpaceMean, 'values'>,
): Sample {
  const columns = columnsOf(recipe);
  const sorted = rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const matrix = newSharedMatrix(sorted.length, columns);
  for (const [i, { vector }] of sorted.entries()) matrix.data.set(vector, i * columns);
  const fromMean = centreAndNormalise(matrix, recipe, mean);
  return { ids: sorted.map(({ id }) => id), vectors: matrix, fromMean };
}
