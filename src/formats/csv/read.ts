/**
 * Reads tables of labels: a row a label, ours and those of other tools (`columns.ts`, `via.ts`), or a column a class.
 * Rows of one file that follow each other come as one image; answers of a sheet of `teach select` each by itself.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Box } from '../../core/boxes.ts';
import type { ImportedImage, ImportedLabel, ImportedRegion, Rejection } from '../../core/dataset.ts';
import { ORIGINS } from '../../core/labels.ts';
import type { LabelsmithError } from '../../errors.ts';
import { badFile, numberIn, shown } from '../check.ts';
import { type CsvRow, csvRows, fileOfCell, textOfCell } from '../csv-table.ts';
import { filesInTurn } from '../files-in-turn.ts';
import type { ReadOptions } from '../format.ts';
import { confidenceFromText, hasRoom, sizeFromText, sortedBox } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import { splitOfName } from '../split-names.ts';
import { classCells, type ReadClassCell } from './class-cell.ts';
import { type BoxColumns, type Columns, columnsOf, type Role } from './columns.ts';
import { headerFor, isUse } from './headless.ts';
import { isLabelStudioHeader, labelStudioRows } from './label-studio.ts';
import { openImagesNames } from './open-images.ts';
import type { RowImage, RowReader } from './row.ts';
import { tablesIn } from './tables.ts';
import { isViaHeader, viaRows } from './via.ts';
import { readViaJson } from './via-json.ts';
import { beginsAsVia3, readVia3 } from './via3.ts';

/** @param path the table, VIA's JSON, or a folder with tables (`tables.ts`) */
export async function* readCsv(path: string, options: ReadOptions): AsyncGenerator<ImportedImage> {
  if (!(await stat(path)).isDirectory()) {
    const name = basename(path);
    yield* name.toLowerCase().endsWith('.json')
      ? readViaJson(path, name, options.reckoning)
      : readTable(path, name, options);
    return;
  }
  const tables = await tablesIn(path, options.reckoning);
  if (tables.length === 0) throw badFile(path, 'there is no table of labels in it', 'Name the file itself.');
  yield* filesInTurn(tables, options.reckoning, async function* ({ name, base, split }) {
    for await (const image of readTable(join(path, name), name, options)) {
      const beside = base === '' ? {} : { otherNames: [image.file] };
      yield { ...image, file: base + image.file, ...beside, split: image.split ?? split };
    }
  });
}

/** @param name the file's name in messages */
export async function* readTable(
  path: string,
  name: string,
  { reckoning }: ReadOptions,
): AsyncGenerator<ImportedImage> {
  if (await beginsAsVia3(path, name)) {
    yield* readVia3(path, name, { reckoning });
    return;
  }
  let read: RowReader | null = null;
  let current: Gathering | null = null;
  const onFault = (fault: LabelsmithError) => {
    reckoning.attempt('row-unreadable', () => {
      throw fault;
    });
  };
  for await (const row of csvRows(path, name, { onFault })) {
    if (read === null) {
      const header = headerFor(row.cells);
      read = await readerOf(header === null ? row : { ...row, cells: header }, dirname(path), reckoning);
      if (header === null) continue;
    }
    const readRow = read;
    const found = reckoning.attempt('row-unreadable', () => readRow(row));
    if (found === null) continue;
    reckoning.take('rows');
    if (current !== null && (found.answer || current.file !== found.file)) {
      yield current;
      current = null;
    }
    current ??= gatheringOf(found);
    current.labels.push(...found.labels);
    if (hasRoom(current.regions, row.where, reckoning)) current.regions.push(...found.regions);
    current.rejected.push(...found.rejected);
  }
  if (read === null) throw badFile(name, 'the file is empty', 'The first line names the columns: file,class.');
  if (current !== null) yield current;
}

interface Gathering extends ImportedImage {
  readonly labels: ImportedLabel[];
  readonly regions: ImportedRegion[];
  readonly rejected: Rejection[];
}

function gatheringOf({ labels: _, regions: __, rejected: ___, answer, ...image }: RowImage): Gathering {
  return { ...image, labels: [], regions: [], rejected: [], ...(answer ? { answer: true } : {}) };
}

