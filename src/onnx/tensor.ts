/** Tensors as typed arrays with a shape: what goes into a graph as a constant and in and out of a session. */
import { LabelsmithError } from '../errors.ts';
import { type DType, dtypeOf, ELEMENT_TYPES } from './element-types.ts';
import type { TensorProto } from './proto.ts';

export type TensorArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** A dense tensor in row-major order. `bool` is stored as bytes 0 and 1, `float16` as its 16 bits. */
export interface Tensor {
  readonly dtype: NumericDType;
  readonly dims: readonly number[];
  /** Length is the product of `dims`. */
  readonly data: TensorArray;
}

export type NumericDType = Exclude<DType, 'string'>;

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
} as const satisfies Record<NumericDType, unknown>;

export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** A tensor around `data` (not copied); fails when the shape and the number of elements differ. */
export function tensor(dtype: NumericDType, data: TensorArray, dims: readonly number[]): Tensor {
  if (data.length !== sizeOf(dims)) {
    throw new LabelsmithError('UNSUPPORTED', `a tensor of shape [${dims}] has ${data.length} elements`);
  }
  return { dtype, dims, data };
}

export function float32(data: ArrayLike<number>, dims: readonly number[] = [data.length]): Tensor {
  return tensor('float32', data instanceof Float32Array ? data : Float32Array.from(data), dims);
}

export function int32(data: ArrayLike<number>, dims: readonly number[] = [data.length]): Tensor {
  return tensor('int32', data instanceof Int32Array ? data : Int32Array.from(data), dims);
}

export function uint8(data: ArrayLike<number>, dims: readonly number[] = [data.length]): Tensor {
  return tensor('uint8', data instanceof Uint8Array ? data : Uint8Array.from(data), dims);
}

export function bool(data: ArrayLike<number>, dims: readonly number[] = [data.length]): Tensor {
  return tensor('bool', data instanceof Uint8Array ? data : Uint8Array.from(data), dims);
}

export function int64(data: readonly number[] | BigInt64Array, dims: readonly number[] = [data.length]): Tensor {
  return tensor('int64', data instanceof BigInt64Array ? data : BigInt64Array.from(data, BigInt), dims);
}

export function bytesPerElement(dtype: NumericDType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** The elements of a tensor that must be `float32`. @param what it is called where it is not */
export function float32Data({ dtype, data }: Tensor, what: string): Float32Array {
  if (dtype === 'float32' && data instanceof Float32Array) return data;
  throw wrongElements(what, 'float32', dtype);
}

/** The elements of a tensor that must be `int32`. @param what it is called where it is not */
export function int32Data({ dtype, data }: Tensor, what: string): Int32Array {
  if (dtype === 'int32' && data instanceof Int32Array) return data;
  throw wrongElements(what, 'int32', dtype);
}

/** The elements as plain numbers. */
export function numbersOf({ data }: Tensor): number[] {
  const numbers: number[] = [];
  for (const one of data) numbers.push(Number(one));
  return numbers;
}

function wrongElements(what: string, wanted: NumericDType, found: NumericDType): LabelsmithError {
  return new LabelsmithError('BAD_MODEL', `${what} is of ${found}, expected ${wanted}`);
}

/** An empty array that holds `length` elements of `dtype`. */
export function newArray(dtype: NumericDType, length: number): TensorArray {
  return new ARRAYS[dtype](length);
}

/** The elements of little-endian `bytes`; copied only where they are not aligned. */
export function arrayFromBytes(dtype: NumericDType, bytes: Uint8Array): TensorArray {
  const { BYTES_PER_ELEMENT: size } = ARRAYS[dtype];
  // Not `slice`: that of a Buffer does not copy.
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new ARRAYS[dtype](aligned.buffer as ArrayBuffer, aligned.byteOffset, Math.floor(aligned.byteLength / size));
}

export function tensorToProto(name: string, { dtype, dims, data }: Tensor): TensorProto {
  return {
    name,
    dataType: ELEMENT_TYPES[dtype],
    dims: dims.map(BigInt),
    rawData: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
  };
}

/** The elements of an initializer, whichever of ONNX's ways of storing it was used. */
export function tensorFromProto(proto: TensorProto): Tensor {
  const what = `tensor ${proto.name ?? '(no name)'}`;
  if (proto.dataLocation === 1) {
    throw new LabelsmithError('BAD_MODEL', `${what} has its data in another file`, {
      hint: 'Save the model as one file, with the weights inside it.',
    });
  }
  const dtype = dtypeOf(proto.dataType, what);
  if (dtype === 'string') throw new LabelsmithError('BAD_MODEL', `${what} holds text, which no graph here uses`);
  const dims = (proto.dims ?? []).map(Number);
  if (proto.rawData?.length) return checked(dtype, arrayFromBytes(dtype, proto.rawData), dims, what);
  const size = sizeOf(dims);
  const data = newArray(dtype, size);
  const listed: readonly (number | bigint)[] =
    dtype === 'float32'
      ? (proto.floatData ?? [])
      : dtype === 'float64'
        ? (proto.doubleData ?? [])
        : dtype === 'int64'
          ? (proto.int64Data ?? [])
          : dtype === 'uint64' || dtype === 'uint32'
            ? (proto.uint64Data ?? [])
            : (proto.int32Data ?? []);
  const big = data instanceof BigInt64Array || data instanceof BigUint64Array;
  for (let i = 0; i < listed.length && i < size; i++) {
    if (big) data[i] = BigInt(listed[i]);
    else data[i] = Number(listed[i]);
  }
  if (listed.length !== size) {
    throw new LabelsmithError('BAD_MODEL', `${what} of shape [${dims}] has ${listed.length} elements`);
  }
  return { dtype, dims, data };
}

function checked(dtype: NumericDType, data: TensorArray, dims: readonly number[], what: string): Tensor {
  if (data.length === sizeOf(dims)) return { dtype, dims, data };
  throw new LabelsmithError('BAD_MODEL', `${what} of shape [${dims}] has ${data.length} elements`);
}
