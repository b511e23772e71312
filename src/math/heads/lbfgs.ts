/**
 * Limited-memory BFGS (Liu and Nocedal, "On the limited memory BFGS method", Mathematical Programming 45, 1989) with the
 * bisection line search for the weak Wolfe conditions of Lewis and Overton (Mathematical Programming 141, 2013).
 *
 * The function comes in as an effect, so that it may run anywhere; an iteration asks for it once, rarely twice, and
 * costs 4 · memory · n multiplications beside it. Holds 2 · memory + 7 vectors in double precision. Deterministic.
 */
import { dot } from '../dot.ts';

/** The value at x; writes the gradient there, shape [n], into memory that is used again. */
export type Evaluate = (x: Float64Array, gradient: Float64Array) => Promise<number>;

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
  evaluate: Evaluate,
  start: Float64Array,
  options: LbfgsOptions = {},
): Promise<LbfgsResult> {
  const { maxIterations = 200, tolerance = 1e-4, valueTolerance = 1e-7, memory = 10, signal } = options;
  const fresh = () => new Float64Array(start.length);
  const steps: Step[] = [];
  let here: Point = { x: start.slice(), gradient: fresh() };
  // Two places beside: the trial under way, and the best trial that went low enough.
  const spare: Point[] = [
    { x: fresh(), gradient: fresh() },
    { x: fresh(), gradient: fresh() },
  ];
  const direction = fresh();
  let value = await evaluate(here.x, here.gradient);
  let evaluations = 1;
  const limit = tolerance * (options.scale ?? largest(here.gradient));
  const done = (stopped: LbfgsResult['stopped'], iterations: number) => ({
    x: here.x,
    value,
    iterations,
    evaluations,
    stopped,
  });
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    signal?.throwIfAborted();
    if (largest(here.gradient) <= limit) return done('gradient', iteration);
    descent(here.gradient, steps, direction);
    let slope = dot(here.gradient, direction);
    if (!(slope < 0)) {
      // Rounding has spoiled what is remembered.
      steps.length = 0;
      descent(here.gradient, steps, direction);
      slope = dot(here.gradient, direction);
    }
    let [low, high] = [0, Number.POSITIVE_INFINITY];
    let length = steps.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    let next: Point | undefined;
    let nextValue = value;
    for (let trial = 0; trial < MAX_TRIALS; trial++) {
      const there = spare.find((point) => point !== next) as Point;
      for (let i = 0; i < direction.length; i++) {
        there.x[i] = here.x[i] + length * direction[i];
      }
      const thereValue = await evaluate(there.x, there.gradient);
      evaluations++;
      const low_enough = thereValue <= value + SUFFICIENT_DECREASE * length * slope;
      if (low_enough) [next, nextValue] = [there, thereValue];
      if (!low_enough) high = length;
      else if (dot(there.gradient, direction) < CURVATURE * slope) low = length;
      else break;
      length = high === Number.POSITIVE_INFINITY ? 2 * low : (low + high) / 2;
    }
    if (!next) return done('value', iteration);
    remember(steps, memory, here, next);
    const gain = value - nextValue;
    spare[spare.indexOf(next)] = here;
    here = next;
    value = nextValue;
    if (gain <= valueTolerance * Math.abs(value)) return done('value', iteration + 1);
  }
  return done('limit', maxIterations);
}

interface Point {
  readonly x: Float64Array;
  readonly gradient: Float64Array;
}

interface Step {
  /** Change of x. */
  readonly s: Float64Array;
  /** Change of the gradient. */
  readonly y: Float64Array;
  /** 1 / (s · y). */
  rho: number;
}

/** Puts the step between two points behind the others; the oldest of `memory` gives its place to it. */
function remember(steps: Step[], memory: number, from: Point, to: Point): void {
  const { length } = from.x;
  const oldest = steps.length === memory ? steps[0] : undefined;
  const step = oldest ?? { s: new Float64Array(length), y: new Float64Array(length), rho: 0 };
  let [product, square] = [0, 0];
  for (let i = 0; i < length; i++) {
    const change = to.gradient[i] - from.gradient[i];
    product += (to.x[i] - from.x[i]) * change;
    square += change * change;
  }
  // Without positive curvature the next direction need not go down.
  if (!(product > 1e-12 * square)) return;
  if (oldest) steps.shift();
  for (let i = 0; i < length; i++) {
    step.s[i] = to.x[i] - from.x[i];
    step.y[i] = to.gradient[i] - from.gradient[i];
  }
  step.rho = 1 / product;
  steps.push(step);
}

/** The two-loop recursion: −H · gradient, into `q`. */
function descent(gradient: Float64Array, steps: readonly Step[], q: Float64Array): void {
  q.set(gradient);
  const alphas = new Float64Array(steps.length);
  for (let i = steps.length - 1; i >= 0; i--) {
    const { s, y, rho } = steps[i];
    const alpha = rho * dot(s, q);
    alphas[i] = alpha;
    addScaled(q, y, -alpha);
  }
  const last = steps.at(-1);
  const scale = last ? 1 / (last.rho * dot(last.y, last.y)) : 1;
  for (let i = 0; i < q.length; i++) q[i] = q[i] * scale;
  for (const [i, { s, y, rho }] of steps.entries()) addScaled(q, s, alphas[i] - rho * dot(y, q));
  for (let i = 0; i < q.length; i++) q[i] = -q[i];
}

function addScaled(to: Float64Array, what: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i] = to[i] + factor * what[i];
}

export function largest(vector: Float64Array): number {
  let most = 0;
  for (const value of vector) most = Math.max(most, Math.abs(value));
  return most;
}
