/**
 * Decoders on random heads, against the publishers' formulas in numpy (`test/oracles/detector_heads.py`), and lists of boxes
 * as the networks that end in one write them.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { COCO_NAMES } from '../../core/coco-classes.ts';
import { Graph } from '../../onnx/ops.ts';
import { Session } from '../../onnx/session.ts';
import { float32, int64, type Tensor } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import type { DetectorEntry } from '../bundle.ts';
import { composeModel, SINGLE } from '../compose-model.ts';
import type { Decoder } from './decoder.ts';
import { decode } from './decoders.ts';

interface Found {
  readonly label: number;
  readonly score: number;
  readonly box: readonly number[];
}

const FIXTURE = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/detector-heads.json', import.meta.url), 'utf8'),
);

interface Size {
  readonly width: number;
  readonly height: number;
  readonly classes: number;
}

async function run(decoder: Decoder, heads: Readonly<Record<string, Tensor>>, size: Size): Promise<Found[]> {
  const graph = new Graph('test');
  const outputs: Record<string, Value> = {};
  for (const [name, { dims, dtype }] of Object.entries(heads)) outputs[name] = graph.input(name, dtype, dims);
  const { width, height, classes: classCount } = size;
  const found = decode({ graph, decoder, outputs, width, height, classCount });
  for (const name of ['boxes', 'scores', 'classes'] as const) graph.output(found[name], name);
  const session = await Session.create(graph.toModel());
  const { boxes, scores, classes } = await session.run(heads);
  await session.close();
  return Array.from(scores.data as Float32Array, (score, i) => ({
    label: Number(classes.data[i]),
    score,
    box: Array.from((boxes.data as Float32Array).slice(4 * i, 4 * i + 4)),
  }));
}

/** In an order that scores which differ in the last bits cannot change. */
const ordered = (found: readonly Found[]) =>
  found.toSorted((a, b) => a.label - b.label || a.box[0] - b.box[0] || a.box[1] - b.box[1] || a.box[2] - b.box[2]);

function assertSame(actual: readonly Found[], expected: readonly Found[]): void {
  assert.equal(actual.length, expected.length);
  const wanted = ordered(expected);
  for (const [i, { label, score, box }] of ordered(actual).entries()) {
    assert.equal(label, wanted[i]?.label);
    assert.ok(Math.abs(score - (wanted[i]?.score ?? 0)) < 1e-4);
    for (const [edge, value] of box.entries())
      assert.ok(Math.abs(value - (wanted[i]?.box[edge] ?? 0)) < 5e-3, `${i}: ${box}`);
  }
}

test('retinanet: what NVIDIA’s code makes of the same heads', async () => {
  const { levels, scales, ratios, found, ...size } = FIXTURE.retinanet as Size & {
    scales: number[];
    ratios: number[];
    levels: { stride: number; rows: number; columns: number; scores: number[]; deltas: number[] }[];
    found: Found[];
  };
  const heads: Record<string, Tensor> = {};
  for (const [i, { rows, columns, scores, deltas }] of levels.entries()) {
    heads[`scores${i}`] = float32(scores, [1, 9 * size.classes, rows, columns]);
    heads[`deltas${i}`] = float32(deltas, [1, 36, rows, columns]);
  }
  const named = levels.map(({ stride }, i) => ({ stride, scores: `scores${i}`, deltas: `deltas${i}` }));
  assert.ok(found.length > 30);
  assertSame(await run({ kind: 'retinanet', scales, ratios, levels: named }, heads, size), found);
});

test('yolov4: what the model zoo’s README makes of the same heads', async () => {
  const { levels, found, ...size } = FIXTURE.yolov4 as Size & {
    levels: {
      stride: number;
      reach: number;
      anchors: [number, number][];
      rows: number;
      columns: number;
      output: number[];
    }[];
    found: Found[];
  };
  const heads: Record<string, Tensor> = {};
  for (const [i, { rows, columns, output }] of levels.entries()) {
    heads[`output${i}`] = float32(output, [1, rows, columns, 3, 5 + size.classes]);
  }
  const named = levels.map(({ stride, reach, anchors }, i) => ({ stride, reach, anchors, output: `output${i}` }));
  assert.ok(found.length > 20);
  assertSame(await run({ kind: 'yolov4', levels: named }, heads, size), found);
});

const COCO: Size = { width: 100, height: 50, classes: 80 };
const LISTED = { kind: 'listed', boxes: 'theBoxes', labels: 'theLabels', scores: 'theScores' } as const;

