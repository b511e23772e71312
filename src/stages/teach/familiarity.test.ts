/** Made-up vectors: classes are blobs on a sphere, so what is foreign is known. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { matrix } from '../../math/matrix.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { foldsOf } from './cross-validation.ts';
import { chanceKnown, expectedMisses, familiarityOf, fewLabelsText } from './familiarity.ts';

const COLUMNS = 32;
const PER_CLASS = 40;

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 1 });
});
after(() => pool.close());

function blobs(classes: number, spread: number): { features: Float32Array; classOf: number[] } {
  const random = seededRandom(3, 'blobs');
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const features = new Float32Array(classes * PER_CLASS * COLUMNS);
  const classOf: number[] = [];
  for (let c = 0; c < classes; c++) {
    const centre = Array.from({ length: COLUMNS }, normal);
    for (let i = 0; i < PER_CLASS; i++) {
      const row = centre.map((value) => value + spread * normal());
      const length = Math.hypot(...row);
      for (const [j, value] of row.entries()) features[classOf.length * COLUMNS + j] = value / length;
      classOf.push(c);
    }
  }
  return { features, classOf };
}

async function familiarityWhere(taught: number, classes: number, labels = 8) {
  const { features, classOf } = blobs(classes, 0.5);
  const labelled = Int32Array.from(
    Array.from({ length: taught }, (_, c) => Array.from({ length: labels }, (_, i) => c * PER_CLASS + i)).flat(),
  );
  const problem = {
    features: matrix(features, classOf.length, COLUMNS),
    groups: classOf.map((_, row) => String(row)),
    labelled,
    labels: labelled.map((row) => classOf[row]),
    classes: taught,
  };
  return { ...(await familiarityOf(pool, problem, foldsOf(problem, 10, 0))), classOf, labelled };
}

test('items of a class that nobody taught are doubted, those of taught ones are not', async () => {
  const { known, foreign, classOf } = await familiarityWhere(3, 4);
  const doubted = (c: number) => classOf.filter((of, row) => of === c && known[row] < 0.5).length;
  assert.ok(doubted(3) >= 35, `${doubted(3)} of 40`);
  assert.ok(doubted(0) + doubted(1) + doubted(2) <= 6);
  assert.ok(foreign >= 30 && foreign <= 50, `${foreign}`);
});

test('where every class was taught, nothing is suspected', async () => {
  const { known, foreign } = await familiarityWhere(4, 4);
  assert.equal(foreign, 0);
  assert.ok(known.every((chance) => chance === 1));
});

test('three labels a class are enough where classes lie apart; with fewer than six in all nothing is doubted, and that is said', async () => {
  const { known, classOf } = await familiarityWhere(3, 4, 3);
  assert.ok(classOf.filter((of, row) => of === 3 && known[row] < 0.5).length >= 35);
  assert.ok(classOf.filter((of, row) => of !== 3 && known[row] < 0.5).length <= 6);
  assert.equal((await familiarityWhere(4, 4, 3)).foreign, 0);
  assert.equal((await familiarityWhere(2, 4, 2)).foreign, 0);
  assert.match(fewLabelsText(4) ?? '', /^4 labels are too few to tell/);
  assert.match(fewLabelsText(9) ?? '', /^with 9 labels only a part/);
  assert.equal(fewLabelsText(15), null);
});

test('the chance below the limit: as many as usual are all known; when all are below, none is', () => {
  assert.deepEqual(chanceKnown(0.1), { chance: 1, share: 0 });
  assert.deepEqual(chanceKnown(0.05), { chance: 1, share: 0 });
  assert.equal(chanceKnown(1).chance, 0);
  // b = .37: π = .3, so of the 37 in 100 below 7 are known.
  const { chance, share } = chanceKnown(0.37);
  assert.ok(Math.abs(share - 0.3) < 1e-12 && Math.abs(chance - 0.07 / 0.37) < 1e-12);
});

test('few labels bear more misses', () => {
  // The mean of scipy.stats.beta(3, 18) and of beta(7, 58).
  assert.ok(Math.abs(expectedMisses(20) - 0.1428571) < 1e-6);
  assert.ok(Math.abs(expectedMisses(64) - 0.1076923) < 1e-6);
});
