/**
 * Tables, each described once: by its fields as the program names them and the column of each. From that follow the names
 * in the database (`byteSize` is `byte_size`), the row that Kysely sees, inserts and replacements, and the way back to
 * fields. The tables themselves are created by the driver's migrations; a test holds the two together.
 */
import type { AnyColumn, StoredOf } from './column.ts';
import type { Columns, FieldsOf, Statement } from './statement.ts';
import { statement } from './statement.ts';

/** `byteSize` → `byte_size`. */
type Snake<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${Snake<Rest>}`
  : Name;

/** A row as the database has it. */
export type RowOf<C extends Columns> = {
  [Field in keyof C & string as Snake<Field>]: StoredOf<C[Field]>;
};

export interface Table<C extends Columns> {
  readonly name: string;
  readonly columns: C;
  /** The primary key. */
  readonly key: readonly (keyof C & string)[];
  /** In the order of the description, as the database names them. */
  readonly names: readonly string[];
}

export function table<const Name extends string, C extends Columns>(
  name: Name,
  columns: C,
  key: readonly (keyof C & string)[],
): Table<C> & { readonly name: Name } {
  return { name, columns, key, names: Object.keys(columns).map(snake) };
}

export function snake(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export interface InsertOptions<Field extends string> {
  /** Fields that are given; the others are as the database fills them. Default: all. */
  readonly fields?: readonly Field[];
  /**
   * What is done about a row of the same key: `ignore` leaves it, `replace` takes over the given fields that are not in
   * the key, a list those fields alone. Default: it is an error.
   */
  readonly existing?: 'ignore' | 'replace' | readonly Field[];
  /** A query in SQL: where it finds a row, nothing is inserted. */
  readonly unless?: string;
  /** Where rows are replaced: a condition in SQL on the row (by its table's name) and the new one (`excluded`). */
  readonly where?: string;
}

export function insert<C extends Columns, Field extends keyof C & string = keyof C & string>(
  { name, columns, key }: Table<C>,
  options: InsertOptions<Field> = {},
): Statement<FieldsOf<Pick<C, Field>>> {
  const fields: readonly string[] = options.fields ?? Object.keys(columns);
  const names = fields.map(snake);
  const keys = key.map(snake);
  const replaced = Array.isArray(options.existing) ? options.existing.map(snake) : names;
  const sets = replaced.filter((one) => !keys.includes(one)).map((one) => `${one} = excluded.${one}`);
  const onConflict =
    options.existing === undefined
      ? ''
      : options.existing === 'ignore' || sets.length === 0
        ? ` on conflict (${keys.join(', ')}) do nothing`
        : ` on conflict (${keys.join(', ')}) do update set ${sets.join(', ')}${options.where === undefined ? '' : ` where ${options.where}`}`;
  const values = fields.map((field) => `:${field}`);
  const rows =
    options.unless === undefined
      ? `values (${values.join(', ')})`
      : `select ${values.join(', ')} where not exists (${options.unless})`;
  return statement(`insert into ${name} (${names.join(', ')}) ${rows}${onConflict}`, columns);
}

/** Sets some fields of the rows that others of its fields name. */
export function update<C extends Columns, Set extends keyof C & string, Where extends keyof C & string>(
  { name, columns }: Table<C>,
  { set, where }: { readonly set: readonly Set[]; readonly where: readonly Where[] },
): Statement<FieldsOf<Pick<C, Set | Where>>> {
  return statement(`update ${name} set ${set.map(equal).join(', ')} where ${where.map(equal).join(' and ')}`, columns);
}

/** Deletes the rows that these fields name. */
export function remove<C extends Columns, Where extends keyof C & string>(
  { name, columns }: Table<C>,
  where: readonly Where[],
): Statement<FieldsOf<Pick<C, Where>>> {
  return statement(`delete from ${name} where ${where.map(equal).join(' and ')}`, columns);
}

const equal = (field: string) => `${snake(field)} = :${field}`;

/** The way from rows to fields; made once, since a row has some twenty columns. */
export function decoder<C extends Columns>(table: Table<C>): (row: RowOf<C>) => FieldsOf<C> {
  const steps = Object.entries<AnyColumn>(table.columns).map(([field, { codec }]) => ({
    field,
    name: snake(field),
    decode: codec?.decode as ((stored: unknown, where: string) => unknown) | undefined,
    where: `${table.name}.${snake(field)}`,
  }));
  return (row) => {
    const stored = row as Readonly<Record<string, unknown>>;
    const fields: Record<string, unknown> = {};
    for (const { field, name, decode, where } of steps) {
      const value = stored[name];
      fields[field] = decode === undefined ? value : decode(value, where);
    }
    return fields as FieldsOf<C>;
  };
}
