/** Rules of matrix products, convolutions and pools. */
import type { Dim, Shape } from '../value.ts';
import {
  broadcast,
  freshShape,
  input,
  intAttribute,
  intsAttribute,
  Misfit,
  numbersOf,
  oneDtype,
  type Rule,
  type RuleContext,
  requireFloats,
  requireRank,
  sameDim,
  textAttribute,
} from './rule.ts';

/** NumPy's matmul: a vector is a row on the left, a column on the right. */
const matMul: Rule = (c) => {
  const dtype = oneDtype(c.inputs);
  const [a, b] = [input(c, 0).shape, input(c, 1).shape];
  if (!a || !b) return [{ dtype, shape: undefined }];
  if (a.length === 0 || b.length === 0) throw new Misfit('takes matrices and vectors, not scalars');
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  sameDim(left.at(-1), right.at(-2), 'inner sizes');
  const batch = broadcast(c, left.slice(0, -2), right.slice(0, -2)) ?? [];
  const rows = a.length === 1 ? [] : left.slice(-2, -1);
  const columns = b.length === 1 ? [] : right.slice(-1);
  return [{ dtype, shape: [...batch, ...rows, ...columns] }];
};

const gemm: Rule = (c) => {
  const [a, b, bias] = [input(c, 0), input(c, 1), input(c, 2)];
  requireRank(a, 2);
  requireRank(b, 2);
  const dtype = oneDtype(c.inputs);
  const turned = (shape: Shape | undefined, name: string): Shape | undefined =>
    shape && (intAttribute(c, name, 0) === 1 ? [...shape].reverse() : shape);
  const [left, right] = [turned(a.shape, 'transA'), turned(b.shape, 'transB')];
  sameDim(left?.[1], right?.[0], 'inner sizes');
  const shape = [left?.[0] ?? c.fresh(), right?.[1] ?? c.fresh()];
  const stretched = bias.shape && broadcast(c, shape, bias.shape);
  if (stretched?.some((size, i) => typeof size === 'number' && shape[i] === 1 && size !== 1)) {
    throw new Misfit(`cannot add [${bias.shape?.join(', ')}] to a product of [${shape.join(', ')}]`);
  }
  return [{ dtype, shape }];
};

interface Windows {
  /** Sizes of the window, one an axis of the image. */
  readonly kernel: readonly (Dim | undefined)[];
  readonly ceil: boolean;
}

/** Sizes of the image behind windows that move over it. */
function placed(c: RuleContext, image: Shape, { kernel, ceil }: Windows): Shape {
  const strides = intsAttribute(c, 'strides');
  const dilations = intsAttribute(c, 'dilations');
  const pads = intsAttribute(c, 'pads');
  const automatic = textAttribute(c, 'auto_pad', 'NOTSET');
  return image.map((size, i) => {
    const stride = strides?.[i] ?? 1;
    const window = kernel[i];
    if (typeof size !== 'number') return c.fresh();
    if (automatic.startsWith('SAME')) return Math.ceil(size / stride);
    if (typeof window !== 'number') return c.fresh();
    const padding = automatic === 'VALID' ? 0 : (pads?.[i] ?? 0) + (pads?.[i + image.length] ?? 0);
    const reach = (window - 1) * (dilations?.[i] ?? 1) + 1;
    const steps = (size + padding - reach) / stride;
    if (steps < 0) throw new Misfit(`has a window of ${reach} over ${size} elements and ${padding} of padding`);
    if (!ceil) return Math.floor(steps) + 1;
    // The last window may not begin in the padding at the end.
    const count = Math.ceil(steps) + 1;
    return (count - 1) * stride >= size + (pads?.[i] ?? 0) ? count - 1 : count;
  });
}

const conv: Rule = (c) => {
  const [x, weights, bias] = [input(c, 0), input(c, 1), input(c, 2)];
  const dtype = oneDtype(c.inputs);
  requireFloats(x);
  if (!x.shape || !weights.shape) return [{ dtype, shape: undefined }];
  requireRank(weights, x.shape.length);
  const [images = 1, channels, ...image] = x.shape;
  const [outputs = 1, perGroup, ...kernel] = weights.shape;
  const group = intAttribute(c, 'group', 1);
  sameDim(channels, typeof perGroup === 'number' ? perGroup * group : perGroup, 'channels');
  if (typeof outputs === 'number' && outputs % group !== 0)
    throw new Misfit(`has ${outputs} outputs in ${group} groups`);
  sameDim(outputs, bias.shape?.[0], 'outputs');
  return [{ dtype, shape: [images, outputs, ...placed(c, image, { kernel, ceil: false })] }];
};

