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
import type { SchemaElement } from 'hyparquet';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import type { DatasetImage, LabelValue } from '../../core/dataset.ts';
import { EVERYTHING, type Format, type Keeps, lossesOf, type WriteJob } from '../format.ts';
import { pixel, score } from '../numbers.ts';
import { COLUMN_TYPES, COLUMNS, type Row } from './columns.ts';
import { readParquet } from './read.ts';

const KEEPS: Keeps = {
  ...EVERYTHING,
  masks: false,
  polygons: false,
  keypoints: false,
  rejections: false,
  details: [],
  imageAttributes: false,
  annotators: false,
};

export const parquet: Format = {
  name: 'parquet',
  description: 'a table of labels for pandas, Polars, DuckDB',
  kind: 'file',
  readsFolders: true,
  holds: 'both',
  imageFiles: 'never',
  defaultImages: 'none',
  keeps: KEEPS,
  loses: lossesOf(KEEPS),
  write: writeParquet,
  read: readParquet,
};

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
