/**
 * What `teach select` is worth: 5 % of the images labelled, chosen by it at a cold start, against as many at random (the
 * same share of every class), on the same test of whole groups that takes no part in anything. Accuracy of the final
 * model of `teach rounds`, and of logistic regression on the same vectors (C = 100). Three sets, three seeds.
 *
 * Random picks are flattered: drawing the same share of every class needs the classes to be known.
 */
import { learnRounds } from '../src/labelling/teach/learn-rounds.ts';
import type { Problem } from '../src/labelling/teach/problem.ts';
import type { BaseSettings } from '../src/labelling/teach/search.ts';
import { selectItems } from '../src/labelling/teach/select.ts';
import { baseHead, logitsOfRows } from '../src/labelling/teach/techniques.ts';
import { argMaxRows } from '../src/math/calibration.ts';
import type { Head } from '../src/math/heads/head.ts';
import { gatherRows } from '../src/math/matrix.ts';
import { InferencePool } from '../src/math/pool.ts';
import { finished, type LabelledSet, loadLabelled, meanOf, problemOf, split, withLabelled } from './labelled-sets.ts';

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
  const random = split(set, seed, SHARE);
  const rest = [...random.labelled, ...random.unlabelled].sort((a, b) => a - b);
  const features = finished(set, rest);
  const chosen = await selectItems(
    pool,
    {
      features: gatherRows(features, rest),
      groups: rest.map((row) => set.groups[row] as string),
      labelled: new Set(),
      excluded: new Set(),
      classes: 0,
      probabilities: null,
    },
    { count: random.labelled.length, seed },
  );
  const selected = withLabelled(
    { rest, test: random.test },
    chosen.map(({ row }) => rest[row] as number),
  );
  const classesMet = new Set(selected.labelled.map((row) => set.truth[row])).size;
  const result: Record<string, number> = { labels: random.labelled.length, classesMet };
  const testRows = Int32Array.from(random.test);
  const accuracyOf = async (head: Head) => {
    const best = argMaxRows(await logitsOfRows(pool, head, features, testRows));
    return best.filter((label, i) => label === set.truth[testRows[i] as number]).length / testRows.length;
  };
  for (const [name, { labelled, unlabelled }] of Object.entries({ random, selected })) {
    const problem: Problem = problemOf(set, features, labelled, unlabelled);
    const context = { pool, joined: null, principal: null, seed };
    result[`base, ${name}`] = await accuracyOf(await baseHead(context, problem, BASE));
    result[`final, ${name}`] = await accuracyOf((await learnRounds(pool, problem, { seed })).head);
  }
  const gain = (what: string) => (result[`${what}, selected`] as number) - (result[`${what}, random`] as number);
  return { ...result, 'gain of base': gain('base'), 'gain of final': gain('final') };
}