test('a list in pixels with labels from 1 (Faster R-CNN): background is no object', async () => {
  const decoder = { ...LISTED, corners: 'xyxy', unit: 'pixels', labelling: 'from-1' } as const;
  const heads = {
    theBoxes: float32([1, 2, 30, 40, 5, 6, 7, 8, 0, 0, 9, 9], [3, 4]),
    theLabels: int64([1, 80, 0], [3]),
    theScores: float32([0.9, 0.8, 0.7], [3]),
  };
  const found = await run(decoder, heads, COCO);
  assert.deepEqual(
    found.slice(0, 2).map(({ label, box }) => [COCO_NAMES[label], box]),
    [
      ['person', [1, 2, 30, 40]],
      ['toothbrush', [5, 6, 7, 8]],
    ],
  );
  assert.equal(found[2]?.score, 0);
});

test('a list in shares, y first, with COCO’s own numbers as floats (SSD of TensorFlow)', async () => {
  const decoder = { ...LISTED, corners: 'yxyx', unit: 'fractions', labelling: 'coco-ids' } as const;
  const heads = {
    theBoxes: float32([0.2, 0.1, 1, 0.5, 0, 0, 1, 1], [1, 2, 4]),
    // 90 is the toothbrush; nothing has the number 12.
    theLabels: float32([90, 12], [1, 2]),
    theScores: float32([0.5, 0.4], [1, 2]),
  };
  const [first, second] = await run(decoder, heads, COCO);
  assert.deepEqual([COCO_NAMES[first?.label ?? -1], first?.box.map(Math.round)], ['toothbrush', [10, 10, 50, 50]]);
  assert.equal(second?.score, 0);
});

test('yolov3: boxes with y first, suppressed within each class', async () => {
  const decoder = { kind: 'yolov3', boxes: 'theBoxes', scores: 'theScores', imageSize: 'size' } as const;
  const scores = new Float32Array(80 * 3);
  scores.set([0.9, 0.8, 0.7]);
  const heads = {
    theBoxes: float32([0, 10, 40, 50, 1, 11, 41, 51, 0, 60, 40, 90], [1, 3, 4]),
    theScores: float32(scores, [1, 80, 3]),
  };
  const found = await run(decoder, heads, COCO);
  assert.deepEqual(
    found.map(({ box }) => box),
    [
      [10, 0, 50, 40],
      [60, 0, 90, 40],
    ],
  );
});

test('a network that takes one image with no axis for their number, and one that is told its size', async () => {
  const base = {
    role: 'detector',
    licence: 'MIT',
    description: '',
    classNames: COCO_NAMES,
    source: { files: [{ reference: 'file:x' }], converter: 'onnx' },
  } as const;
  const input = { name: 'image', width: 4, height: 2, fit: 'letterbox', pad: [0, 0, 0], kernel: 'linear' } as const;
  // Its one box is the shape of what it was given.
  const shape = new Graph('rcnn');
  const image = shape.input('image', 'float32', [3, 'height', 'width']);
  shape.output(
    shape.concat([shape.cast(shape.shape(image), 'float32'), shape.unsqueeze(shape.scalar(9), [0])], 0),
    'theBoxes',
  );
  shape.output(shape.ints([1]), 'theLabels');
  shape.output(shape.constant(float32([0.9])), 'theScores');
  const listed = { ...LISTED, corners: 'xyxy', unit: 'pixels', labelling: 'from-1' } as const;
  const rcnn: DetectorEntry = { ...base, id: 'rcnn', input: { ...input, layout: 'CHW' }, decoder: listed };
  assert.deepEqual(await boxesOf(rcnn, shape), [3, 2, 4, 9]);

  const told = new Graph('yolo');
  told.input('image', 'float32', [1, 3, 2, 4]);
  const size = told.cast(told.input('size', 'int32', [1, 2]), 'float32');
  told.output(told.unsqueeze(told.concat([told.sub(size, size), size], 1), [1]), 'boxes');
  told.output(told.constant(float32([0.9, ...new Float32Array(79)], [1, 80, 1])), 'scores');
  const yolov3 = { kind: 'yolov3', boxes: 'boxes', scores: 'scores', imageSize: 'size' } as const;
  assert.deepEqual(await boxesOf({ ...base, id: 'yolo', input, decoder: yolov3 }, told), [0, 0, 4, 2]);
});

async function boxesOf(entry: DetectorEntry, network: Graph): Promise<number[]> {
  const session = await Session.create(composeModel(entry, network.toModel(), SINGLE));
  const { boxes } = await session.run({ pixels: { dtype: 'uint8', data: new Uint8Array(24), dims: [1, 2, 4, 3] } });
  await session.close();
  return [...(boxes.data as Float32Array)];
}
