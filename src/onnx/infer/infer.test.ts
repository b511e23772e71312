/**
 * The rules of operators against ONNX Runtime: what it infers when it makes a session, and the sizes of a run. What it
 * refuses, or fails in, is refused here with the operator's name.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareTypes, someFeeds } from '../../../test/graph-types.ts';
import type { Attributes } from '../attributes.ts';
import { Graph } from '../ops.ts';
import { encodeModel } from '../proto.ts';
import { Session } from '../session.ts';
import { float32, int64, sizeOf, tensor } from '../tensor.ts';
import type { Value } from '../value.ts';
import { visitNodes } from '../visit.ts';

/** Builds on x, float32 [n, 3, 8, 6]; every value made is compared. */
const GRAPHS: Readonly<Record<string, (g: Graph, x: Value) => void>> = {
  'element by element'(g, x) {
    const unary = [g.sqrt, g.exp, g.log, g.abs, g.neg, g.floor, g.round, g.sign, g.reciprocal, g.sigmoid, g.relu];
    for (const op of [...unary, g.tanh, g.hardSwish, g.identity]) op(x);
    g.leakyRelu(x, 0.1);
    g.hardSigmoid(x, 0.2, 0.5);
    g.softmax(x, 1);
    g.logSoftmax(x);
    g.clip(x, undefined, 3);
    g.cast(x, 'int32');
    g.op('PRelu', [x, g.constant(float32([0.1, 0.2, 0.3], [3, 1, 1]))]);
  },
  stretching(g, x) {
    const row = g.constant(float32([1, 2, 3, 4, 5, 6]));
    const open = g.input('y', 'float32', ['m', 1, 1, 1]);
    for (const op of [g.add, g.sub, g.mul, g.div, g.pow, g.min, g.max, g.sum, g.equal, g.less, g.greater]) op(x, row);
    g.add(x, open);
    g.greaterOrEqual(x, g.scalar(1));
    const both = g.and(g.not(g.less(x, row)), g.or(g.equal(x, row), g.greater(x, row)));
    g.where(both, x, g.scalar(0));
    g.mod(g.cast(x, 'int64'), g.scalar(5, 'int64'));
  },
  products(g, x) {
    g.matmul(x, g.constant(float32(new Float32Array(24), [6, 4])));
    g.matmul(x, g.constant(float32([1, 2, 3, 4, 5, 6])));
    const flat = g.flatten(x);
    const weights = g.constant(float32(new Float32Array(144 * 5), [5, 144]));
    g.gemm(flat, weights, g.constant(float32([1, 2, 3, 4, 5])), { transB: 1 });
    g.gemm(flat, flat, undefined, { transA: 1 });
  },
  'convolutions and pools'(g, x) {
    const weights = g.constant(float32(new Float32Array(4 * 3 * 3 * 3), [4, 3, 3, 3]));
    const depthwise = g.constant(float32(new Float32Array(3 * 3 * 3), [3, 1, 3, 3]));
    g.conv(x, weights);
    g.conv(x, weights, g.constant(float32([1, 2, 3, 4])), { pads: [1, 0, 1, 2], strides: [2, 1], dilations: [2, 2] });
    g.conv(x, depthwise, undefined, { group: 3, pads: [1, 1, 1, 1], strides: [2, 2] });
    g.op('Conv', [x, weights], { auto_pad: 'SAME_UPPER', strides: [3, 2] });
    g.op('ConvTranspose', [x, g.constant(float32(new Float32Array(3 * 2 * 4), [3, 2, 2, 2]))], { strides: [2, 2] });
    g.maxPool(x, { kernel: [3, 2], strides: [2, 2], pads: [1, 1, 1, 0] });
    g.op('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 });
    g.averagePool(x, { kernel: [2, 2], strides: [2, 2] });
    g.globalAveragePool(x);
    const ones = new Float32Array(3).fill(1);
    g.op('BatchNormalization', [x, ...Array.from({ length: 4 }, () => g.constant(float32(ones)))]);
    g.op('LayerNormalization', [x, g.constant(float32(new Float32Array(6)))]);
  },
  'resizing and padding'(g, x) {
    g.op('Resize', [x, undefined, g.constant(float32([1, 1, 2.5, 0.5]))], { mode: 'nearest' });
    g.resize(g.reshape(x, [1, -1, 8, 6]), [1, 3 * 2, 5, 7], { mode: 'linear' });
    g.pad(x, [0, 0, 1, 2, 0, 0, 3, 4]);
    g.pad(x, [0, 0, -1, 0, 0, 0, 0, -1], 9);
  },
  shapes(g, x) {
    g.transpose(x, [0, 2, 3, 1]);
    g.op('Transpose', [x]);
    g.reshape(x, [0, -1]);
    g.reshape(x, [-1, 3, 48]);
    g.reshape(x, [-1]);
    g.flatten(x, 2);
    g.expand(g.constant(float32([1, 2], [2, 1])), [2, 5]);
    g.tile(g.constant(float32([1, 2], [2, 1])), [2, 3]);
    g.squeeze(g.unsqueeze(x, [0, 3]), [3]);
    g.op('Squeeze', [g.constant(float32([1], [1, 1]))]);
    g.concat([x, x, g.constant(float32(new Float32Array(2 * 8 * 6 * 1), [2, 1, 8, 6]))], 1);
    g.concat([x, x], 0);
    g.slice(x, [1, -4], [3, 100], [1, 2]);
    g.slice(x, [-1], [-100], [3], [-2]);
    g.slice(x, [0], [Number.MAX_SAFE_INTEGER], [0]);
    g.split(x, [1, 2], 1);
    g.node('Split', [x], { axis: 2, num_outputs: 3 }, { outputs: 3 });
  },
  'sizes worked out from sizes'(g, x) {
    const shape = g.shape(x);
    const batch = g.gather(shape, g.scalar(0, 'int64'));
    const one = g.unsqueeze(batch, [0]);
    const rest = g.slice(shape, [2], [4], [0]);
    g.reshape(x, g.concat([one, g.ints([-1])], 0));
    g.reshape(x, g.concat([one, g.ints([3]), rest], 0));
    const doubled = g.mul(rest, g.ints([2]));
    g.op('Resize', [x, undefined, undefined, g.concat([g.slice(shape, [0], [2], [0]), doubled], 0)], {
      mode: 'nearest',
    });
    g.op('ConstantOfShape', [shape], { value: { tensor: int64([7]) } });
    g.reshape(x, g.concat([one, g.cast(g.cast(g.mul(rest, g.ints([1])), 'int32'), 'int64'), g.ints([3])], 0));
    g.op('Range', [g.scalar(0, 'int64'), g.scalar(7, 'int64'), g.scalar(2, 'int64')]);
    g.op('Shape', [x], { start: 1, end: 3 });
    g.op('Constant', [], { value_ints: [3, 4] });
  },
  reductions(g, x) {
    g.reduceSum(x, [1]);
    g.reduceMean(x, [2, 3], { keepDims: false });
    g.reduceMax(x, [-1], { keepDims: false });
    g.reduceMin(x, [0, 1, 2, 3], { keepDims: false });
    g.reduceL2(x, [1]);
    g.reduceSumSquare(x, [1]);
    g.op('ReduceSum', [x], { keepdims: 0 });
    g.op('ReduceSum', [x], { noop_with_empty_axes: 1 });
    g.argMax(x, 1);
    g.argMin(x, -1, true);
  },
  choosing(g, x) {
    g.topK(x, 2);
    g.topK(x, g.input('k', 'int64', [1]), 1);
    g.gather(x, g.ints([2, 0]), 1);
    g.gather(x, g.scalar(1, 'int64'), 2);
    g.gatherElements(x, g.op('ArgMax', [x], { axis: 3 }), 3);
    g.gatherND(x, g.constant(int64([0, 1, 0, 2], [2, 2])));
    const label = g.argMax(x, 3, true);
    g.op('ScatterElements', [x, label, g.expand(g.scalar(1), g.shape(label))], { axis: 3 });
    g.oneHot(g.argMax(x, 1), g.ints([3]));
    const flat = g.reshape(x, [-1]);
    g.op('NonZero', [x]);
    g.op('Compress', [flat, g.greater(flat, g.scalar(100))], { axis: 0 });
    const boxes = g.constant(float32([0, 0, 4, 4, 1, 1, 5, 5], [1, 2, 4]));
    const scores = g.constant(float32([0.9, 0.8], [1, 1, 2]));
    g.nonMaxSuppression(boxes, scores, g.ints([5]), g.constant(float32([0.5])), g.constant(float32([0.1])));
  },
  'bytes for numbers'(g, x) {
    const [scale, zero] = [g.scalar(0.5), g.constant(tensor('int8', Int8Array.of(3), []))];
    g.op('DequantizeLinear', [g.op('QuantizeLinear', [x, scale, zero]), scale, zero]);
    g.op('QuantizeLinear', [x, scale]);
  },
};

for (const [name, build] of Object.entries(GRAPHS)) {
  test(`${name}: types are those of ONNX Runtime`, async () => {
    const g = new Graph('test');
    const x = g.input('x', 'float32', ['n', 3, 8, 6]);
    build(g, x);
    let unknown = 0;
    visitNodes(g, ({ outputs }) => {
      for (const value of outputs) {
        if (!value?.shape || !value.dtype) unknown++;
        // Each is an output, so that none is pruned.
        if (value) g.output(value);
      }
    });
    assert.equal(unknown, 0);
    const feeds = { ...someFeeds(g), ...(name === 'choosing' ? { k: int64([2]) } : {}) };
    const { weaker } = await compareTypes(g, feeds);
    assert.deepEqual(weaker, [], 'what the runtime knows before a run is known here');
  });
}

interface Wrong {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly attributes?: Attributes;
  readonly outputs?: number;
  readonly message: RegExp;
}

const zeros = (...dims: readonly number[]) => float32(new Float32Array(sizeOf(dims)), dims);

/** Each fails in ONNX Runtime too, when the session is made or when it runs. */
const MISFITS: Readonly<Record<string, (g: Graph, x: Value) => Wrong>> = {
  'inner sizes of a product': (g, x) => ({
    op: 'MatMul',
    inputs: [x, g.constant(zeros(5, 4))],
    message:
      /^MatMul \(node MatMul_\d+\) has inner sizes of 6 and of 5\. Its inputs: float32 \[n, 3, 8, 6\]; float32 \[5, 4\]$/,
  }),
  'sizes that cannot be stretched': (g, x) => ({
    op: 'Add',
    inputs: [x, g.constant(zeros(4))],
    message: /^Add .* cannot stretch 6 to 4/,
  }),
  'types of elements': (g, x) => ({
    op: 'Add',
    inputs: [x, g.ints([1])],
    message: /^Add .* one type of elements, not float32 and int64/,
  }),
  'whole numbers where fractions are computed': (g) => ({
    op: 'Exp',
    inputs: [g.ints([1])],
    message: /^Exp .* floating-point numbers, not int64/,
  }),
  'channels of a convolution': (g, x) => ({
    op: 'Conv',
    inputs: [x, g.constant(zeros(4, 2, 1, 1))],
    message: /^Conv .* channels of 3 and of 2/,
  }),
  'a window beyond the image': (_, x) => ({
    op: 'MaxPool',
    inputs: [x],
    attributes: { kernel_shape: [9, 9] },
    message: /^MaxPool .* window of 9 over 8 elements/,
  }),
  'a bias that is too wide': (g) => ({
    op: 'Gemm',
    inputs: [g.constant(zeros(1, 4)), g.constant(zeros(4, 2)), g.constant(zeros(3, 2))],
    message: /^Gemm .* cannot add \[3, 2\] to a product of \[1, 2\]/,
  }),
  'a number of elements': (g) => ({
    op: 'Reshape',
    inputs: [g.constant(zeros(3, 8)), g.ints([7, -1])],
    message: /^Reshape .* cannot turn \[3, 8\] into \[7, -1\]/,
  }),
  'an order of axes': (_, x) => ({
    op: 'Transpose',
    inputs: [x],
    attributes: { perm: [0, 1, 2] },
    message: /^Transpose .* order \[0, 1, 2\] for 4 axes/,
  }),
  'an axis too many': (_, x) => ({
    op: 'Softmax',
    inputs: [x],
    attributes: { axis: 4 },
    message: /^Softmax .* axis 4, of a value with 4/,
  }),
  'parts of other sizes': (g, x) => ({
    op: 'Concat',
    inputs: [x, g.constant(zeros(2, 3, 7, 6))],
    attributes: { axis: 0 },
    message: /^Concat .* axis 2 of 8 and of 7/,
  }),
  'sizes of a split': (g, x) => ({
    op: 'Split',
    inputs: [x, g.ints([2, 2])],
    attributes: { axis: 1 },
    outputs: 2,
    message: /^Split .* 3 elements into \[2, 2\]/,
  }),
  'an axis that is not 1': (g, x) => ({
    op: 'Squeeze',
    inputs: [x, g.ints([1])],
    message: /^Squeeze .* axis 1 of size 3/,
  }),
  'more than there are': (g, x) => ({
    op: 'TopK',
    inputs: [x, g.ints([7])],
    outputs: 2,
    message: /^TopK .* 7 of 6 elements/,
  }),
  'indices that are fractions': (g, x) => ({
    op: 'Gather',
    inputs: [x, g.scalar(1)],
    message: /^Gather .* int64 or int32, not float32/,
  }),
  'a condition that is none': (_, x) => ({
    op: 'Where',
    inputs: [x, x, x],
    message: /^Where .* takes bool, not float32/,
  }),
  'bounds that are lists': (g, x) => ({
    op: 'Clip',
    inputs: [x, g.constant(zeros(2))],
    message: /^Clip .* scalar bounds, not \[2\]/,
  }),
};

for (const [name, wrong] of Object.entries(MISFITS)) {
  test(`${name}: refused by name, as ONNX Runtime refuses it`, async () => {
    const g = new Graph('test');
    const { op, inputs, attributes, outputs, message } = wrong(g, g.input('x', 'float32', ['n', 3, 8, 6]));
    assert.throws(() => g.node(op, inputs, attributes, { outputs }), { code: 'BAD_MODEL', message });
    // The same node under a domain of which nothing is known, which it loses afterwards.
    const [hidden] = g.node(op, inputs, attributes, { outputs, domain: 'hidden' });
    g.output(hidden as Value);
    const proto = g.toProto();
    for (const node of proto.graph?.node ?? []) node.domain = undefined;
    await assert.rejects(async () => {
      const session = await Session.create(encodeModel(proto));
      await session.run(someFeeds(g));
    });
  });
}

test('what has no rule is not known, and nothing behind it is guessed', () => {
  const g = new Graph();
  const x = g.input('x', 'float32', [2, 3]);
  const odd = g.op('NoSuchOperator', [x]);
  assert.deepEqual([odd.dtype, odd.shape], [undefined, undefined]);
  const behind = g.relu(g.add(odd, x));
  assert.deepEqual([behind.dtype, behind.shape], ['float32', undefined]);
  const [theirs] = g.node('Gelu', [x], {}, { domain: 'com.microsoft' });
  assert.equal(theirs?.shape, undefined);
});
