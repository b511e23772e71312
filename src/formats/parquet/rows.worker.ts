/**
 * The side of `rows.ts` that decodes Parquet, in a thread of its own: a damaged file can keep the decoder busy for ever,
 * and only a thread can be ended from outside. It answers
 * `open` with the columns and each `next` with one row group.
 */
import { parentPort } from 'node:worker_threads';
import * as zlib from 'node:zlib';
import {
  asyncBufferFromFile,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet';
import { systemCodeOf } from '../../errors.ts';

export type ParquetRequest =
  | {
      readonly kind: 'open';
      readonly path: string;
      /** Those that are wanted where they are there. */
      readonly columns: readonly string[];
    }
  | { readonly kind: 'next' };

export interface ParquetColumns {
  /** Columns of single values. */
  readonly top: readonly string[];
  /** Columns of lists and structures. */
  readonly nested: readonly string[];
  /** What Hugging Face's `datasets` says of the columns, as JSON. */
  readonly features: string | null;
}

export type ParquetReply =
  | ({ readonly kind: 'columns' } & ParquetColumns)
  | { readonly kind: 'rows'; readonly from: number; readonly rows: readonly Readonly<Record<string, unknown>>[] }
  | { readonly kind: 'end' }
  | { readonly kind: 'fault'; readonly place: string; readonly what: string; readonly systemCode: string | undefined };

/** Codecs that writers of Parquet use by default; Snappy is the reader's own. Zstandard came to Node with 22.15. */
const COMPRESSORS: Compressors = {
  GZIP: (input) => zlib.gunzipSync(input),
  BROTLI: (input) => zlib.brotliDecompressSync(input),
  ZSTD: (input) => {
    if (!('zstdDecompressSync' in zlib)) throw new Error('Zstandard needs Node 22.15 or later');
    return zlib.zstdDecompressSync(input);
  },
};

/** More rows in one group than any writer makes: the decoder would allocate for all of them. */
const MAX_GROUP_ROWS = 20_000_000;

async function* replies({ path, columns }: Extract<ParquetRequest, { kind: 'open' }>): AsyncGenerator<ParquetReply> {
  let place = '';
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    const { top, nested } = columnsOf(metadata);
    const features = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value ?? null;
    yield { kind: 'columns', top, nested, features };
    const wanted = columns.filter((column) => top.includes(column) || nested.includes(column));
    let from = 0;
    for (const group of metadata.row_groups) {
      const to = from + Number(group.num_rows);
      place = ` rows ${from + 1} to ${to}`;
      if (!(to >= from && to - from <= MAX_GROUP_ROWS)) throw new Error(`a group cannot have ${group.num_rows} rows`);
      const range = { rowStart: from, rowEnd: to };
      const rows = await parquetReadObjects({ file, metadata, columns: wanted, ...range, compressors: COMPRESSORS });
      yield { kind: 'rows', from, rows: rows.map(withoutBytes) };
      from = to;
    }
    yield { kind: 'end' };
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const code = systemCodeOf(error);
    // Node's own codes (`ERR_OUT_OF_RANGE`) are of the decoder's arguments, and so of the file.
    const systemCode = code !== undefined && /^E[A-Z]+$/.test(code) ? code : undefined;
    yield { kind: 'fault', place, what, systemCode };
  }
}

/** Pictures that lie in the table are not read. */
function withoutBytes(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isPicture = (value: unknown) => typeof value === 'object' && value !== null && 'bytes' in value;
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, isPicture(value) ? { ...Object(value), bytes: null } : value]),
  );
}

/** Columns of the root only. */
function columnsOf({ schema }: FileMetaData): { top: string[]; nested: string[] } {
  const top = new Set<string>();
  const nested = new Set<string>();
  let at = 1;
  const skip = (): void => {
    const children = schema[at++]?.num_children ?? 0;
    for (let i = 0; i < children && at < schema.length; i++) skip();
  };
  for (let i = 0; i < (schema[0]?.num_children ?? 0) && at < schema.length; i++) {
    const element = schema[at];
    (element.num_children ? nested : top).add(element.name);
    skip();
  }
  return { top: [...top], nested: [...nested] };
}

const port = parentPort;
if (port !== null) {
  let stream: AsyncGenerator<ParquetReply> | null = null;
  port.on('message', async (request: ParquetRequest) => {
    if (request.kind === 'open') stream = replies(request);
    const next = await stream?.next();
    const end: ParquetReply = { kind: 'end' };
    port.postMessage(next?.done === false ? next.value : end);
  });
}
