/** Decoders on made-up heads whose boxes are worked out by hand, from the formulas of the papers that they cite. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Graph } from '../../onnx/ops.ts';
import { Session } from '../../onnx/session.ts';
import { float32, type Tensor } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import { anchorPointCount, anchorPoints } from './anchor-points.ts';
import type { Decoder } from './decoder.ts';
import { decode } from './decoders.ts';

interface Found {
  readonly label: number;
  readonly score: number;
  readonly box: readonly number[];
}

/** Runs a decoder on heads given by name, and rounds to a thousandth. */
async function run(
  decoder: Decoder,
  heads: Readonly<Record<string, Tensor>>,
  size: readonly [width: number, height: number],
  classCount: number,
): Promise<Found[]> {
  const graph = new Graph('test');
  const outputs: Record<string, Value> = {};
  for (const [name, { dims }] of Object.entries(heads)) outputs[name] = graph.input(name, 'float32', dims);
  const found = decode({ graph, decoder, outputs, width: size[0], height: size[1], classCount });
  graph.output(found.boxes, 'boxes');
  graph.output(found.scores, 'scores');
  graph.output(found.classes, 'classes');
  const session = await Session.create(graph.toModel());
  const { boxes, scores, classes } = await session.run(heads);
  await session.close();
  const round = (value: unknown) => Math.round(Number(value) * 1000) / 1000;
  return Array.from(scores.data as Float32Array, (score, i) => ({
    label: Number(classes.data[i]),
    score: round(score),
    box: Array.from((boxes.data as Float32Array).slice(4 * i, 4 * i + 4), round),
  })).sort((a, b) => b.score - a.score);
}

const logit = (p: number) => Math.log(p / (1 - p));

test('centernet: a peak is a maximum of its 3 × 3 cells, in its own class', async () => {
  const [rows, columns] = [4, 6];
  const heat = new Float32Array(2 * rows * columns);
  const sides = new Float32Array(4 * rows * columns);
  const at = (plane: number, x: number, y: number) => (plane * rows + y) * columns + x;
  heat[at(0, 1, 2)] = 0.9;
  heat[at(0, 2, 2)] = 0.8; // beside a larger one of its class
  heat[at(1, 2, 2)] = 0.7; // of another class
  heat[at(0, 5, 0)] = 0.06; // in a corner
  heat[at(1, 5, 3)] = 0.04; // below the candidate threshold
  [1, 2, 3, 4].forEach((side, edge) => {
    sides[at(edge, 1, 2)] = side;
    sides[at(edge, 2, 2)] = 10 * side;
  });
  const found = await run(
    { kind: 'centernet', heatmap: 'heatmap', distances: 'distances', stride: 4 },
    { heatmap: float32(heat.map(logit), [1, 2, rows, columns]), distances: float32(sides, [1, 4, rows, columns]) },
    [24, 16],
    2,
  );
  assert.deepEqual(found, [
    { label: 0, score: 0.9, box: [4 - 1, 8 - 2, 4 + 3, 8 + 4] },
    { label: 1, score: 0.7, box: [8 - 10, 8 - 20, 8 + 30, 8 + 40] },
    { label: 0, score: 0.06, box: [20, 0, 20, 0] },
  ]);
});

test('nanodet: a side is the mean of its distribution, in strides from the middle of the cell', async () => {
  // 16 × 8 pixels at stride 8: two cells. Three points a side; logits (0, ln 2, 0) have the mean 1, (0, 0, 100) has 2.
  const even = [0, Math.log(2), 0];
  const far = [0, 0, 100];
  const near = [100, 0, 0];
  const sides = [...even, ...near, ...far, ...even, ...near, ...near, ...near, ...near];
  const found = await run(
    { kind: 'nanodet', bins: 3, levels: [{ stride: 8, scores: 'classScores', distances: 'distances' }] },
    { classScores: float32([0.5, 0, 0.3, 0.6], [1, 2, 2]), distances: float32(sides, [1, 2, 12]) },
    [16, 8],
    2,
  );
  assert.deepEqual(found, [
    { label: 1, score: 0.6, box: [12, 4, 12, 4] },
    { label: 0, score: 0.5, box: [4 - 8, 4, 4 + 16, 4 + 8] },
    { label: 0, score: 0.3, box: [12, 4, 12, 4] },
  ]);
});

