/**
 * The declared way from an image to the vector that is compared: model, views, and what is done to the vector after it.
 *
 * What a model gives is stored as it is (Arrow files); what depends on the data set is worked out once, saved with the
 * workspace, and done whenever vectors are read, so that images that come later are treated like those before. The steps
 * behind the model: each block less the data set's mean, scaled to length 1, times its weight; the whole to length 1.
 */
import { z } from 'zod';
import { sha256Hex } from '../../core/ids.ts';
import type { ItemKind } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Matrix } from '../../math/matrix.ts';
import { VOTE_CLASSES, type VoteClasses } from '../../models/bundle.ts';
import type { Embedder } from '../../models/embedder.ts';
import type { Store, VectorShard } from '../../store/store.ts';
import { oldFields, readSetting, type Setting, writeSetting } from '../../store/typed.ts';
import type { VectorStore } from '../../vectors/vector-store.ts';
import { groupsOfFiles } from '../vector-shard.ts';

export interface EmbeddingRecipe {
  readonly version: 1;
  readonly items: ItemKind;
  /** The model's name, as `embed --model` takes it. */
  readonly model: string;
  /** The model's content; its graph holds the views. */
  readonly modelKey: string;
  /** Names what may be compared: vectors of one space. */
  readonly space: string;
  /** Parts of a vector, in their order. */
  readonly blocks: readonly VectorBlock[];
  /** For regions: what is added on every side of a box, as a share of its longer side. */
  readonly margin: number | null;
  /** Whose classes the model votes for, beside the vectors; absent where it does not classify. */
  readonly votes?: VoteClasses;
  /** Why this model, where it was chosen and not named. */
  readonly because?: string;
}

export interface VectorBlock {
  readonly columns: number;
  readonly weight: number;
}

/** The mean of a space's vectors. */
export interface SpaceMean {
  /** Vectors it was taken of. */
  readonly count: number;
  /** Shape [columns]. */
  readonly values: Float32Array;
  /** Names the content: what was worked out with another mean cannot be compared. */
  readonly key: string;
  /** Taken in a run with a limit: good until there are more vectors. */
  readonly subset: boolean;
}

/** Context around a box: a tenth of its longer side. */
export const REGION_MARGIN = 0.1;

export function recipeOf(
  embedder: Pick<Embedder, 'id' | 'key' | 'blocks'> & Partial<Pick<Embedder, 'votes'>>,
  items: ItemKind,
): EmbeddingRecipe {
  const margin = items === 'regions' ? REGION_MARGIN : null;
  return {
    version: 1,
    items,
    model: embedder.id,
    modelKey: embedder.key,
    space: margin === null ? embedder.key : `${embedder.key}+square-${margin}`,
    blocks: embedder.blocks,
    margin,
    ...(embedder.votes ? { votes: embedder.votes } : {}),
  };
}

/** Refuses a model that is not the one the workspace's vectors were made with. */
export function refuseOtherModel({ model, modelKey }: EmbeddingRecipe, embedder: Pick<Embedder, 'key'>): void {
  if (embedder.key === modelKey) return;
  throw new LabelsmithError('BAD_MODEL', `${model} is ${embedder.key} now; the embeddings here are of ${modelKey}.`, {
    hint: 'Run labelsmith embed: it embeds all images with the model as it is now.',
  });
}

const recipeSetting = (items: ItemKind): Setting<EmbeddingRecipe> => ({
  key: `embedding:${items}`,
  version: 1,
  schema: z.object({
    version: z.literal(1),
    items: z.enum(['images', 'regions']),
    model: z.string(),
    modelKey: z.string(),
    space: z.string(),
    blocks: z.array(z.object({ columns: z.number(), weight: z.number() })),
    margin: z.number().nullable(),
    votes: z.enum(VOTE_CLASSES).optional(),
    because: z.string().optional(),
  }),
  what: `The recipe for embeddings of ${items}`,
  remedy: 'Run labelsmith embed --force.',
});

