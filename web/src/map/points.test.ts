import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../src/core/random.ts';
import { fewInSight, strideOf } from './draw.ts';
import { insideOf } from './points.ts';

test('a lasso holds what is inside of it, and not what its bays leave out', () => {
  const [x, y] = [Float32Array.of(1, 5, 9, 5, -1), Float32Array.of(1, 1, 1, 8, 1)];
  // The letter U, ten wide and ten high, open at the top from 3 to 7.
  const outline = [
    [0, 0],
    [10, 0],
    [10, 10],
    [7, 10],
    [7, 3],
    [3, 3],
    [3, 10],
    [0, 10],
  ].map(([px, py]) => ({ x: px ?? 0, y: py ?? 0 }));
  const inside = insideOf({ x, y, count: 5 }, outline);
  assert.deepEqual([...inside.places], [0, 1, 2]);
  assert.deepEqual([...inside.has], [1, 1, 1, 0, 0]);
  assert.equal(insideOf({ x, y, count: 5 }, outline.slice(0, 2)).places.length, 0);
});

test('a lasso with many corners that crosses itself holds what the rule says, looked at edge by edge', () => {
  const random = seededRandom(5);
  const outline = Array.from({ length: 60 }, () => ({ x: random(), y: random() }));
  const count = 5000;
  const [x, y] = [Float32Array.from({ length: count }, random), Float32Array.from({ length: count }, random)];
  // The winding number's parity, by the angles under which the edges are seen (O'Rourke, Computational Geometry in C, 7.4).
  const isInside = (px: number, py: number) => {
    let turned = 0;
    for (const [i, a] of outline.entries()) {
      const b = outline[(i + 1) % outline.length] ?? a;
      const angle = Math.atan2(b.y - py, b.x - px) - Math.atan2(a.y - py, a.x - px);
      turned += angle > Math.PI ? angle - 2 * Math.PI : angle < -Math.PI ? angle + 2 * Math.PI : angle;
    }
    return Math.abs(Math.round(turned / (2 * Math.PI))) % 2 === 1;
  };
  const expected = Array.from(x, (px, i) => (isInside(px, y[i] ?? 0) ? 1 : 0));
  assert.deepEqual([...insideOf({ x, y, count }, outline).has], expected);
});

test('at most 200,000 are drawn; pictures are shown of few in sight alone', () => {
  assert.deepEqual([0, 1, 200_000, 200_001, 1_000_000].map(strideOf), [1, 1, 1, 2, 5]);
  const points = { x: Float32Array.of(0, 1, 2, 30), y: Float32Array.of(0, 1, 2, 0), count: 4, classes: [], id: String };
  const view = { scale: 10, x: 5, y: 5 };
  const said = { origins: [], originOf: new Uint8Array(4) };
  const asked = { ...points, ...said, confidence: new Float32Array(4), classOf: new Int32Array(4) };
  assert.deepEqual(fewInSight(asked, view, { width: 100, height: 100, most: 3 }), [0, 1, 2]);
  assert.deepEqual(fewInSight(asked, view, { width: 100, height: 100, most: 2 }), []);
});
