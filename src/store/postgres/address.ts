/**
 * Where a workspace's record is in PostgreSQL: `postgres://USER@HOST:PORT/DATABASE?schema=NAME`, everything but `schema` as
 * any client of PostgreSQL takes it. One database holds as many workspaces as it has schemas.
 */
import { LabelsmithError } from '../../errors.ts';

export interface PostgresAddress {
  /** For the client: without `schema`. */
  readonly connectionString: string;
  readonly schema: string;
  readonly database: string;
  /** For messages and names of folders: without user, password and settings. */
  readonly shown: string;
}

export const DEFAULT_SCHEMA = 'labelsmith';
const PROTOCOL = /^postgres(?:ql)?:\/\//i;
/** Names that need no quotes, as long as PostgreSQL keeps them. */
const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

export function isPostgresAddress(workspace: string): boolean {
  return PROTOCOL.test(workspace);
}

export function postgresAddress(text: string): PostgresAddress {
  if (!URL.canParse(text)) throw refused('it cannot be read as an address');
  const url = new URL(text);
  const schema = url.searchParams.get('schema') ?? DEFAULT_SCHEMA;
  url.searchParams.delete('schema');
  if (!SCHEMA.test(schema) || schema.startsWith('pg_')) {
    throw refused(`the schema ${JSON.stringify(schema)} is no name of small letters, digits and "_"`);
  }
  const shown = `postgres://${url.host}${url.pathname}?schema=${schema}`;
  const database = decodeURIComponent(url.pathname.slice(1));
  return { connectionString: url.href, schema, database, shown };
}

/** As any process on this machine may name it: all of the address but the password. */
export function withoutPassword(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  url.password = '';
  url.searchParams.delete('password');
  return url.href;
}

function refused(why: string): LabelsmithError {
  return new LabelsmithError('USAGE', `The address of the workspace in PostgreSQL is wrong: ${why}`, {
    hint: 'It is like postgres://user@host:5432/database?schema=labelsmith; the password may be in PGPASSWORD or ~/.pgpass.',
  });
}
