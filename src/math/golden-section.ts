/** Golden-section search (Kiefer, "Sequential minimax search for a maximum", Proc. AMS 4, 1953). */

export interface GoldenSectionOptions {
  readonly low: number;
  readonly high: number;
  /** Each narrows the bracket to 0.618 of it, and asks for one value. */
  readonly steps: number;
  /** Which end of the bracket is kept where both inner points are as good. */
  readonly onTie: 'low' | 'high';
}

/** The place of the least value of a function with one minimum between `low` and `high`. */
export function goldenSection(f: (x: number) => number, { low, high, steps, onTie }: GoldenSectionOptions): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [from, to] = [low, high];
  let [a, b] = [to - ratio * (to - from), from + ratio * (to - from)];
  let [fa, fb] = [f(a), f(b)];
  for (let step = 0; step < steps; step++) {
    if (fa < fb || (fa === fb && onTie === 'low')) {
      [to, b, fb] = [b, a, fa];
      a = to - ratio * (to - from);
      fa = f(a);
    } else {
      [from, a, fa] = [a, b, fb];
      b = from + ratio * (to - from);
      fb = f(b);
    }
  }
  return (from + to) / 2;
}
