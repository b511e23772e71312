/** The types that a tensor's elements can have, as ONNX numbers them. */
import { LabelsmithError } from '../errors.ts';

/** Element types by their number in `TensorProto.DataType`. */
export const ELEMENT_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
} as const;
export type DType = keyof typeof ELEMENT_TYPES;

export function isDtype(name: string): name is DType {
  return name in ELEMENT_TYPES;
}

const NAMES: ReadonlyMap<number, DType> = new Map(
  Object.entries(ELEMENT_TYPES).map(([name, number]) => [number, name as DType]),
);

/** The name of an element type number, or undefined for one that nothing here computes with (bfloat16, 4-bit numbers, …). */
export function knownDtype(elementType: number | undefined): DType | undefined {
  return elementType === undefined ? undefined : NAMES.get(elementType);
}

/** The name of an element type number, or a `BAD_MODEL` error that names `what` has it. */
export function dtypeOf(elementType: number | undefined, what: string): DType {
  const name = knownDtype(elementType);
  if (name) return name;
  throw new LabelsmithError('BAD_MODEL', `${what} has element type ${elementType}, which is not known here`);
}
