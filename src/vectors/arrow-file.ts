/**
 * A shard's file: Arrow IPC (Feather 2), columns `id` (utf8) and `vector` (fixed-size list of float16 or float32), so
 * that pyarrow, pandas, DuckDB and Polars read it as it is. The schema's metadata say what the vectors are. The same
 * vectors always give the same bytes.
 */
import {
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

type Shard = Pick<NewVectorShard, 'space' | 'items' | 'ids' | 'vectors' | 'precision'>;

export function encodeVectors({ space, items, ids, vectors, precision = 'float16' }: Shard): Uint8Array {
  const element = precision === 'float16' ? new Float16() : new Float32();
  const listType = new FixedSizeList(vectors.columns, new Field('item', element, false));
  const fields = [new Field('id', new Utf8(), false), new Field('vector', listType, false)];
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
    const block = vectors.data.slice(start * vectors.columns, end * vectors.columns);
    const values = makeData({
      type: element,
      length: block.length,
      nullCount: 0,
      data: precision === 'float16' ? float32ToFloat16(block) : block,
    });
    const text = makeData({
      type: new Utf8(),
      length,
      nullCount: 0,
      data: Buffer.from(ids.slice(start, end).join(''), 'latin1'),
      valueOffsets: Int32Array.from({ length: length + 1 }, (_, i) => i * width),
    });
    const list = makeData({ type: listType, length, nullCount: 0, child: values });
    const rows = makeData({ type: new Struct(fields), length, nullCount: 0, children: [text, list] });
    batches.push(new RecordBatch(schema, rows));
  }
  return tableToIPC(new Table(schema, batches), 'file');
}

/** @param into where the vectors are put (default a new matrix in shared memory); its rows must be as many. */
export function decodeVectors(
  bytes: Uint8Array,
  file: string,
  into?: (rows: number, columns: number) => Matrix,
): Vectors {
  const table = tableOf(bytes, file);
  const [idField, vectorField] = table.schema.fields;
  const list: DataType | undefined = vectorField?.type;
  const element = DataType.isFixedSizeList(list) ? list.children[0]?.type : undefined;
  const half = DataType.isFloat(element) && element.precision === 0;
  if (!DataType.isUtf8(idField?.type) || !DataType.isFixedSizeList(list) || !DataType.isFloat(element)) {
    throw broken(file, `it holds ${table.schema.fields.join(', ') || 'no columns'}`);
  }
  const columns = list.listSize;
  const ids: string[] = [];
  const vectors = (into ?? newSharedMatrix)(table.numRows, columns);
  let at = 0;
  for (const batch of table.batches) {
    const [text, lists] = batch.data.children;
    const bits = lists?.children[0]?.values as Uint16Array | Float32Array | undefined;
    if (!text || !bits || bits.length < batch.numRows * columns) throw broken(file, 'a batch is cut short');
    const values = bits.subarray(0, batch.numRows * columns);
    vectors.data.set(half ? float16ToFloat32(values as Uint16Array) : values, at);
    at += values.length;
    const letters = Buffer.from(text.values.buffer, text.values.byteOffset, text.values.byteLength).toString('latin1');
    const offsets = text.valueOffsets;
    for (let i = 0; i < batch.numRows; i++) ids.push(letters.slice(offsets[i], offsets[i + 1]));
  }
  return { ids, vectors: matrix(vectors.data, ids.length, columns) };
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
