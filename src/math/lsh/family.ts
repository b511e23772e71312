/**
 * Hyperplanes for locality-sensitive hashing, fitted once to a sample and then kept: plain data.
 *
 * A bit is the side of a hyperplane through the mean of the data (Charikar, STOC 2002). Hyperplanes are drawn at random in
 * the space of the leading principal components, since the variance of image features is in few directions. Measured on
 * features of cifar10 and caltech-30 repeated to 100,000 with noise: of the 10 nearest, the best 200 by 128 bits hold .87 to
 * .96 with hyperplanes in the whole space and .98 in the leading 128 components; a learned rotation (Gong and Lazebnik,
 * CVPR 2011) adds less than .01 to that, and is left out.
 */
import { type Random, sampleIndices, seededRandom } from '../../core/random.ts';
import { LabelsmithError } from '../../errors.ts';
import { Graph } from '../../onnx/ops.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { float32, float32Data } from '../../onnx/tensor.ts';
import { overBlocks } from '../blocks.ts';
import { gatherRows, type Matrix, matrixTensor, newSharedMatrix, rowsOf, shareMatrix } from '../matrix.ts';
import { fitPca } from '../pca/pca.ts';

export interface HashFamily {
  /** Bits of a code, a multiple of 32: what candidates are ranked by. */
  readonly codeBits: number;
  readonly tables: number;
  /** Bits of a table's key: 2^keyBits buckets. */
  readonly keyBits: number;
  /** Unit normals, those of codes first, then those of each table: [codeBits + tables · keyBits, columns]. */
  readonly planes: Matrix;
  /** Each plane's distance from the origin: plane · mean, [codeBits + tables · keyBits]. */
  readonly offsets: Float32Array;
}

export interface HashOptions {
  /** Default 0. */
  readonly seed?: number;
  /** Multiple of 32 (default 256): more rank better, and take longer to read. */
  readonly codeBits?: number;
  /** Default 4: more find more, and take 8 bytes and a code a vector each. */
  readonly tables?: number;
  /** How many vectors there are going to be: it sets the default of `keyBits` (default: those of the sample). */
  readonly expected?: number;
  /** 1 to 24; the default leaves about 2 vectors a bucket, which is many in few of them. */
  readonly keyBits?: number;
}

/** Components that codes and keys are drawn in: keys split the data evenly where its variance is. */
const CODE_COMPONENTS = 128;
const KEY_COMPONENTS = 16;
/** 2^24 buckets a table are 64 MB of starts. */
const MAX_KEY_BITS = 24;
/** Vectors that the components are fitted to. */
const SAMPLE = 10_000;

export async function fitHashing(pool: InferencePool, points: Matrix, options: HashOptions = {}): Promise<HashFamily> {
  const { seed = 0, codeBits = 256, tables = 4, expected = points.rows } = options;
  if (!(codeBits >= 32 && codeBits % 32 === 0) || !(tables >= 1)) {
    throw new LabelsmithError(
      'USAGE',
      `codeBits must be a multiple of 32 and tables at least 1, not ${codeBits}, ${tables}`,
    );
  }
  const random = seededRandom(seed, 'lsh');
  const sample = points.rows <= SAMPLE ? points : gatherRows(points, sampleIndices(points.rows, SAMPLE, random));
  const { mean, components } = await fitPca(pool, sample, { components: CODE_COMPONENTS });
  const wanted = options.keyBits ?? Math.max(4, Math.round(Math.log2(Math.max(1, expected))) - 1);
  const keyBits = Math.max(1, Math.min(wanted, components.rows, MAX_KEY_BITS));
  const keyComponents = Math.min(Math.max(KEY_COMPONENTS, keyBits + 2), components.rows);
  const planes = newSharedMatrix(codeBits + tables * keyBits, points.columns);
  drawPlanes(planes.data, 0, codeBits, components, components.rows, random);
  for (let t = 0; t < tables; t++) {
    drawPlanes(planes.data, codeBits + t * keyBits, keyBits, components, keyComponents, random);
  }
  const offsets = Float32Array.from({ length: planes.rows }, (_, p) => {
    let sum = 0;
    for (let j = 0; j < planes.columns; j++) sum += planes.data[p * planes.columns + j] * mean[j];
    return sum;
  });
  return { codeBits, tables, keyBits, planes, offsets };
}

