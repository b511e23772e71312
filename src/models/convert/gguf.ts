/** Reads GGUF files (versions 2 and 3, little-endian): metadata and tensors of float32 and float16. */
import { LabelsmithError } from '../../errors.ts';
import { float16ToFloat32 } from '../../math/float16.ts';
import { arrayFromBytes, sizeOf, type Tensor } from '../../onnx/tensor.ts';

export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

export interface GgufFile {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** By name, as float32, in row-major order: the file's own list of sizes, the fastest first, is turned round. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Value types of the metadata by number. */
const READERS: Readonly<Record<number, (reader: Reader) => GgufValue>> = {
  0: (r) => r.number('getUint8', 1),
  1: (r) => r.number('getInt8', 1),
  2: (r) => r.number('getUint16', 2),
  3: (r) => r.number('getInt16', 2),
  4: (r) => r.number('getUint32', 4),
  5: (r) => r.number('getInt32', 4),
  6: (r) => r.number('getFloat32', 4),
  7: (r) => r.number('getUint8', 1) !== 0,
  8: (r) => r.text(),
  9: (r) => r.list(),
  10: (r) => r.long(),
  11: (r) => BigInt.asIntN(64, r.long()),
  12: (r) => r.number('getFloat64', 8),
};

type Getter =
  | 'getUint8'
  | 'getInt8'
  | 'getUint16'
  | 'getInt16'
  | 'getUint32'
  | 'getInt32'
  | 'getFloat32'
  | 'getFloat64';

/** Lengths in a file are trusted only as far as the file reaches. */
class Reader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #take(length: number): number {
    const at = this.offset;
    if (!(length >= 0) || at + length > this.bytes.length) throw broken(`cut short at byte ${this.bytes.length}`);
    this.offset += length;
    return at;
  }

  number(getter: Getter, size: number): number {
    return this.#view[getter](this.#take(size), true);
  }

  long(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  count(): number {
    const value = Number(this.long());
    if (value > this.bytes.length) throw broken(`a length of ${value} in a file of ${this.bytes.length} bytes`);
    return value;
  }

  text(): string {
    const length = this.count();
    const at = this.#take(length);
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + at, length).toString();
  }

  value(type: number): GgufValue {
    const read = READERS[type];
    if (!read) throw broken(`metadata of type ${type}`);
    return read(this);
  }

  list(): GgufValue[] {
    const type = this.number('getUint32', 4);
    const length = this.count();
    return Array.from({ length }, () => this.value(type));
  }
}

function broken(what: string): LabelsmithError {
  return new LabelsmithError('BAD_MODEL', `not a readable GGUF file: ${what}`, {
    hint: 'Fetch the file again; if it stays so, it is of a kind that is not taken.',
  });
}

/** Bytes of an element, by the tensor types that are taken. */
const ELEMENT_BYTES: Readonly<Record<number, number>> = { 0: 4, 1: 2 };
const DEFAULT_ALIGNMENT = 32;

export function readGguf(bytes: Uint8Array): GgufFile {
  const reader = new Reader(bytes);
  if (Buffer.from(bytes.subarray(0, 4)).toString('latin1') !== 'GGUF') throw broken('it does not begin with GGUF');
  reader.offset = 4;
  const version = reader.number('getUint32', 4);
  if (version !== 2 && version !== 3) throw broken(`version ${version}; 2 and 3 are taken`);
  const tensorCount = reader.count();
  const metadataCount = reader.count();
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < metadataCount; i++) {
    const key = reader.text();
    metadata.set(key, reader.value(reader.number('getUint32', 4)));
  }
  const listed = Array.from({ length: tensorCount }, () => {
    const name = reader.text();
    const rank = reader.number('getUint32', 4);
    if (rank > 8) throw broken(`tensor ${name} has ${rank} axes`);
    const dims = Array.from({ length: rank }, () => Number(reader.long())).reverse();
    return { name, dims, type: reader.number('getUint32', 4), offset: Number(reader.long()) };
  });
  const alignment = Number(metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT);
  const start = Math.ceil(reader.offset / alignment) * alignment;
  const tensors = new Map<string, Tensor>();
  for (const { name, dims, type, offset } of listed) {
    const size = ELEMENT_BYTES[type];
    if (size === undefined) {
      throw new LabelsmithError('BAD_MODEL', `tensor ${name} is of GGUF type ${type}; float32 and float16 are taken`, {
        hint: 'Use a file that is not quantised.',
        details: { tensor: name, type },
      });
    }
    const from = start + offset;
    const to = from + sizeOf(dims) * size;
    if (!(to <= bytes.length)) throw broken(`tensor ${name} ends at byte ${to} of ${bytes.length}`);
    const stored = bytes.subarray(from, to);
    const data =
      type === 0
        ? arrayFromBytes('float32', stored)
        : float16ToFloat32(arrayFromBytes('float16', stored) as Uint16Array);
    tensors.set(name, { dtype: 'float32', dims, data });
  }
  return { metadata, tensors };
}
