/**
 * Reads Python pickles that hold plain data and PyTorch's tensors, and nothing else.
 *
 * A pickle is a program: it names functions that the reader is to call. This one calls none. It knows the operations below,
 * follows the few names in `KNOWN` by what they mean, and refuses every other operation and name by saying which it was.
 * Cost and memory grow with the file's length: what is shared stays shared, and no tensor is made here.
 */
import { LabelsmithError } from '../../../errors.ts';

/** What is on the stack: plain values, and what the known names make of them. */
export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | { readonly kind: 'tuple'; readonly items: Pickled[] }
  | { readonly kind: 'list'; readonly items: Pickled[] }
  | { readonly kind: 'dict'; readonly entries: Map<string | number | bigint, Pickled> }
  | { readonly kind: 'name'; readonly name: KnownName }
  | StorageRef
  | TensorRef;

/** A run of elements that lies elsewhere in the file. */
export interface StorageRef {
  readonly kind: 'storage';
  readonly key: string;
  readonly type: StorageType;
  /** Elements. */
  readonly count: number;
}

export interface TensorRef {
  readonly kind: 'tensor';
  readonly storage: StorageRef;
  /** All in elements. */
  readonly offset: number;
  readonly dims: readonly number[];
  readonly strides: readonly number[];
}

/** Bytes an element, by the type of its storage. */
export const STORAGES = {
  FloatStorage: 4,
  HalfStorage: 2,
  DoubleStorage: 8,
  BFloat16Storage: 2,
  LongStorage: 8,
  IntStorage: 4,
  ShortStorage: 2,
  CharStorage: 1,
  ByteStorage: 1,
  BoolStorage: 1,
} as const;
export type StorageType = keyof typeof STORAGES;

const DICT = 'collections.OrderedDict';
const TENSOR = 'torch._utils._rebuild_tensor_v2';
const PARAMETER = 'torch._utils._rebuild_parameter';
type KnownName = typeof DICT | typeof TENSOR | typeof PARAMETER | `torch.${StorageType}`;

const KNOWN: ReadonlySet<string> = new Set([
  DICT,
  TENSOR,
  PARAMETER,
  ...Object.keys(STORAGES).map((s) => `torch.${s}`),
]);

function isKnown(name: string): name is KnownName {
  return KNOWN.has(name);
}

export function refused(reason: string): LabelsmithError {
  return new LabelsmithError('BAD_MODEL', `the PyTorch file is not read: ${reason}`, {
    hint: 'Only tensors in dictionaries are taken, because a file of this kind may otherwise run any program. Save a `state_dict()`.',
  });
}

