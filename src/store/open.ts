/** Opens the store of a workspace; the one place that knows which driver there is. */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { BUILT_IN_TASKS } from '../core/labels.ts';
import { LabelsmithError } from '../errors.ts';
import { isPostgresAddress, postgresAddress } from './postgres/address.ts';
import { artifactStore } from './sql/artifacts.ts';
import { auditStore } from './sql/audits.ts';
import { classStore } from './sql/classes.ts';
import { corpusStore } from './sql/corpus.ts';
import { datasetStore } from './sql/dataset.ts';
import { detectionStore } from './sql/detections.ts';
import type { SqlDriver } from './sql/driver.ts';
import { exportStore } from './sql/exports.ts';
import { forgetStore } from './sql/forget.ts';
import { groupStore } from './sql/groups.ts';
import { housekeepingStore } from './sql/housekeeping.ts';
import { imageFactStore, imageStore } from './sql/images.ts';
import { importStore } from './sql/import-staging.ts';
import { itemStore } from './sql/items.ts';
import { labelStore } from './sql/labels.ts';
import { operationStore } from './sql/operations.ts';
import { pathStore } from './sql/paths.ts';
import { quarantineStore } from './sql/quarantine.ts';
import { regionStore } from './sql/regions.ts';
import { runStore } from './sql/runs.ts';
import { Session } from './sql/session.ts';
import { shapeStore } from './sql/shapes.ts';
import { shardStore } from './sql/shards.ts';
import { splitStore } from './sql/splits.ts';
import { vectorShardStore } from './sql/vector-shards.ts';
import { driverWithin } from './sql/within.ts';
import { openSqlite } from './sqlite/driver.ts';
import type { Store } from './store.ts';

export interface OpenStoreOptions {
  /**
   * How long a writer waits for another process's transaction, milliseconds (default 30,000). A shard takes
   * milliseconds, so only a stuck process is waited for so long; then the call fails with `BUSY`.
   */
  readonly busyTimeoutMs?: number;
  /** Images a page of a stream (default 500; at ten regions an image that is some megabytes). */
  readonly pageSize?: number;
  /**
   * How long a run counts as under way after its process has last said so, milliseconds (default 30,000). A process that
   * stands still for longer shows as interrupted until it goes on.
   */
  readonly leaseMs?: number;
  /** Makes it where it is not there (default true). For PostgreSQL; a folder is looked at before. */
  readonly create?: boolean;
  /** Who acts, for the log of what people did. Default: the user's name on this machine. */
  readonly actor?: string;
}

/** The database's name within the workspace folder. */
export const DATABASE_FILE = 'labelsmith.sqlite';

/** `workspace` is the `.labelsmith` folder, or an address in PostgreSQL; it is made when it is not there. */
export async function openStore(workspace: string, options: OpenStoreOptions = {}): Promise<Store> {
  const { pageSize = 500, leaseMs = 30_000, actor = userName() } = options;
  if (!Number.isInteger(pageSize) || pageSize < 1) {
    throw new LabelsmithError('USAGE', `pageSize is a whole number from 1, not ${pageSize}`);
  }
  const driver = await openDriver(workspace, options);
  try {
    return await storeOver(driver, { pageSize, leaseMs, actor });
  } catch (error) {
    await driver.close();
    throw error;
  }
}

/** The database below a store. */
export async function openDriver(
  workspace: string,
  { busyTimeoutMs, create = true }: OpenStoreOptions,
): Promise<SqlDriver> {
  if (!isPostgresAddress(workspace)) {
    return openSqlite({ file: join(workspace, DATABASE_FILE), busyTimeoutMs: busyTimeoutMs ?? 30_000 });
  }
  const { openPostgres } = await import('./postgres/driver.ts');
  // Many machines may be waiting for their turn.
  return openPostgres({ address: postgresAddress(workspace), create, busyTimeoutMs: busyTimeoutMs ?? 120_000 });
}

/** The store over any SQL driver. */
export async function storeOver(
  driver: SqlDriver,
  options: Required<Omit<OpenStoreOptions, 'busyTimeoutMs' | 'create'>>,
): Promise<Store> {
  const { store, endLeases } = storeOf(driver, options, (work) =>
    driver.transaction(async (transaction) => {
      const within = driverWithin(driver, transaction);
      const { store } = storeOf(within, options, (nested) => nested(store));
      const result = await work(store);
      if (within.failure() !== undefined) throw within.failure();
      return result;
    }),
  );
  for (const task of BUILT_IN_TASKS) await store.ensureTask(task);
  const close = async () => {
    endLeases();
    await driver.close();
  };
  return { ...store, close };
}

function storeOf(
  driver: SqlDriver,
  options: Required<Omit<OpenStoreOptions, 'busyTimeoutMs' | 'create'>>,
  atomically: Store['atomically'],
): { readonly store: Store; endLeases(): void } {
  const session = new Session(driver, options);
  const { leases, ...runs } = runStore(session, options.leaseMs);
  const store: Store = {
    atomically,
    ...runs,
    ...imageStore(session),
    ...imageFactStore(session),
    ...pathStore(session),
    ...groupStore(session),
    ...quarantineStore(session),
    ...splitStore(session),
    ...exportStore(session),
    ...forgetStore(session),
    ...detectionStore(session),
    ...regionStore(session),
    ...shapeStore(session),
    ...shardStore(session),
    ...labelStore(session),
    ...importStore(session),
    ...itemStore(session),
    ...classStore(session),
    ...corpusStore(session),
    ...operationStore(session),
    ...artifactStore(session),
    ...auditStore(session),
    ...datasetStore(session),
    ...vectorShardStore(session),
    ...housekeepingStore(session, () => driver.close()),
  };
  return { store, endLeases: () => leases.end() };
}

/** Empty where the system knows no name, as in some containers. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}
