/**
 * Rows of Label Studio's CSV and TSV (labelstud.io/guide/export): a task a row, whose columns are the data and the control
 * tags. What a tag says is a text or the JSON that JSON-MIN has, so a row is read as a row of JSON-MIN.
 */
import { type JsonObject, jsonOf, objectAt } from '../check.ts';
import type { CsvRow } from '../csv-table.ts';
import { imageOfTask } from '../label-studio/read.ts';
import type { Reckoning } from '../reckoning.ts';
import type { RowImage, RowReader } from './row.ts';

/** Columns that every such table has. */
const COLUMNS = ['annotation_id', 'annotator', 'id'] as const;

const plain = (cell: string) => cell.trim().toLowerCase();

export function isLabelStudioHeader(header: readonly string[]): boolean {
  const names = header.map(plain);
  return COLUMNS.every((column) => names.includes(column));
}

export function labelStudioRows(header: readonly string[], reckoning: Reckoning): RowReader {
  const names = header.map((cell) => cell.trim());
  return ({ cells, where }: CsvRow): RowImage => {
    const task = Object.fromEntries(names.map((name, i) => [name, cellValue(cells[i] ?? '', `${where} ${name}`)]));
    const image = imageOfTask(objectAt(task, where), where, reckoning);
    return { ...image, rejected: [], answer: false };
  };
}

/** Null for an empty cell: the tag was not used. */
function cellValue(cell: string, where: string): JsonObject | readonly unknown[] | string | null {
  const text = cell.trim();
  if (text === '') return null;
  if (!/^[[{]/.test(text)) return text;
  const value = jsonOf(text, where);
  return Array.isArray(value) ? value : objectAt(value, where);
}
