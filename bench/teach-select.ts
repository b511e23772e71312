/**
 * What `teach select` is worth: 5 % of the images labelled, chosen by it at a cold start, against as many at random, on
 * the same test of whole groups that takes no part in anything. Accuracy of the final model of `teach rounds`, and of
 * logistic regression on the same vectors (C = 100). Three sets, three seeds.
 *
 * `even` is random too, but with the same share of every class, for which the classes have to be known already.
 */
import { sampleIndices, seededRandom } from '../src/core/random.ts';
import { argMaxRows } from '../src/math/calibration.ts';
import type { Head } from '../src/math/heads/head.ts';
import { gatherRows } from '../src/math/matrix.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { learnRounds } from '../src/stages/teach/learn-rounds.ts';
import { baseHead, logitsOfRows } from '../src/stages/teach/methods.ts';
import type { BaseSettings, Problem } from '../src/stages/teach/problem.ts';
import { selectItems } from '../src/stages/teach/select.ts';
import {
  finished,
  type LabelledSet,
  loadLabelled,
  meanOf,
  problemOf,
  type Split,
  split,
  withLabelled,
} from './labelled-sets.ts';

const SETS = ['caltech-30', 'electronics', 'flowers'];
const SEEDS = [0, 1, 2];
const SHARE = 0.05;
const BASE: BaseSettings = { head: 'linear', C: 100, classWeights: 'even', augment: false };

export async function run(): Promise<unknown> {
  const pool = await InferencePool.create({});
  try {
    const sets: Record<string, Record<string, number>> = {};
    for (const name of SETS) {
      const set = await loadLabelled(name);
      const seeds = [];
      for (const seed of SEEDS) seeds.push(await measure(pool, set, seed));
      sets[name] = meanOf(seeds);
      process.stderr.write(`  ${name} ${JSON.stringify(sets[name])}\n`);
    }
    return { labels: SHARE, seeds: SEEDS, sets, mean: meanOf(Object.values(sets)) };
  } finally {
    await pool.close();
  }
}

async function measure(pool: InferencePool, set: LabelledSet, seed: number): Promise<Record<string, number>> {
  const even = split(set, seed, SHARE);
  const { test } = even;
  const rest = [...even.labelled, ...even.unlabelled].sort((a, b) => a - b);
  const count = even.labelled.length;
  const drawn = sampleIndices(rest.length, count, seededRandom(seed, 'teach-select-bench'));
  const random = withLabelled(
    { rest, test },
    Array.from(drawn, (i) => rest[i]),
  );
  const features = finished(set, rest);
  const chosen = await selectItems(
    pool,
    {
      features: gatherRows(features, rest),
      groups: rest.map((row) => set.groups[row]),
      labelled: new Set(),
      excluded: new Set(),
      classes: 0,
      probabilities: null,
    },
    { count, seed },
  );
  const selected = withLabelled(
    { rest, test },
    chosen.map(({ row }) => rest[row]),
  );
  const classesOf = ({ labelled }: Split) => new Set(labelled.map((row) => set.truth[row])).size;
  const result: Record<string, number> = {
    labels: count,
    'classes met, random': classesOf(random),
    'classes met, selected': classesOf(selected),
  };
  const testRows = Int32Array.from(test);
  const accuracyOf = async (head: Head) => {
    const best = argMaxRows(await logitsOfRows(pool, head, features, testRows));
    return best.filter((label, i) => label === set.truth[testRows[i]]).length / testRows.length;
  };
  for (const [name, { labelled, unlabelled }] of Object.entries({ random, even, selected })) {
    const problem: Problem = problemOf(set, features, labelled, unlabelled);
    const context = { pool, joined: null, principal: null, seed };
    result[`base, ${name}`] = await accuracyOf(await baseHead(context, problem, BASE));
    result[`final, ${name}`] = await accuracyOf((await learnRounds(pool, problem, { seed, methods: ['metric'] })).head);
  }
  const gain = (over: string) => result['final, selected'] - result[`final, ${over}`];
  return { ...result, 'gain over random': gain('random'), 'gain over even': gain('even') };
}
