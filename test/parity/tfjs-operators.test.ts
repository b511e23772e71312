/**
 * Single operators of the tfjs converter against TensorFlow.js 4.22 (WebAssembly) on random data: odd sizes, strides,
 * dilations, every way of resizing, layouts turned back and forth. Needs no weights: the models are made here.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { tfjsToOnnx } from '../../src/models/convert/tfjs.ts';
import { Session } from '../../src/onnx/session.ts';
import { tensor } from '../../src/onnx/tensor.ts';
import { openReference } from './tfjs-reference.ts';

const random = seededRandom(7);
const uniform = (n: number) => Float32Array.from({ length: n }, () => random() * 2 - 1);

type Attribute = Record<string, unknown>;
const s = (text: string): Attribute => ({ s: Buffer.from(text).toString('base64') });
const texts = (...list: string[]): Attribute => ({
  list: { s: list.map((one) => Buffer.from(one).toString('base64')) },
});
const ints = (...i: number[]): Attribute => ({ list: { i: i.map(String) } });
const float: Attribute = { type: 'DT_FLOAT' };
const int32: Attribute = { type: 'DT_INT32' };

/** A graph model under construction, as the files that tfjs writes. */
class TfGraph {
  readonly node: object[] = [];
  readonly weights: object[] = [];
  readonly bytes: Buffer[] = [];

  input(...shape: number[]): string {
    const dim = shape.map((size) => ({ size: String(size) }));
    this.node.push({ name: 'x', op: 'Placeholder', attr: { dtype: float, shape: { shape: { dim } } } });
    return 'x';
  }

  constant(shape: number[], values: ArrayLike<number>, dtype: 'float32' | 'int32' = 'float32'): string {
    const name = `c${this.node.length}`;
    this.node.push({ name, op: 'Const', attr: { dtype: dtype === 'int32' ? int32 : float } });
    this.weights.push({ name, shape, dtype });
    this.bytes.push(Buffer.from((dtype === 'int32' ? Int32Array : Float32Array).from(values).buffer));
    return name;
  }

  weight(...shape: number[]): string {
    return this.constant(shape, uniform(shape.reduce((a, b) => a * b, 1)));
  }

  shape(...values: number[]): string {
    return this.constant([values.length], values, 'int32');
  }

  number(value: number): string {
    return this.constant([], [value], 'int32');
  }

  op(op: string, input: string[], attr: Record<string, Attribute> = {}): string {
    const name = `n${this.node.length}`;
    this.node.push({ name, op, input, attr: { T: float, ...attr } });
    return name;
  }

  files(): [Uint8Array, Uint8Array] {
    const json = {
      format: 'graph-model',
      modelTopology: { node: this.node, versions: { producer: 1 } },
      weightsManifest: [{ paths: ['w.bin'], weights: this.weights }],
    };
    return [Buffer.from(JSON.stringify(json)), new Uint8Array(Buffer.concat(this.bytes))];
  }
}

const conv = (padding: string, stride: number, dilation = 1) => ({
  padding: s(padding),
  strides: ints(1, stride, stride, 1),
  dilations: ints(1, dilation, dilation, 1),
  data_format: s('NHWC'),
});
const NHWC_TO_NCHW = [0, 3, 1, 2];
const NCHW_TO_NHWC = [0, 2, 3, 1];

