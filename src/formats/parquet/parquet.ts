/**
 * Apache Parquet: a row a label, as in CSV, for pandas, Polars, DuckDB and Spark. Columns, nullable but for the first two:
 *
 * | column | type | what |
 * | --- | --- | --- |
 * | `file`, `sha256` | string | path below the source, and identity of the image |
 * | `width`, `height` | int32 | pixels of the upright image |
 * | `split`, `task`, `class`, `origin` | string | |
 * | `confidence` | double | 0 to 1 |
 * | `region` | string | 32 hexadecimal digits; rows with the same one are classes of one region. Null: the whole image |
 * | `x1`, `y1`, `x2`, `y2` | double | the region's box, corner to corner, in pixels |
 * | `score` | double | the region's own score, 0 to 1 |
 * | `crowd`, `touched` | boolean | a group not told apart; a person drew or confirmed it |
 *
 * An image with no label has one row with no class, and so has a region. Reading needs `file` and `class` only.
 * Resident: a row group, 20,000 rows when written here.
 */
import { basename } from 'node:path';
import * as zlib from 'node:zlib';
import {
  asyncBufferFromFile,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  type SchemaElement,
} from 'hyparquet';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import type { DatasetImage, ImportedImage, ImportedLabel, ImportedRegion, LabelValue } from '../../core/dataset.ts';
import { LabelsmithError, messageOf, systemCodeOf } from '../../errors.ts';
import {
  badFile,
  boxOf,
  classNameAt,
  confidenceOf,
  fileNameAt,
  numberAt,
  originOf,
  regionIdAt,
  sha256At,
  sizeAt,
  stringAt,
} from '../check.ts';
import { EVERYTHING, type Format, type Keeps, lossesOf, type WriteJob } from '../format.ts';
import { pixel, score } from '../numbers.ts';

const KEEPS: Keeps = { ...EVERYTHING, masks: false, polygons: false, keypoints: false, rejections: false };

export const parquet: Format = {
  name: 'parquet',
  description: 'a table of labels for pandas, Polars, DuckDB',
  kind: 'file',
  holds: 'both',
  imageFiles: 'never',
  defaultImages: 'none',
  keeps: KEEPS,
  loses: lossesOf(KEEPS),
  write: writeParquet,
  read: readParquet,
};

interface Row {
  readonly file: string;
  readonly sha256: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly split: string | null;
  readonly task: string | null;
  readonly class: string | null;
  readonly confidence: number | null;
  readonly origin: string | null;
  readonly region: string | null;
  readonly x1: number | null;
  readonly y1: number | null;
  readonly x2: number | null;
  readonly y2: number | null;
  readonly score: number | null;
  readonly crowd: boolean | null;
  readonly touched: boolean | null;
}

const COLUMN_TYPES: Readonly<Record<keyof Row, 'string' | 'int32' | 'double' | 'boolean'>> = {
  file: 'string',
  sha256: 'string',
  width: 'int32',
  height: 'int32',
  split: 'string',
  task: 'string',
  class: 'string',
  confidence: 'double',
  origin: 'string',
  region: 'string',
  x1: 'double',
  y1: 'double',
  x2: 'double',
  y2: 'double',
  score: 'double',
  crowd: 'boolean',
  touched: 'boolean',
};
const COLUMNS = Object.keys(COLUMN_TYPES) as (keyof Row)[];
const REQUIRED: readonly (keyof Row)[] = ['file', 'sha256'];
const ROWS_A_GROUP = 20_000;

function schemaOf(): SchemaElement[] {
  const types = {
    string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
    int32: { type: 'INT32' },
    double: { type: 'DOUBLE' },
    boolean: { type: 'BOOLEAN' },
  } as const;
  const columns = COLUMNS.map((name): SchemaElement => {
    const repetition = REQUIRED.includes(name) ? 'REQUIRED' : 'OPTIONAL';
    return { name, repetition_type: repetition, ...types[COLUMN_TYPES[name]] };
  });
  return [{ name: 'labels', num_children: columns.length }, ...columns];
}

