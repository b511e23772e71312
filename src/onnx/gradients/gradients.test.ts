/**
 * Every adjoint against central differences of its own operator, in 64-bit floats where ONNX Runtime computes the operator
 * in them, else in 32. The loss is Σ wᵢ yᵢ with fixed weights, summed here in double precision.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelsmithError } from '../../errors.ts';
import { Graph } from '../ops.ts';
import { Session, type Tensors } from '../session.ts';
import { float32, sizeOf, type Tensor, tensor } from '../tensor.ts';
import type { Value } from '../value.ts';
import { addGradients, DIFFERENTIABLE } from './gradients.ts';

type Inputs = Readonly<Record<string, readonly number[]>>;

interface Case {
  readonly name: string;
  readonly inputs: Inputs;
  readonly make: (g: Graph, v: Readonly<Record<string, Value>>) => Value;
  /** Moves the inputs, whose elements lie apart from each other between −1 and 1, to where the operator is smooth. */
  readonly at?: (x: number) => number;
}

type Real = 'float32' | 'float64';

const real = (dtype: Real, numbers: readonly number[], dims: readonly number[]): Tensor =>
  dtype === 'float64' ? tensor(dtype, Float64Array.from(numbers), dims) : float32(numbers, dims);

/** Numbers from −1 to 1 in no order, all different. */
function spread(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => (((i * 0.6180339887 + seed * 0.377) % 1) * 2 - 1) * 0.97 + 0.01);
}

interface Built {
  readonly session: Session;
  readonly feeds: Record<string, Tensor>;
  readonly weights: readonly number[];
}

async function build({ inputs, make, at = (x) => x }: Case, dtype: Real): Promise<Built> {
  const g = new Graph();
  const values: Record<string, Value> = {};
  const feeds: Record<string, Tensor> = {};
  Object.entries(inputs).forEach(([name, dims], i) => {
    values[name] = g.input(name, dtype, dims);
    feeds[name] = real(dtype, spread(sizeOf(dims), i + 1).map(at), dims);
  });
  const y = make(g, values);
  const dims = (y.shape ?? []).map(Number);
  const weights = spread(sizeOf(dims), 11);
  const weighted = g.mul(y, g.constant(real(dtype, weights, dims)));
  const loss = dims.length > 0 ? g.reduceSum(weighted, [...dims.keys()], { keepDims: false }) : weighted;
  const wanted = Object.values(values);
  const { of, frozen, obstacles } = addGradients(g, loss, wanted);
  assert.deepEqual([frozen, obstacles], [[], []]);
  g.output(y, 'y');
  for (const { name } of wanted) g.output(of.get(name) as Value, `d${name}`);
  return { session: await Session.create(g.toModel()), feeds, weights };
}

async function check(one: Case): Promise<Real> {
  let dtype: Real = 'float64';
  let built = await build(one, dtype).catch((error: unknown) => {
    if (error instanceof LabelsmithError && /Could not find an implementation/.test(error.message)) return null;
    throw error;
  });
  if (!built) {
    dtype = 'float32';
    built = await build(one, dtype);
  }
  const { session, feeds, weights } = built;
  const lossAt = async (changed: Tensors) => {
    const { y } = await session.run({ ...feeds, ...changed }, ['y']);
    return weights.reduce((sum, w, i) => sum + w * Number(y?.data[i]), 0);
  };
  const [step, tolerance] = dtype === 'float64' ? [1e-5, 1e-7] : [4e-3, 2e-3];
  const results = await session.run(feeds);
  for (const [name, { data, dims }] of Object.entries(feeds)) {
    const gradient = results[`d${name}`];
    assert.deepEqual(gradient?.dims, dims, `shape of the gradient of ${name}`);
    const numbers = Array.from(data, Number);
    for (let i = 0; i < numbers.length; i += Math.max(1, Math.floor(numbers.length / 60))) {
      const moved = (by: number) => real(dtype, numbers.with(i, (numbers[i] ?? 0) + by), dims);
      const [after, before] = [await lossAt({ [name]: moved(step) }), await lossAt({ [name]: moved(-step) })];
      const expected = (after - before) / (2 * step);
      const found = Number(gradient?.data[i]);
      const error = Math.abs(found - expected) / Math.max(1, Math.abs(expected));
      assert.ok(error < tolerance, `${one.name}: d${name}[${i}] is ${found}, by differences ${expected} (${dtype})`);
    }
  }
  await session.close();
  return dtype;
}