const PACKED_MEAN = z.object({
  count: z.number(),
  /** Single precision, base64. */
  mean: z.base64(),
  subset: z.boolean().default(false),
});

const meanSetting = (space: string): Setting<z.infer<typeof PACKED_MEAN>> => ({
  key: `statistics:${space}`,
  version: 1,
  schema: PACKED_MEAN,
  /** A word was another. */
  upgrade(value) {
    const { pilot, ...rest } = oldFields(value);
    return { ...rest, subset: pilot };
  },
  what: 'The mean of the embeddings',
  remedy: 'Run labelsmith embed.',
});

/** Makes a recipe the one that stages use for these items. */
export function saveRecipe(store: Pick<Store, 'putSetting'>, recipe: EmbeddingRecipe): Promise<void> {
  return writeSetting(store, recipeSetting(recipe.items), recipe);
}

/** The recipe of the last `embed` for these items; undefined where there was none. */
export function savedRecipe(store: Pick<Store, 'getSetting'>, items: ItemKind): Promise<EmbeddingRecipe | undefined> {
  return readSetting(store, recipeSetting(items));
}

/** The recipe of these items, or an error that says how to get one. */
export async function requireRecipe(store: Pick<Store, 'getSetting'>, items: ItemKind): Promise<EmbeddingRecipe> {
  const recipe = await savedRecipe(store, items);
  if (recipe) return recipe;
  throw new LabelsmithError('NOT_FOUND', `There are no embeddings of ${items} here.`, {
    hint: `Run labelsmith embed${items === 'regions' ? ' --items regions' : ''} first.`,
  });
}

export async function savedMean(store: Pick<Store, 'getSetting'>, space: string): Promise<SpaceMean | undefined> {
  const packed = await readSetting(store, meanSetting(space));
  if (packed === undefined) return undefined;
  const bytes = new Uint8Array(Buffer.from(packed.mean, 'base64'));
  return spaceMean(packed.count, new Float32Array(bytes.buffer), packed.subset);
}

/** The mean of a recipe's vectors, or an error that says how to get it. */
export async function requireMean(
  store: Pick<Store, 'getSetting'>,
  { space, items }: EmbeddingRecipe,
): Promise<SpaceMean> {
  const mean = await savedMean(store, space);
  if (mean) return mean;
  throw new LabelsmithError('NOT_FOUND', `The embeddings of ${items} are not complete.`, {
    hint: 'Run labelsmith embed to the end; it does only what is missing.',
  });
}

/** Takes the mean of a space and saves it with the workspace. */
export async function fitMean(
  store: Pick<Store, 'putSetting'>,
  vectors: Pick<VectorStore, 'stream'>,
  recipe: EmbeddingRecipe,
  shards: readonly VectorShard[],
  { subset = false }: Partial<Pick<SpaceMean, 'subset'>> = {},
): Promise<SpaceMean> {
  return saveMean(store, recipe, await takeMean(vectors, recipe, shards), { subset });
}

/** Saves a mean as that of a space. */
export async function saveMean(
  store: Pick<Store, 'putSetting'>,
  { space }: Pick<EmbeddingRecipe, 'space'>,
  { count, values }: Pick<SpaceMean, 'count' | 'values'>,
  { subset }: Pick<SpaceMean, 'subset'>,
): Promise<SpaceMean> {
  const text = Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
  await writeSetting(store, meanSetting(space), { count, mean: text, subset });
  return spaceMean(count, values, subset);
}

/** The mean of all vectors of a space. Reads every shard once; holds one. */
export async function takeMean(
  vectors: Pick<VectorStore, 'stream'>,
  recipe: EmbeddingRecipe,
  shards: readonly VectorShard[],
): Promise<SpaceMean> {
  const sum = new VectorSum(columnsOf(recipe));
  for (const files of groupsOfFiles(shards)) sum.add(await sumOfFiles(vectors, files));
  return sum.mean();
}

