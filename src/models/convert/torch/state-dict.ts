/**
 * PyTorch's files of weights (`torch.save` of a `state_dict()`) as tensors by name, in the form that PyTorch wrote until
 * version 1.6: four pickles, then the storages one behind the other. `pickle.ts` says what is refused.
 *
 * A tensor is made when it is asked for, at most as large as its storage; until then the file's bytes are all there is.
 */
import { float16ToFloat32 } from '../../../math/float16.ts';
import { float32, type Tensor } from '../../../onnx/tensor.ts';
import { isKind, type Pickled, readPickle, refused, STORAGES, type TensorRef } from './pickle.ts';

export interface StateDict {
  readonly names: readonly string[];
  /** As 32-bit floats in row-major order; undefined where there is none of that name. */
  tensor(name: string): Tensor | undefined;
}

/** The number with which such a file begins. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

export function readStateDict(bytes: Uint8Array): StateDict {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    throw refused('it is a zip archive, the form since PyTorch 1.6. Save it with _use_new_zipfile_serialization=False');
  }
  const magic = readPickle(bytes);
  if (magic.value !== MAGIC) throw refused('it does not begin as one');
  const protocol = readPickle(bytes, magic.end);
  if (protocol.value !== PROTOCOL) throw refused(`its form is ${String(protocol.value)}, not ${PROTOCOL}`);
  const system = readPickle(bytes, protocol.end);
  if (isKind(system.value, 'dict') && system.value.entries.get('little_endian') === false) {
    throw refused('its numbers have the highest byte first');
  }
  const object = readPickle(bytes, system.end);
  const keys = readPickle(bytes, object.end);
  const tensors = tensorsOf(object.value);
  const places = placesOf(bytes, keys, [...tensors.values()]);
  return {
    names: [...tensors.keys()],
    tensor: (name) => {
      const found = tensors.get(name);
      return found && plain(found, bytes, places.get(found.storage.key) ?? 0);
    },
  };
}

/** Of the dictionary itself, or of one named `state_dict` or `model` in it. */
function tensorsOf(value: Pickled): Map<string, TensorRef> {
  if (!isKind(value, 'dict')) throw refused('it holds no dictionary');
  const inner = ['state_dict', 'model'].map((name) => value.entries.get(name)).find((entry) => isKind(entry, 'dict'));
  const { entries } = isKind(inner, 'dict') ? inner : value;
  const tensors = new Map<string, TensorRef>();
  for (const [key, entry] of entries) if (isKind(entry, 'tensor')) tensors.set(String(key), entry);
  if (tensors.size === 0) throw refused('its dictionary holds no tensors');
  return tensors;
}

/** Where each storage's elements begin: each stands behind its own count of 8 bytes, in the order of the list of keys. */
function placesOf(
  bytes: Uint8Array,
  keys: { readonly value: Pickled; readonly end: number },
  tensors: readonly TensorRef[],
): Map<string, number> {
  const storages = new Map(tensors.map(({ storage }) => [storage.key, storage]));
  const places = new Map<string, number>();
  if (!isKind(keys.value, 'list')) throw refused('it has no list of its storages');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = keys.end;
  for (const key of keys.value.items) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    // The length of one that no tensor is in is not known, so nothing behind it can be found.
    if (!storage || places.has(storage.key)) throw refused('its list of storages does not fit its tensors');
    if (at + 8 > bytes.length || view.getBigInt64(at, true) !== BigInt(storage.count)) {
      throw refused('a storage is not as long as its tensors say');
    }
    places.set(storage.key, at + 8);
    at += 8 + storage.count * STORAGES[storage.type];
    if (at > bytes.length) throw refused(`it ends after ${bytes.length} bytes, in the middle of its weights`);
  }
  for (const { storage } of tensors) {
    if (!places.has(storage.key)) throw refused('a tensor is in a storage that is not there');
    const listed = storages.get(storage.key);
    if (listed?.count !== storage.count || listed.type !== storage.type)
      throw refused('two tensors tell one storage apart');
  }
  return places;
}

const READERS: Readonly<Record<keyof typeof STORAGES, (view: DataView, at: number) => number>> = {
  FloatStorage: (view, at) => view.getFloat32(at, true),
  HalfStorage: (view, at) => float16ToFloat32(Uint16Array.of(view.getUint16(at, true)))[0] ?? 0,
  DoubleStorage: (view, at) => view.getFloat64(at, true),
  BFloat16Storage: (view, at) => bfloat16(view.getUint16(at, true)),
  LongStorage: (view, at) => Number(view.getBigInt64(at, true)),
  IntStorage: (view, at) => view.getInt32(at, true),
  ShortStorage: (view, at) => view.getInt16(at, true),
  CharStorage: (view, at) => view.getInt8(at),
  ByteStorage: (view, at) => view.getUint8(at),
  BoolStorage: (view, at) => view.getUint8(at),
};

function bfloat16(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0] ?? 0;
}

/** Row by row, whatever order its elements lie in. */
function plain({ storage, offset, dims, strides }: TensorRef, bytes: Uint8Array, start: number): Tensor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = READERS[storage.type];
  const width = STORAGES[storage.type];
  const data = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
  const place = dims.map(() => 0);
  for (let i = 0, element = offset; i < data.length; i++) {
    data[i] = read(view, start + element * width);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      element += strides[axis];
      if (++place[axis] < dims[axis]) break;
      element -= strides[axis] * dims[axis];
      place[axis] = 0;
    }
  }
  return float32(data, dims);
}
