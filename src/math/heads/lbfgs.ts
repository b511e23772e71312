/**
 * Limited-memory BFGS (Liu and Nocedal, "On the limited memory BFGS method", Mathematical Programming 45, 1989) with the
 * bisection line search for the weak Wolfe conditions of Lewis and Overton (Mathematical Programming 141, 2013).
 *
 * The function comes in as an effect, so that it may run anywhere; an iteration asks for it once, rarely twice, and
 * costs 4 · memory · n multiplications beside it. Holds 2 · memory + 5 vectors in double precision. Deterministic.
 */
import { dot } from '../dot.ts';

export interface Evaluation {
  readonly value: number;
  /** Shape [n]; belongs to the caller. */
  readonly gradient: Float64Array;
}

export interface LbfgsOptions {
  /** Default 200. */
  readonly maxIterations?: number;
  /** Ends when no element of the gradient is larger than this part of the largest one at the start of a cold fit, or of `scale`. Default 1e-4. */
  readonly tolerance?: number;
  /** What the gradient is compared with (default: its largest element at the start); given where the start is a warm one. */
  readonly scale?: number;
  /** Ends when an iteration lowers the value by less than this part of it (default 1e-7: single precision can do no better). */
  readonly valueTolerance?: number;
  /** Steps remembered. Default 10. */
  readonly memory?: number;
  readonly signal?: AbortSignal;
}

export interface LbfgsResult {
  /** Shape [n]. */
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  readonly evaluations: number;
  /** The gradient is small, the value stands still, or `maxIterations`. */
  readonly stopped: 'gradient' | 'value' | 'limit';
}

const SUFFICIENT_DECREASE = 1e-4;
const CURVATURE = 0.9;
const MAX_TRIALS = 25;

export async function minimise(
  evaluate: (x: Float64Array) => Promise<Evaluation>,
  start: Float64Array,
  options: LbfgsOptions = {},
): Promise<LbfgsResult> {
  const { maxIterations = 200, tolerance = 1e-4, valueTolerance = 1e-7, memory = 10, signal } = options;
  const steps: Step[] = [];
  let x: Float64Array = start.slice();
  let { value, gradient } = await evaluate(x);
  let evaluations = 1;
  const limit = tolerance * (options.scale ?? largest(gradient));
  const done = (stopped: LbfgsResult['stopped'], iterations: number) => ({
    x,
    value,
    iterations,
    evaluations,
    stopped,
  });
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    signal?.throwIfAborted();
    if (largest(gradient) <= limit) return done('gradient', iteration);
    let direction = descent(gradient, steps);
    let slope = dot(gradient, direction);
    if (!(slope < 0)) {
      // Rounding has spoiled what is remembered.
      steps.length = 0;
      direction = gradient.map((g) => -g);
      slope = dot(gradient, direction);
    }
    let [low, high] = [0, Number.POSITIVE_INFINITY];
    let length = steps.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    let next: (Evaluation & { readonly x: Float64Array }) | undefined;
    for (let trial = 0; trial < MAX_TRIALS; trial++) {
      const to = moved(x, direction, length);
      const there = await evaluate(to);
      evaluations++;
      const low_enough = there.value <= value + SUFFICIENT_DECREASE * length * slope;
      if (low_enough) next = { ...there, x: to };
      if (!low_enough) high = length;
      else if (dot(there.gradient, direction) < CURVATURE * slope) low = length;
      else break;
      length = high === Number.POSITIVE_INFINITY ? 2 * low : (low + high) / 2;
    }
    if (!next) return done('value', iteration);
    remember(steps, memory, difference(next.x, x), difference(next.gradient, gradient));
    const gain = value - next.value;
    ({ x, value, gradient } = next);
    if (gain <= valueTolerance * Math.abs(value)) return done('value', iteration + 1);
  }
  return done('limit', maxIterations);
}

interface Step {
  /** Change of x. */
  readonly s: Float64Array;
  /** Change of the gradient. */
  readonly y: Float64Array;
  /** 1 / (s · y). */
  readonly rho: number;
}

function remember(steps: Step[], memory: number, s: Float64Array, y: Float64Array): void {
  const product = dot(s, y);
  // Without positive curvature the next direction need not go down.
  if (!(product > 1e-12 * dot(y, y))) return;
  steps.push({ s, y, rho: 1 / product });
  if (steps.length > memory) steps.shift();
}

/** The two-loop recursion: −H · gradient. */
function descent(gradient: Float64Array, steps: readonly Step[]): Float64Array {
  const q = gradient.slice();
  const alphas = new Float64Array(steps.length);
  for (let i = steps.length - 1; i >= 0; i--) {
    const { s, y, rho } = steps[i] as Step;
    const alpha = rho * dot(s, q);
    alphas[i] = alpha;
    addScaled(q, y, -alpha);
  }
  const last = steps.at(-1);
  if (last) {
    const scale = 1 / (last.rho * dot(last.y, last.y));
    for (let i = 0; i < q.length; i++) q[i] = (q[i] as number) * scale;
  }
  for (const [i, { s, y, rho }] of steps.entries()) addScaled(q, s, (alphas[i] as number) - rho * dot(y, q));
  for (let i = 0; i < q.length; i++) q[i] = -(q[i] as number);
  return q;
}

function addScaled(to: Float64Array, what: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] as number) + factor * (what[i] as number);
}

function moved(x: Float64Array, direction: Float64Array, length: number): Float64Array {
  const to = x.slice();
  addScaled(to, direction, length);
  return to;
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  const result = a.slice();
  addScaled(result, b, -1);
  return result;
}

export function largest(vector: Float64Array): number {
  let most = 0;
  for (const value of vector) most = Math.max(most, Math.abs(value));
  return most;
}
