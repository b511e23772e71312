/** pg-boss on the database of a workspace, in a schema beside the workspace's. */
import type { PgBoss } from 'pg-boss';
import { LabelsmithError, messageOf } from '../../errors.ts';
import { optionalPackage } from '../../sources/cloud/optional-package.ts';
import { postgresAddress } from '../../store/postgres/address.ts';

/** @param location the workspace's address */
export async function startBoss(location: string): Promise<PgBoss> {
  const { connectionString, schema, shown } = postgresAddress(location);
  const pgBoss = await optionalPackage('pg-boss', 'Workers', () => import('pg-boss'));
  const boss = new pgBoss.PgBoss({
    connectionString,
    schema: `${schema}_queue`,
    max: 3,
    schedule: false,
    // How soon a worker that died is noticed.
    monitorIntervalSeconds: 5,
    superviseIntervalSeconds: 5,
    monitorVacuum: false,
  });
  // What fails here is asked for again; what matters is told by the call that needs it.
  boss.on('error', () => {});
  try {
    return await boss.start();
  } catch (error) {
    throw new LabelsmithError('NETWORK', `The queue of ${shown} cannot be opened (${messageOf(error)})`, {
      hint: 'Check that PostgreSQL runs, and that this user may create the schema of the queue (docs/fleet.md).',
      cause: error,
    });
  }
}

/** A queue that cannot be made is not left open. */
export async function withQueue(boss: PgBoss, name: string, options: Parameters<PgBoss['createQueue']>[1]) {
  try {
    await boss.createQueue(name, options);
  } catch (error) {
    await boss.stop({ graceful: false });
    throw error;
  }
}

export function reasonIn(output: unknown): string {
  if (typeof output !== 'object' || output === null) return 'for no reason that was given';
  if ('message' in output && typeof output.message === 'string') return output.message;
  // What pg-boss found out by itself.
  if ('value' in output) return reasonIn(output.value);
  return JSON.stringify(output);
}