async function writeParquet(images: AsyncIterable<DatasetImage>, target: string, job: WriteJob): Promise<void> {
  const writer = new ParquetWriter({
    writer: fileWriter(target),
    schema: schemaOf(),
    createdBy: `Labelsmith ${job.version}`,
  });
  let rows: Row[] = [];
  const flush = async () => {
    const taken = rows;
    rows = [];
    if (taken.length === 0) return;
    const columnData = COLUMNS.map((name) => ({ name, data: taken.map((row) => row[name]) }));
    await writer.write({ columnData, rowGroupSize: ROWS_A_GROUP });
  };
  for await (const image of images) {
    rows.push(...rowsOf(image));
    job.tally.image(image);
    job.tally.regions += image.regions.length;
    job.tally.labels += image.labels.length;
    for (const region of image.regions) job.tally.labels += region.labels.length;
    if (rows.length >= ROWS_A_GROUP) await flush();
  }
  await flush();
  await writer.finish();
}

function rowsOf(image: DatasetImage): Row[] {
  const bare: Row = {
    file: image.file,
    sha256: image.id,
    width: image.width,
    height: image.height,
    split: image.split,
    task: null,
    class: null,
    confidence: null,
    origin: null,
    region: null,
    x1: null,
    y1: null,
    x2: null,
    y2: null,
    score: null,
    crowd: null,
    touched: null,
  };
  const labelled = (row: Row, labels: readonly LabelValue[]) =>
    labels.map(
      (label): Row => ({
        ...row,
        task: label.task,
        class: label.className,
        confidence: label.confidence === null ? null : score(label.confidence),
        origin: label.origin,
      }),
    );
  const rows = labelled(bare, image.labels);
  for (const region of image.regions) {
    const [x1, y1, x2, y2] = region.box.map(pixel) as [number, number, number, number];
    const own = region.score === null ? null : score(region.score);
    const row: Row = {
      ...bare,
      region: region.id,
      x1,
      y1,
      x2,
      y2,
      score: own,
      crowd: region.crowd,
      touched: region.touched === true,
    };
    rows.push(...(region.labels.length === 0 ? [row] : labelled(row, region.labels)));
  }
  return rows.length === 0 ? [bare] : rows;
}

/** Codecs that writers of Parquet use by default; Snappy is the reader's own. Zstandard came to Node with 22.15. */
const COMPRESSORS: Compressors = {
  GZIP: (input) => zlib.gunzipSync(input),
  BROTLI: (input) => zlib.brotliDecompressSync(input),
  ZSTD: (input) => {
    if (!('zstdDecompressSync' in zlib)) throw new Error('Zstandard needs Node 22.15 or later');
    return zlib.zstdDecompressSync(input);
  },
};

async function* readParquet(path: string): AsyncGenerator<ImportedImage> {
  const name = basename(path);
  const file = await asyncBufferFromFile(path);
  const metadata = await attempt(name, () => parquetMetadataAsync(file));
  const columns = columnsOf(metadata, name);
  let current: Gathering | null = null;
  let from = 0;
  for (const group of metadata.row_groups) {
    const to = from + Number(group.num_rows);
    const rows = await attempt(`${name} rows ${from + 1} to ${to}`, () =>
      parquetReadObjects({ file, metadata, columns, rowStart: from, rowEnd: to, compressors: COMPRESSORS }),
    );
    for (const [i, row] of rows.entries()) {
      const where = `${name} row ${from + i + 1}`;
      const fileName = fileNameAt(row.file, `${where} file`);
      if (current !== null && current.image.file !== fileName) {
        yield current.image;
        current = null;
      }
      current ??= startOf(row, fileName, where);
      gather(row, where, current);
    }
    from = to;
  }
  if (current !== null) yield current.image;
}

