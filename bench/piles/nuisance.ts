/**
 * Directions in which images of one class differ whatever the class, from the labelled sets: each set's own first, then those
 * that many sets share. Every set counts the same, however many images and classes it has.
 */
import { type Matrix, newSharedMatrix } from '../../src/math/matrix.ts';
import { symmetricEigen } from '../../src/math/pca/eigen.ts';
import { type Nuisance, nuisanceOf } from '../../src/stages/discover/nuisance.ts';
import { centreAndNormalise, meanOf } from '../../src/stages/embed/recipe.ts';
import { DEFAULT_BACKBONE } from './backbones.ts';
import { type EmbeddedSet, JUNK_SET } from './vectors.ts';

/** The embedders that directions are shipped for: MobileNetV2's clusters gained too little from theirs for 370 KB. */
export const LEARNT_FOR: readonly string[] = [DEFAULT_BACKBONE];

/** Images of a set that are looked at: their Gram matrix is taken apart, which costs its size cubed. */
const MAX_IMAGES = 600;
/** Directions of a set. */
const OF_A_SET = 48;
/** Directions that are kept of all sets' together. */
const KEPT = 128;

type Blocks = readonly { readonly columns: number; readonly weight: number }[];

/** From any of the sets: `(without) => directions` of all that are not named; undefined where none is left, as for tiny piles of all. */
export function nuisanceFrom(
  sets: ReadonlyMap<string, EmbeddedSet>,
  blocks: Blocks,
): (without: readonly string[]) => Nuisance | undefined {
  const factors = new Map(
    [...sets].filter(([name]) => name !== JUNK_SET).map(([name, set]) => [name, factorsOf(set, blocks)]),
  );
  const known = new Map<string, Nuisance | undefined>();
  return (without) => {
    const key = [...without].sort().join();
    const there =
      known.get(key) ?? shared([...factors].filter(([name]) => !without.includes(name)).map(([, own]) => own));
    known.set(key, there);
    return there;
  };
}

/** Rows f with Σ f fᵀ the covariance within the set's classes, as far as it goes, of trace 1: [directions, columns]. */
function factorsOf({ vectors, classes, classNames }: EmbeddedSet, blocks: Blocks): Matrix {
  const all = newSharedMatrix(vectors.rows, vectors.columns);
  all.data.set(vectors.data);
  centreAndNormalise(all, { blocks }, meanOf(all));
  const ofEach = Math.ceil(MAX_IMAGES / Math.max(1, classNames.length));
  const rows: Float64Array[] = [];
  for (let c = 0; c < classNames.length; c++) {
    const own = [...classes.keys()].filter((row) => classes[row] === c);
    if (own.length < 2) continue;
    const some = own.filter(
      (_, i) =>
        own.length <= ofEach || Math.floor((i * ofEach) / own.length) !== Math.floor(((i - 1) * ofEach) / own.length),
    );
    rows.push(...residuals(all, some));
  }
  return principal(rows, OF_A_SET);
}

/** Of the rows less their mean, so that their squares sum to the variance. */
function residuals({ data, columns }: Matrix, rows: readonly number[]): Float64Array[] {
  const mean = new Float64Array(columns);
  for (const row of rows) for (let j = 0; j < columns; j++) mean[j] = mean[j] + data[row * columns + j] / rows.length;
  const scale = 1 / Math.sqrt(Math.max(1, rows.length - 1));
  return rows.map((row) => Float64Array.from(mean, (value, j) => (data[row * columns + j] - value) * scale));
}

/** The main directions of rows by their Gram matrix, each times the root of its share of the whole. */
function principal(rows: readonly Float64Array[], most: number): Matrix {
  const n = rows.length;
  const columns = rows[0]?.length ?? 0;
  const gram = new Float64Array(n * n);
  for (let a = 0; a < n; a++) {
    for (let b = 0; b <= a; b++) {
      gram[a * n + b] = inner(rows[a] as Float64Array, rows[b] as Float64Array);
      gram[b * n + a] = gram[a * n + b];
    }
  }
  let trace = 0;
  for (let a = 0; a < n; a++) trace += gram[a * n + a];
  const { vectors } = symmetricEigen(gram, n);
  const kept = Math.min(most, n);
  const factors = newSharedMatrix(kept, columns);
  for (let i = 0; i < kept; i++) {
    // The rows mixed by an eigenvector have its value as their square.
    const scale = 1 / Math.sqrt(Math.max(trace, 1e-12));
    for (const [a, row] of rows.entries()) {
      const weight = vectors[i * n + a] * scale;
      for (let j = 0; j < columns; j++) factors.data[i * columns + j] = factors.data[i * columns + j] + weight * row[j];
    }
  }
  return factors;
}

function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
}

/** What the sets have in common: the main directions of the mean of their covariances. */
function shared(sets: readonly Matrix[]): Nuisance | undefined {
  if (sets.length === 0) return undefined;
  const scale = 1 / Math.sqrt(Math.max(1, sets.length));
  const rows = sets.flatMap(({ data, rows: n, columns }) =>
    Array.from({ length: n }, (_, i) =>
      Float64Array.from(data.subarray(i * columns, (i + 1) * columns), (x) => x * scale),
    ),
  );
  const factors = principal(rows, KEPT);
  const { columns, data } = factors;
  // `principal` scales to trace 1, but the shares are of the sets' whole variation, of which their factors have a part.
  const part = rows.reduce((sum, row) => sum + inner(row, row), 0);
  const shares: number[] = [];
  for (let i = 0; i < factors.rows; i++) {
    const own = data.subarray(i * columns, (i + 1) * columns);
    const square = own.reduce((sum, x) => sum + x * x, 0);
    shares.push(square * part);
    if (square > 0) own.set(own.map((x) => x / Math.sqrt(square)));
  }
  return nuisanceOf(factors, shares);
}