async function readerOf({ cells: header, where }: CsvRow, folder: string, reckoning: Reckoning): Promise<RowReader> {
  if (isViaHeader(header)) return viaRows(header, reckoning);
  if (isLabelStudioHeader(header)) return labelStudioRows(header, reckoning);
  const columns = columnsOf(header, where);
  for (const column of columns.passedOver) reckoning.note('column-passed-over', where, column);
  const nameOf = columns.fractions ? await openImagesNames(folder) : (name: string) => name;
  const inCell = classCells(columns.several, reckoning);
  const classesIn: ReadClassCell = (cell, where) => inCell(cell, where).map(nameOf);
  const mark = columns.own ? { ownExport: true as const } : {};
  return (row) => ({ ...imageOfRow(new Cells(row, columns), columns, classesIn, reckoning), ...mark });
}

/** Cells of one row by what they say, without blanks at their ends. */
class Cells {
  readonly where: string;
  readonly #cells: readonly string[];
  readonly #columns: Columns;

  constructor({ where, cells }: CsvRow, columns: Columns) {
    const needed = Math.max(columns.at.file ?? 0, columns.at.class ?? 0) + 1;
    if (cells.length < needed) throw badFile(where, `${needed} cells are needed, and the row has ${cells.length}`);
    this.where = where;
    this.#cells = cells;
    this.#columns = columns;
  }

  has(role: Role): boolean {
    return this.#columns.at[role] !== undefined;
  }