/** What the Parquet reader throws at is a fault of the file, whatever it is. */
async function attempt<T>(where: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof LabelsmithError || systemCodeOf(error) !== undefined) throw error;
    throw badFile(where, `not valid Parquet: ${messageOf(error)}`, undefined, error);
  }
}

function columnsOf({ schema }: FileMetaData, name: string): string[] {
  // Leaves of the root only: what is nested under another column is not one of ours.
  const top = new Set<string>();
  let at = 1;
  const skip = (): void => {
    const children = schema[at++]?.num_children ?? 0;
    for (let i = 0; i < children; i++) skip();
  };
  for (let i = 0; i < (schema[0]?.num_children ?? 0); i++) {
    const element = schema[at];
    if (element !== undefined && !element.num_children) top.add(element.name);
    skip();
  }
  for (const required of ['file', 'class'])
    if (!top.has(required))
      throw badFile(name, `there is no column ${required}`, `Its columns are ${[...top].slice(0, 20).join(', ')}.`);
  return COLUMNS.filter((column) => top.has(column));
}

type ReadRow = Readonly<Record<string, unknown>>;

interface Gathering {
  readonly image: ImportedImage & { readonly labels: ImportedLabel[]; readonly regions: ImportedRegion[] };
  /** Regions with an id, by it. */
  readonly regions: Map<string, ImportedRegion & { readonly labels: ImportedLabel[] }>;
}

function startOf(row: ReadRow, file: string, where: string): Gathering {
  return {
    regions: new Map(),
    image: {
      file,
      width: row.width == null ? null : sizeAt(wholeOf(row.width), `${where} width`),
      height: row.height == null ? null : sizeAt(wholeOf(row.height), `${where} height`),
      labels: [],
      regions: [],
      where,
      split: row.split == null ? null : stringAt(row.split, `${where} split`),
      ...(row.sha256 == null ? {} : { sha256: sha256At(row.sha256, `${where} sha256`) }),
    },
  };
}

/** Whole numbers of 64 bits come as `bigint`. */
function wholeOf(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

function gather(row: ReadRow, where: string, { image, regions }: Gathering): void {
  const label = labelOf(row, where);
  const corners = (['x1', 'y1', 'x2', 'y2'] as const).map((corner) => row[corner] ?? null);
  if (corners.every((corner) => corner === null)) {
    if (row.region != null) throw badFile(where, 'the row has a region and no box');
    if (label !== null) image.labels.push(label);
    return;
  }
  const [x1, y1, x2, y2] = corners.map((corner, i) =>
    numberAt(wholeOf(corner), `${where} ${['x1', 'y1', 'x2', 'y2'][i]}`),
  ) as [number, number, number, number];
  const id = row.region == null ? null : regionIdAt(row.region, `${where} region`);
  const known = id === null ? undefined : regions.get(id);
  if (known !== undefined) {
    if (label !== null) known.labels.push(label);
    return;
  }
  const region = {
    box: boxOf(x1, y1, x2, y2, where),
    unit: 'pixels' as const,
    score:
      row.score == null ? (id === null ? (label?.confidence ?? null) : null) : fractionAt(row.score, `${where} score`),
    labels: label === null ? [] : [label],
    mask: null,
    polygons: null,
    keypoints: null,
    crowd: row.crowd === true,
    ...(id === null ? {} : { id }),
    ...(row.touched === true ? { touched: true } : {}),
  };
  image.regions.push(region);
  if (id !== null) regions.set(id, region);
}

function fractionAt(value: unknown, where: string): number {
  return confidenceOf(numberAt(wholeOf(value), where), where);
}

function labelOf(row: ReadRow, where: string): ImportedLabel | null {
  if (row.class == null) return null;
  return {
    className: classNameAt(row.class, `${where} class`),
    confidence: row.confidence == null ? null : fractionAt(row.confidence, `${where} confidence`),
    origin: row.origin == null ? null : originOf(stringAt(row.origin, `${where} origin`), `${where} origin`),
    task: row.task == null ? null : stringAt(row.task, `${where} task`),
  };
}