/** Each adds what it tests behind a convolution, so that values lie in memory otherwise than the model sees them. */
const CASES: Readonly<Record<string, (g: TfGraph, x: string) => string>> = {
  'Conv2D, SAME, stride 2, odd sizes': (g, x) => g.op('Conv2D', [x, g.weight(3, 3, 6, 4)], conv('SAME', 2)),
  'Conv2D, SAME, stride 2, even kernel': (g, x) => g.op('Conv2D', [x, g.weight(4, 2, 6, 5)], conv('SAME', 2)),
  'Conv2D, VALID, dilated': (g, x) => g.op('Conv2D', [x, g.weight(3, 3, 6, 4)], conv('VALID', 1, 2)),
  'Pad and Conv2D': (g, x) => {
    const padded = g.op('Pad', [x, g.constant([4, 2], [0, 0, 1, 2, 0, 1, 0, 0], 'int32')]);
    return g.op('Conv2D', [padded, g.weight(3, 3, 6, 4)], conv('VALID', 2));
  },
  'Pad of channels and batch of a convolution': (g, x) =>
    g.op('Pad', [x, g.constant([4, 2], [0, 0, 0, 1, 2, 0, 1, 3], 'int32')]),
  'a padded value that is read twice': (g, x) => {
    const padded = g.op('Pad', [x, g.constant([4, 2], [0, 0, 1, 1, 1, 1, 0, 0], 'int32')]);
    const folded = g.op('Conv2D', [padded, g.weight(3, 3, 6, 6)], conv('VALID', 1));
    return g.op('AddV2', [
      g.op('Relu', [padded]),
      g.op('Pad', [folded, g.constant([4, 2], [0, 0, 1, 1, 1, 1, 0, 0], 'int32')]),
    ]);
  },
  'depthwise, SAME, stride 2, two outputs a channel': (g, x) =>
    g.op('DepthwiseConv2dNative', [x, g.weight(5, 5, 6, 2)], conv('SAME', 2)),
  'fused convolution with bias and ReLU6': (g, x) =>
    g.op('_FusedConv2D', [x, g.weight(1, 1, 6, 7), g.weight(7)], {
      ...conv('SAME', 1),
      fused_ops: texts('BiasAdd', 'Relu6'),
      num_args: { i: '1' },
    }),
  'channels filled up': (g, x) => {
    const fused = { ...conv('SAME', 1), fused_ops: texts('BiasAdd', 'Relu'), num_args: { i: '1' } };
    const narrow = g.op('_FusedConv2D', [x, g.weight(1, 1, 6, 5), g.weight(5)], fused);
    const depth = g.op('DepthwiseConv2dNative', [narrow, g.weight(3, 3, 5, 1)], conv('SAME', 1));
    return g.op('_FusedConv2D', [depth, g.weight(1, 1, 5, 3), g.weight(3)], fused);
  },
  'hard swish behind a convolution, into another': (g, x) => {
    const sixth = g.constant([], [0.16662598]);
    const three = g.constant([], [3]);
    const gate = g.op('Relu6', [g.op('Add', [x, three])]);
    const swish = g.op('Mul', [g.op('Mul', [sixth, x]), gate]);
    const next = g.op('Conv2D', [swish, g.weight(1, 1, 6, 6)], conv('SAME', 1));
    return g.op('AddV2', [next, g.op('MaxPool', [swish], { ...conv('SAME', 1), ksize: ints(1, 3, 3, 1) })]);
  },
  'squeeze and excite with a hard sigmoid': (g, x) => {
    const mean = g.op('Mean', [x, g.shape(1, 2)], { keep_dims: { b: true } });
    const dense = g.op('Conv2D', [mean, g.weight(1, 1, 6, 6)], conv('SAME', 1));
    const gate = g.op('Relu6', [g.op('Add', [dense, g.constant([], [3])])]);
    return g.op('Mul', [x, g.op('Mul', [g.constant([], [0.16662598]), gate])]);
  },
  'batch norm': (g, x) => {
    const variance = g.constant(
      [6],
      uniform(6).map((one) => one + 1.5),
    );
    const names = [x, g.weight(6), g.weight(6), g.weight(6), variance];
    return g.op('FusedBatchNormV3', names, {
      epsilon: { f: 0.001 },
      data_format: s('NHWC'),
      is_training: { b: false },
    });
  },
  'LeakyRelu and Prelu': (g, x) => g.op('Prelu', [g.op('LeakyRelu', [x], { alpha: { f: 0.3 } }), g.weight(6)]),
  'MaxPool, SAME': (g, x) => g.op('MaxPool', [x], { ...conv('SAME', 2), ksize: ints(1, 3, 3, 1) }),
  'AvgPool, SAME': (g, x) => g.op('AvgPool', [x], { ...conv('SAME', 2), ksize: ints(1, 3, 3, 1) }),
  'ResizeBilinear, legacy': (g, x) => g.op('ResizeBilinear', [x, g.shape(18, 22)]),
  'ResizeBilinear, legacy, to a fraction': (g, x) => g.op('ResizeBilinear', [x, g.shape(13, 7)]),
  'ResizeBilinear, half pixels': (g, x) =>
    g.op('ResizeBilinear', [x, g.shape(18, 22)], { half_pixel_centers: { b: true } }),
  'ResizeBilinear, half pixels, smaller': (g, x) =>
    g.op('ResizeBilinear', [x, g.shape(5, 4)], { half_pixel_centers: { b: true } }),
  'ResizeBilinear, corners aligned': (g, x) =>
    g.op('ResizeBilinear', [x, g.shape(17, 13)], { align_corners: { b: true } }),
  'ResizeNearestNeighbor, legacy': (g, x) => g.op('ResizeNearestNeighbor', [x, g.shape(18, 22)]),
  'ResizeNearestNeighbor, half pixels': (g, x) =>
    g.op('ResizeNearestNeighbor', [x, g.shape(18, 22)], { half_pixel_centers: { b: true } }),
  'transposed there and back, with a bias in between': (g, x) => {
    const turned = g.op('Transpose', [x, g.shape(...NHWC_TO_NCHW)]);
    const biased = g.op('Add', [turned, g.weight(1, 6, 1, 1)]);
    return g.op('Transpose', [g.op('Relu', [biased]), g.shape(...NCHW_TO_NHWC)]);
  },
  'two layouts added': (g, x) => {
    const turned = g.op('Transpose', [x, g.shape(0, 2, 1, 3)]);
    return g.op('AddV2', [
      g.op('Slice', [x, g.shape(0, 0, 0, 0), g.shape(1, 9, 9, 6)]),
      g.op('Slice', [turned, g.shape(0, 0, 0, 0), g.shape(1, 9, 9, 6)]),
    ]);
  },
  'a row added to an image': (g, x) => {
    const row = g.op('Mean', [x, g.shape(1)], { keep_dims: { b: false } });
    return g.op('Sub', [x, row]);
  },
  'Mean over channels, axes dropped': (g, x) => g.op('Mean', [x, g.shape(-1)], { keep_dims: { b: false } }),
  'Max over rows': (g, x) => g.op('Max', [x, g.shape(1)], { keep_dims: { b: false } }),
  'Reshape to rows': (g, x) => g.op('Reshape', [x, g.shape(1, -1, 6)]),
  'Concat of channels and of rows': (g, x) => {
    const channels = g.op('ConcatV2', [x, g.op('Relu', [x]), g.number(-1)]);
    return g.op('ConcatV2', [channels, channels, g.number(1)]);
  },
  'SplitV and Pack': (g, x) => {
    const split = g.op('SplitV', [x, g.shape(2, 4), g.number(3)], { num_split: { i: '2' } });
    return g.op('Pack', [g.op('Slice', [`${split}:1`, g.shape(0, 0, 0, 1), g.shape(1, -1, -1, 2)]), split], {
      axis: { i: '2' },
    });
  },
  'Split and Unpack': (g, x) => {
    const split = g.op('Split', [g.number(3), x], { num_split: { i: '3' } });
    const rows = g.op('Unpack', [`${split}:2`], { axis: { i: '1' }, num: { i: '9' } });
    return g.op('AddV2', [`${rows}:3`, `${rows}:8`]);
  },
  StridedSlice: (g, x) =>
    g.op('StridedSlice', [x, g.shape(0, 1, -7, 0), g.shape(0, 8, -1, 0), g.shape(1, 2, 3, 1)], {
      begin_mask: { i: '9' },
      end_mask: { i: '9' },
      shrink_axis_mask: { i: '0' },
    }),
  'StridedSlice that drops an axis': (g, x) =>
    g.op('StridedSlice', [x, g.shape(0, 4), g.shape(1, 5), g.shape(1, 1)], {
      begin_mask: { i: '1' },
      end_mask: { i: '1' },
      shrink_axis_mask: { i: '2' },
    }),
  'ExpandDims and Squeeze': (g, x) =>
    g.op('Squeeze', [g.op('ExpandDims', [x, g.number(2)])], { squeeze_dims: ints(0) }),
  'GatherV2 of channels': (g, x) => g.op('GatherV2', [x, g.shape(5, 0, 3), g.number(3)]),
  'Softmax over channels': (g, x) => g.op('Softmax', [x]),
  'square roots and squares': (g, x) => g.op('Sqrt', [g.op('SquaredDifference', [x, g.weight(11, 6)])]),
  'greatest and least': (g, x) => g.op('Minimum', [g.op('Maximum', [x, g.constant([], [-0.5])]), g.weight(6)]),
};