const convTranspose: Rule = (c) => {
  const [x, weights] = [input(c, 0), input(c, 1)];
  const dtype = oneDtype(c.inputs);
  if (!x.shape || !weights.shape) return [{ dtype, shape: undefined }];
  requireRank(weights, x.shape.length);
  const [images = 1, channels, ...image] = x.shape;
  const [inputs, perGroup = 1, ...kernel] = weights.shape;
  sameDim(channels, inputs, 'channels');
  const outputs = typeof perGroup === 'number' ? perGroup * intAttribute(c, 'group', 1) : c.fresh();
  const plain = textAttribute(c, 'auto_pad', 'NOTSET') === 'NOTSET' && !intsAttribute(c, 'output_shape');
  const [strides, dilations, pads, extra] = ['strides', 'dilations', 'pads', 'output_padding'].map((name) =>
    intsAttribute(c, name),
  );
  const sizes = image.map((size, i) => {
    const window = kernel[i];
    if (!plain || typeof size !== 'number' || typeof window !== 'number') return c.fresh();
    const padding = (pads?.[i] ?? 0) + (pads?.[i + image.length] ?? 0);
    return (size - 1) * (strides?.[i] ?? 1) + (window - 1) * (dilations?.[i] ?? 1) + 1 + (extra?.[i] ?? 0) - padding;
  });
  return [{ dtype, shape: [images, outputs, ...sizes] }];
};

const pool: Rule = (c) => {
  const { dtype, shape } = input(c, 0);
  if (!shape)
    return [
      { dtype, shape: undefined },
      { dtype: 'int64', shape: undefined },
    ];
  const [images = 1, channels = 1, ...image] = shape;
  const kernel = intsAttribute(c, 'kernel_shape') ?? [];
  if (kernel.length !== image.length) throw new Misfit(`has a window of ${kernel.length} axes`);
  const pooled = [images, channels, ...placed(c, image, { kernel, ceil: intAttribute(c, 'ceil_mode', 0) === 1 })];
  return [
    { dtype, shape: pooled },
    { dtype: 'int64', shape: pooled },
  ];
};

const globalPool: Rule = (c) => {
  const { dtype, shape } = input(c, 0);
  requireFloats(input(c, 0));
  return [{ dtype, shape: shape?.map((size, axis) => (axis < 2 ? size : 1)) }];
};

/** To sizes or by scales, which may stand in different places of the inputs. */
const resize: Rule = (c) => {
  const { dtype, shape } = input(c, 0);
  if (!shape) return [{ dtype, shape: undefined }];
  if (textAttribute(c, 'keep_aspect_ratio_policy', 'stretch') !== 'stretch') {
    return [{ dtype, shape: freshShape(c, shape.length) }];
  }
  const axes = intsAttribute(c, 'axes') ?? shape.map((_, axis) => axis);
  const sizes = c.inputs[3]?.elements;
  const scales = numbersOf(c.inputs[2]);
  for (const list of [sizes, sizes ? undefined : scales]) {
    if (list && list.length > 0 && list.length !== axes.length) {
      throw new Misfit(`has ${list.length} sizes for ${axes.length} axes`);
    }
  }
  const resized = [...shape];
  axes.forEach((axis, i) => {
    resized[axis] = resizedDim(c, shape[axis], sizes?.[i], scales?.[i]);
  });
  return [{ dtype, shape: resized }];
};

function resizedDim(c: RuleContext, size: Dim | undefined, to: Dim | undefined, scale: number | undefined): Dim {
  if (to !== undefined) return to;
  if (scale === 1 && size !== undefined) return size;
  return typeof size === 'number' && scale !== undefined
    ? Math.floor(Math.fround(size * Math.fround(scale)))
    : c.fresh();
}

export const PRODUCTS: Readonly<Record<string, Rule>> = {
  MatMul: matMul,
  Gemm: gemm,
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pool,
  AveragePool: pool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  Resize: resize,
};
