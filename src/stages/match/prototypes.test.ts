import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { matrix } from '../../math/matrix.ts';
import { decide, fitPrototypes } from './prototypes.ts';

/** Rows of length 1 around one of the axes, `spread` away from it. */
function around(axes: readonly number[], columns: number, spread: number, seed: number) {
  const random = seededRandom(seed);
  const data = new Float32Array(axes.length * columns);
  for (const [i, axis] of axes.entries()) {
    const row = data.subarray(i * columns, (i + 1) * columns);
    for (let j = 0; j < columns; j++) row[j] = (random() - 0.5) * spread;
    row[axis] = row[axis] + 1;
    const length = Math.hypot(...row);
    for (let j = 0; j < columns; j++) row[j] = row[j] / length;
  }
  return matrix(data, axes.length, columns);
}

test('a prototype is the mean direction of its references, and a left-out reference is judged without itself', () => {
  // By hand: two references of a at ±30° of the x axis, one of b on the y axis.
  const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
  const references = matrix(Float32Array.from([c, s, c, -s, 0, 1]), 3, 2);
  const { vectors, classes, thresholds } = fitPrototypes(references, Int32Array.from([0, 0, 1]), 2);
  assert.deepEqual(
    Array.from(vectors.data, (value) => Math.round(value * 1e6) / 1e6),
    [1, 0, 0, 1],
  );
  // Without itself, the class of a reference at +30° is the one at −30°: cos 60° = .5, as near as b is to the first.
  assert.ok(Math.abs((classes[0]?.own as number) - 0.5) < 1e-6);
  assert.ok(Math.abs((classes[0]?.nearestOther?.cosine as number) - 0) < 1e-6, 'mean of sin 30° and −sin 30°');
  assert.deepEqual([classes[1]?.own, classes[1]?.accuracy, classes[1]?.references], [null, null, 1]);
  assert.ok(thresholds.every((threshold) => threshold > 0 && threshold < 1));
});

test('well separated references are all recognised, and strangers fall below every threshold', () => {
  const axes = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2];
  const prototypes = fitPrototypes(around(axes, 8, 0.4, 1), Int32Array.from(axes), 3);
  assert.deepEqual(
    prototypes.classes.map(({ accuracy }) => accuracy),
    [1, 1, 1],
  );
  const cosines = (row: Float32Array) =>
    Array.from({ length: 3 }, (_, c) =>
      row.reduce((sum, value, j) => sum + value * prototypes.vectors.data[c * 8 + j], 0),
    );
  const known = around([0, 1, 2], 8, 0.4, 2);
  for (const c of [0, 1, 2]) {
    const matched = decide(cosines(known.data.subarray(c * 8, (c + 1) * 8)), prototypes);
    assert.equal(matched.class, c);
    assert.equal(matched.accepted, true);
    assert.ok(matched.confidence > 0.9);
  }
  const strangers = around([3, 4, 5, 6], 8, 0.4, 3);
  for (let i = 0; i < 4; i++) {
    assert.equal(decide(cosines(strangers.data.subarray(i * 8, (i + 1) * 8)), prototypes).accepted, false);
  }
});

test('one reference a class is enough to go by', () => {
  const prototypes = fitPrototypes(around([0, 1], 4, 0.2, 1), Int32Array.from([0, 1]), 2);
  assert.equal(decide([0.95, 0.1], prototypes).accepted, true);
  assert.equal(decide([0.2, 0.1], prototypes).accepted, false);
});

test('one class alone still turns strangers away', () => {
  const prototypes = fitPrototypes(around([0, 0, 0], 4, 0.2, 1), Int32Array.from([0, 0, 0]), 1);
  assert.equal(prototypes.classes[0]?.nearestOther, null);
  assert.deepEqual([decide([0.97], prototypes).accepted, decide([0.1], prototypes).accepted], [true, false]);
  const at = prototypes.thresholds[0];
  const [below, on, above] = [at - 0.1, at, at + 0.1].map((cosine) => decide([cosine], prototypes).confidence);
  assert.ok(Math.abs(on - 0.5) < 1e-6, 'at the threshold it is as likely as not');
  // A tenth is one temperature: 1 / (1 + e).
  assert.ok(Math.abs(below - 0.268941) < 1e-5 && Math.abs(above - 0.731059) < 1e-5);
});
