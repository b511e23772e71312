/**
 * Statements that Kysely compiles once and that run with many rows of values.
 *
 * The values are named while the statement is built: Kysely carries the names as if they were parameters and its
 * compiler says in which order the database wants them.
 */
import type { Query, SqlValue } from './driver.ts';

export interface Template<Values> {
  readonly sql: string;
  /** The parameters of one run, in the statement's order. */
  bind(values: Values): SqlValue[];
}

class Slot {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

export function template<Values extends object>(build: (slots: Values) => Query<unknown>): Template<Values> {
  const slots = new Proxy({} as Values, { get: (_, name) => new Slot(String(name)) });
  const compiled = build(slots).compile();
  const order = compiled.parameters;
  return {
    sql: compiled.sql,
    bind: (values) =>
      order.map((parameter) => {
        if (!(parameter instanceof Slot)) return parameter as SqlValue;
        const value = (values as Record<string, SqlValue | undefined>)[parameter.name];
        if (value === undefined) throw new TypeError(`No value for "${parameter.name}" in: ${compiled.sql}`);
        return value;
      }),
  };
}
