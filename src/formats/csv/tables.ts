/**
 * The tables of labels in a folder, as Roboflow (`train/_annotations.csv`), TensorFlow's tutorials (`train_labels.csv`) and
 * Open Images lay them out. A table is told by its header; others beside it are told of.
 */
import { join } from 'node:path';
import { type CsvRow, csvRows } from '../csv-table.ts';
import type { Reckoning } from '../reckoning.ts';
import { splitOfName } from '../split-names.ts';
import { walkFiles } from '../walk.ts';
import { columnsOf } from './columns.ts';
import { headerFor } from './headless.ts';
import { isLabelStudioHeader } from './label-studio.ts';
import { isViaHeader } from './via.ts';
import { isVia3 } from './via3.ts';

export interface Table {
  /** Below the folder, `/` between parts. */
  readonly name: string;
  /** The folder it is in, below the folder, with a slash at its end; empty: the folder itself. */
  readonly base: string;
  readonly split: string | null;
}

/** More files than this are a pile and no data set. */
const MAX_LOOKED_AT = 200;

/** @param reckoning told of tables that hold no labels; null: nobody is */
export async function tablesIn(root: string, reckoning: Reckoning | null): Promise<Table[]> {
  const tables: Table[] = [];
  let looked = 0;
  for await (const name of walkFiles(root)) {
    if (!/\.(?:csv|tsv)$/i.test(name) || ++looked > MAX_LOOKED_AT) continue;
    if (await holdsLabels(join(root, name), name)) tables.push(placeOf(name));
    else reckoning?.note('file-passed-over', name, 'its first line names no columns of labels');
  }
  return tables;
}

function placeOf(name: string): Table {
  const at = name.lastIndexOf('/') + 1;
  const [base, file] = [name.slice(0, at), name.slice(at)];
  const stem = file.replace(/\.[a-z]+$/i, '').replace(/[_-]?(?:labels|annotations|data|set)$/i, '');
  const folders = base.split('/').filter((part) => part !== '');
  const ofFolder = folders.map(splitOfName).find((split) => split !== null) ?? null;
  return { name, base, split: ofFolder ?? splitOfName(stem) };
}

async function holdsLabels(path: string, name: string): Promise<boolean> {
  try {
    for await (const row of csvRows(path, name, { onFault: () => undefined })) return isHeader(row);
    return false;
  } catch {
    return false;
  }
}

function isHeader({ cells, where }: CsvRow): boolean {
  if (headerFor(cells) !== null || isViaHeader(cells) || isVia3(cells[0] ?? '') || isLabelStudioHeader(cells))
    return true;
  try {
    const { at, box, classColumns } = columnsOf(cells, where);
    return at.class !== undefined || box !== null || classColumns.length > 0;
  } catch {
    return false;
  }
}