for (const [name, build] of Object.entries(CASES)) {
  test(name, async () => {
    const g = new TfGraph();
    const x = g.op('Conv2D', [g.input(1, 9, 11, 3), g.weight(1, 1, 3, 6)], conv('SAME', 1));
    const output = build(g, x);
    const files = g.files();
    const session = await Session.create(tfjsToOnnx(...files, { outputs: [output] }));
    const reference = await openReference(...files);
    const data = uniform(9 * 11 * 3);
    const ours = (await session.run({ x: tensor('float32', data, [1, 9, 11, 3]) }))[output];
    const [theirs] = reference.run(data, [1, 9, 11, 3], [output]);
    assert.deepEqual(ours?.dims, theirs?.shape);
    const expected = Array.from(theirs?.data ?? []);
    Array.from(ours?.data as Float32Array).forEach((value, i) => {
      assert.ok(Math.abs(value - expected[i]) < 1e-5, `${i}: ${value}, tfjs ${expected[i]}`);
    });
    reference.close();
    await session.close();
  });
}

test('several images at once give what each gives alone, and what mixes them is refused', async () => {
  const build = (last: (g: TfGraph, x: string) => string) => {
    const g = new TfGraph();
    const x = g.op('Conv2D', [g.input(1, 8, 8, 3), g.weight(3, 3, 3, 4)], conv('SAME', 2));
    return [...g.files(), last(g, x), g.files()] as const;
  };
  const g = new TfGraph();
  const x = g.op('Conv2D', [g.input(1, 8, 8, 3), g.weight(3, 3, 3, 4)], conv('SAME', 2));
  const output = g.op('Reshape', [g.op('ResizeBilinear', [x, g.shape(8, 8)]), g.shape(1, -1)]);
  const data = uniform(2 * 192);
  const alone = await Session.create(tfjsToOnnx(...g.files(), { outputs: [output] }));
  const both = await Session.create(tfjsToOnnx(...g.files(), { outputs: [output], batch: 2 }));
  const two = (await both.run({ x: tensor('float32', data, [2, 8, 8, 3]) }))[output];
  assert.deepEqual(two?.dims, [2, 256]);
  for (const i of [0, 1]) {
    const one = (await alone.run({ x: tensor('float32', data.slice(192 * i, 192 * (i + 1)), [1, 8, 8, 3]) }))[output];
    for (let k = 0; k < 256; k++) {
      assert.ok(Math.abs(Number(two?.data[256 * i + k]) - Number(one?.data[k])) < 1e-6);
    }
  }
  const [, , mixed, files] = build((h, y) => h.op('Reshape', [y, h.shape(-1)]));
  assert.throws(() => tfjsToOnnx(...files, { outputs: [mixed], batch: 2 }), {
    code: 'BAD_MODEL',
    message: /mixes the images/,
  });
});