test('yolox: offsets and logarithms in cells, or pixels; score is objectness times class', async () => {
  const strides = [8, 16];
  assert.equal(anchorPointCount(16, 16, strides), 5);
  // Rows of x, y, w, h, objectness, two classes: a cell at (8, 0) and the one cell of stride 16.
  const none = [0, 0, 0, 0, 0, 0, 0];
  const cells = [none, [0.5, 0.25, Math.log(2), 0, 0.8, 0.5, 0.1], none, none, [0.5, 0.5, 0, Math.log(0.5), 1, 0, 0.9]];
  const expected = [
    { label: 1, score: 0.9, box: [0, 4, 16, 12] },
    { label: 0, score: 0.4, box: [12 - 8, 2 - 4, 12 + 8, 2 + 4] },
    { label: 1, score: 0.08, box: [4, -2, 20, 6] },
  ];
  const decoder = { kind: 'yolox', output: 'output', strides } as const;
  const inCells = { output: float32(cells.flat(), [1, 5, 7]) };
  assert.deepEqual(await run({ ...decoder, boxes: 'cells' }, inCells, [16, 16], 2), expected);
  const pixels = [none, [12, 2, 16, 8, 0.8, 0.5, 0.1], none, none, [8, 8, 16, 8, 1, 0, 0.9]];
  const inPixels = { output: float32(pixels.flat(), [1, 5, 7]) };
  assert.deepEqual(await run({ ...decoder, boxes: 'pixels' }, inPixels, [16, 16], 2), expected);
});

test('suppression drops a box over a better one of its class, and of its class only', async () => {
  // 10 × 10 boxes at 0 and at 2 in x: IoU 80 / 120 = .667. At 4: IoU 60 / 140 = .429 with the first.
  const row = (x: number, a: number, b: number) => [x + 5, 5, 10, 10, 1, a, b];
  const output = float32([...row(0, 0.9, 0), ...row(2, 0.8, 0.7), ...row(4, 0.6, 0), ...row(40, 0, 0)], [1, 4, 7]);
  const decoder = { kind: 'yolox', output: 'output', strides: [8], boxes: 'pixels' } as const;
  assert.deepEqual(
    (await run(decoder, { output }, [16, 16], 2)).map(({ label, score }) => [label, score]),
    [
      [0, 0.9],
      [1, 0.7],
      [0, 0.6],
    ],
  );
});

test('no detection at all is no error', async () => {
  const heads = {
    heatmap: float32(new Float32Array(32).fill(logit(0.01)), [1, 2, 4, 4]),
    distances: float32(new Float32Array(64), [1, 4, 4, 4]),
  };
  assert.deepEqual(
    await run({ kind: 'centernet', heatmap: 'heatmap', distances: 'distances', stride: 4 }, heads, [16, 16], 2),
    [],
  );
  const output = float32(new Float32Array(28), [1, 4, 7]);
  assert.deepEqual(
    await run({ kind: 'yolox', output: 'output', strides: [8], boxes: 'cells' }, { output }, [16, 16], 2),
    [],
  );
});

test('cells count over the edge where the input is no whole number of strides', () => {
  assert.equal(anchorPointCount(416, 416, [8, 16, 32]), 3549);
  const { count, centre, corner } = anchorPoints(20, 8, [8]);
  assert.equal(count, 3);
  assert.deepEqual([...corner], [0, 0, 8, 0, 16, 0]);
  assert.deepEqual([...centre], [4, 4, 12, 4, 20, 4]);
});
