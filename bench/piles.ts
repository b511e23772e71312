/**
 * `discover` on piles that were drawn from all sets: the number of clusters against the truth, agreement with the classes and
 * what the best cut of the same tree would have, calibration, and a person's actions until 95 % of the images are right.
 *
 * Directions that are turned down (`discover/nuisance.ts`) come from other sets throughout. Twice: with the product's weights
 * (`shipped`), which were fitted with all sets in view, and with weights that are derived here
 * for each pile from piles of other sets alone (`heldOut`), which is what counts. `before` is what `discover` did when all of this
 * began (`piles/before.ts`). `weights` are those of all piles: the
 * product's constants. `choices` compares rules for the number that is shown. `named` is what the next cut gains from names that a person gave to five clusters, `labelled` from eight labels of each of two classes. Vectors come from a cache that the first run fills (`piles/vectors.ts`); after that a run takes some
 * minutes on one core. `LABELSMITH_BENCH_SEED` draws other piles; `LABELSMITH_BENCH_DIRECTIONS`
 * names the embedders whose directions are turned down (default: those that ship them; empty: none).
 */
import { type Matrix, newSharedMatrix, rowsOf } from '../src/math/matrix.ts';
import { auroc } from '../src/math/metrics/ranking.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { logistic } from '../src/stages/discover/cluster-confidence.ts';
import {
  type ClusterCounts,
  CUT_FEATURES,
  chosenCount,
  clusterCounts,
  likelyRange,
} from '../src/stages/discover/cluster-count.ts';
import { cutHierarchy } from '../src/stages/discover/hierarchy.ts';
import { suggestedK } from '../src/stages/discover/levels.ts';
import { centreAndNormalise, meanOf } from '../src/stages/embed/recipe.ts';
import { backbones, openBackbone } from './piles/backbones.ts';
import { clusteredAsBefore } from './piles/before.ts';
import { choices } from './piles/choices.ts';
import { drawPiles, type Pile } from './piles/draw.ts';
import { type CountProblem, fitCounts } from './piles/fit-counts.ts';
import { type Case, fitLogistic } from './piles/fit-logistic.ts';
import { afterWords, labelsOfImages, namesOfClusters, type Words } from './piles/naming.ts';
import { LEARNT_FOR, nuisanceFrom } from './piles/nuisance.ts';
import { type Agreement, agreement, calibrationError } from './piles/score.ts';
import { casesOf, FINDABLE, NEAR, type Studied, study, toldApart } from './piles/study.ts';
import { type EmbeddedSet, embeddedSet, JUNK_SET, setsHere } from './piles/vectors.ts';
import { rounded } from './process.ts';

const SEED = Number(process.env.LABELSMITH_BENCH_SEED ?? 0);
/** Embedders whose learnt directions are turned down. */
const WITH_DIRECTIONS = process.env.LABELSMITH_BENCH_DIRECTIONS?.split(',') ?? LEARNT_FOR;
/** Piles that weights are fitted on, beside those of {@link SEED}. */
const FIT_SEEDS = [1, 2];
const THREADS = 1;
/** Items of a pile that confidence is fitted on. */
const FIT_ITEMS = 60;

interface Row {
  readonly pile: Pile;
  readonly found: Agreement;
  readonly best: Agreement;
  readonly before?: Agreement;
  readonly items: readonly Case[];
  readonly clusters: readonly Case[];
}

/** A pile's tree, and where it is scored what its clusters were before evidence was weighed. */
type Scored = Studied & { readonly before?: Agreement };

/** Weights of the three rules. */
interface Weights {
  readonly counts: Float64Array;
  readonly items: Float64Array;
  readonly clusters: Float64Array;
}

