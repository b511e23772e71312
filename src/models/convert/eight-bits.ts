/**
 * Parts of networks in 8-bit integers, as ONNX writes them (QDQ): values between layers rounded to 256 steps of a range that
 * was measured, filters to 127 steps of a range of their own each. "Quantization and Training of Neural Networks for Efficient
 * Integer-Arithmetic-Only Inference" (Jacob et al. 2018, arXiv 1712.05877), sections 2 and 3.
 *
 * ONNX Runtime makes whole-number layers of it, whose results do not depend on threads or batches. Filters have 7 bits, so
 * that the sums of two products stay within 16 bits on processors that add them there (AVX2 without VNNI): the results are
 * the same on all of them.
 */
import type { Graph } from '../../onnx/ops.ts';
import { float32, float32Data, type Tensor, tensor } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';

/** Least and most of a value. */
export type Range = readonly [least: number, most: number];
export type Ranges = Readonly<Record<string, Range>>;

const STEPS = 255;
const MAX_FILTER = 127;
/** What two neighbours may be together: 255 · 128 is within 16 bits with a sign. */
const MAX_PAIR = 128;

/** What a whole number stands for: (number − zero) · scale. */
function stepsOf([least, most]: Range): { readonly scale: number; readonly zero: number } {
  // Zero is a step of its own: borders are filled with it.
  const [low, high] = [Math.min(least, 0), Math.max(most, 0)];
  const scale = Math.fround((high - low || 1) / STEPS);
  return { scale, zero: Math.round(Math.min(Math.max(-low / scale, 0), STEPS)) };
}

/** @param name of the rounded value */
export function roundTo8Bits(g: Graph, value: Value, range: Range, name?: string): Value {
  const { scale, zero } = stepsOf(range);
  const steps = [g.scalar(scale), g.scalar(zero, 'uint8')];
  return g.op('DequantizeLinear', [g.op('QuantizeLinear', [value, ...steps]), ...steps], {}, name);
}

export interface Filters {
  /** Shape [filters, …]. */
  readonly weights: Tensor;
  /** Shape [filters]. */
  readonly bias: Tensor;
  readonly name: string;
  /** Of what they are applied to. */
  readonly input: Range | undefined;
}

/** Weights and bias for a convolution: each filter has steps of its own, its bias those of the products. */
export function filtersIn8Bits(g: Graph, { weights, bias, name, input = [0, 1] }: Filters): [Value, Value] {
  const [count = 1] = weights.dims;
  const each = weights.data.length / count;
  const scales = new Float32Array(count);
  const whole = new Int8Array(weights.data.length);
  for (let filter = 0; filter < count; filter++) {
    scales[filter] = filterScale(float32Data(weights, name).subarray(filter * each, (filter + 1) * each), weights.dims);
    for (let i = filter * each; i < (filter + 1) * each; i++) {
      whole[i] = Math.round(Number(weights.data[i]) / scales[filter]);
    }
  }
  const { scale } = stepsOf(input);
  const biasScales = scales.map((one) => one * scale);
  const wholeBias = Int32Array.from(float32Data(bias, `${name}.bias`), (value, filter) =>
    Math.round(value / biasScales[filter]),
  );
  const plain = (values: Tensor, steps: Float32Array, zeros: Tensor, part: string) => {
    const inputs = [g.constant(values, `${name}.${part}`), g.constant(float32(steps)), g.constant(zeros)];
    return g.op('DequantizeLinear', inputs, { axis: 0 });
  };
  return [
    plain(tensor('int8', whole, weights.dims), scales, tensor('int8', new Int8Array(count), [count]), 'weight'),
    plain(tensor('int32', wholeBias, [count]), biasScales, tensor('int32', new Int32Array(count), [count]), 'bias'),
  ];
}

/** The step of a filter [channels · rows · columns]. A depthwise one is not added up in pairs. */
function filterScale(filter: Float32Array, [, channels = 1, ...places]: readonly number[]): number {
  const most = filter.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  if (channels === 1) return (most || 1) / MAX_FILTER;
  // Which numbers of a filter over several places are neighbours is the runtime's choice.
  if (places.some((size) => size !== 1)) return (2 * most || 1) / MAX_PAIR;
  let pair = 0;
  for (let i = 0; i < filter.length; i += 2) pair = Math.max(pair, Math.abs(filter[i]) + Math.abs(filter[i + 1] ?? 0));
  return Math.max(most / MAX_FILTER, pair / MAX_PAIR) || 1;
}