/** Deeper than any state dict; a made-up file cannot fill the memory of whoever walks over it. */
const MAX_STACK = 1_000_000;

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;
  readonly stack: Pickled[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, Pickled>();

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
  }

  get at(): number {
    return this.#at;
  }

  take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw refused('it ends in the middle of a pickle');
    this.#at += length;
    return at;
  }

  uint8 = (): number => this.#view.getUint8(this.take(1));
  uint16 = (): number => this.#view.getUint16(this.take(2), true);
  int32 = (): number => this.#view.getInt32(this.take(4), true);
  uint32 = (): number => this.#view.getUint32(this.take(4), true);
  float64BE = (): number => this.#view.getFloat64(this.take(8), false);

  text(length: number): string {
    const at = this.take(length);
    return new TextDecoder().decode(this.#bytes.subarray(at, at + length));
  }

  /** Up to the end of the line. */
  line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0) throw refused('it ends in the middle of a pickle');
    const text = this.text(end - this.#at);
    this.#at = end + 1;
    return text;
  }

  /** A whole number of `length` bytes, the lowest first, with a sign. */
  long(length: number): bigint {
    if (length > 16) throw refused(`a number of ${length} bytes`);
    const at = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[at + i]);
    return length === 0 ? 0n : BigInt.asIntN(8 * length, value);
  }

  push(value: Pickled): void {
    if (this.stack.length >= MAX_STACK) throw refused('its stack grows beyond all bounds');
    this.stack.push(value);
  }

  pop(): Pickled {
    const floor = this.#marks.at(-1) ?? 0;
    const value = this.stack.length > floor ? this.stack.pop() : undefined;
    if (value === undefined) throw refused('it takes from an empty stack');
    return value;
  }

  mark(): void {
    if (this.#marks.length >= MAX_STACK) throw refused('its stack grows beyond all bounds');
    this.#marks.push(this.stack.length);
  }

  /** Everything since the last mark. */
  sinceMark(): Pickled[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw refused('it goes back to a mark that it never set');
    return this.stack.splice(mark);
  }

  remember(place: number): void {
    const value = this.pop();
    this.push(value);
    this.#memo.set(place, value);
  }

  memoize(): void {
    this.remember(this.#memo.size);
  }

  recall(place: number): void {
    const value = this.#memo.get(place);
    if (value === undefined) throw refused(`it asks for a value ${place} that it never kept`);
    this.push(value);
  }
}

/** Operations by their byte; undefined at the end of a program. */
const OPERATIONS: Readonly<Record<number, (m: Machine) => void>> = {
  128: (m) => {
    const protocol = m.uint8();
    if (protocol > 5) throw refused(`pickles of protocol ${protocol}`);
  },
  149: (m) => void m.take(8), // FRAME: a length that only speeds reading up
  40: (m) => m.mark(),
  41: (m) => m.push({ kind: 'tuple', items: [] }),
  116: (m) => m.push({ kind: 'tuple', items: m.sinceMark() }),
  133: (m) => m.push({ kind: 'tuple', items: [m.pop()] }),
  134: (m) => m.push({ kind: 'tuple', items: [m.pop(), m.pop()].reverse() }),
  135: (m) => m.push({ kind: 'tuple', items: [m.pop(), m.pop(), m.pop()].reverse() }),
  93: (m) => m.push({ kind: 'list', items: [] }),
  97: (m) => append(m, [m.pop()]),
  101: (m) => append(m, m.sinceMark()),
  125: (m) => m.push({ kind: 'dict', entries: new Map() }),
  115: (m) => setItems(m, [m.pop(), m.pop()].reverse()),
  117: (m) => setItems(m, m.sinceMark()),
  78: (m) => m.push(null),
  136: (m) => m.push(true),
  137: (m) => m.push(false),
  75: (m) => m.push(m.uint8()),
  77: (m) => m.push(m.uint16()),
  74: (m) => m.push(m.int32()),
  138: (m) => m.push(m.long(m.uint8())),
  71: (m) => m.push(m.float64BE()),
  88: (m) => m.push(m.text(m.uint32())),
  140: (m) => m.push(m.text(m.uint8())),
  113: (m) => m.remember(m.uint8()),
  114: (m) => m.remember(m.uint32()),
  148: (m) => m.memoize(),
  104: (m) => m.recall(m.uint8()),
  106: (m) => m.recall(m.uint32()),
  99: (m) => name(m, m.line(), m.line()),
  147: (m) => {
    const [attribute, module] = [m.pop(), m.pop()];
    if (typeof module !== 'string' || typeof attribute !== 'string') throw refused('a name that is no text');
    name(m, module, attribute);
  },
  81: (m) => m.push(storage(m.pop())),
  82: (m) => {
    const [items, callee] = [m.pop(), m.pop()];
    m.push(call(callee, items));
  },
  98: (m) => build(m),
};
const STOP = 0x2e;

/** Reads one pickle. `end` is where the next thing in the file begins. */
export function readPickle(bytes: Uint8Array, start = 0): { readonly value: Pickled; readonly end: number } {
  const machine = new Machine(bytes, start);
  for (;;) {
    const code = machine.uint8();
    if (code === STOP) return { value: machine.pop(), end: machine.at };
    const operation = OPERATIONS[code];
    if (!operation)
      throw refused(`it has the operation 0x${code.toString(16).padStart(2, '0')}, which data does not need`);
    operation(machine);
  }
}

function name(m: Machine, module: string, attribute: string): void {
  const whole = `${module}.${attribute}`;
  if (!isKnown(whole)) throw refused(`it would run or make ${whole.slice(0, 200)}`);
  m.push({ kind: 'name', name: whole });
}

function append(m: Machine, items: readonly Pickled[]): void {
  const list = m.pop();
  if (!isKind(list, 'list')) throw refused('it appends to what is no list');
  for (const item of items) list.items.push(item);
  m.push(list);
}

/** @param items keys and values by turns */
function setItems(m: Machine, items: readonly Pickled[]): void {
  const dict = m.pop();
  if (!isKind(dict, 'dict') || items.length % 2 !== 0) throw refused('it sets items of what is no dictionary');
  for (let i = 0; i < items.length; i += 2) {
    const [key, value] = [items[i], items[i + 1]];
    if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'bigint')
      throw refused('a key that is no text');
    dict.entries.set(key, value ?? null);
  }
  m.push(dict);
}

