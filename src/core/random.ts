/** Seeded random numbers; nothing in the project calls `Math.random`. */

/** A generator of numbers in [0, 1). */
export type Random = () => number;

/**
 * sfc32 (Chris Doty-Humphrey, PractRand), seeded through splitmix32: 128 bits of state, passes PractRand to 32 TB.
 * `stream` separates uses of one seed, so that adding a draw in one place does not move another.
 */
export function seededRandom(seed: number, stream = ''): Random {
  let h = seed >>> 0;
  for (let i = 0; i < stream.length; i++) h = Math.imul(h ^ stream.charCodeAt(i), 0x01000193) >>> 0;
  const splitmix = () => {
    h = (h + 0x9e3779b9) >>> 0;
    let z = h;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let [a, b, c, counter] = [splitmix(), splitmix(), splitmix(), 1];
  const next = () => {
    const t = (((a + b) >>> 0) + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = (b ^ (b >>> 9)) >>> 0;
    b = (c + (c << 3)) >>> 0;
    c = ((c << 21) | (c >>> 11)) >>> 0;
    c = (c + t) >>> 0;
    return t / 4294967296;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

/** A new array with the items in random order (Fisher–Yates). */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = items.slice();
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

/** `count` different whole numbers below `n`, ascending (Knuth's algorithm S, TAOCP 2, 3.4.2). */
export function sampleIndices(n: number, count: number, random: Random): Int32Array {
  const result = new Int32Array(Math.min(n, count));
  for (let i = 0, taken = 0; taken < result.length; i++) {
    if (random() * (n - i) < result.length - taken) result[taken++] = i;
  }
  return result;
}
