/**
 * Arrays as PostgreSQL's binary format has them (`array_send` in its source): one dimension, then each value with its length.
 * A parameter that is a buffer goes to the server as it is.
 */
import type { SqlValue } from '../sql/sql-value.ts';

interface ElementType {
  readonly oid: number;
  /** As SQL calls it. */
  readonly name: string;
  /** Undefined for a value that only the server's own reading of text can judge. */
  encode(value: Exclude<SqlValue, null>): Buffer | undefined;
}

const NULL_LENGTH = -1;
const LOWER_BOUND = 1;

function fixed(byteSize: number, write: (into: Buffer, value: number) => void, least: number, most: number) {
  return (value: Exclude<SqlValue, null>) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) return undefined;
    const into = Buffer.allocUnsafe(byteSize);
    write(into, value);
    return into;
  };
}

const TYPES: readonly ElementType[] = [
  { oid: 17, name: 'bytea', encode: (value) => (value instanceof Uint8Array ? asBuffer(value) : undefined) },
  {
    oid: 20,
    name: 'int8',
    encode: fixed(
      8,
      (into, value) => into.writeBigInt64BE(BigInt(value)),
      Number.MIN_SAFE_INTEGER,
      Number.MAX_SAFE_INTEGER,
    ),
  },
  { oid: 21, name: 'int2', encode: fixed(2, (into, value) => into.writeInt16BE(value), -(2 ** 15), 2 ** 15 - 1) },
  { oid: 23, name: 'int4', encode: fixed(4, (into, value) => into.writeInt32BE(value), -(2 ** 31), 2 ** 31 - 1) },
  {
    oid: 25,
    name: 'text',
    encode: (value) => (typeof value === 'string' ? Buffer.from(withoutNul(value)) : undefined),
  },
  {
    oid: 701,
    name: 'float8',
    encode(value) {
      if (typeof value !== 'number') return undefined;
      const into = Buffer.allocUnsafe(8);
      // Minus nought is nought, as in text.
      into.writeDoubleBE(value + 0);
      return into;
    },
  },
];

export function elementType(oid: number): ElementType | undefined {
  return TYPES.find((type) => type.oid === oid);
}

/** Column `column` of the rows; undefined where a value is not of this type. */
export function binaryArray(
  { oid, encode }: ElementType,
  rows: readonly (readonly SqlValue[])[],
  column: number,
): Buffer | undefined {
  const values: (Buffer | null)[] = new Array(rows.length);
  let byteSize = 20;
  let hasNull = false;
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i][column];
    const encoded = value === null ? null : encode(value);
    if (encoded === undefined) return undefined;
    values[i] = encoded;
    hasNull ||= encoded === null;
    byteSize += 4 + (encoded?.length ?? 0);
  }
  const array = Buffer.allocUnsafe(byteSize);
  // Dimensions, whether there are nulls, the type of elements, then length and first index of the dimension.
  let at = 0;
  for (const head of [1, hasNull ? 1 : 0, oid, rows.length, LOWER_BOUND]) at = array.writeInt32BE(head, at);
  for (const value of values) {
    at = array.writeInt32BE(value?.length ?? NULL_LENGTH, at);
    if (value !== null) at += value.copy(array, at);
  }
  return array;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** PostgreSQL keeps no NUL in text. Names have none; what a camera or an error message brought is kept without. */
export function withoutNul(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text;
}
