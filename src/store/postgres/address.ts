/**
 * Where a workspace's record is in PostgreSQL: `postgres://USER@HOST:PORT/DATABASE?schema=NAME`, everything but `schema` as
 * any client of PostgreSQL takes it. One database holds as many workspaces as it has schemas.
 */
import { nearestNames } from '../../core/nearest-names.ts';
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

/**
 * What may stand behind `?`: what the client takes, and what only libpq knows and addresses of services have
 * (https://www.postgresql.org/docs/current/libpq-connect.html). What libpq finds another database by, or sets for a session, is not
 * among them: here it would have no effect, or a wrong one.
 */
const SETTINGS: readonly string[] = [
  ...['schema', 'host', 'port', 'user', 'password'],
  ...['ssl', 'sslmode', 'sslcert', 'sslkey', 'sslrootcert', 'sslpassword', 'sslcrl', 'sslnegotiation', 'sslsni'],
  ...['sslcompression', 'ssl_min_protocol_version', 'ssl_max_protocol_version', 'uselibpqcompat'],
  ...['application_name', 'fallback_application_name', 'client_encoding', 'connect_timeout'],
  ...['statement_timeout', 'lock_timeout', 'query_timeout', 'idle_in_transaction_session_timeout'],
  ...['keepalives', 'keepalives_idle', 'keepalives_interval', 'keepalives_count', 'tcp_user_timeout'],
  ...['channel_binding', 'require_auth', 'gssencmode', 'gsslib', 'krbsrvname', 'gssdelegation'],
  ...['target_session_attrs', 'load_balance_hosts'],
];

export function isPostgresAddress(workspace: string): boolean {
  return PROTOCOL.test(workspace);
}

export function postgresAddress(text: string): PostgresAddress {
  if (!URL.canParse(text)) throw refused('it cannot be read as an address');
  const url = new URL(text);
  const schema = url.searchParams.get('schema') ?? DEFAULT_SCHEMA;
  for (const name of url.searchParams.keys()) {
    if (SETTINGS.includes(name)) continue;
    const near = nearestNames(name, SETTINGS, 2);
    throw refused(
      `it has a setting ${JSON.stringify(name)}, which is not taken${near.length === 0 ? '' : `; do you mean ${near.join(' or ')}?`}`,
    );
  }
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
