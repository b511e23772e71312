/**
 * Whether the range of numbers that `discover` tells holds one where all images are of one class, and how often it does where they
 * are of several (`src/stages/discover/one-class.ts`).
 *
 * On the piles of `npm run bench -- piles` and on four piles of one class a set, each scored with weights of both rules from piles that have
 * nothing of its sets, with the default embedder. `before` is the range by the chances alone. `weights` are those of all
 * piles: the product's constants.
 */
import { InferencePool } from '../src/onnx/pool.ts';
import { clusterCounts, likelyRange } from '../src/stages/discover/cluster-count.ts';
import { mayBeOneClass, oneClassFeatures } from '../src/stages/discover/one-class.ts';
import { centreAndNormalise, meanOf } from '../src/stages/embed/recipe.ts';
import { DEFAULT_BACKBONE } from './piles/backbones.ts';
import { drawPiles, type Pile } from './piles/draw.ts';
import { type CountProblem, fitCounts } from './piles/fit-counts.ts';
import { fitLogistic } from './piles/fit-logistic.ts';
import { nuisanceFrom } from './piles/nuisance.ts';
import { oneClassPiles } from './piles/one-class.ts';
import { FINDABLE, type Studied, study } from './piles/study.ts';
import { loadSets, vectorsOf } from './piles.ts';
import { rounded } from './process.ts';

const SEED = Number(process.env.LABELSMITH_BENCH_SEED ?? 0);
/** Draws, from {@link SEED} on. */
const DRAWS = 2;
/** Share of the piles of one class, of those that the weights come from, whose range has to hold one. */
const HELD = 0.8;
/** Fewer items say hardly anything. */
const SOME_ITEMS = 20;

/** A pile with a tree. */
interface Tree {
  readonly pile: Pile;
  readonly items: number;
  readonly findable: boolean;
  readonly evidence: NonNullable<Studied['sample']['evidence']>;
  /** Absent of the piles that were drawn for being of one class: what speaks for a number is not learnt from them. */
  readonly problem?: CountProblem;
}

interface Weights {
  readonly counts: Float64Array;
  readonly one: Float64Array;
}

interface Told extends Tree {
  readonly before: Range;
  readonly now: Range;
}

type Range = ReturnType<typeof likelyRange>;

export async function run(): Promise<unknown> {
  const trees = await treesOf();
  const known = new Map<string, Promise<Weights>>();
  const told: Told[] = [];
  for (const tree of trees) {
    const key = [...tree.pile.sets].sort().join();
    const weights =
      known.get(key) ?? fit(trees.filter(({ pile }) => !pile.sets.some((set) => tree.pile.sets.includes(set))));
    known.set(key, weights);
    told.push({ ...tree, ...rangesOf(tree, await weights) });
  }
  const { one } = await fit(trees);
  return {
    seed: SEED,
    piles: told.length,
    before: summary(told, ({ before }) => before),
    now: summary(told, ({ now }) => now),
    weights: Array.from(one, (weight) => rounded(weight, 4)),
  };
}

async function treesOf(): Promise<Tree[]> {
  const { sets, blocks } = await loadSets(DEFAULT_BACKBONE);
  const nuisanceWithout = nuisanceFrom(sets, blocks);
  const pool = await InferencePool.create({ threads: 1 });
  const trees: Tree[] = [];
  const add = async (pile: Pile, learntFrom: boolean) => {
    const vectors = vectorsOf(pile, sets);
    const fromMean = centreAndNormalise(vectors, { blocks }, meanOf(vectors));
    const { sample, best, problem } = await study(pool, pile, {
      vectors,
      fromMean,
      nuisance: nuisanceWithout(pile.sets),
    });
    const { evidence, leafOf } = sample;
    if (!evidence || !problem) return;
    const tree = { pile, items: leafOf.length, findable: best.nmi >= FINDABLE, evidence };
    trees.push(learntFrom ? { ...tree, problem } : tree);
  };
  try {
    for (let seed = SEED; seed < SEED + DRAWS; seed++) {
      for (const pile of drawPiles(sets, seed)) if (pile.kind !== 'tiny') await add(pile, true);
      for (const pile of oneClassPiles(sets, seed)) await add(pile, false);
      process.stderr.write(`  ${trees.length} piles up to seed ${seed}\n`);
    }
    return trees;
  } finally {
    await pool.close();
  }
}

async function fit(trees: readonly Tree[]): Promise<Weights> {
  const counts = await fitCounts(trees.map(({ problem }) => problem).filter((one): one is CountProblem => !!one));
  const cases = trees.map(({ pile, items, evidence }) => ({
    features: oneClassFeatures(evidence, items),
    positive: pile.classes === 1,
  }));
  const positives = cases.filter(({ positive }) => positive);
  // Both kinds count the same, however many piles there are of each.
  const weightOf = (positive: boolean) => 1 / (positive ? positives.length : cases.length - positives.length);
  const one = await fitLogistic(cases.map((own) => ({ ...own, weight: weightOf(own.positive) })));
  const logits = positives
    .map(({ features }) => features.reduce((sum, value, j) => sum + value * one[j + 1], 0))
    .sort((a, b) => a - b);
  // The bias puts the limit at zero.
  one[0] = -logits[Math.floor((1 - HELD) * logits.length)];
  return { counts, one };
}

function rangesOf({ evidence, items }: Tree, { counts: weights, one }: Weights): { before: Range; now: Range } {
  const counts = clusterCounts(evidence, items, { weights });
  const mayBeOne = mayBeOneClass(oneClassFeatures(evidence, items), counts, one);
  return { before: likelyRange(counts), now: likelyRange(counts, { mayBeOne }) };
}

/** Shares of the piles whose range holds one, and of the findable ones whose range holds their number. */
function summary(told: readonly Told[], range: (one: Told) => Range) {
  const share = (of: (one: Told) => boolean, test: (one: Told) => boolean) => {
    const own = told.filter(of);
    return { piles: own.length, share: rounded(own.filter(test).length / own.length) };
  };
  const holdsOne = (one: Told) => range(one).least === 1;
  const classes = (least: number, most: number) => (one: Told) => one.pile.classes >= least && one.pile.classes <= most;
  return {
    oneClass: share(classes(1, 1), holdsOne),
    oneClassOfSomeItems: share((one) => classes(1, 1)(one) && one.items >= SOME_ITEMS, holdsOne),
    twoToFour: share(classes(2, 4), holdsOne),
    fiveOrMore: share(classes(5, Number.POSITIVE_INFINITY), holdsOne),
    rangeHolds: share(
      ({ findable, problem }) => findable && !!problem,
      (one) => one.pile.classes >= range(one).least && one.pile.classes <= range(one).most,
    ),
  };
}
