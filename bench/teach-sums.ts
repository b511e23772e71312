/**
 * What `teach` does with more labels than it holds: a discriminant from sums over all of them, against logistic regression on a
 * tenth of them; and what either would have to send between machines. Simulated items as in `teach-scale`, in one thread.
 * `LABELSMITH_BENCH_LABELS` says how many labels (default 40,000); half as many items again are the test.
 */
import { argMaxRows } from '../src/math/calibration.ts';
import { classStatistics, discriminantHead } from '../src/math/heads/discriminant.ts';
import { fitLinearHead, type LinearHead, logitsOf, oneHot } from '../src/math/heads/linear-head.ts';
import { rowsOf } from '../src/math/matrix.ts';
import { CATALOGUE } from '../src/models/catalogue.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { DEFAULT_BACKBONE } from './piles/backbones.ts';
import { rounded } from './process.ts';
import { simulated } from './teach-scale.ts';

const LABELS = Number(process.env.LABELSMITH_BENCH_LABELS ?? 40_000);
const SHARE = 0.1;
/** Strength and shrinkage that held-out labels choose on these items. */
const C = 30;
const SHRINKAGE = 0.1;
/** Ten million items, a twentieth of them labelled, default embedder. */
const LARGE = { labels: 500_000, columns: defaultColumns(), classes: 100 };

export async function run(): Promise<unknown> {
  const { problem, truth } = simulated(Math.round(1.5 * LABELS));
  const { features, classes } = problem;
  const pool = await InferencePool.create({ threads: 1 });
  const spent = async <T>(work: () => Promise<T>) => {
    const before = process.cpuUsage();
    const value = await work();
    const { user, system } = process.cpuUsage(before);
    return { value, seconds: rounded((user + system) / 1e6, 1) };
  };
  const accuracy = async (head: LinearHead) => {
    const best = argMaxRows(await logitsOf(pool, head, rowsOf(features, LABELS, features.rows)));
    return rounded(best.filter((label, i) => label === truth[LABELS + i]).length / best.length);
  };
  const logistic = (labels: number) => {
    const own = truth.slice(0, labels);
    const weights = new Float32Array(labels).fill(1);
    const set = { features: rowsOf(features, 0, labels), targets: oneHot(own, classes), weights };
    return spent(() => fitLinearHead(pool, set, { C }));
  };
  const discriminant = (labels: number) =>
    spent(async () => {
      const own = truth.slice(0, labels);
      return discriminantHead(await classStatistics(pool, rowsOf(features, 0, labels), own, classes), SHRINKAGE);
    });
  try {
    const few = Math.round(SHARE * LABELS);
    const heads = [
      { what: 'logistic regression', labels: few, ...(await logistic(few)) },
      { what: 'discriminant', labels: few, ...(await discriminant(few)) },
      { what: 'discriminant', labels: LABELS, ...(await discriminant(LABELS)) },
      { what: 'logistic regression', labels: LABELS, ...(await logistic(LABELS)) },
    ];
    const table = [];
    for (const { value, ...head } of heads) table.push({ ...head, accuracy: await accuracy(value) });
    const { labels, columns, classes: k } = LARGE;
    return {
      columns: features.columns,
      classes,
      heads: table,
      large: {
        ...LARGE,
        gigabytesOfLabelledVectors: rounded((4 * labels * columns) / 1e9, 1),
        megabytesOfSumsAFold: rounded((8 * columns * (columns + k)) / 1e6, 1),
        megabytesOfAGradient: rounded((4 * k * (columns + 1)) / 1e6, 2),
      },
    };
  } finally {
    await pool.close();
  }
}

/** Numbers of a vector of the default embedder. */
function defaultColumns(): number {
  const entry = CATALOGUE.find(({ id }) => id === DEFAULT_BACKBONE);
  if (entry?.role !== 'embedder' || !entry.views) throw new Error(`${DEFAULT_BACKBONE} has no views`);
  return entry.views.parts.reduce((sum, { channels }) => sum + channels, 0);
}