const one = (name: string, make: (g: Graph, x: Value) => Value, at?: (x: number) => number): Case => ({
  name,
  inputs: { x: [2, 3, 5] },
  make: (g, v) => make(g, v.x as Value),
  at,
});
const two = (name: string, a: readonly number[], b: readonly number[], at?: (x: number) => number): Case => ({
  name,
  inputs: { a, b },
  make: (g, v) => g.op(name, [v.a, v.b]),
  at,
});
const positive = (x: number) => x + 1.5;

const ARITHMETIC: readonly Case[] = [
  ...['Add', 'Sub', 'Mul', 'Max', 'Min'].flatMap((name) => [two(name, [2, 3], [2, 3]), two(name, [2, 1, 4], [3, 1])]),
  two('Div', [2, 1, 4], [3, 1], positive),
  two('Pow', [2, 1, 4], [3, 1], positive),
  { ...two('Sum', [2, 3], [3]), name: 'Sum of two' },
  two('Mean', [2, 3], [1, 3]),
  one('a square', (g, x) => g.mul(x, x)),
  one('Abs, Neg', (g, x) => g.neg(g.abs(x))),
  one('Sqrt, Log, Exp', (g, x) => g.exp(g.add(g.sqrt(x), g.log(x))), positive),
  one('Reciprocal', (g, x) => g.reciprocal(x), positive),
  one('Sin, Cos', (g, x) => g.op('Sin', [g.op('Cos', [x])])),
  one('Identity, Dropout', (g, x) => g.identity(g.op('Dropout', [x]))),
  one('Cast', (g, x) => g.cast(g.mul(g.cast(x, 'float64'), g.scalar(3, 'float64')), x.dtype ?? 'float32')),
  one('steps', (g, x) => [g.floor(x), g.op('Ceil', [x]), g.round(x), g.sign(x)].reduce((a, b) => g.add(a, b), x)),
  {
    name: 'Where',
    inputs: { a: [2, 3], b: [3] },
    make: (g, v) => g.where(g.greater(v.a as Value, v.b as Value), v.a as Value, v.b as Value),
  },
];

function gelu(g: Graph, x: Value, approximate: string): Value {
  g.raiseOpset(20);
  return g.op('Gelu', [x], { approximate });
}

const ACTIVATIONS: readonly Case[] = [
  ...['Relu', 'Sigmoid', 'Tanh', 'HardSigmoid', 'HardSwish', 'LeakyRelu', 'Elu', 'Softplus', 'Erf'].map((name) =>
    one(
      name,
      (g, x) => g.op(name, [x]),
      (x) => 4 * x,
    ),
  ),
  one(
    'HardSigmoid of MobileNet',
    (g, x) => g.hardSigmoid(x, 1 / 6, 0.5),
    (x) => 4 * x,
  ),
  one('Clip', (g, x) =>
    g.op('Clip', [x, g.cast(g.scalar(-0.4), x.dtype ?? 'float32'), g.cast(g.scalar(0.7), x.dtype ?? 'float32')]),
  ),
  ...['none', 'tanh'].map((approximate) =>
    one(
      `Gelu, ${approximate}`,
      (g, x) => gelu(g, x, approximate),
      (x) => 3 * x,
    ),
  ),
  { name: 'PRelu', inputs: { x: [2, 3, 4], slope: [3, 1] }, make: (g, v) => g.op('PRelu', [v.x, v.slope]) },
];

const product = (name: string, a: readonly number[], b: readonly number[]): Case => ({
  name: `MatMul ${name}`,
  inputs: { a, b },
  make: (g, v) => g.matmul(v.a as Value, v.b as Value),
});
const gemm = (attributes: Readonly<Record<string, number>>, a: readonly number[], b: readonly number[]): Case => ({
  name: `Gemm ${JSON.stringify(attributes)}`,
  inputs: { a, b, c: [4] },
  make: (g, v) => g.gemm(v.a as Value, v.b as Value, v.c, { alpha: { float: 0.5 }, beta: { float: 2 }, ...attributes }),
});

