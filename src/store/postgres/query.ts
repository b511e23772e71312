/** Portable SQL as the client of PostgreSQL takes it. */
import { createHash } from 'node:crypto';
import type { QueryConfig } from 'pg';
import type { Query } from '../sql/driver.ts';
import type { SqlValue } from '../sql/sql-value.ts';
import { bound } from './batch.ts';

/** What is asked often has a name, under which the connection keeps its plan: few parameters, and no long text of conditions. */
const MAX_NAMED_PARAMETERS = 64;
const MAX_NAMED_TEXT = 2000;

export function configOf(query: Query<unknown>): QueryConfig {
  const { sql, parameters } = query.compile();
  const text = numbered(sql);
  const values = (parameters as readonly SqlValue[]).map(bound);
  if (values.length > MAX_NAMED_PARAMETERS || text.length > MAX_NAMED_TEXT) return { text, values };
  return { text, values, name: nameOf(text) };
}

const names = new Map<string, string>();

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `ls_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
    names.set(text, name);
  }
  return name;
}

const texts = new Map<string, string>();

/** Parameters as PostgreSQL numbers them, and its word for a blob. Our statements have no other question marks. */
export function numbered(sql: string): string {
  let text = texts.get(sql);
  if (text === undefined) {
    let n = 0;
    text = sql.replaceAll('?', () => `$${++n}`).replaceAll(' as blob)', ' as bytea)');
    texts.set(sql, text);
  }
  return text;
}
