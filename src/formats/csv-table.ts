/**
 * CSV by RFC 4180 with a header, written with `\n`. Read with either line end, a byte-order mark, and `;` or tab where
 * the header has no comma (as spreadsheets of some countries save it).
 *
 * Cells that a spreadsheet would run as a formula (first character = + - @ or a tab) get a `'` before them, which
 * reading takes off again; file names get `./` instead, so that they go on naming the same file for everyone.
 */
import { pipeline, Readable } from 'node:stream';
import type { CsvError as CsvFault } from 'csv-parse';
import { LabelsmithError } from '../errors.ts';
import { badFile } from './check.ts';
import { textPieces } from './lines.ts';

const FORMULA = /^[=+\-@\t\r]/;
const GUARDED = /^'+[=+\-@\t\r]/;

/** Text as a cell that no spreadsheet runs. */
export function textCell(text: string): string {
  return FORMULA.test(text) || GUARDED.test(text) ? `'${text}` : text;
}

export function textOfCell(cell: string): string {
  return GUARDED.test(cell) ? cell.slice(1) : cell;
}

export function fileCell(path: string): string {
  return FORMULA.test(path) ? `./${path}` : path;
}

export function fileOfCell(cell: string): string {
  return cell.replace(/^(?:\.\/)+/, '');
}

/** One row with its line end. A lone empty cell is quoted, since an empty line is no row. */
export function csvRow(cells: readonly string[]): string {
  const quoted = cells.map((cell) =>
    /[",\r\n]|^\s|\s$|^\uFEFF/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell,
  );
  return `${cells.length === 1 && cells[0] === '' ? '""' : quoted.join(',')}\n`;
}

export interface CsvRecord {
  /** `labels.csv:17`: the line on which the row ends. */
  readonly where: string;
  /** The cell of a column, or an empty string where there is no such column. */
  cell(column: string): string;
  has(column: string): boolean;
}

/** A row as it stands: its cells, and the line on which it ends. */
export interface CsvRow {
  readonly where: string;
  readonly cells: readonly string[];
}

export interface CsvRowsOptions {
  /**
   * Told of each row that is no CSV, which is then left out, and rows may have more or fewer cells than the first one.
   * Default: such a row is an error that ends the reading.
   */
  readonly onFault?: (fault: LabelsmithError) => void;
  /** Lines that begin so are no rows. */
  readonly comments?: string;
}

/** Rows one after the other, the header as any other. */
export async function* csvRows(
  path: string,
  name: string,
  { onFault, comments }: CsvRowsOptions = {},
): AsyncGenerator<CsvRow> {
  const { CsvError, parse } = await import('csv-parse');
  const pieces = textPieces(path, name);
  const { delimiter, all } = await sniffDelimiter(pieces);
  const parser = parse({
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    info: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    max_record_size: 1 << 24,
    ...(comments !== undefined && { comment: comments, comment_no_infix: true }),
    ...(onFault && {
      relax_column_count: true,
      skip_records_with_error: true,
      on_skip(error?: CsvFault) {
        if (error !== undefined) onFault(faultOf(error, name));
        return undefined;
      },
    }),
  });
  // A failing source destroys the parser with its error, so that the loop below throws it.
  pipeline(Readable.from(all), parser, () => undefined);
  try {
    for await (const { info, record } of parser as AsyncIterable<{ info: { lines: number }; record: string[] }>)
      yield { where: `${name}:${info.lines}`, cells: record };
  } catch (error) {
    if (error instanceof CsvError) throw faultOf(error, name);
    throw error;
  } finally {
    parser.destroy();
  }
}

/**
 * Rows by the names of their columns.
 * @param required columns that the header must have
 */
export async function* csvRecords(path: string, name: string, required: readonly string[]): AsyncGenerator<CsvRecord> {
  let header: Map<string, number> | null = null;
  for await (const { where, cells } of csvRows(path, name)) {
    if (header === null) {
      header = headerOf(cells, where, required);
      continue;
    }
    const columns = header;
    yield {
      where,
      cell: (column) => cells[columns.get(column) ?? -1] ?? '',
      has: (column) => columns.has(column),
    };
  }
  if (header === null)
    throw badFile(name, 'the file is empty', `The first line names the columns: ${required.join(',')}.`);
}

function headerOf(record: readonly string[], where: string, required: readonly string[]): Map<string, number> {
  const header = new Map<string, number>();
  for (const [i, cell] of record.entries()) {
    const column = cell.trim().toLowerCase();
    if (column !== '' && header.has(column)) throw badFile(where, `the column ${column} comes twice`);
    header.set(column, i);
  }
  const missing = required.filter((column) => !header.has(column));
  if (missing.length > 0)
    throw new LabelsmithError('BAD_FILE', `${where}: the header has no column ${missing.join(', ')}`, {
      hint: `The first line names the columns, at least ${required.join(',')}; it has ${record.join(',').slice(0, 200)}.`,
      details: { where },
    });
  return header;
}

function faultOf(error: CsvFault, name: string): LabelsmithError {
  const line = 'lines' in error && typeof error.lines === 'number' ? error.lines : '?';
  return badFile(`${name}:${line}`, FAULTS[error.code] ?? error.message, undefined, error);
}

/** In place of the parser's own words. */
const FAULTS: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a cell begins with a quote that no other one ends',
  CSV_INVALID_CLOSING_QUOTE: 'after the quote that ends a cell comes more; a quote within a cell is written twice',
  INVALID_OPENING_QUOTE: 'a cell has a quote in it and does not begin with one; a quote within a cell is written twice',
  CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE:
    'after the quote that ends a cell comes more; a quote within a cell is written twice',
};

/** What parts the header's cells; the pieces are given on as they were. */
async function sniffDelimiter(
  pieces: AsyncGenerator<string>,
): Promise<{ delimiter: string; all: AsyncIterable<string> }> {
  const first = await pieces.next();
  const whole = first.done ? '' : first.value;
  // A first line that tells spreadsheets what parts the cells, and is no row.
  const told = /^\uFEFF?"?sep=(.)"?\r?\n/i.exec(whole);
  const start = told === null ? whole : `\n${whole.slice(told[0].length)}`;
  if (told !== null) return { delimiter: told[1], all: all() };
  const header = start.slice(0, 10_000).split(/[\r\n]/, 1)[0];
  const delimiter = header.includes(',') ? ',' : header.includes(';') ? ';' : header.includes('\t') ? '\t' : ',';
  async function* all() {
    yield start;
    yield* pieces;
  }
  return { delimiter, all: all() };
}
