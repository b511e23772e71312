/**
 * Vectors of some rows under embedders that were made of networks in memory: every row is opened once for all of them, and what
 * they compute alike is computed once.
 */
import { plural } from '../../../core/count-text.ts';
import { inLanes } from '../../../core/lanes.ts';
import { LabelsmithError } from '../../../errors.ts';
import { type Matrix, newSharedMatrix } from '../../../math/matrix.ts';
import { sharedPart } from '../../../models/tuning/shared-part.ts';
import type { ComposedEmbedder } from '../../../models/tuning/tunable-embedder.ts';
import type { InferencePool, PoolModel } from '../../../onnx/pool.ts';
import { float32Data, uint8 } from '../../../onnx/tensor.ts';
import { centreAndNormalise, meanOf, type VectorBlock } from '../../embed/recipe.ts';
import type { TuningImage } from './tuning-image.ts';

export interface RowsToEmbed {
  readonly embedder: ComposedEmbedder;
  /** Ascending. */
  readonly rows: Int32Array;
}

export interface EmbedRowsOptions {
  /** Numbers a vector. */
  readonly columns: number;
  open(row: number): Promise<TuningImage | undefined>;
  readonly signal?: AbortSignal;
}

const LANES = 4;

/** What could be read when fine-tuning began and cannot be now. A vector of zeros in its place would be learned from and judged. */
export class ImagesVanished extends LabelsmithError {
  constructor(count: number) {
    super('NOT_FOUND', `${plural(count, 'image')} that could be read at the start cannot be read any more`, {
      hint: 'Bring the files back, or run it again: what cannot be read is left out from the start.',
    });
  }
}

/** Shape [rows, columns] each, as the embedder gives them. Throws {@link ImagesVanished} where a row cannot be read. */
export async function embedRows(
  pool: InferencePool,
  wanted: readonly RowsToEmbed[],
  { columns, open, signal }: EmbedRowsOptions,
): Promise<Matrix[]> {
  const matrices = wanted.map(({ rows }) => newSharedMatrix(rows.length, columns));
  const input = wanted[0]?.embedder.input;
  if (!input) throw new RangeError('no embedders');
  const dims = [1, input.height, input.width, 3];
  const { below, models } = await loadAll(pool, wanted, dims);
  const places = wanted.map(({ rows }) => new Map(Array.from(rows, (row, place) => [row, place])));
  const all = [...new Set(wanted.flatMap(({ rows }) => [...rows]))].sort((a, b) => a - b);
  let vanished = 0;
  const embed = async (row: number) => {
    signal?.throwIfAborted();
    const image = await open(row);
    if (!image) {
      vanished++;
      return;
    }
    const pixels = { pixels: uint8(await image.pixels(input), dims) };
    const given = below ? await pool.run(below, pixels) : pixels;
    for (const [i, model] of models.entries()) {
      const place = places[i]?.get(row);
      if (place === undefined) continue;
      const { embedding } = await pool.run(model, given);
      matrices[i]?.data.set(float32Data(embedding, 'embedding'), place * columns);
    }
  };
  try {
    await inLanes(all, LANES, embed);
  } finally {
    // Two trainings may have come to the same embedder.
    for (const model of new Set(below ? [below, ...models] : models)) await pool.unload(model);
  }
  if (vanished > 0) throw new ImagesVanished(vanished);
  return matrices;
}

/** Of the same rows under each embedder, centred; shape [rows, columns] each. Throws like {@link embedRows}. */
export async function centredVectors(
  pool: InferencePool,
  embedders: readonly ComposedEmbedder[],
  rows: Int32Array,
  { blocks, ...options }: Omit<EmbedRowsOptions, 'columns'> & { readonly blocks: readonly VectorBlock[] },
): Promise<Matrix[]> {
  const columns = blocks.reduce((sum, block) => sum + block.columns, 0);
  const wanted = embedders.map((embedder) => ({ embedder, rows }));
  const vectors = await embedRows(pool, wanted, { ...options, columns });
  for (const matrix of vectors) centreAndNormalise(matrix, { blocks }, meanOf(matrix));
  return vectors;
}

interface LoadedEmbedders {
  /** What comes first for all of them; null where each takes the pixels itself. */
  readonly below: PoolModel | null;
  /** One for each that is wanted. */
  readonly models: readonly PoolModel[];
}

async function loadAll(
  pool: InferencePool,
  wanted: readonly RowsToEmbed[],
  dims: readonly number[],
): Promise<LoadedEmbedders> {
  const distinct = new Map(wanted.map(({ embedder }) => [embedder.key, embedder.model]));
  const keys = [...distinct.keys()];
  const shared = sharedPart([...distinct.values()], { input: { name: 'pixels', dims }, output: 'embedding' });
  const below = shared ? await pool.load(shared.below, { key: `below:${keys.join()}` }) : null;
  const loaded = new Map<string, PoolModel>();
  for (const [i, [key, whole]] of [...distinct].entries()) {
    const above = shared?.above[i];
    loaded.set(
      key,
      above ? await pool.load(above, { key: `above:${keys.join()}:${key}` }) : await pool.load(whole, { key }),
    );
  }
  return { below, models: wanted.map(({ embedder }) => loaded.get(embedder.key) as PoolModel) };
}
