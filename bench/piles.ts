/**
 * `discover` on piles that were drawn from all sets: the number of clusters against the truth, agreement with the classes and
 * what the best cut of the same tree would have, calibration, and a person's actions until 95 % of the images are right.
 *
 * Vectors come from a cache that the first run fills (`piles/vectors.ts`); after that a run takes some minutes on one core.
 * `LABELSMITH_BENCH_SEED` draws other piles.
 */
import { exactIndex } from '../src/math/knn/exact.ts';
import { type Matrix, newSharedMatrix, rowsOf } from '../src/math/matrix.ts';
import { auroc } from '../src/math/metrics/ranking.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { cutHierarchy, hierarchyOf, suggestedK } from '../src/stages/discover/hierarchy.ts';
import { assignByNeighbours } from '../src/stages/discover/knn-assignment.ts';
import { centreAndNormalise, meanOf } from '../src/stages/embed/recipe.ts';
import { backbones, openBackbone } from './piles/backbones.ts';
import { drawPiles, type Pile } from './piles/draw.ts';
import { type Agreement, agreement, bestCut, calibrationError, correctness } from './piles/score.ts';
import { type EmbeddedSet, embeddedSet, JUNK_SET, setsHere } from './piles/vectors.ts';
import { rounded } from './process.ts';

const SEED = Number(process.env.LABELSMITH_BENCH_SEED ?? 0);
const THREADS = 1;
/** Of a cluster: it is one thing when so much of it is of one class. */
const ONE_THING = 0.8;
/** What is asked of the number of clusters. */
const NEAR = 1.35;
/** Piles whose best cut agrees less have no number of clusters that could be found. */
const FINDABLE = 0.6;

interface Row {
  readonly pile: string;
  readonly kind: Pile['kind'];
  readonly items: number;
  readonly classes: number;
  readonly found: Agreement;
  readonly best: Agreement;
  readonly calibration: number;
}

interface Doubt {
  readonly confidence: number;
  readonly correct: boolean;
}

export async function run(): Promise<unknown> {
  const results: Record<string, unknown> = {};
  for (const name of backbones()) results[name] = await measure(name);
  return { seed: SEED, ...results };
}

async function measure(name: string): Promise<unknown> {
  const { sets, blocks } = await loadSets(name);
  const pool = await InferencePool.create({ threads: THREADS });
  try {
    const rows: Row[] = [];
    const items: Doubt[] = [];
    const clusters: Doubt[] = [];
    for (const pile of drawPiles(sets, SEED)) {
      const vectors = vectorsOf(pile, sets);
      centreAndNormalise(vectors, { blocks }, meanOf(vectors));
      rows.push(await scored(pool, pile, vectors, items, clusters));
    }
    return { ...summary(rows), ...honesty(items, clusters, rows), piles: rows.map(flat) };
  } finally {
    await pool.close();
  }
}

async function loadSets(name: string): Promise<{
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
function vectorsOf({ items }: Pile, sets: ReadonlyMap<string, EmbeddedSet>): Matrix {
  const columns = [...sets.values()][0]?.vectors.columns ?? 0;
  const all = newSharedMatrix(items.length, columns);
  for (const [i, { set, row, copy }] of items.entries()) {
    const { vectors, copies } = sets.get(set) as EmbeddedSet;
    all.data.set(rowsOf(copy < 0 ? vectors : (copies[copy] as Matrix), row, row + 1).data, i * columns);
  }
  return all;
}

async function scored(
  pool: InferencePool,
  pile: Pile,
  vectors: Matrix,
  items: Doubt[],
  clusters: Doubt[],
): Promise<Row> {
  const hierarchy = await hierarchyOf(pool, vectors, { method: 'graph', seed: 0 });
  const labels = cutHierarchy(hierarchy, suggestedK(hierarchy));
  const found = agreement(pile, hierarchy, labels);
  const ids = pile.items.map((_, i) => String(i));
  const confidence = new Float64Array(ids.length);
  if (ids.length > 0) {
    const sample = { index: exactIndex(pool, vectors), ids: ids as never[], clusters: labels };
    const assignments = await assignByNeighbours(sample, ids as never[], vectors, [...labels]);
    for (const [i, one] of assignments.entries()) confidence[i] = one.confidence;
  }
  const told = correctness(pile, labels).map(({ cluster, item, correct }) => ({
    cluster,
    confidence: confidence[item],
    correct,
  }));
  if (pile.kind !== 'tiny') {
    items.push(...told);
    for (let c = 0; c < found.k; c++) {
      const own = told.filter(({ cluster }) => cluster === c);
      const right = own.filter(({ correct }) => correct).length / own.length;
      const sure = own.reduce((sum, one) => sum + one.confidence, 0) / own.length;
      clusters.push({ confidence: sure, correct: right >= ONE_THING });
    }
  }
  return {
    pile: pile.id,
    kind: pile.kind,
    items: ids.length,
    classes: pile.classes,
    found,
    best: bestCut(pile, hierarchy),
    calibration: calibrationError(
      told.map((one) => one.confidence),
      told.map(({ correct }) => correct),
    ),
  };
}

/** Means over all piles but the tiny ones, and what is asked of them. */
function summary(all: readonly Row[]) {
  const rows = all.filter(({ kind }) => kind !== 'tiny');
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
  return {
    piles: all.length,
    scored: rows.length,
    findable: findable.length,
    kNear: share(({ found: { k }, classes }) => Math.max(k / classes, classes / k) <= NEAR),
    kBelowHalf: findable.filter(({ found: { k }, classes }) => k < classes / 2).length,
    found,
    best,
    ariOfBest: rounded(found.ari / best.ari),
    actionsOfBest: rounded(found.actions / best.actions),
  };
}

function honesty(items: readonly Doubt[], clusters: readonly Doubt[], rows: readonly Row[]) {
  const error = calibrationError(
    items.map(({ confidence }) => confidence),
    items.map(({ correct }) => correct),
  );
  const scoredRows = rows.filter(({ kind }) => kind !== 'tiny');
  const mixed = auroc(
    clusters.map(({ correct }) => (correct ? 0 : 1)),
    clusters.map(({ confidence }) => -confidence),
  );
  return {
    calibrationError: rounded(error),
    calibrationErrorOfAPile: rounded(
      scoredRows.reduce((sum, { calibration }) => sum + calibration, 0) / scoredRows.length,
    ),
    mixedShare: rounded(clusters.filter(({ correct }) => !correct).length / clusters.length),
    mixedAuroc: mixed === null ? null : rounded(mixed),
  };
}

function flat({ found, best, ...row }: Row) {
  const short = (a: Agreement) =>
    `k ${a.k} ari ${rounded(a.ari)} nmi ${rounded(a.nmi)} purity ${rounded(a.purity)} actions ${a.actions}`;
  return { ...row, calibration: rounded(row.calibration), found: short(found), best: short(best) };
}