/** An ordered dictionary may have attributes (PyTorch's `_metadata`), which hold no weights. */
function build(m: Machine): void {
  m.pop();
  const object = m.pop();
  if (!isKind(object, 'dict')) throw refused('it sets the state of an object that is no dictionary');
  m.push(object);
}

/** What PyTorch calls a persistent id: `('storage', type, key, place, count, …)`. */
function storage(id: Pickled): StorageRef {
  const items = isKind(id, 'tuple') ? id.items : [];
  const [kind, type, key, , count, view = null] = items;
  if (kind !== 'storage' || !isKind(type, 'name') || typeof key !== 'string' || view !== null) {
    throw refused('a reference to what is no storage');
  }
  const storageType = type.name.slice('torch.'.length);
  if (!isStorageType(storageType)) throw refused(`a storage of the kind ${type.name}`);
  return { kind: 'storage', type: storageType, key, count: natural(count, 'elements of a storage') };
}

function isStorageType(type: string): type is StorageType {
  return Object.hasOwn(STORAGES, type);
}

function call(callee: Pickled, given: Pickled): Pickled {
  if (!isKind(callee, 'name') || !isKind(given, 'tuple')) throw refused('it calls what is no function');
  const { items } = given;
  switch (callee.name) {
    case DICT:
      if (items.length > 0) throw refused('a dictionary that is made of other things');
      return { kind: 'dict', entries: new Map() };
    case TENSOR:
      return tensor(items);
    case PARAMETER: {
      const [data] = items;
      if (!isKind(data, 'tensor')) throw refused('a parameter that is no tensor');
      return data;
    }
    default:
      throw refused(`it calls ${callee.name}`);
  }
}

/** `(storage, offset, sizes, strides, requires_grad, hooks)`. */
function tensor([from, offset, sizes, steps]: readonly Pickled[]): TensorRef {
  if (!isKind(from, 'storage') || !isKind(sizes, 'tuple') || !isKind(steps, 'tuple'))
    throw refused('a tensor of nothing');
  const dims = sizes.items.map((size) => natural(size, 'a size of a tensor'));
  const strides = steps.items.map((step) => natural(step, 'a stride of a tensor'));
  if (dims.length !== strides.length || dims.length > 8) throw refused(`a tensor of ${dims.length} sizes`);
  const start = natural(offset, 'the place of a tensor');
  const size = dims.reduce((product, dim) => product * dim, 1);
  const last = dims.reduce((place, dim, axis) => place + (dim - 1) * strides[axis], start);
  // More elements than there are would be a view that repeats them: no weights, and a way to fill the memory.
  if (size > from.count || (size > 0 && last >= from.count)) throw refused('a tensor reaches beyond its storage');
  return { kind: 'tensor', storage: from, offset: start, dims, strides };
}

function natural(value: Pickled | undefined, what: string): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0)
    throw refused(`${what} is no whole number`);
  return number;
}

type Kinds = Exclude<Pickled, null | boolean | number | bigint | string>;

export function isKind<K extends Kinds['kind']>(
  value: Pickled | undefined,
  kind: K,
): value is Extract<Kinds, { kind: K }> {
  return typeof value === 'object' && value !== null && value.kind === kind;
}
