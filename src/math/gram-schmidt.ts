/**
 * Gram–Schmidt with one repetition for the digits (Giraud, Langou, Rozložník and van den Eshof, Numer. Math. 101, 2005):
 * what is left of a vector is orthogonal to those before it up to rounding.
 */
import { dot } from './dot.ts';

export interface OrthonormaliseOptions {
  /** A vector of which less than this share of its length is left becomes zero: it depends on those before it. Default 0. */
  readonly zeroBelow?: number;
}

/** Makes vectors orthonormal in their order, in place. Cost: 4 · vectors² · length flops. */
export function orthonormalise(vectors: readonly Float64Array[], { zeroBelow = 0 }: OrthonormaliseOptions = {}): void {
  for (const [j, vector] of vectors.entries()) {
    scaleToOne(vector);
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < j; k++) {
        const other = vectors[k];
        const shared = dot(vector, other);
        for (let i = 0; i < vector.length; i++) vector[i] = vector[i] - shared * other[i];
      }
      // Of length 1 before, so this is the share that is left.
      if (pass === 0 && Math.sqrt(dot(vector, vector)) <= zeroBelow) vector.fill(0);
      scaleToOne(vector);
    }
  }
}

/** A vector of zeros stays as it is. */
function scaleToOne(vector: Float64Array): void {
  let square = 0;
  for (let i = 0; i < vector.length; i++) square += vector[i] ** 2;
  const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
  for (let i = 0; i < vector.length; i++) vector[i] = vector[i] * scale;
}
