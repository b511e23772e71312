/** Made-up vectors: three blobs on a sphere, and references of two of them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sha256Hex } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { matrix } from '../../math/matrix.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { fitMatcher, matchRows } from './matcher.ts';

const COLUMNS = 32;
const ITEMS = 40;
const REFERENCES = 30;

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 1 });
});
after(() => pool.close());

/** `counts[c]` rows about the centre of blob c, rows of length 1. */
function blobs(counts: readonly number[], seed: number) {
  const normals = (of: number | string) => {
    const random = seededRandom(seed, `blobs-${of}`);
    return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  };
  const noise = normals('noise');
  const rows = counts.flatMap((count, c) => {
    // The same centres whatever the seed.
    const centre = seededRandom(5, `centre-${c}`);
    const at = Array.from({ length: COLUMNS }, () => 2 * centre() - 1);
    return Array.from({ length: count }, () => {
      const row = at.map((value) => value + 0.3 * noise());
      const length = Math.hypot(...row);
      return row.map((value) => value / length);
    });
  });
  return matrix(Float32Array.from(rows.flat()), rows.length, COLUMNS);
}

async function matched(threshold?: number, foreign = ITEMS) {
  const vectors = blobs([ITEMS, ITEMS, foreign], 1);
  const ids = Array.from({ length: vectors.rows }, (_, i) => sha256Hex(`${i}`));
  const references = {
    ids: Array.from({ length: 2 * REFERENCES }, (_, i) => sha256Hex(`reference ${i}`)),
    vectors: blobs([REFERENCES, REFERENCES], 2),
    classes: Int32Array.from({ length: 2 * REFERENCES }, (_, i) => Math.floor(i / REFERENCES)),
    classNames: ['a', 'b'],
  };
  const matcher = await fitMatcher(pool, { ids, vectors }, references, { seed: 0, threshold });
  const found = await matchRows(matcher, ids, vectors);
  const accepted = (c: number) => found.filter((one, i) => Math.floor(i / ITEMS) === c && one.accepted).length;
  return { foreign: matcher.foreign, found, accepted };
}

test('what has no references is told and left out; its confidence is the chance that it has', async () => {
  const { foreign, found, accepted } = await matched();
  assert.ok(foreign >= 30 && foreign <= 50, `${foreign}`);
  assert.ok(accepted(0) + accepted(1) >= 60, `${accepted(0)} and ${accepted(1)}`);
  assert.equal(accepted(2), 0);
  const mean = found.slice(2 * ITEMS).reduce((sum, { confidence }) => sum + confidence, 0) / ITEMS;
  assert.ok(mean < 0.5, `${mean}`);
});

test("where every item has references nothing is doubted, nor where the threshold is the user's", async () => {
  assert.equal((await matched(undefined, 0)).foreign, 0);
  const own = await matched(-1);
  assert.equal(own.foreign, 0);
  assert.equal(own.accepted(2), ITEMS);
});