export async function run(): Promise<unknown> {
  const scored: Record<string, Scored[]> = {};
  const fitted: Studied[] = [];
  for (const name of backbones()) {
    const bySeed = await studyAll(name);
    scored[name] = bySeed[0] as Scored[];
    fitted.push(...bySeed.flat().filter(({ pile }) => pile.kind !== 'tiny'));
  }
  const weightsWithout = leavingOut(fitted);
  const results: Record<string, unknown> = {};
  for (const [name, studied] of Object.entries(scored)) {
    const shipped: Row[] = [];
    const heldOut: { row: Row; weights: Weights }[] = [];
    for (const one of studied) {
      shipped.push(rowOf(one, suggestedK(one.sample)));
      const weights = await weightsWithout(one.pile.sets);
      heldOut.push({ row: rowOf(one, chosen(one, weights.counts)), weights });
    }
    const rows = heldOut.map(({ row }) => row);
    results[name] = {
      shipped: summary(shipped),
      heldOut: { ...summary(rows), rangeHolds: rangeHolds(studied, heldOut), ...honesty(heldOut) },
      choices: choices(
        studied.flatMap((one, i) => {
          const counts = one.pile.kind === 'tiny' ? undefined : countsBy(one, heldOut[i].weights.counts);
          return counts ? [{ one, counts }] : [];
        }),
      ),
      named: afterAll(studied, heldOut, namesOfClusters),
      labelled: afterAll(studied, heldOut, labelsOfImages),
      outliers: outliersTold(studied),
      piles: rows.map(flat),
    };
  }
  const all = await weightsWithout([]);
  return { seed: SEED, weights: written(all), ...results };
}

/** Every pile's tree, by seed. */
async function studyAll(name: string): Promise<Scored[][]> {
  const { sets, blocks } = await loadSets(name);
  const nuisanceWithout = WITH_DIRECTIONS.includes(name) ? nuisanceFrom(sets, blocks) : () => undefined;
  const pool = await InferencePool.create({ threads: THREADS });
  try {
    const bySeed: Scored[][] = [];
    for (const seed of [SEED, ...FIT_SEEDS.map((one) => SEED + one)]) {
      const studied: Scored[] = [];
      for (const pile of drawPiles(sets, seed)) {
        const vectors = vectorsOf(pile, sets);
        const fromMean = centreAndNormalise(vectors, { blocks }, meanOf(vectors));
        const nuisance = nuisanceWithout(pile.sets);
        const before = seed === SEED ? await clusteredAsBefore(pool, pile, vectors) : undefined;
        studied.push({ ...(await study(pool, pile, { vectors, fromMean, nuisance })), ...(before ? { before } : {}) });
      }
      process.stderr.write(`  ${name}: ${studied.length} piles of seed ${seed}\n`);
      bySeed.push(studied);
    }
    return bySeed;
  } finally {
    await pool.close();
  }
}

export async function loadSets(name: string): Promise<{
  sets: Map<string, EmbeddedSet>;
  blocks: readonly { columns: number; weight: number }[];
}> {
  const embedder = await openBackbone(name, THREADS);
  try {
    const sets = new Map<string, EmbeddedSet>();
    for (const set of [...setsHere(), JUNK_SET]) {
      sets.set(set, await embeddedSet(set, async () => embedder, embedder.key));
    }
    return { sets, blocks: embedder.blocks };
  } finally {
    await embedder.close();
  }
}

/** As the embedder gave them, [items, columns]. */
export function vectorsOf({ items }: Pick<Pile, 'items'>, sets: ReadonlyMap<string, EmbeddedSet>): Matrix {
  const columns = [...sets.values()][0]?.vectors.columns ?? 0;
  const all = newSharedMatrix(items.length, columns);
  for (const [i, { set, row, copy }] of items.entries()) {
    const { vectors, copies } = sets.get(set) as EmbeddedSet;
    all.data.set(rowsOf(copy < 0 ? vectors : (copies[copy] as Matrix), row, row + 1).data, i * columns);
  }
  return all;
}

/** Weights from the piles that have none of some sets; fitted once for each choice of sets. */
function leavingOut(piles: readonly Studied[]): (sets: readonly string[]) => Promise<Weights> {
  const known = new Map<string, Promise<Weights>>();
  const fit = async (sets: readonly string[]): Promise<Weights> => {
    const rest = piles.filter(({ pile }) => !pile.sets.some((set) => sets.includes(set)));
    const counts = await fitCounts(rest.map(({ problem }) => problem).filter((one): one is CountProblem => !!one));
    const cases = rest.filter(({ problem }) => problem).map((one) => casesOf(one, chosen(one, counts)));
    const some = cases.flatMap(({ items }) => items.slice(0, FIT_ITEMS));
    return {
      counts,
      items: await fitLogistic(some),
      clusters: await fitLogistic(cases.flatMap(({ clusters }) => clusters)),
    };
  };
  return (sets) => {
    const key = [...sets].sort().join();
    const there = known.get(key) ?? fit(sets);
    known.set(key, there);
    return there;
  };
}

function chosen(one: Studied, weights: Float64Array): number {
  const counts = countsBy(one, weights);
  return counts ? chosenCount(counts) : 1;
}