  /** Empty where the table has no such column. */
  text(role: Role): string {
    return this.at(this.#columns.at[role] ?? -1);
  }

  /** As it is: a name may well begin with a blank. */
  file(): string {
    return this.#cells[this.#columns.at.file ?? -1] ?? '';
  }

  at(column: number): string {
    return (this.#cells[column] ?? '').trim();
  }
}

function imageOfRow(cells: Cells, columns: Columns, classesIn: ReadClassCell, reckoning: Reckoning): RowImage {
  const { where } = cells;
  const file = fileOfCell(cells.file());
  if (file === '') throw badFile(where, 'the file name is empty');
  const size = (role: Role) => sizeFromText(cells.text(role), `${where} ${role}`, reckoning);
  const image = {
    file,
    where,
    width: size('frame-width'),
    height: size('frame-height'),
    split: isUse(cells.text('split')) ? splitOfName(cells.text('split')) : splitIn(cells.text('split')),
    answer: cells.has('not'),
  };
  const nothing = { labels: [], regions: [], rejected: [] };
  if (columns.classColumns.length > 0) return { ...image, ...nothing, labels: classesOfRow(cells, columns) };
  const about = cells.text('region');
  const rejected = rejectionsOf(cells, about === '' ? 'class' : 'objects');
  const labels = labelsOfRow(cells, columns, classesIn, reckoning);
  const [label] = labels;
  const given = boxOfRow(cells, columns, reckoning);
  const box = given?.box ?? null;
  if (about !== '' && label === undefined) {
    // A question about a region that nobody answered, or with what it is not.
    if (rejected.length === 0 || box === null) return { ...image, ...nothing };
    return { ...image, ...nothing, regions: [{ ...NO_REGION, box, about, rejected }] };
  }
  if (box === null) {
    if (columns.verified && label?.confidence === 0)
      return { ...image, ...nothing, rejected: [{ className: label.className, task: label.task ?? 'class' }] };
    return { ...image, ...nothing, rejected, labels };
  }
  if (label === undefined) throw badFile(where, 'the row has a box and no class');
  const region: ImportedRegion = {
    ...NO_REGION,
    box,
    where,
    unit: given?.unit ?? 'pixels',
    score: label.confidence,
    labels,
    crowd: isSet(cells.text('crowd')),
    ...detailsOf(cells),
  };
  return { ...image, ...nothing, regions: [about === '' ? region : { ...region, about, rejected }] };
}

const NO_REGION: Omit<ImportedRegion, 'box'> = {
  unit: 'pixels',
  score: null,
  labels: [],
  mask: null,
  polygons: null,
  keypoints: null,
  crowd: false,
};

/** Open Images writes -1 where nobody knows. */
function isSet(cell: string): boolean {
  return /^(?:1|true|yes)$/i.test(cell);
}

function detailsOf(cells: Cells): Pick<ImportedRegion, 'details'> {
  const set = (['occluded', 'truncated', 'difficult'] as const).filter((role) => isSet(cells.text(role)));
  return set.length === 0 ? {} : { details: Object.fromEntries(set.map((role) => [role, true])) };
}

function classesOfRow(cells: Cells, { classColumns }: Columns): ImportedLabel[] {
  return classColumns.flatMap(({ className, column }): ImportedLabel[] => {
    const cell = cells.at(column);
    if (!/^(?:[01](?:\.0+)?|true|false|)$/i.test(cell))
      throw badFile(
        cells.where,
        `there is no column class, and ${shown(cell)} in column ${shown(className)} is not 0 or 1`,
      );
    return /^(?:1|true)/i.test(cell) ? [{ className, confidence: null, origin: null, task: null }] : [];
  });
}

function rejectionsOf(cells: Cells, defaultTask: string): Rejection[] {
  const className = textOfCell(cells.text('not'));
  return className === '' ? [] : [{ className, task: textOfCell(cells.text('task')) || defaultTask }];
}

/** None when the class is empty: a row that only names the file. */
function labelsOfRow(cells: Cells, { own }: Columns, classesIn: ReadClassCell, reckoning: Reckoning): ImportedLabel[] {
  const where = `${cells.where} class`;
  const written = cells.text('class');
  const classNames = (own ? [textOfCell(written)] : classesIn(written, where)).filter((name) => name !== '');
  if (classNames.length === 0) return [];
  const said = cells.text('origin');
  const origin = ORIGINS.find((known) => known === said) ?? null;
  if (origin === null && said !== '') reckoning.note('origin-dropped', `${cells.where} origin`, shown(said));
  const annotator = cells.text('annotator');
  const confidence = confidenceFromText(cells.text('confidence'), `${cells.where} confidence`, reckoning);
  const task = textOfCell(cells.text('task')) || null;
  const by = annotator === '' ? {} : { annotator };
  return classNames.map((className) => ({ className, confidence, origin, task, ...by }));
}

interface GivenBox {
  readonly box: Box;
  readonly unit: ImportedRegion['unit'];
}

/** Null when the row has no box; half a box is a fault. */
function boxOfRow(cells: Cells, { box, fractions }: Columns, reckoning: Reckoning): GivenBox | null {
  if (box === null) return null;
  const numbers = box.kind === 'cell' ? numbersOfCell(cells.at(box.column), cells.where) : numbersOfRow(cells, box);
  if (numbers === null) return null;
  const unit = fractions ? 'fractions' : unitOf(numbers, box);
  if (unit === 'fractions' && !fractions) reckoning.note('box-in-fractions', cells.where, shown(numbers));
  const corners = box.kind === 'corners' ? numbers : box.kind === 'centre' ? aroundCentre(numbers) : cornersOf(numbers);
  return { box: sortedBox(corners, cells.where, reckoning), unit };
}

/** Tables of strangers have fractions of the image in the same columns: no object is smaller than a pixel. */
function unitOf(numbers: Numbers, { own }: BoxColumns): ImportedRegion['unit'] {
  return !own && numbers.every((number) => number >= 0 && number <= 1) ? 'fractions' : 'pixels';
}

type Numbers = readonly [number, number, number, number];

function numbersOfRow(cells: Cells, box: Exclude<BoxColumns, { readonly kind: 'cell' }>): Numbers | null {
  const texts = box.columns.map((column) => cells.at(column));
  if (texts.every((text) => text === '')) return null;
  const names = box.kind === 'corners' ? ['x1', 'y1', 'x2', 'y2'] : ['x', 'y', 'width', 'height'];
  const [a, b, c, d] = texts.map((text, i) => numberIn(withPoint(text), `${cells.where} ${names[i]}`));
  return [a, b, c, d];
}

/** `40,5`: where a spreadsheet parts cells by semicolons, it has a comma for the point. */
function withPoint(text: string): string {
  return /^[+-]?\d+,\d+$/.test(text) ? text.replace(',', '.') : text;
}

/** `[x, y, width, height]`, as Kaggle's tables have it. */
function numbersOfCell(cell: string, where: string): Numbers | null {
  if (cell === '') return null;
  const texts = cell
    .replace(/^[[(]|[\])]$/g, '')
    .split(/[\s,;]+/)
    .filter((text) => text !== '');
  if (texts.length !== 4) throw badFile(`${where} bbox`, `[x, y, width, height] was expected, not ${shown(cell)}`);
  const [a, b, c, d] = texts.map((text) => numberIn(text, `${where} bbox`));
  return [a, b, c, d];
}

function cornersOf([x, y, width, height]: Numbers): number[] {
  return [x, y, x + width, y + height];
}

function aroundCentre([x, y, width, height]: Numbers): number[] {
  return [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
}

/** The usual names are one, however they are written; any other stays as it came. */
function splitIn(cell: string): string | null {
  return cell === '' ? null : (splitOfName(cell) ?? cell);
}
