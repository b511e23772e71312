/**
 * Reads the table that `parquet.ts` writes, and any other that has its columns `file` and `class`; others by the names that
 * Hugging Face and pandas' users give them (`hf/parquet.ts`). Of a folder all tables, a split each where their names say it.
 */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ImportedImage, ImportedLabel, ImportedRegion } from '../../core/dataset.ts';
import { ORIGINS } from '../../core/labels.ts';
import { badFile, classNameAt, fileNameAt, numberAt, regionIdAt, sha256At, shown, stringAt } from '../check.ts';
import { filesInTurn } from '../files-in-turn.ts';
import type { ReadOptions } from '../format.ts';
import { readHfParquet } from '../hf/parquet.ts';
import { confidenceFrom, hasRoom, sizeFrom, sortedBox } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import { splitOfName } from '../split-names.ts';
import { walkFiles } from '../walk.ts';
import { COLUMNS } from './columns.ts';
import { parquetColumns, parquetRows } from './rows.ts';

export async function* readParquet(path: string, options: ReadOptions): AsyncGenerator<ImportedImage> {
  if (!(await stat(path)).isDirectory()) {
    yield* readTable(path, basename(path), options);
    return;
  }
  const tables: string[] = [];
  for await (const file of walkFiles(path)) if (/\.parquet$/i.test(file)) tables.push(file);
  yield* filesInTurn(tables, options.reckoning, async function* (file) {
    const split = splitOfName(basename(file).split(/[-.]/, 1)[0]);
    for await (const image of readTable(join(path, file), file, options))
      yield { ...image, split: image.split ?? split };
  });
  if (tables.length === 0) throw badFile(path, 'there are no Parquet files in it');
}

async function* readTable(path: string, name: string, options: ReadOptions): AsyncGenerator<ImportedImage> {
  const { top } = await parquetColumns(path, name);
  if (top.includes('file') && top.includes('class')) {
    const isOwn = ['sha256', 'region', 'touched'].every((column) => top.includes(column));
    for await (const image of readOwnTable(path, name, options))
      yield isOwn ? { ...image, ownExport: true as const } : image;
  } else yield* readHfParquet(path, name, options);
}

async function* readOwnTable(
  path: string,
  name: string,
  { reckoning }: Pick<ReadOptions, 'reckoning'>,
): AsyncGenerator<ImportedImage> {
  let current: Gathering | null = null;
  for await (const { from, rows } of parquetRows(path, name, COLUMNS, ['file', 'class'])) {
    for (const [i, row] of rows.entries()) {
      const where = `${name} row ${from + i + 1}`;
      const fileName = reckoning.attempt('row-unreadable', () => fileNameAt(row.file, `${where} file`));
      if (fileName === null) continue;
      if (current !== null && current.image.file !== fileName) {
        yield current.image;
        current = null;
      }
      current ??= startOf(row, fileName, where, reckoning);
      const gathering = current;
      const taken = reckoning.attempt('row-unreadable', () => {
        gather(row, where, gathering, reckoning);
        return true;
      });
      if (taken) reckoning.take('rows');
    }
  }
  if (current !== null) yield current.image;
}

type ReadRow = Readonly<Record<string, unknown>>;

interface Gathering {
  readonly image: ImportedImage & { readonly labels: ImportedLabel[]; readonly regions: ImportedRegion[] };
  /** Regions with an id, by it. */
  readonly regions: Map<string, ImportedRegion & { readonly labels: ImportedLabel[] }>;
}

function startOf(row: ReadRow, file: string, where: string, reckoning: Reckoning): Gathering {
  const sha256 =
    row.sha256 == null
      ? null
      : reckoning.attempt('attribute-passed-over', () => sha256At(row.sha256, `${where} sha256`));
  const split =
    row.split == null ? null : reckoning.attempt('attribute-passed-over', () => stringAt(row.split, `${where} split`));
  return {
    regions: new Map(),
    image: {
      file,
      width: sizeFrom(wholeOf(row.width), `${where} width`, reckoning),
      height: sizeFrom(wholeOf(row.height), `${where} height`, reckoning),
      labels: [],
      regions: [],
      where,
      split,
      ...(sha256 === null ? {} : { sha256 }),
    },
  };
}

/** Whole numbers of 64 bits come as `bigint`. */
function wholeOf(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

function gather(row: ReadRow, where: string, { image, regions }: Gathering, reckoning: Reckoning): void {
  const label = labelOf(row, where, reckoning);
  const corners = (['x1', 'y1', 'x2', 'y2'] as const).map((corner) => row[corner] ?? null);
  if (corners.every((corner) => corner === null)) {
    if (row.region != null) throw badFile(where, 'the row has a region and no box');
    if (label !== null) image.labels.push(label);
    return;
  }
  const numbers = corners.map((corner, i) => numberAt(wholeOf(corner), `${where} ${['x1', 'y1', 'x2', 'y2'][i]}`));
  const id = row.region == null ? null : regionIdAt(row.region, `${where} region`);
  const known = id === null ? undefined : regions.get(id);
  if (known !== undefined) {
    if (label !== null) known.labels.push(label);
    return;
  }
  const score = confidenceFrom(wholeOf(row.score), `${where} score`, reckoning);
  const region = {
    box: sortedBox(numbers, where, reckoning),
    where,
    unit: 'pixels' as const,
    score: row.score == null && id === null ? (label?.confidence ?? null) : score,
    labels: label === null ? [] : [label],
    mask: null,
    polygons: null,
    keypoints: null,
    crowd: row.crowd === true,
    ...(id === null ? {} : { id }),
    ...(row.touched === true ? { touched: true } : {}),
  };
  if (!hasRoom(image.regions, where, reckoning)) return;
  image.regions.push(region);
  if (id !== null) regions.set(id, region);
}

function labelOf(row: ReadRow, where: string, reckoning: Reckoning): ImportedLabel | null {
  if (row.class == null) return null;
  const origin = ORIGINS.find((known) => known === row.origin) ?? null;
  if (origin === null && row.origin != null) reckoning.note('origin-dropped', `${where} origin`, shown(row.origin));
  return {
    className: classNameAt(row.class, `${where} class`),
    confidence: confidenceFrom(wholeOf(row.confidence), `${where} confidence`, reckoning),
    origin,
    task: row.task == null ? null : stringAt(row.task, `${where} task`),
  };
}
