/**
 * Hyperparameters of the base model by successive halving (Jamieson and Talwalkar, AISTATS 2016): every candidate is
 * scored on two folds, the better half on two more, and so on until one round has seen all folds. Only labels that may be
 * trained on take part; the table of what was tried is handed back.
 */

import type { Head } from '../../math/heads/head.ts';
import type { Matrix } from '../../math/matrix.ts';
import { newSharedMatrix } from '../../math/matrix.ts';
import { crossValidate, type Folds, type HeldOut, scoreHeldOut } from './cross-validation.ts';
import { baseHead, type LearnContext, logitsOfRows } from './methods.ts';
import type { BaseSettings, Problem } from './problem.ts';

export interface Trial extends BaseSettings {
  /** Folds it was scored on; the best one saw all of them. */
  readonly folds: number;
  readonly accuracy: number;
  /** Mean cross-entropy, nats. */
  readonly loss: number;
}

/** On rows of length 1, the best of these was within half a point of the best there is on every set tried. */
const C_CANDIDATES = [3, 10, 30, 100, 300, 1000];

/** What a perceptron is tried with beside that: it needs a weaker penalty, and costs ten times as much. */
const MLP_CANDIDATES = [30, 300, 3000];

/**
 * `quick` is logistic regression on the vectors as they are; `wide` tries a perceptron too, and augmentations where there are
 * some. On the benchmark's sets `wide` finds nothing that is better on average (`npm run bench -- teach`).
 */
export type SearchWidth = 'quick' | 'wide';

export function baseCandidates(width: SearchWidth, augmentations: boolean): BaseSettings[] {
  const weights = ['even', 'balanced'] as const;
  const of = (head: Head['kind'], Cs: readonly number[], augment: boolean): BaseSettings[] =>
    Cs.flatMap((C) => weights.map((classWeights) => ({ head, C, classWeights, augment })));
  if (width === 'quick') return of('linear', C_CANDIDATES, augmentations);
  const both = augmentations ? [false, true] : [false];
  return both.flatMap((augment) => [...of('linear', C_CANDIDATES, augment), ...of('mlp', MLP_CANDIDATES, augment)]);
}

export interface SearchResult {
  readonly best: Trial;
  /** Best first. */
  readonly trials: readonly Trial[];
  readonly heldOut: HeldOut;
}

/** @param options.deadlineMs on the clock of `performance.now()`: after it no candidate but the best goes on. */
export async function searchBase(
  context: LearnContext,
  problem: Problem,
  folds: Folds,
  candidates: readonly BaseSettings[],
  { deadlineMs = Number.POSITIVE_INFINITY }: { readonly deadlineMs?: number } = {},
): Promise<SearchResult> {
  const { pool, signal } = context;
  const states = candidates.map((settings) => ({
    settings,
    logits: newSharedMatrix(problem.labelled.length, problem.classes),
    places: [] as number[],
    accuracy: 0,
    loss: 0,
  }));
  let left = states;
  for (let fold = 0; fold < folds.count; ) {
    const only = Array.from({ length: Math.min(2, folds.count - fold) }, (_, i) => fold + i);
    for (const state of left) {
      signal?.throwIfAborted();
      const part = await crossValidate(
        problem,
        folds,
        async (training, rows) =>
          logitsOfRows(pool, await baseHead(context, training, state.settings), training.features, rows),
        only,
      );
      for (const place of part.places) copyRow(part.logits, state.logits, place);
      state.places.push(...part.places);
      Object.assign(state, scoreHeldOut(state.logits, problem.labels, state.places));
    }
    fold += only.length;
    left = [...left].sort(better);
    // Out of time, the best so far is scored on the folds that are left, for its confidence, and no other.
    const late = performance.now() > deadlineMs;
    if (fold < folds.count) left = left.slice(0, late ? 1 : Math.max(1, Math.ceil(left.length / 2)));
  }
  const order = [...left, ...states.filter((state) => !left.includes(state)).sort(better)];
  const trials = order.map(({ settings, places, accuracy, loss }) => {
    const seen = new Set(places.map((place) => folds.of[place])).size;
    return { ...settings, folds: seen, accuracy, loss };
  });
  const [winner] = order;
  const [best] = trials;
  if (!winner || !best) throw new RangeError('no candidates');
  const { logits, places, accuracy, loss } = winner;
  return { best, trials, heldOut: { logits, places, accuracy, loss } };
}

interface Scored {
  readonly accuracy: number;
  readonly loss: number;
}

/** More right first; with few labels many are alike, and then the likelier. */
function better(a: Scored, b: Scored): number {
  return b.accuracy - a.accuracy || a.loss - b.loss;
}

function copyRow(from: Matrix, to: Matrix, row: number): void {
  to.data.set(from.data.subarray(row * from.columns, (row + 1) * from.columns), row * from.columns);
}