test('an unknown operator is refused by name, and only where it is needed', () => {
  const g = new TfGraph();
  const relu = g.op('Relu', [g.input(1, 4, 4, 3)]);
  const odd = g.op('FancyOp', [relu]);
  assert.throws(() => tfjsToOnnx(...g.files()), {
    code: 'BAD_MODEL',
    message: new RegExp(`FancyOp \\(node ${odd}\\)`),
  });
  assert.doesNotThrow(() => tfjsToOnnx(...g.files(), { outputs: [relu] }));
  assert.throws(() => tfjsToOnnx(...g.files(), { outputs: ['nothing'] }), {
    code: 'BAD_MODEL',
    message: /no node nothing/,
  });
});

test('files that are no graph model, or cut short, are refused with a reason', () => {
  const g = new TfGraph();
  const output = g.op('Conv2D', [g.input(1, 4, 4, 3), g.weight(1, 1, 3, 4)], conv('SAME', 1));
  const [json, weights] = g.files();
  assert.throws(() => tfjsToOnnx(Buffer.from('{'), weights), { code: 'BAD_MODEL', message: /not JSON/ });
  assert.throws(() => tfjsToOnnx(Buffer.from('{}'), weights), { code: 'BAD_MODEL', message: /not a tfjs graph model/ });
  assert.throws(() => tfjsToOnnx(json, weights.subarray(4), { outputs: [output] }), {
    code: 'BAD_MODEL',
    message: /weights end/,
  });
});

test('weights in 8 and 16 bits are scaled back', async () => {
  for (const [dtype, bytes] of [
    ['uint8', Uint8Array.of(0, 255, 51)],
    ['uint16', new Uint8Array(Uint16Array.of(0, 255, 51).buffer)],
    ['float16', new Uint8Array(Uint16Array.of(0xbc00, 0x4000, 0xb666).buffer)],
  ] as const) {
    const g = new TfGraph();
    const output = g.op('Mul', [g.input(1, 1, 1, 3), g.weight(3)]);
    const [json] = g.files();
    const parsed = JSON.parse(Buffer.from(json).toString());
    parsed.weightsManifest[0].weights[0].quantization = { dtype, scale: 3 / 255, min: -1, original_dtype: 'float32' };
    const session = await Session.create(tfjsToOnnx(Buffer.from(JSON.stringify(parsed)), bytes, { outputs: [output] }));
    const y = (await session.run({ x: tensor('float32', Float32Array.of(1, 1, 1), [1, 1, 1, 3]) }))[output];
    const expected = [-1, 2, -0.4];
    Array.from(y?.data as Float32Array).forEach((value, i) => {
      assert.ok(Math.abs(value - expected[i]) < 1e-3, `${dtype}: ${value}`);
    });
  }
});
