/**
 * `teach rounds` on 100,000 simulated items of 576 numbers in 100 classes, 10 % of them labelled: the learning, the
 * learning curve and a guess for every item, in a process of its own. The goal is 10 minutes and 4 GiB on two cores.
 * `bench/teach-scale.ts ROWS` takes fewer.
 */
import { seededRandom } from '../src/core/random.ts';
import { argMaxRows } from '../src/math/calibration.ts';
import { newSharedMatrix } from '../src/math/matrix.ts';
import { InferencePool } from '../src/onnx/pool.ts';
import { learnRounds } from '../src/stages/teach/learn-rounds.ts';
import { learningCurve } from '../src/stages/teach/learning-curve.ts';
import type { Problem } from '../src/stages/teach/problem.ts';
import { rounded, timed } from './process.ts';

const ROWS = 100_000;
const COLUMNS = 576;
const CLASSES = 100;
/** Kinds of look within a class, as photographs have them. */
const MODES = 4;
const LABELLED = 0.1;
const THREADS = 2;
const LIMIT_SECONDS = 600;
const LIMIT_GIB = 4;

export async function run(): Promise<unknown> {
  const { seconds, peakBytes, stdout } = await timed(import.meta.filename, [String(ROWS)], process.cwd());
  const peakGiB = rounded(peakBytes / 1024 ** 3);
  const reached = seconds <= LIMIT_SECONDS && peakGiB <= LIMIT_GIB;
  return { threads: THREADS, ...JSON.parse(stdout), processSeconds: rounded(seconds, 1), peakGiB, reached };
}

/** Unit vectors around the modes of their classes, about one in ten nearer to another class's. */
export function simulated(rows: number): { problem: Problem; truth: Int32Array } {
  const random = seededRandom(1, 'teach-scale');
  // Even numbers of variance 1 / columns: a vector of them has length 1, nearly.
  const spread = () => (random() - 0.5) * Math.sqrt(12 / COLUMNS);
  const direction = (length: number) => Float32Array.from({ length: COLUMNS }, () => length * spread());
  const centres = Array.from({ length: CLASSES }, () => direction(1));
  const modes = centres.map(() => Array.from({ length: MODES }, () => direction(0.8)));
  const features = newSharedMatrix(rows, COLUMNS);
  const truth = new Int32Array(rows);
  for (let i = 0; i < rows; i++) {
    const c = Math.floor(random() * CLASSES);
    truth[i] = c;
    const centre = centres[c] as Float32Array;
    const mode = modes[c]?.[Math.floor(random() * MODES)] as Float32Array;
    const other = centres[Math.floor(random() * CLASSES)] as Float32Array;
    const mixed = 1.2 * random();
    const row = features.data.subarray(i * COLUMNS, (i + 1) * COLUMNS);
    let square = 0;
    for (let j = 0; j < COLUMNS; j++) {
      const value = centre[j] + mode[j] + mixed * other[j] + 2.6 * spread();
      row[j] = value;
      square += value * value;
    }
    for (let j = 0; j < COLUMNS; j++) row[j] = row[j] / Math.sqrt(square);
  }
  const labelled = Int32Array.from({ length: Math.round(LABELLED * rows) }, (_, i) => i);
  const groups = Array.from(truth, (_, i) => String(i));
  return { problem: { features, groups, labelled, labels: truth.slice(0, labelled.length), classes: CLASSES }, truth };
}

async function measure(rows: number): Promise<unknown> {
  const { problem, truth } = simulated(rows);
  const pool = await InferencePool.create({ threads: THREADS });
  try {
    const startedAt = performance.now();
    const elapsed = () => rounded((performance.now() - startedAt) / 1000, 1);
    const learned = await learnRounds(pool, problem, {
      seed: 0,
      onStep: ({ method, accuracy }) =>
        process.stderr.write(`  ${method} ${rounded(accuracy)} cross-validated, ${elapsed()} s\n`),
    });
    const roundsSeconds = elapsed();
    await learningCurve(pool, problem, { ...learned, accuracy: learned.heldOut.accuracy });
    const best = argMaxRows(learned.probabilities);
    const unlabelled = rows - problem.labelled.length;
    let right = 0;
    for (let i = problem.labelled.length; i < rows; i++) if (best[i] === truth[i]) right++;
    return {
      rows,
      columns: COLUMNS,
      classes: CLASSES,
      labels: problem.labelled.length,
      seconds: elapsed(),
      roundsSeconds,
      method: learned.method,
      accuracyOfRest: rounded(right / unlabelled),
      steps: learned.steps.map(({ method, accuracy }) => ({ method, crossValidated: rounded(accuracy) })),
    };
  } finally {
    await pool.close();
  }
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await measure(Number(process.argv[2] ?? ROWS)))}\n`);
