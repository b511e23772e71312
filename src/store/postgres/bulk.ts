/**
 * A statement for one row made into one for many: its parameters become columns of `unnest`, an array each. The server then
 * parses, plans and begins it once, which is most of what a row costs it.
 *
 * What it does is what running it row after row does, or it is not made: rows of one key in a batch, of which the last one
 * has to stand, are for the caller to send row by row.
 */
import type { SqlValue } from '../sql/sql-value.ts';
import { binaryArray, elementType } from './binary-array.ts';

export interface BulkForm {
  /** @param types names of the parameters' types @returns the statement over arrays */
  text(types: readonly string[]): string;
  /** Parameters that say which row is meant: of two rows in which they are alike, the last one has to stand. */
  readonly keys: readonly number[];
}

const INSERT =
  /^(insert into \w+ \((\w+(?:, \w+)*)\)) values \(([^()]*)\)( on conflict \((\w+(?:, \w+)*)\) do (nothing|update set [^?]*))?$/;
const DELETE = /^(delete from \w+) where ((?:\w+ (?:=|<>) (?:\?|'\w*'|\d+)(?: and |$))+)$/;
const UPDATE = /^(update \w+ set \w+ = \?(?:, \w+ = \?)*) where ((?:\w+ = (?:\?|'\w*'|\d+)(?: and |$))+)$/;

/** Undefined for statements of other forms. */
export function bulkFormOf(sql: string): BulkForm | undefined {
  const insert = INSERT.exec(sql);
  if (insert !== null) {
    const [, head, columns, values, conflict = '', keyNames = '', action = ''] = insert;
    const given = values.split(', ');
    const parameters = columns.split(', ').filter((_, i) => given[i] === '?');
    // A key that is no parameter is the same in every row.
    const keys = keyNames.split(', ').map((name) => parameters.indexOf(name));
    return {
      text: (types) => `${head} select ${numberedRow(values, types)} from ${rowsOf(types)}${conflict}`,
      keys: action.startsWith('update') ? keys.filter((place) => place >= 0) : [],
    };
  }
  const remove = DELETE.exec(sql);
  if (remove !== null) {
    const [, head, where] = remove;
    return { text: (types) => `${head} using ${rowsOf(types)} where ${numberedRow(where, types)}`, keys: [] };
  }
  const update = UPDATE.exec(sql);
  if (update === null) return undefined;
  const [, head, where] = update;
  const sets = countOf(head);
  return {
    text: (types) => numberedRow(`${head} from ${rowsOf(types)} where ${where}`, types),
    keys: Array.from({ length: countOf(where) }, (_, i) => sets + i),
  };
}

const countOf = (sql: string) => sql.split('?').length - 1;

/** Text is compared by its bytes, as the columns are. */
function numberedRow(sql: string, types: readonly string[]): string {
  let n = 0;
  return sql.replaceAll('?', () => `v.p${n + 1}${types[n++] === 'text' ? ' collate "C"' : ''}`);
}

function rowsOf(types: readonly string[]): string {
  const arrays = types.map((type, i) => `$${i + 1}::${type}[]`);
  return `unnest(${arrays.join(', ')}) as v(${types.map((_, i) => `p${i + 1}`).join(', ')})`;
}

export interface BulkQuery {
  readonly text: string;
  readonly values: readonly Buffer[];
}

/** @param oids types of the statement's parameters @returns undefined where the rows have to go one by one */
export function bulkQuery(
  { text, keys }: BulkForm,
  oids: readonly number[],
  rows: readonly (readonly SqlValue[])[],
): BulkQuery | undefined {
  const types = oids.map(elementType);
  if (keys.length > 0 && hasRepeats(rows, keys)) return undefined;
  const values: Buffer[] = [];
  for (const [column, type] of types.entries()) {
    const array = type && binaryArray(type, rows, column);
    if (array === undefined) return undefined;
    values.push(array);
  }
  return { text: text(types.map((type) => type?.name ?? '')), values };
}

function hasRepeats(rows: readonly (readonly SqlValue[])[], keys: readonly number[]): boolean {
  const seen = new Set<string>();
  for (const row of rows) {
    seen.add(keys.map((place) => keyText(row[place])).join('\n'));
  }
  return seen.size < rows.length;
}

function keyText(value: SqlValue): string {
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
  return `${typeof value} ${value}`;
}
