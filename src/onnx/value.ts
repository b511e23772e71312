/** What a graph's value is: its name, its type, and how sizes are written and compared. */
import type { DType } from './element-types.ts';

/**
 * A size in elements, or a name for one that is known only when the graph runs. Two values with the same name have the
 * same size; different names may turn out to be the same size or not.
 */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** What is known of a value before the graph runs. Undefined is "not known": behind an operator that has no rule. */
export interface ValueType {
  readonly dtype: DType | undefined;
  readonly shape: Shape | undefined;
  /**
   * The elements of a short list or a scalar, in order, where they are known: what later shapes are computed from. A name
   * stands for the size of that name.
   */
  readonly elements?: readonly Dim[];
}

/** A value of a graph. */
export interface Value extends ValueType {
  readonly name: string;
}

export const UNKNOWN: ValueType = { dtype: undefined, shape: undefined };

/** `float32 [n, 3, 224, 224]`, with `?` for what is not known. */
export function showType({ dtype, shape }: ValueType): string {
  return `${dtype ?? '?'} ${shape ? `[${shape.join(', ')}]` : '?'}`;
}