/**
 * Writes `count` random unit normals from plane `first` on. They are orthogonal to each other as far as the subspace
 * has room (Ji et al., "Super-bit locality-sensitive hashing", NIPS 2012).
 */
function drawPlanes(
  into: Float32Array,
  first: number,
  count: number,
  components: Matrix,
  dimensions: number,
  random: Random,
): void {
  const drawn: Float64Array[] = [];
  for (let p = 0; p < count; p++) {
    const weights = Float64Array.from({ length: dimensions }, () => gaussian(random));
    const start = p - (p % dimensions); // a new orthogonal set when the last one is full
    for (const other of drawn.slice(start)) {
      let dot = 0;
      for (let i = 0; i < dimensions; i++) dot += weights[i] * other[i];
      for (let i = 0; i < dimensions; i++) weights[i] = weights[i] - dot * other[i];
    }
    const length = Math.hypot(...weights);
    for (let i = 0; i < dimensions; i++) weights[i] = weights[i] / length;
    drawn.push(weights);
    const { data, columns } = components;
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let i = 0; i < dimensions; i++) sum += weights[i] * data[i * columns + j];
      into[(first + p) * columns + j] = sum;
    }
  }
}

/** Box and Muller's normal number. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const STEP = 2048;

/** Signed distances to every plane, a block of `step` rows after the other: `use` gets [rows, planes] from row `start` on. */
export async function overMargins(
  pool: InferencePool,
  { planes, offsets }: HashFamily,
  points: Matrix,
  step: number,
  use: (margins: Float32Array, start: number, end: number) => void,
): Promise<void> {
  if (points.columns !== planes.columns) {
    throw new LabelsmithError('USAGE', `vectors have ${points.columns} numbers each, the index has ${planes.columns}`);
  }
  const g = new Graph('lsh-margins');
  const x = g.input('x', 'float32', ['rows', 'd']);
  const products = g.gemm(x, g.input('planes', 'float32', ['p', 'd']), undefined, { transB: 1 });
  g.output(g.sub(products, g.input('offsets', 'float32', ['p'])), 'margins');
  const model = await pool.load(g.toModel(), { key: 'lsh-margins' });
  const shared = shareMatrix(points);
  const constant = { planes: matrixTensor(planes), offsets: float32(offsets) };
  await overBlocks(
    pool,
    model,
    { rows: points.rows, step },
    (start, end) => ({ ...constant, x: matrixTensor(rowsOf(shared, start, end)) }),
    ({ margins }, start, end) => use(float32Data(margins, 'margins'), start, end),
  );
}

export interface Hashed {
  /** Packed bits, bit i of a code in word i / 32, lowest first: [rows, codeBits / 32]. */
  readonly codes: Uint32Array;
  /** Bucket of each vector in each table: [tables, rows]. */
  readonly keys: Uint32Array;
}

export async function hashVectors(pool: InferencePool, family: HashFamily, points: Matrix): Promise<Hashed> {
  const { codeBits, tables, keyBits } = family;
  const words = codeBits / 32;
  const width = codeBits + tables * keyBits;
  const codes = new Uint32Array(points.rows * words);
  const keys = new Uint32Array(tables * points.rows);
  await overMargins(pool, family, points, STEP, (margins, start, end) => {
    for (let row = start; row < end; row++) {
      const at = (row - start) * width;
      for (let w = 0; w < words; w++) codes[row * words + w] = keyOf(margins, at + w * 32, 32);
      for (let t = 0; t < tables; t++)
        keys[t * points.rows + row] = keyOf(margins, at + codeBits + t * keyBits, keyBits);
    }
  });
  return { codes, keys };
}

/** Bits of the planes a vector is beyond, lowest first. */
function keyOf(margins: Float32Array, at: number, bits: number): number {
  let key = 0;
  for (let b = 0; b < bits; b++) if (margins[at + b] > 0) key |= 1 << b;
  return key >>> 0;
}
