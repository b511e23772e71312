/**
 * How values are kept in columns. A column says once what a value is in the program and what it is in the database; the
 * types of rows, inserts and the way back follow from it (`table.ts`).
 */
import type { z } from 'zod';
import { validateJson } from '../../core/validate.ts';
import { LabelsmithError } from '../../errors.ts';
import type { SqlValue } from './sql-value.ts';

export interface Codec<Value, Stored extends SqlValue> {
  readonly encode: (value: Value) => Stored;
  /** @param where the table and column, for messages */
  readonly decode: (stored: Stored, where: string) => Value;
}

export interface Column<Value, Stored extends SqlValue> {
  /** Null where the value is kept as it is. */
  readonly codec: Codec<Value, Stored> | null;
  /** Never there: carry the types of columns whose values are kept as they are. */
  readonly value?: Value;
  readonly stored?: Stored;
}

/** Any column, whatever it holds. */
export interface AnyColumn {
  readonly codec: {
    readonly encode: (value: never) => SqlValue;
    readonly decode: (stored: never, where: string) => unknown;
  } | null;
  readonly value?: unknown;
  readonly stored?: SqlValue;
}

export type ValueOf<C> = C extends { readonly value?: infer Value } ? Exclude<Value, undefined> : never;
export type StoredOf<C> = C extends { readonly stored?: infer Stored } ? Exclude<Stored, undefined> : never;

const plain = { codec: null };

export const integer: Column<number, number> = plain;
export const real: Column<number, number> = plain;
export const text: Column<string, string> = plain;
export const bytes: Column<Uint8Array, Uint8Array> = plain;

/** Text of which only some is valid. The database's own checks hold it. */
export function textOf<Value extends string>(): Column<Value, Value> {
  return plain;
}

export const flag: Column<boolean, number> = { codec: { encode: Number, decode: (stored) => stored !== 0 } };

/** Numbers of single precision, in the order of bytes of every machine we run on (little-endian). */
export const float32s: Column<Float32Array, Uint8Array> = {
  codec: {
    encode: (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    // A copy, since rows need not begin where single precision may.
    decode: (stored) => new Float32Array(Uint8Array.from(stored).buffer),
  },
};

/** A value that may be missing; null in the database too. */
export function nullable<Value, Stored extends SqlValue>(
  column: Column<Value, Stored>,
): Column<Value | null, Stored | null> {
  const { codec } = column;
  if (codec === null) return plain;
  return {
    codec: {
      encode: (value) => (value === null ? null : codec.encode(value)),
      decode: (stored, where) => (stored === null ? null : codec.decode(stored, where)),
    },
  };
}

/** What stands in place of a region where the image itself is meant, and what precedes every id. */
export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** A content hash as its bytes, so that order by it is order of its hexadecimal text. */
export function hex(digits: number): Column<string, Uint8Array> {
  // Rows of one image follow each other: its id is worked out once, and travels to the writer once.
  let last = { id: '', bytes: NO_BYTES };
  const encode = (id: string) => {
    if (id !== last.id) last = { id, bytes: bytesOfId(id, digits) };
    return last.bytes;
  };
  return { codec: { encode, decode: hexOf } };
}

export const imageId = hex(64);
export const regionId = hex(32);
/** A region's id, or the empty text where the image itself is meant. */
export const regionOrImage: Column<string, Uint8Array> = {
  codec: { encode: (id) => (id === '' ? NO_BYTES : regionKey(id)), decode: hexOf },
};

/** JSON that only we write: what does not fit its schema is a damaged file. */
export function json<S extends z.ZodType>(schema: S): Column<z.output<S>, string> {
  return {
    codec: { encode: (value) => JSON.stringify(value), decode: (stored, where) => parsed(schema, stored, where) },
  };
}

/** JSON of our own that is too much to be checked at every reading: masks of a million regions. */
export function uncheckedJson<Value>(): Column<Value, string> {
  return { codec: { encode: (value) => JSON.stringify(value), decode: (stored) => JSON.parse(stored) as Value } };
}

/** Names as numbers: a new name gets a new number, an old one is never given again. */
export function code<Name extends string>(
  codes: Readonly<Record<Name, number>>,
): Column<Name, number> & { readonly codec: Codec<Name, number> } {
  const byCode = new Map(Object.entries<number>(codes).map(([name, number]) => [number, name as Name]));
  return {
    codec: {
      encode: (name) => codes[name],
      decode: (stored, where) => {
        const name = byCode.get(stored);
        if (name === undefined) throw damaged(`${where} has the code ${stored}, which has no meaning`);
        return name;
      },
    },
  };
}

/** Bits with a name each, in the order of the names. */
export function bits<Name extends string>(
  codes: Readonly<Record<Name, number>>,
): Column<readonly Name[], number> & { readonly codec: Codec<readonly Name[], number> } {
  const names = Object.keys(codes) as Name[];
  return {
    codec: {
      encode: (set) => set.reduce((sum, name) => sum | codes[name], 0),
      decode: (stored) => names.filter((name) => (stored & codes[name]) !== 0),
    },
  };
}

export function parsed<S extends z.ZodType>(schema: S, stored: string, where: string): z.output<S> {
  return validateJson(schema, stored, { what: `The record of ${where}`, code: 'WORKSPACE', hint: DAMAGED_HINT });
}

const DAMAGED_HINT = 'Run labelsmith doctor, or put back a copy of the workspace.';

export function damaged(what: string): LabelsmithError {
  return new LabelsmithError('WORKSPACE', `The record is damaged: ${what}.`, { hint: DAMAGED_HINT });
}

/** The bytes of a hexadecimal id; `digits` is what it must have. */
export function bytesOfId(id: string, digits: number): Uint8Array {
  // Decoding stops at the first character that is no hexadecimal digit.
  const decoded = Buffer.from(id, 'hex');
  if (id.length !== digits || 2 * decoded.length !== digits) {
    throw new LabelsmithError('NOT_FOUND', `"${id}" is not an id: expected ${digits} hexadecimal digits`, {
      hint: 'Ids of images have 64 digits, ids of regions 32; copy them from an export or from `labelsmith status --json`.',
    });
  }
  return decoded;
}

export function hexOf(stored: Uint8Array): string {
  return Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).toString('hex');
}

export const imageKey = (id: string): Uint8Array => bytesOfId(id, 64);
export const regionKey = (id: string): Uint8Array => bytesOfId(id, 32);
