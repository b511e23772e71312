/**
 * Statements with named parameters, each of which is a column: the text is written once, in SQL that any database
 * understands, and runs with rows of values as the program has them.
 */
import type { AnyColumn, ValueOf } from './column.ts';
import type { SqlValue } from './sql-value.ts';

export interface Statement<Values> {
  /** `?` stands for a parameter. */
  readonly sql: string;
  /** The parameters of one run, in the statement's order. */
  bind(values: Values): SqlValue[];
}

export type Columns = Readonly<Record<string, AnyColumn>>;
/** What a row of these columns is in the program. */
export type FieldsOf<C extends Columns> = { readonly [Field in keyof C]: ValueOf<C[Field]> };

/** @param sql parameters are `:field`, fields of `columns` */
export function statement<C extends Columns>(sql: string, columns: C): Statement<FieldsOf<C>> {
  const order: (keyof C & string)[] = [];
  const text = sql.replaceAll(/:([a-zA-Z]\w*)/g, (_, field: string) => {
    if (!Object.hasOwn(columns, field)) throw new TypeError(`No column for ":${field}" in: ${sql}`);
    order.push(field);
    return '?';
  });
  return { sql: text, bind: binder(columns, order) };
}

/** Puts fields in an order, each as its column keeps it. */
function binder<C extends Columns>(
  columns: C,
  order: readonly (keyof C & string)[],
): (values: FieldsOf<C>) => SqlValue[] {
  const encoders = order.map((field) => columns[field].codec?.encode as ((value: unknown) => SqlValue) | undefined);
  return (values) => {
    const row = new Array<SqlValue>(order.length);
    for (let i = 0; i < order.length; i++) {
      const value: unknown = values[order[i]];
      // A field that was left out would be kept as null without a word.
      if (value === undefined) throw new TypeError(`No value for "${order[i]}"`);
      const encode = encoders[i];
      row[i] = encode === undefined ? (value as SqlValue) : encode(value);
    }
    return row;
  };
}