const PRODUCTS: readonly Case[] = [
  product('of matrices', [3, 5], [5, 4]),
  product('with a batch', [2, 3, 5], [2, 5, 4]),
  product('with one right side', [2, 3, 5], [5, 4]),
  product('with a stretched batch', [1, 2, 3, 5], [2, 1, 5, 4]),
  product('of vectors', [5], [5]),
  product('of a row', [5], [2, 5, 4]),
  product('of a column', [2, 3, 5], [5]),
  gemm({}, [3, 5], [5, 4]),
  gemm({ transA: 1 }, [5, 3], [5, 4]),
  gemm({ transB: 1 }, [3, 5], [4, 5]),
  gemm({ transA: 1, transB: 1 }, [5, 3], [4, 5]),
];

const conv = (
  name: string,
  x: readonly number[],
  w: readonly number[],
  attributes: Readonly<Record<string, number | string | readonly number[]>>,
): Case => ({
  name: `Conv ${name}`,
  inputs: { x, w, b: [w[0] ?? 1] },
  make: (g, v) => g.op('Conv', [v.x, v.w, v.b], attributes),
});
const SAME = [1, 1, 1, 1];

const CONVOLUTIONS: readonly Case[] = [
  conv('1×1', [2, 9, 3, 4], [4, 9, 1, 1], {}),
  conv('1×1 of stride 2', [2, 9, 5, 4], [4, 9, 1, 1], { strides: [2, 2] }),
  conv('3×3', [2, 9, 5, 4], [3, 9, 3, 3], { pads: SAME }),
  conv('3×3 of stride 2', [2, 9, 6, 5], [3, 9, 3, 3], { pads: SAME, strides: [2, 2] }),
  conv('dilated', [2, 9, 7, 8], [3, 9, 3, 3], { pads: [2, 1, 0, 2], dilations: [2, 2] }),
  conv('of few channels', [2, 3, 7, 8], [4, 3, 3, 3], { pads: SAME, strides: [2, 2] }),
  conv('that leaves a rim', [1, 9, 8, 9], [2, 9, 3, 2], { strides: [3, 3] }),
  conv('grouped', [2, 6, 5, 5], [4, 3, 3, 3], { group: 2, pads: SAME }),
  conv('depthwise', [2, 4, 5, 6], [4, 1, 3, 3], { group: 4, pads: SAME }),
  conv('depthwise 5×5 of stride 2', [2, 4, 7, 6], [4, 1, 5, 5], { group: 4, pads: [2, 2, 2, 2], strides: [2, 2] }),
  conv('depthwise, dilated', [2, 4, 7, 6], [4, 1, 3, 3], { group: 4, pads: [2, 2, 2, 2], dilations: [2, 2] }),
  conv('depthwise that widens', [2, 3, 5, 6], [6, 1, 3, 3], { group: 3, pads: SAME }),
  conv('SAME_UPPER', [1, 3, 6, 5], [2, 3, 3, 3], { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
  conv('SAME_LOWER', [1, 3, 6, 5], [2, 3, 3, 3], { auto_pad: 'SAME_LOWER', strides: [2, 2] }),
  conv('VALID', [1, 3, 6, 5], [2, 3, 3, 3], { auto_pad: 'VALID' }),
];

const image = (
  name: string,
  op: string,
  attributes: Readonly<Record<string, number | string | readonly number[]>>,
): Case => ({
  name,
  inputs: { x: [2, 3, 7, 6] },
  make: (g, v) => g.op(op, [v.x], attributes),
});
const resized = (name: string, sizes: readonly number[], attributes: Readonly<Record<string, string>>): Case => ({
  name: `Resize ${name}`,
  inputs: { x: [1, 2, 5, 4] },
  make: (g, v) => g.op('Resize', [v.x, undefined, undefined, g.ints([1, 2, ...sizes])], attributes),
});

const POOLS: readonly Case[] = [
  image('GlobalAveragePool', 'GlobalAveragePool', {}),
  image('AveragePool', 'AveragePool', { kernel_shape: [2, 2], strides: [2, 2] }),
  image('AveragePool, padded', 'AveragePool', { kernel_shape: [3, 3], strides: [2, 2], pads: SAME }),
  image('AveragePool, padding counted', 'AveragePool', { kernel_shape: [3, 3], pads: SAME, count_include_pad: 1 }),
  image('MaxPool', 'MaxPool', { kernel_shape: [3, 3], strides: [2, 2], pads: SAME }),
  ...['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'].flatMap((coordinates) => [
    resized(`linear ${coordinates}`, [9, 3], { mode: 'linear', coordinate_transformation_mode: coordinates }),
    resized(`nearest ${coordinates}`, [8, 8], { mode: 'nearest', coordinate_transformation_mode: coordinates }),
  ]),
  ...['round_prefer_ceil', 'floor', 'ceil'].map((nearest) =>
    resized(`nearest by ${nearest}`, [7, 9], { mode: 'nearest', nearest_mode: nearest }),
  ),
  resized('cubic', [9, 7], { mode: 'cubic' }),
  {
    name: 'Resize by scales',
    inputs: { x: [1, 2, 5, 4] },
    make: (g, v) => g.op('Resize', [v.x, undefined, g.constant(float32([1, 1, 1.7, 2.3]))], { mode: 'linear' }),
  },
];

const ARRANGEMENTS: readonly Case[] = [
  one('Reshape, Transpose', (g, x) => g.transpose(g.reshape(x, [5, 6]), [1, 0])),
  one('Transpose without an order', (g, x) => g.op('Transpose', [x])),
  one('Flatten, Squeeze, Unsqueeze', (g, x) => g.squeeze(g.unsqueeze(g.flatten(x), [0, 3]), [0])),
  { name: 'Expand', inputs: { x: [3, 1] }, make: (g, v) => g.expand(v.x as Value, [2, 3, 4]) },
  one('Tile', (g, x) => g.tile(x, [2, 1, 3])),
  { name: 'Concat', inputs: { a: [2, 3], b: [2, 2] }, make: (g, v) => g.concat([v.a, v.b, v.a] as Value[], -1) },
  one('Split, one part of no use', (g, x) => {
    const [a, , b] = g.split(x, [2, 1, 2], 2);
    return g.mul(a, b);
  }),
  one('Slice', (g, x) => g.slice(x, [1, -4], [2, -1], [1, 2])),
  one('Slice by steps', (g, x) => g.slice(x, [0, -1], [2, -99], [1, 2], [2, -2])),
  one('Pad', (g, x) => g.pad(x, [0, 1, 2, 1, 0, 1])),
  one('Gather', (g, x) => g.gather(x, g.ints([2, 0, 2]), 1)),
  one('Gather of one', (g, x) => g.gather(x, g.scalar(1, 'int64'), 2)),
];

const REDUCTIONS: readonly Case[] = [
  ...['ReduceSum', 'ReduceMean', 'ReduceSumSquare', 'ReduceL1', 'ReduceL2', 'ReduceMax', 'ReduceMin'].flatMap(
    (name) => [
      one(name, (g, x) => g.op(name, [x, g.ints([-1, 0])], { keepdims: 0 })),
      one(`${name} of all`, (g, x) => g.op(name, [x])),
    ],
  ),
  one('Softmax', (g, x) => g.softmax(x)),
  one('Softmax of an axis inside', (g, x) => g.softmax(x, 1)),
  one('LogSoftmax', (g, x) => g.logSoftmax(x)),
  {
    name: 'BatchNormalization, frozen',
    inputs: { x: [2, 3, 2, 2], gamma: [3], beta: [3] },
    make: (g, v) => {
      const fixed = (numbers: readonly number[]) => g.constant(real((v.x?.dtype ?? 'float32') as Real, numbers, [3]));
      return g.op('BatchNormalization', [v.x, v.gamma, v.beta, fixed([0.1, 0.2, -0.3]), fixed([0.5, 1, 2])], {
        epsilon: 0.001,
      });
    },
  },
  {
    name: 'LayerNormalization',
    inputs: { x: [2, 3, 5], gamma: [5], beta: [5] },
    make: (g, v) => g.op('LayerNormalization', [v.x, v.gamma, v.beta], { axis: -1, epsilon: 0.001 }),
  },
  {
    name: 'InstanceNormalization',
    inputs: { x: [2, 3, 4, 3], gamma: [3], beta: [3] },
    make: (g, v) => g.op('InstanceNormalization', [v.x, v.gamma, v.beta], { epsilon: 0.01 }),
  },
  {
    name: 'LRN',
    inputs: { x: [2, 6, 2, 3] },
    make: (g, v) => g.op('LRN', [v.x], { size: 3, alpha: { float: 2 }, beta: { float: 0.75 }, bias: { float: 1.5 } }),
  },
];

const CASES = [ARITHMETIC, ACTIVATIONS, PRODUCTS, CONVOLUTIONS, POOLS, ARRANGEMENTS, REDUCTIONS].flat();

for (const each of CASES) {
  test(`${each.name}: the gradient is that of differences`, async () => {
    await check(each);
  });
}

// Expected: PyTorch, `(F.normalize(x, dim=-1, eps=1e-12) * w).sum().backward()`, and the same of `x.norm(dim=-1)`.
test('a row of zeros has a length with a gradient of zero, and scaled to length 1 spoils nothing where it does not count', async () => {
  const g = new Graph();
  const x = g.input('x', 'float32', [2, 2]);
  const weights = g.input('weights', 'float32', [2, 2]);
  const lengths = g.reduceSum(g.mul(g.reduceL2(x, [-1]), g.constant(float32([2, 5], [2, 1]))), [0, 1], {
    keepDims: false,
  });
  const scaled = g.reduceSum(g.mul(g.div(x, g.max(g.reduceL2(x, [-1]), g.scalar(1e-12))), weights), [0, 1], {
    keepDims: false,
  });
  const before = addGradients(g, lengths, [x]).of.get('x') as Value;
  g.output(before, 'length');
  g.output(addGradients(g, scaled, [x]).of.get('x') as Value, 'scaled');
  const session = await Session.create(g.toModel());
  const feeds = { x: float32([3, 4, 0, 0], [2, 2]), weights: float32([1, 2, 0, 0], [2, 2]) };
  const { length, scaled: found } = await session.run(feeds);
  await session.close();
  const rounded = (data: ArrayLike<number | bigint | string> | undefined) =>
    Array.from(data ?? [], (one) => Number(Number(one).toFixed(4)) + 0);
  assert.deepEqual(rounded(length?.data), [1.2, 1.6, 0, 0]);
  assert.deepEqual(rounded(found?.data), [-0.064, 0.048, 0, 0]);
});

test('every operator that has a gradient is checked above', () => {
  const g = new Graph();
  for (const [i, { inputs, make }] of CASES.entries()) {
    const values = Object.entries(inputs).map(([name, dims]) => [name, g.input(`${i}/${name}`, 'float32', dims)]);
    make(g, Object.fromEntries(values));
  }
  assert.deepEqual(
    DIFFERENTIABLE.filter((operator) => !g.operators.has(operator)),
    [],
  );
});

test('what lies below an operator without a gradient is frozen, and the operator is named', async () => {
  const g = new Graph();
  const [low, high] = [g.input('low', 'float32', [1, 2, 3]), g.input('high', 'float32', [1, 2, 3])];
  const hidden = g.op('CumSum', [low, g.scalar(1, 'int64')], {}, 'summed');
  const loss = g.reduceSum(g.mul(hidden, high), [0, 1, 2], { keepDims: false });
  const { of, frozen, obstacles } = addGradients(g, loss, [low, high]);
  assert.deepEqual(frozen, ['low']);
  assert.deepEqual([...of.keys()], ['high']);
  assert.deepEqual(
    obstacles.map(({ operator, node }) => [operator, node]),
    [['CumSum', 'summed']],
  );
});

test('a loss of several numbers and open sizes are refused', () => {
  const g = new Graph();
  const x = g.input('x', 'float32', ['n', 3]);
  assert.throws(() => addGradients(g, x, [x]), /not one number/);
  const loss = g.reduceSum(g.mul(x, x), [0, 1], { keepDims: false });
  assert.throws(() => addGradients(g, loss, [x]), /not known before the graph runs/);
});

test('the same graph gets the same gradients, byte for byte', () => {
  const bytes = () => {
    const g = new Graph();
    const x = g.input('x', 'float32', [2, 9, 4, 4]);
    const w = g.input('w', 'float32', [3, 9, 3, 3]);
    const y = g.relu(g.conv(x, w, undefined, { pads: SAME }));
    const { of } = addGradients(g, g.reduceSum(y, [0, 1, 2, 3], { keepDims: false }), [w]);
    g.output(of.get('w') as Value, 'dw');
    return g.toModel();
  };
  assert.deepEqual(bytes(), bytes());
});
