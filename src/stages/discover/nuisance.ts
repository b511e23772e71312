/**
 * Directions in which images of one class differ whatever the class (light, pose, background), turned down before clustering.
 *
 * They were learnt on labelled sets, so they hold for one embedder each: nuisance attribute projection (Solomonoff, Campbell and
 * Boardman, ICASSP 2005) with weights of within-class covariance normalisation (Hatch, Kajarekar and Stolcke, Interspeech 2006).
 * With q a direction and e the share of the variation within classes that lies along it, what x has along q is divided by
 * √(1 + e / τ), and x gets length 1 again. Embedders that nothing was learnt for keep their vectors.
 *
 * `npm run bench -- nuisance` derives the files; `npm run bench -- piles` scores each pile with directions of other sets alone.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { overBlocks } from '../../math/blocks.ts';
import { type Matrix, matrixTensor, newSharedMatrix, rowsOf } from '../../math/matrix.ts';
import { addLengthNorm } from '../../math/pca/pca.ts';
import { Graph } from '../../onnx/ops.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { float32Data } from '../../onnx/tensor.ts';
import { columnsOf, type EmbeddingRecipe } from '../embed/recipe.ts';

export interface Nuisance {
  /** Orthonormal rows, shape [directions, columns], in shared memory. */
  readonly directions: Matrix;
  /** The same, each times what is taken away along it, 0 to 1. */
  readonly taken: Matrix;
}

/** Share of the variation within classes from which on a direction counts for less than 1 / √2: that of one of 384 alike. */
const USUAL_SHARE = 0.3 / 384;
const STEP = 1024;
/** Of a file's direction: what is taken away and the size of a step, single precision, before its steps of 8 bits. */
const HEAD_BYTES = 8;
const STEPS = 127;

/** @param shares of the variation within classes along each direction, [directions] */
export function nuisanceOf(directions: Matrix, shares: ArrayLike<number>): Nuisance {
  return withTaken(
    directions,
    Array.from(shares, (share) => 1 - 1 / Math.sqrt(1 + share / USUAL_SHARE)),
  );
}

/** What was learnt for the embedder of a recipe; undefined where nothing was. */
export function nuisanceFor(recipe: Pick<EmbeddingRecipe, 'model' | 'blocks'>): Nuisance | undefined {
  if (!/^[\w.-]+$/.test(recipe.model)) return undefined;
  const file = nuisanceFile(recipe.model);
  if (!existsSync(file)) return undefined;
  return unpacked(readFileSync(file), columnsOf(recipe));
}

export const nuisanceFile = (model: string) => fileURLToPath(new URL(`./nuisance/${model}.bin`, import.meta.url));

/** The vectors with what is known to vary within classes turned down, [vectors], rows of length 1, in shared memory. */
export async function withoutNuisance(
  pool: InferencePool,
  vectors: Matrix,
  nuisance: Nuisance | undefined,
): Promise<Matrix> {
  if (nuisance === undefined) return vectors;
  const model = await pool.load(turnDownGraph(), { key: 'turn-down' });
  const result = newSharedMatrix(vectors.rows, vectors.columns);
  const directions = matrixTensor(nuisance.directions);
  const taken = matrixTensor(nuisance.taken);
  await overBlocks(
    pool,
    model,
    { rows: vectors.rows, step: STEP },
    (start, end) => ({ x: matrixTensor(rowsOf(vectors, start, end)), directions, taken }),
    ({ y }, start) => result.data.set(float32Data(y, 'y'), start * vectors.columns),
  );
  return result;
}

function turnDownGraph(): Uint8Array {
  const g = new Graph('turn-down');
  const x = g.input('x', 'float32', ['rows', 'd']);
  const along = g.gemm(x, g.input('directions', 'float32', ['r', 'd']), undefined, { transB: 1 });
  g.output(addLengthNorm(g, g.sub(x, g.gemm(along, g.input('taken', 'float32', ['r', 'd'])))), 'y');
  return g.toModel();
}

/** As it is kept in a file: each direction in steps of 8 bits. */
export function packed({ directions, taken }: Nuisance): Uint8Array {
  const { rows, columns, data } = directions;
  const bytes = new Uint8Array(rows * (HEAD_BYTES + columns));
  const view = new DataView(bytes.buffer);
  for (let row = 0; row < rows; row++) {
    const at = row * (HEAD_BYTES + columns);
    const own = data.subarray(row * columns, (row + 1) * columns);
    const most = own.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    // Both have the same sign and shape, so that the largest number tells the factor.
    const place = own.findIndex((value) => Math.abs(value) === most);
    view.setFloat32(at, most > 0 ? taken.data[row * columns + place] / own[place] : 0, true);
    view.setFloat32(at + 4, most / STEPS, true);
    for (let j = 0; j < columns; j++) {
      view.setInt8(at + HEAD_BYTES + j, most > 0 ? Math.round((own[j] / most) * STEPS) : 0);
    }
  }
  return bytes;
}

/** Undefined where the file is not of vectors of so many columns. */
export function unpacked(bytes: Uint8Array, columns: number): Nuisance | undefined {
  const size = HEAD_BYTES + columns;
  if (bytes.length === 0 || bytes.length % size !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const directions = newSharedMatrix(bytes.length / size, columns);
  const taken: number[] = [];
  for (let row = 0; row < directions.rows; row++) {
    const at = row * size;
    taken.push(view.getFloat32(at, true));
    const step = view.getFloat32(at + 4, true);
    for (let j = 0; j < columns; j++) directions.data[row * columns + j] = view.getInt8(at + HEAD_BYTES + j) * step;
  }
  return withTaken(directions, taken);
}

function withTaken(directions: Matrix, taken: readonly number[]): Nuisance {
  const { rows, columns } = directions;
  const scaled = newSharedMatrix(rows, columns);
  for (let i = 0; i < scaled.data.length; i++) scaled.data[i] = directions.data[i] * taken[Math.floor(i / columns)];
  return { directions, taken: scaled };
}
