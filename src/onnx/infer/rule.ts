/**
 * What the rules of operators share. A rule is a pure function from the types of a node's inputs to those of its outputs;
 * it throws a {@link Misfit} where ONNX Runtime would refuse the node or fail in it, and says "not known" where it cannot
 * tell.
 */
import type { AttributeValues } from '../attributes.ts';
import type { DType } from '../element-types.ts';
import { type Dim, type Shape, UNKNOWN, type ValueType } from '../value.ts';

export interface RuleContext {
  readonly op: string;
  /** Undefined: an optional input that is not given. */
  readonly inputs: readonly (ValueType | undefined)[];
  readonly attributes: AttributeValues;
  readonly outputCount: number;
  /** A name for a size that is known only when the graph runs. */
  fresh(): string;
}

export type Rule = (context: RuleContext) => readonly ValueType[];

/** Why inputs do not fit an operator: the rest of a sentence that begins with the operator's name. */
export class Misfit extends Error {}

/** The type of an input; unknown where it is not given. */
export function input(c: RuleContext, i: number): ValueType {
  return c.inputs[i] ?? UNKNOWN;
}

export function intAttribute(c: RuleContext, name: string, otherwise: number): number {
  const value = c.attributes[name];
  return typeof value === 'number' ? value : otherwise;
}

export function textAttribute(c: RuleContext, name: string, otherwise: string): string {
  const value = c.attributes[name];
  return typeof value === 'string' ? value : otherwise;
}

/** A list of numbers, or undefined where the attribute is not given. */
export function intsAttribute(c: RuleContext, name: string): readonly number[] | undefined {
  const value = c.attributes[name];
  return Array.isArray(value) && value.every((one): one is number => typeof one === 'number') ? value : undefined;
}

/** Numbers that an input is known to hold; undefined where any of them is not known. */
export function numbersOf(type: ValueType | undefined): readonly number[] | undefined {
  const { elements } = type ?? UNKNOWN;
  return elements?.every((one): one is number => typeof one === 'number') ? elements : undefined;
}

/** The axes that an input (or, before opset 13 or 18, an attribute) names. */
export function axesOf(c: RuleContext, inputIndex: number): readonly number[] | 'none' | 'unknown' {
  const attribute = intsAttribute(c, 'axes');
  if (attribute) return attribute;
  if (!c.inputs[inputIndex]) return 'none';
  return numbersOf(c.inputs[inputIndex]) ?? 'unknown';
}

/** The axis counted from the front. */
export function axisIn(axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (at < 0 || at >= rank) throw new Misfit(`has axis ${axis}, of a value with ${rank}`);
  return at;
}

/** The element type that several inputs must share; unknown ones may be it. */
export function oneDtype(types: readonly (ValueType | undefined)[]): DType | undefined {
  let found: DType | undefined;
  for (const { dtype } of types.filter((type) => type !== undefined)) {
    if (dtype !== undefined && found !== undefined && dtype !== found) {
      throw new Misfit(`takes one type of elements, not ${found} and ${dtype}`);
    }
    found ??= dtype;
  }
  return found;
}

const FLOATS: readonly (DType | undefined)[] = ['float32', 'float16', 'float64', undefined];

export function requireFloats({ dtype }: ValueType): void {
  if (!FLOATS.includes(dtype)) throw new Misfit(`takes floating-point numbers, not ${dtype}`);
}

export function requireDtype({ dtype }: ValueType, ...allowed: readonly DType[]): void {
  if (dtype !== undefined && !allowed.includes(dtype)) throw new Misfit(`takes ${allowed.join(' or ')}, not ${dtype}`);
}

export function requireRank({ shape }: ValueType, rank: number): void {
  if (shape && shape.length !== rank) throw new Misfit(`takes ${rank} axes, not ${shape.length}`);
}

/** NumPy's rule: shapes aligned at the end, sizes of 1 stretched. */
export function broadcast(c: RuleContext, a: Shape | undefined, b: Shape | undefined): Shape | undefined {
  if (!a || !b) return undefined;
  const rank = Math.max(a.length, b.length);
  const at = (shape: Shape, i: number): Dim => shape[i - (rank - shape.length)] ?? 1;
  return Array.from({ length: rank }, (_, i) => {
    const [left, right] = [at(a, i), at(b, i)];
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    if (typeof left === 'number' && typeof right === 'number') {
      throw new Misfit(`cannot stretch ${left} to ${right}`);
    }
    // A named size beside a number above 1 is that number or 1.
    if (typeof left === 'number') return left;
    if (typeof right === 'number') return right;
    return c.fresh();
  });
}

/** One size, of which two things are known: fails where they are different numbers. */
export function sameDim(a: Dim | undefined, b: Dim | undefined, what: string): Dim | undefined {
  if (typeof a === 'number' && typeof b === 'number' && a !== b) throw new Misfit(`has ${what} of ${a} and of ${b}`);
  return typeof b === 'number' ? b : (a ?? b);
}

/** Where all sizes are numbers, their product. */
export function numberOfElements(shape: Shape): number | undefined {
  let product = 1;
  for (const size of shape) {
    if (typeof size !== 'number') return undefined;
    product *= size;
  }
  return product;
}

/** So many sizes that are known only when the graph runs. */
export function freshShape(c: RuleContext, rank: number): Shape {
  return Array.from({ length: rank }, () => c.fresh());
}

/** One rule under several names. */
export function ruleOf(rule: Rule, ...operators: readonly string[]): Record<string, Rule> {
  return Object.fromEntries(operators.map((name) => [name, rule]));
}