/** Undefined for piles of fewer than two items. */
function countsBy({ sample: { evidence, leafOf } }: Studied, weights: Float64Array): ClusterCounts | undefined {
  return evidence && clusterCounts(evidence, leafOf.length, { weights });
}

function rowOf(one: Scored, k: number): Row {
  const { pile, hierarchy, best, before, problem } = one;
  const found = agreement(pile, hierarchy, cutHierarchy(hierarchy, k));
  return {
    pile,
    found,
    best,
    ...(before ? { before } : {}),
    ...(problem ? casesOf(one, k) : { items: [], clusters: [] }),
  };
}

const isNear = (k: number, { classes }: Pile) => Math.max(k / classes, classes / k) <= NEAR;

/** Means over all piles but the tiny ones, and what is asked of them. */
function summary(all: readonly Row[]) {
  const rows = all.filter(({ pile }) => pile.kind !== 'tiny');
  const mean = (pick: (row: Row) => number) => rounded(rows.reduce((sum, row) => sum + pick(row), 0) / rows.length);
  const findable = rows.filter(({ best }) => best.nmi >= FINDABLE);
  const share = (test: (row: Row) => boolean) => rounded(findable.filter(test).length / findable.length);
  const of = (pick: (row: Row) => Agreement) => ({
    ari: mean((row) => pick(row).ari),
    nmi: mean((row) => pick(row).nmi),
    purity: mean((row) => pick(row).purity),
    actions: mean((row) => pick(row).actions),
  });
  const found = of((row) => row.found);
  const best = of((row) => row.best);
  // Every pile that counts has two items or more.
  const before = of((row) => row.before as Agreement);
  return {
    piles: all.length,
    scored: rows.length,
    findable: findable.length,
    kNear: share(({ found, pile }) => isNear(found.k, pile)),
    /** What a rule would have that knew the classes and took the cut of the tree that agrees with them best. */
    kNearOfBest: share(({ best, pile }) => isNear(best.k, pile)),
    kBelowHalf: findable.filter(({ found: { k }, pile: { classes } }) => k < classes / 2).length,
    found,
    best,
    before,
    ariOfBest: rounded(found.ari / best.ari),
    actionsOfBest: rounded(found.actions / best.actions),
    actionsOfBefore: rounded(found.actions / before.actions),
  };
}

/** Items put among those of other sets against what is told to stand apart, in the piles that have some and over all. */
function outliersTold(all: readonly Studied[]) {
  const scored = all.filter(({ pile }) => pile.kind !== 'tiny');
  const aurocs = scored.flatMap(
    ({ remote }) =>
      auroc(
        remote.map(({ junk }) => (junk ? 1 : 0)),
        remote.map(({ distance }) => distance),
      ) ?? [],
  );
  const told = scored.flatMap(toldApart);
  const right = told.filter(({ junk }) => junk).length;
  const junk = scored.flatMap(({ remote }) => remote).filter((one) => one.junk).length;
  return {
    auroc: rounded(aurocs.reduce((sum, one) => sum + one, 0) / aurocs.length),
    precision: rounded(right / told.length),
    recall: rounded(right / junk),
  };
}

/** Share of findable piles whose number of classes is in the range that is told. */
function rangeHolds(studied: readonly Studied[], heldOut: readonly { weights: Weights }[]): number {
  const told = studied.flatMap((one, i) => {
    const { pile, best } = one;
    const counts = countsBy(one, heldOut[i].weights.counts);
    if (!counts || pile.kind === 'tiny' || best.nmi < FINDABLE) return [];
    const { least, most } = likelyRange(counts);
    return [pile.classes >= least && pile.classes <= most];
  });
  return rounded(told.filter((holds) => holds).length / told.length);
}