/** Of some vectors, in double precision. */
export interface PartialSum {
  readonly count: number;
  /** Shape [columns]. */
  readonly sums: Float64Array;
}

/**
 * A sum of partial sums. Which vectors are in which part, and the order of the parts, decide the last bits; whoever made the
 * parts does not.
 */
export class VectorSum {
  #count = 0;
  readonly #sums: Float64Array;

  constructor(columns: number) {
    this.#sums = new Float64Array(columns);
  }

  add({ count, sums }: PartialSum): void {
    if (sums.length !== this.#sums.length) throw otherColumns(sums.length, this.#sums.length);
    this.#count += count;
    for (let j = 0; j < sums.length; j++) this.#sums[j] = this.#sums[j] + sums[j];
  }

  mean(): SpaceMean {
    const count = this.#count;
    return spaceMean(
      count,
      Float32Array.from(this.#sums, (sum) => sum / Math.max(1, count)),
    );
  }
}

/** @param files of a group, one after the other */
export async function sumOfFiles(
  vectors: Pick<VectorStore, 'stream'>,
  files: readonly VectorShard[],
): Promise<PartialSum> {
  let sums = new Float64Array(0);
  let count = 0;
  for await (const { vectors: part } of vectors.stream(files)) {
    const { data, rows, columns } = part;
    if (count === 0) sums = new Float64Array(columns);
    if (columns !== sums.length) throw otherColumns(columns, sums.length);
    count += rows;
    for (let i = 0; i < data.length; i += columns) {
      for (let j = 0; j < columns; j++) sums[j] = sums[j] + data[i + j];
    }
  }
  return { count, sums };
}

function otherColumns(found: number, expected: number): LabelsmithError {
  return new LabelsmithError('BAD_FILE', `vectors of ${found} numbers are among those of ${expected}`, {
    hint: 'Run labelsmith embed --force.',
  });
}

/** Mean of the rows, shape [columns]. */
export function meanOf({ data, rows, columns }: Matrix): Float32Array {
  const sums = new Float64Array(columns);
  for (let i = 0; i < data.length; i++) sums[i % columns] = sums[i % columns] + data[i];
  return Float32Array.from(sums, (sum) => sum / Math.max(1, rows));
}

function spaceMean(count: number, values: Float32Array, subset = false): SpaceMean {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { count, values, key: sha256Hex(bytes).slice(0, 16), subset };
}

export function columnsOf({ blocks }: Pick<EmbeddingRecipe, 'blocks'>): number {
  return blocks.reduce((sum, { columns }) => sum + columns, 0);
}

/**
 * Turns stored vectors into those that are compared, in place.
 *
 * @param vectors shape [n, columns].
 * @returns how far each was from the mean, as a share of its length, shape [n]. Scaling to length 1 loses it.
 */
export function centreAndNormalise(
  vectors: Matrix,
  { blocks }: Pick<EmbeddingRecipe, 'blocks'>,
  mean: Float32Array,
): Float32Array {
  const { data, rows, columns } = vectors;
  if (columns !== mean.length) {
    throw new LabelsmithError('UNSUPPORTED', `vectors of ${columns} numbers do not fit a mean of ${mean.length}`);
  }
  const whole = Math.sqrt(blocks.reduce((sum, { weight }) => sum + weight * weight, 0));
  const fromMean = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let start = 0;
    let far = 0;
    for (const block of blocks) {
      const at = row * columns + start;
      let square = 0;
      for (let j = 0; j < block.columns; j++) {
        const value = data[at + j] - mean[start + j];
        data[at + j] = value;
        square += value * value;
      }
      far += square * block.weight * block.weight;
      // Blocks have length 1 by now, so the whole has the length of the weights.
      const scale = square > 0 ? block.weight / (whole * Math.sqrt(square)) : 0;
      for (let j = 0; j < block.columns; j++) data[at + j] = data[at + j] * scale;
      start += block.columns;
    }
    fromMean[row] = Math.sqrt(far) / whole;
  }
  return fromMean;
}
