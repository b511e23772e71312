/** Rules of operators that work element by element. */
import { type DType, knownDtype } from '../element-types.ts';
import type { Dim, Shape, ValueType } from '../value.ts';
import {
  axisIn,
  broadcast,
  input,
  intAttribute,
  Misfit,
  oneDtype,
  type Rule,
  type RuleContext,
  requireDtype,
  requireFloats,
  ruleOf,
} from './rule.ts';

/** The type of the first input, with no word about its elements. */
const same: Rule = (c) => {
  const { dtype, shape } = input(c, 0);
  return [{ dtype, shape }];
};

const identity: Rule = (c) => [input(c, 0)];

const floats: Rule = (c) => {
  requireFloats(input(c, 0));
  return same(c);
};

const overAxis: Rule = (c) => {
  const { shape } = input(c, 0);
  if (shape) axisIn(intAttribute(c, 'axis', -1), shape.length);
  return floats(c);
};

function broadcastAll(c: RuleContext): Shape | undefined {
  return c.inputs
    .filter((one) => one !== undefined)
    .map(({ shape }) => shape)
    .reduce((a, b) => broadcast(c, a, b));
}

/** Any number of inputs of one type. */
const arithmetic: Rule = (c) => [{ dtype: oneDtype(c.inputs), shape: broadcastAll(c), elements: computed(c) }];

/** What sizes are computed with, where both sides are known. Whole numbers only: others are rounded by their type. */
const WHOLE: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => Math.trunc(a / b),
};

function computed(c: RuleContext): readonly Dim[] | undefined {
  const [a, b] = [input(c, 0), input(c, 1)];
  const rule = WHOLE[c.op];
  const whole = a.dtype === 'int64' || a.dtype === 'int32';
  if (!rule || !whole || !a.elements || !b.elements) return undefined;
  const length = Math.max(a.elements.length, b.elements.length);
  const at = (list: readonly Dim[], i: number) => (list.length === 1 ? list[0] : list[i]);
  const result: Dim[] = [];
  for (let i = 0; i < length; i++) {
    const [left, right] = [at(a.elements, i), at(b.elements, i)];
    if (typeof left === 'number' && typeof right === 'number') result.push(rule(left, right));
    // A size stays itself times 1, over 1, plus 0 and less 0.
    else if (left !== undefined && right === (c.op === 'Mul' || c.op === 'Div' ? 1 : 0)) result.push(left);
    else return undefined;
  }
  return result;
}

/** The exponent may be of another type. */
const pow: Rule = (c) => [{ dtype: input(c, 0).dtype, shape: broadcastAll(c) }];

const comparison: Rule = (c) => {
  oneDtype(c.inputs);
  return [{ dtype: 'bool', shape: broadcastAll(c) }];
};

const logic: Rule = (c) => {
  for (const one of c.inputs) if (one) requireDtype(one, 'bool');
  return [{ dtype: 'bool', shape: broadcastAll(c) }];
};

const where: Rule = (c) => {
  requireDtype(input(c, 0), 'bool');
  return [{ dtype: oneDtype(c.inputs.slice(1)), shape: broadcastAll(c) }];
};

/** Bounds are scalars of the input's type. */
const clip: Rule = (c) => {
  for (const bound of c.inputs.slice(1)) {
    if (bound?.shape && bound.shape.length > 0)
      throw new Misfit(`takes scalar bounds, not [${bound.shape.join(', ')}]`);
  }
  return [{ dtype: oneDtype(c.inputs), shape: input(c, 0).shape }];
};

/** Slopes are stretched to the input, never the other way round. */
const prelu: Rule = (c) => {
  const [x, slope] = [input(c, 0), input(c, 1)];
  const shape = broadcast(c, x.shape, slope.shape);
  if (shape && x.shape && shape.length !== x.shape.length) {
    throw new Misfit(`cannot stretch slopes of ${slope.shape?.length} axes to ${x.shape.length}`);
  }
  return [{ dtype: oneDtype([x, slope]), shape: x.shape }];
};

const cast: Rule = (c) => {
  const { shape, elements, dtype } = input(c, 0);
  const to = knownDtype(intAttribute(c, 'to', 0));
  return [{ dtype: to, shape, elements: elements && castElements(elements, dtype, to) }];
};

function castElements(
  elements: readonly Dim[],
  from: DType | undefined,
  to: DType | undefined,
): readonly Dim[] | undefined {
  const whole = (dtype: DType | undefined) => dtype === 'int64' || dtype === 'int32';
  if (whole(from) && whole(to)) return elements;
  const numbers = elements.filter((one) => typeof one === 'number');
  if (numbers.length < elements.length) return undefined;
  if (whole(to)) return numbers.map(Math.trunc);
  return to === 'float32' ? numbers.map(Math.fround) : undefined;
}

/** [scale and] zero point say the type; without one it is bytes. */
const quantize: Rule = (c) => {
  requireFloats(input(c, 1));
  return [{ dtype: c.inputs[2] ? input(c, 2).dtype : 'uint8', shape: input(c, 0).shape }];
};

const dequantize: Rule = (c) => {
  requireFloats(input(c, 1));
  if (c.inputs[2]) oneDtype([input(c, 0), input(c, 2)]);
  return [{ dtype: input(c, 1).dtype, shape: input(c, 0).shape }];
};

/** Further outputs (running mean and variance, the mask) are for training. */
const firstLike: Rule = (c) => {
  requireFloats(input(c, 0));
  const { dtype, shape } = input(c, 0);
  const rest: ValueType = { dtype: undefined, shape: undefined };
  return [{ dtype, shape }, ...new Array<ValueType>(c.outputCount - 1).fill(rest)];
};

export const ELEMENTWISE: Readonly<Record<string, Rule>> = {
  ...ruleOf(same, 'Abs', 'Neg', 'Sign', 'Relu', 'CumSum'),
  ...ruleOf(identity, 'Identity'),
  ...ruleOf(
    floats,
    'Ceil',
    'Cos',
    'Elu',
    'Erf',
    'Exp',
    'Floor',
    'Gelu',
    'HardSigmoid',
    'HardSwish',
    'LeakyRelu',
    'Log',
  ),
  ...ruleOf(floats, 'Reciprocal', 'Round', 'Sigmoid', 'Sin', 'Softplus', 'Sqrt', 'Tanh', 'InstanceNormalization'),
  ...ruleOf(overAxis, 'Softmax', 'LogSoftmax'),
  ...ruleOf(arithmetic, 'Add', 'Sub', 'Mul', 'Div', 'Mod', 'Min', 'Max', 'Sum', 'Mean'),
  ...ruleOf(comparison, 'Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual'),
  ...ruleOf(logic, 'And', 'Or', 'Xor', 'Not'),
  ...ruleOf(firstLike, 'BatchNormalization', 'Dropout', 'LRN', 'LayerNormalization'),
  Pow: pow,
  Where: where,
  Clip: clip,
  PRelu: prelu,
  Cast: cast,
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
};
