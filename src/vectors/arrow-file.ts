/**
 * A shard's file: Arrow IPC (Feather 2), columns `id` (utf8), `vector` (fixed-size list of float16 or float32) and where
 * the model also classifies `votes` (fixed-size list of float32: numbers of classes, then their probabilities), so that pyarrow, pandas, DuckDB and Polars read it as it is. The schema's metadata say what the vectors are. The same
 * vectors always give the same bytes.
 */
import {
  type Data,
  DataType,
  Field,
  FixedSizeList,
  Float16,
  Float32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
  Utf8,
} from 'apache-arrow';
import { LabelsmithError } from '../errors.ts';
import { float16ToFloat32, float32ToFloat16 } from '../math/float16.ts';
import { type Matrix, matrix, newSharedMatrix } from '../math/matrix.ts';
import { ID_LENGTH, type NewVectorShard, type Vectors } from './vector-store.ts';

/** Rows of one record batch: what other readers take in at once. */
const BATCH_ROWS = 8192;

type Shard = Pick<NewVectorShard, 'space' | 'items' | 'ids' | 'vectors' | 'votes' | 'precision'>;

export function encodeVectors({ space, items, ids, vectors, votes, precision = 'float16' }: Shard): Uint8Array {
  const lists = [listColumn('vector', vectors, precision), ...(votes ? [listColumn('votes', votes, 'float32')] : [])];
  const fields = [new Field('id', new Utf8(), false), ...lists.map(({ field }) => field)];
  const metadata = new Map([
    ['labelsmith.space', space],
    ['labelsmith.items', items],
  ]);
  const schema = new Schema(fields, metadata);
  const width = ID_LENGTH[items];
  const batches: RecordBatch[] = [];
  for (let start = 0; start < ids.length; start += BATCH_ROWS) {
    const end = Math.min(ids.length, start + BATCH_ROWS);
    const length = end - start;
    const text = makeData({
      type: new Utf8(),
      length,
      nullCount: 0,
      data: Buffer.from(ids.slice(start, end).join(''), 'latin1'),
      valueOffsets: Int32Array.from({ length: length + 1 }, (_, i) => i * width),
    });
    const children = [text, ...lists.map(({ part }) => part(start, end))];
    const rows = makeData({ type: new Struct(fields), length, nullCount: 0, children });
    batches.push(new RecordBatch(schema, rows));
  }
  return tableToIPC(new Table(schema, batches), 'file');
}

/** A column of rows of a matrix. */
function listColumn(name: string, { data, columns }: Matrix, precision: 'float16' | 'float32') {
  const element = precision === 'float16' ? new Float16() : new Float32();
  const type = new FixedSizeList(columns, new Field('item', element, false));
  const part = (start: number, end: number) => {
    const block = data.slice(start * columns, end * columns);
    const bits = precision === 'float16' ? float32ToFloat16(block) : block;
    const child = makeData({ type: element, length: block.length, nullCount: 0, data: bits });
    return makeData({ type, length: end - start, nullCount: 0, child });
  };
  return { field: new Field(name, type, false), part };
}

/** @param into where the vectors are put (default a new matrix in shared memory); its rows must be as many. */
export function decodeVectors(
  bytes: Uint8Array,
  file: string,
  into?: (rows: number, columns: number) => Matrix,
): Vectors {
  const table = tableOf(bytes, file);
  const [idField, ...others] = table.schema.fields;
  const vectorType = listType(others[0]?.type);
  if (!DataType.isUtf8(idField?.type) || !vectorType) {
    throw broken(file, `it holds ${table.schema.fields.join(', ') || 'no columns'}`);
  }
  const place = others.findIndex(({ name }) => name === 'votes');
  const votesType = listType(others[place]?.type);
  const vectors = (into ?? newSharedMatrix)(table.numRows, vectorType.columns);
  const votes =
    votesType && matrix(new Float32Array(table.numRows * votesType.columns), table.numRows, votesType.columns);
  const ids: string[] = [];
  for (const batch of table.batches) {
    const [text, ...lists] = batch.data.children;
    if (!text) throw broken(file, 'a batch is cut short');
    putRows(vectors, ids.length, lists[0], batch.numRows, vectorType, file);
    if (votes) putRows(votes, ids.length, lists[place], batch.numRows, votesType, file);
    const letters = Buffer.from(text.values.buffer, text.values.byteOffset, text.values.byteLength).toString('latin1');
    const offsets = text.valueOffsets;
    for (let i = 0; i < batch.numRows; i++) ids.push(letters.slice(offsets[i], offsets[i + 1]));
  }
  return {
    ids,
    vectors: matrix(vectors.data, ids.length, vectorType.columns),
    ...(votes ? { votes } : {}),
    ...(vectorType.half ? {} : { precision: 'float32' as const }),
  };
}

interface ListType {
  readonly columns: number;
  /** Of half precision. */
  readonly half: boolean;
}

/** Undefined for a column that is no list of floats. */
function listType(type: DataType | undefined): ListType | undefined {
  const element = DataType.isFixedSizeList(type) ? type.children[0]?.type : undefined;
  if (!DataType.isFixedSizeList(type) || !DataType.isFloat(element)) return undefined;
  return { columns: type.listSize, half: element.precision === 0 };
}

function putRows(into: Matrix, row: number, list: Data | undefined, rows: number, type: ListType, file: string): void {
  const { columns, half } = type;
  const bits = list?.children[0]?.values as Uint16Array | Float32Array | undefined;
  if (!bits || bits.length < rows * columns) throw broken(file, 'a batch is cut short');
  const values = bits.subarray(0, rows * columns);
  into.data.set(half ? float16ToFloat32(values as Uint16Array) : values, row * columns);
}

function tableOf(bytes: Uint8Array, file: string): Table {
  try {
    return tableFromIPC(bytes);
  } catch (cause) {
    throw broken(file, 'it does not decode', cause);
  }
}

function broken(file: string, why: string, cause?: unknown): LabelsmithError {
  return new LabelsmithError('BAD_FILE', `${file} is not a file of vectors: ${why}`, {
    cause,
    hint: 'Delete it, and run again what made it: labelsmith embed.',
  });
}