/** What a person's words do to the next cut: numbers near the truth in findable piles, and agreement over all. */
function afterAll(studied: readonly Studied[], heldOut: readonly { row: Row; weights: Weights }[], words: Words) {
  const cuts = studied.flatMap((one, i) => {
    const { row, weights } = heldOut[i];
    const after = one.pile.kind === 'tiny' ? null : afterWords(one, { k: row.found.k, weights: weights.counts, words });
    return after ? [{ row, ...after }] : [];
  });
  const findable = cuts.filter(({ row }) => row.best.nmi >= FINDABLE);
  const near = (pick: (cut: (typeof cuts)[number]) => number) =>
    rounded(findable.filter((cut) => isNear(pick(cut), cut.row.pile)).length / findable.length);
  const mean = (pick: (cut: (typeof cuts)[number]) => number) =>
    rounded(cuts.reduce((sum, cut) => sum + pick(cut), 0) / cuts.length);
  return {
    kNear: { before: near(({ row }) => row.found.k), heard: near(({ k }) => k) },
    ari: {
      before: mean(({ row }) => row.found.ari),
      unheard: mean(({ unheard }) => unheard.ari),
      heard: mean(({ heard }) => heard.ari),
    },
    actions: { unheard: mean(({ unheard }) => unheard.actions), heard: mean(({ heard }) => heard.actions) },
  };
}

/** Calibration of an item's confidence, over all items and in the mean of the piles, and how well mixed clusters are told. */
function honesty(all: readonly { row: Row; weights: Weights }[]) {
  const scored = all.filter(({ row }) => row.pile.kind !== 'tiny');
  const told = scored.map(({ row, weights }) => ({
    confidences: row.items.map(({ features }) => logistic(weights.items, features)),
    correct: row.items.map(({ positive }) => positive),
  }));
  const clusters = scored.flatMap(({ row, weights }) =>
    row.clusters.map(({ features, positive }) => ({ chance: logistic(weights.clusters, features), positive })),
  );
  const errors = told.map(({ confidences, correct }) => calibrationError(confidences, correct));
  const mixed = auroc(
    clusters.map(({ positive }) => (positive ? 0 : 1)),
    clusters.map(({ chance }) => -chance),
  );
  return {
    calibrationError: rounded(
      calibrationError(
        told.flatMap(({ confidences }) => confidences),
        told.flatMap(({ correct }) => correct),
      ),
    ),
    calibrationErrorOfAPile: rounded(errors.reduce((sum, error) => sum + error, 0) / errors.length),
    mixedShare: rounded(clusters.filter(({ positive }) => !positive).length / clusters.length),
    mixedAuroc: mixed === null ? null : rounded(mixed),
    bySize: bySize(scored.map(({ row }, i) => ({ row, ...told[i] }))),
    clusterCalibrationError: rounded(
      calibrationError(
        clusters.map(({ chance }) => chance),
        clusters.map(({ positive }) => positive),
      ),
    ),
  };
}

/** Images a class, and a cluster that is shown, below which a pile counts to each part; the last has the others. */
const SIZES = [8, 20, Number.POSITIVE_INFINITY];

interface Told {
  readonly row: Row;
  readonly confidences: readonly number[];
  readonly correct: readonly boolean[];
}

/** The same by how many images the piles' classes have, which nobody knows, and their clusters, with how much too much is claimed. */
function bySize(told: readonly Told[]) {
  const share = (of: readonly (number | boolean)[]) =>
    of.reduce<number>((sum, one) => sum + Number(one), 0) / of.length;
  const parts = (number: (row: Row) => number) =>
    SIZES.map((below, i) => {
      const size = ({ row }: Told) => row.pile.items.length / number(row);
      const own = told.filter((one) => size(one) < below && size(one) >= (SIZES[i - 1] ?? 0));
      const tooMuch = own.map(({ confidences, correct }) => share(confidences) - share(correct));
      return {
        below: Number.isFinite(below) ? below : null,
        piles: own.length,
        calibrationError: rounded(
          calibrationError(
            own.flatMap(({ confidences }) => confidences),
            own.flatMap(({ correct }) => correct),
          ),
        ),
        claimedTooMuch: rounded(share(tooMuch)),
      };
    });
  return { class: parts(({ pile }) => pile.classes), cluster: parts(({ found }) => found.k) };
}

function written({ counts, items, clusters }: Weights) {
  const list = (weights: Float64Array) => Array.from(weights, (one) => rounded(one, 4));
  return {
    counts: Object.fromEntries(CUT_FEATURES.map((name, j) => [name, rounded(counts[j], 4)])),
    items: list(items),
    clusters: list(clusters),
  };
}

function flat({ pile, found, best }: Row) {
  const short = (a: Agreement) =>
    `k ${a.k} ari ${rounded(a.ari)} nmi ${rounded(a.nmi)} purity ${rounded(a.purity)} actions ${a.actions}`;
  const { id, kind, items, classes } = pile;
  return { pile: id, kind, items: items.length, classes, found: short(found), best: short(best) };
}
