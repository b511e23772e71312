import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Box, iou } from '../core/boxes.ts';
import { type Random, seededRandom } from '../core/random.ts';
import {
  boxesFromCentres,
  boxesFromDistances,
  expectedDistances,
  findPeaks,
  iouMatrix,
  suppressed,
} from './boxes-graph.ts';
import { Graph } from './ops.ts';
import { Runner } from './session.ts';
import { float32, type Tensor } from './tensor.ts';

const runner = new Runner();
const numbers = (tensor: Tensor | undefined) => Array.from(tensor?.data as Float32Array, Number);
const uniform = (random: Random, n: number, scale = 1) => Float32Array.from({ length: n }, () => random() * scale);

function near(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]) <= tolerance, `${i}: ${value}, expected ${expected[i]}`);
  });
}

/** The definition, cell by cell: no neighbour of the class is hotter. */
function peaksByHand(heat: Float32Array, [classes, rows, columns]: [number, number, number], threshold: number) {
  const found: number[][] = [];
  const at = (c: number, y: number, x: number) => heat[(c * rows + y) * columns + x];
  for (let c = 0; c < classes; c++) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const here = at(c, y, x);
        let peak = here >= threshold;
        for (let v = Math.max(0, y - 1); v <= Math.min(rows - 1, y + 1); v++) {
          for (let u = Math.max(0, x - 1); u <= Math.min(columns - 1, x + 1); u++) peak &&= at(c, v, u) <= here;
        }
        if (peak) found.push([here, c, x, y]);
      }
    }
  }
  return found;
}

test('peaks are the cells that no neighbour of their class beats, edges and plateaus included', async () => {
  const random = seededRandom(1);
  for (const [classes, rows, columns] of [
    [3, 7, 5],
    [1, 1, 9],
    [2, 16, 16],
  ] as [number, number, number][]) {
    for (const threshold of [-1, 0.5, 2]) {
      // Few values, so that neighbours are often equal.
      const heat = uniform(random, classes * rows * columns).map((x) => Math.round(x * 8) / 8);
      const g = new Graph();
      const peaks = findPeaks(g, g.input('heatmap', 'float32', [1, classes, rows, columns]), {
        classes,
        rows,
        columns,
        threshold,
      });
      for (const [name, value] of Object.entries(peaks)) g.output(value, name);
      const y = await runner.runModel(g.toModel(), { heatmap: float32(heat, [1, classes, rows, columns]) });
      const [hot, c, px, py] = ['scores', 'classes', 'x', 'y'].map((name) => numbers(y[name])) as number[][];
      const got = hot.map((value, i) => [value, c?.[i], px?.[i], py?.[i]]);
      assert.deepEqual(got, peaksByHand(heat, [classes, rows, columns], threshold));
    }
  }
});

test('boxes come from sides, from centres and from distributions', async () => {
  const g = new Graph();
  g.output(boxesFromDistances(g, g.input('points', 'float32', ['m', 2]), g.input('sides', 'float32', ['m', 4])), 'a');
  g.output(boxesFromCentres(g, g.input('centred', 'float32', ['m', 4])), 'b');
  g.output(expectedDistances(g, g.input('logits', 'float32', ['m', 12]), 3), 'c');
  const y = await runner.runModel(g.toModel(), {
    points: float32([10, 20], [1, 2]),
    sides: float32([1, 2, 3, 4], [1, 4]),
    centred: float32([10, 20, 4, 6], [1, 4]),
    logits: float32([0, 0, 0, 100, 0, 0, 0, 100, 0, 0, 0, 100], [1, 12]),
  });
  assert.deepEqual(numbers(y.a), [9, 18, 13, 24]);
  assert.deepEqual(numbers(y.b), [8, 17, 12, 23]);
  near(numbers(y.c), [1, 0, 1, 2], 1e-6);
});

function randomBoxes(random: Random, n: number): Float32Array {
  const boxes = new Float32Array(4 * n);
  for (let i = 0; i < n; i++) {
    const [x, y, w, h] = uniform(random, 4, 50) as unknown as [number, number, number, number];
    // Every seventh is empty.
    boxes.set([x, y, x + (i % 7 === 0 ? 0 : w), y + h], 4 * i);
  }
  return boxes;
}

const boxAt = (boxes: Float32Array, i: number) => Array.from(boxes.subarray(4 * i, 4 * i + 4)) as unknown as Box;

test('the overlap matrix agrees with overlaps pair by pair', async () => {
  const random = seededRandom(2);
  const [a, b] = [randomBoxes(random, 20), randomBoxes(random, 30)];
  const g = new Graph();
  g.output(iouMatrix(g, g.input('a', 'float32', ['n', 4]), g.input('b', 'float32', ['m', 4])), 'iou');
  const y = await runner.runModel(g.toModel(), { a: float32(a, [20, 4]), b: float32(b, [30, 4]) });
  const expected = Array.from({ length: 600 }, (_, i) => iou(boxAt(a, Math.floor(i / 30)), boxAt(b, i % 30)));
  near(numbers(y.iou), expected, 1e-5);
});

test('suppression keeps what a greedy pass over sorted boxes keeps', async () => {
  const random = seededRandom(3);
  const n = 60;
  const boxes = randomBoxes(random, n);
  const scores = uniform(random, 2 * n);
  const options = { iou: 0.4, threshold: 0.2, most: 15 };
  const g = new Graph();
  const kept = suppressed(g, g.input('boxes', 'float32', [1, n, 4]), g.input('scores', 'float32', [1, 2, n]), options);
  g.output(kept, 'kept');
  const y = await runner.runModel(g.toModel(), {
    boxes: float32(boxes, [1, n, 4]),
    scores: float32(scores, [1, 2, n]),
  });
  const expected: number[] = [];
  for (const c of [0, 1]) {
    const score = (i: number) => scores[c * n + i];
    const order = Array.from({ length: n }, (_, i) => i).filter((i) => score(i) > options.threshold);
    order.sort((i, j) => score(j) - score(i));
    const left: number[] = [];
    for (const i of order) {
      if (left.length < options.most && left.every((j) => iou(boxAt(boxes, i), boxAt(boxes, j)) <= options.iou))
        left.push(i);
    }
    for (const i of left) expected.push(0, c, i);
  }
  assert.deepEqual(numbers(y.kept), expected);
});
