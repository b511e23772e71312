import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differencesOf, HALF_TOLERANCE, largestDifference, type Outputs, TOLERANCE } from './difference.ts';

type Row = readonly [x1: number, y1: number, x2: number, y2: number, score: number, classIndex: number];

function detector(rows: readonly Row[]): Outputs {
  return {
    boxes: Float32Array.from(rows.flatMap((row) => row.slice(0, 4))),
    scores: Float32Array.from(rows, (row) => row[4]),
    classes: Float32Array.from(rows, (row) => row[5]),
  };
}

const [first, second]: readonly [Row, Row] = [
  [-2.78957, 10, 506.5768, 300, 0.9, 1],
  [40, 40, 90, 90, 0.4, 7],
];

test('a corner near the edge of the picture is judged by pixels, not by its own small number', () => {
  const moved = detector([[-2.78925, 10, 506.5764, 300, 0.9, 1], second]);
  assert.ok(largestDifference(moved, detector([first, second])) < TOLERANCE);
  const far = detector([[-2.78957, 10, 509.6, 300, 0.9, 1], second]);
  assert.ok(largestDifference(far, detector([first, second])) > HALF_TOLERANCE, 'three pixels');
});

test('objects are the same in another order, and one at the threshold may be missing or more', () => {
  const border: Row = [5, 5, 9, 9, 0.05001, 3];
  assert.equal(largestDifference(detector([second, first]), detector([first, second])), 0);
  assert.ok(largestDifference(detector([first, border, second]), detector([first, second])) < TOLERANCE);
  assert.ok(largestDifference(detector([first, second]), detector([border, first, second])) < TOLERANCE);
});

test('another class, a missing or an added object, and what is no number are differences', () => {
  const golden = detector([first, second]);
  const other: Row = [40, 40, 90, 90, 0.4, 8];
  for (const rows of [[first, other], [first], [first, second, second], []] as const) {
    assert.ok(largestDifference(detector(rows), golden) > HALF_TOLERANCE, JSON.stringify(rows));
  }
  const empty: Row = [Number.NaN, 40, 90, 90, 0.4, 7];
  assert.ok(largestDifference(detector([first, empty]), golden) > HALF_TOLERANCE);
  assert.equal(largestDifference({ scores: new Float32Array(2) }, golden), Number.POSITIVE_INFINITY);
});

test('plain numbers are compared place by place, by the scale of their output', () => {
  const golden = { embedding: Float32Array.of(0.001, 50), probabilities: Float32Array.of(0.25, 0.75) };
  const found = { embedding: Float32Array.of(0.501, 50), probabilities: Float32Array.of(0.25, 0.7) };
  const differences = differencesOf(found, golden);
  assert.ok(Math.abs((differences.get('embedding') ?? 0) - 0.01) < 1e-6);
  assert.ok(Math.abs((differences.get('probabilities') ?? 0) - 0.05) < 1e-6);
  assert.equal(largestDifference({ ...found, embedding: Float32Array.of(Number.NaN, 50) }, golden), Infinity);
});
