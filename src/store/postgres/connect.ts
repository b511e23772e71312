/** Connections to PostgreSQL: how they are made, what they speak, and how a schema is brought up to date. */
import type { Pool, PoolClient, PoolConfig } from 'pg';
import { LabelsmithError } from '../../errors.ts';
import { optionalPackage } from '../../sources/cloud/optional-package.ts';
import type { PostgresAddress } from './address.ts';
import { nowhere } from './errors.ts';
import { MIGRATIONS } from './migrations.ts';

/** Types whose values are numbers here: 64-bit integers and sums of them, all of which stay below 2^53. */
const INT8 = 20;
const NUMERIC = 1700;

/** `pg` is a peer that only those who have such a workspace install. */
export async function loadPostgres(): Promise<typeof import('pg').default> {
  const { default: pg } = await optionalPackage('pg', 'Workspaces in PostgreSQL', () => import('pg'));
  return pg;
}

export async function openPool(address: PostgresAddress, config: PoolConfig): Promise<Pool> {
  const pg = await loadPostgres();
  const pool = new pg.Pool({
    connectionString: address.connectionString,
    application_name: 'labelsmith',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    allowExitOnIdle: true,
    // A link that is cut without a word is noticed by the server too, whose locks end with it.
    // A commit's rows lie beside each other, so that looking them up costs less than the server takes it to: it read whole tables.
    options: `-c search_path=${address.schema} -c random_page_cost=1.1 -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3`,
    types: {
      getTypeParser: (type, format) =>
        type === INT8 || type === NUMERIC ? Number : pg.types.getTypeParser(type, format),
    },
    ...config,
  });
  // A connection that is lost while nobody uses it is replaced by the next one that is asked for.
  pool.on('error', () => {});
  // One that is lost between two statements of whoever uses it says so without a statement that could fail: the next one does.
  // A client that nobody listens to ends the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** The lock of everybody who writes to a schema: one transaction at a time, in order of asking. */
export function lockOf(schema: string): string {
  return `hashtextextended('labelsmith ${schema}', 0)`;
}

/** Brings the schema up to date; processes that begin at once do it once. */
export async function migrate(client: PoolClient, address: PostgresAddress, create: boolean): Promise<void> {
  const { schema, shown } = address;
  const found = await versionOf(client, schema, shown);
  if (found === MIGRATIONS.length) return;
  if (found === 0 && !create) {
    throw nowhere(shown);
  }
  await client.query('BEGIN');
  try {
    await client.query(`SELECT pg_advisory_xact_lock(${lockOf(schema)})`);
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    const version = await versionOf(client, schema, shown);
    if (version === 0) await client.query(`CREATE TABLE ${schema}.schema_version (version integer NOT NULL)`);
    for (const migration of MIGRATIONS.slice(version)) await client.query(migration);
    await client.query(`DELETE FROM ${schema}.schema_version`);
    await client.query(`INSERT INTO ${schema}.schema_version VALUES (${MIGRATIONS.length})`);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** 0 where there is no workspace yet, or none that this user may know of. */
async function versionOf(client: PoolClient, schema: string, shown: string): Promise<number> {
  // A failure would end the transaction that this may be asked in.
  const there = await client.query<{ known: boolean }>(
    `SELECT to_regclass('${schema}.schema_version') IS NOT NULL AS known`,
  );
  if (there.rows[0]?.known !== true) return 0;
  const { rows } = await client.query<{ version: number }>(`SELECT version FROM ${schema}.schema_version`);
  const version = rows[0]?.version ?? 0;
  if (version <= MIGRATIONS.length) return version;
  throw new LabelsmithError(
    'WORKSPACE',
    `The workspace ${shown} was written by a newer version of labelsmith (schema ${version}, this one knows ${MIGRATIONS.length})`,
    {
      hint: 'Install the newer version (npm install labelsmith@latest), or name another schema.',
      details: { version, known: MIGRATIONS.length },
    },
  );
}
