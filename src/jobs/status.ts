/** What is in a workspace: counts, sources, the last runs, and on request the quarantine and the database's own check. */
import { existsSync } from 'node:fs';
import type { DeadShard, QuarantineRow, RunRecord, StoreSummary } from '../store/store.ts';
import type { FleetOrders } from './fleet/orders.ts';
import { placeOfWorkspace } from './place.ts';
import type { Workspace } from './workspace.ts';

export interface WorkspaceStatus {
  /** Its missing paths are those of sources that are not there, too. */
  readonly summary: StoreSummary;
  /** Folders, archives and lists that images came from. */
  readonly sources: readonly string[];
  /** Those of them that are not there now. */
  readonly goneSources: readonly string[];
  /** Newest first. */
  readonly runs: readonly RunRecord[];
  /** Shards that no worker got over. */
  readonly deadShards: readonly DeadShard[];
  /** What workers were told and given; undefined where there is nothing of it. */
  readonly fleet?: FleetStatus;
  /** Undefined where it was not asked for. */
  readonly quarantine?: readonly QuarantineRow[];
  /** What the database finds wrong with itself; undefined where it was not asked. */
  readonly problems?: readonly string[];
}

export interface FleetStatus extends Pick<FleetOrders, 'paused' | 'limits'> {
  /** Words of the command that was given last, which may be over; null where none was. */
  readonly command: readonly string[] | null;
}

const RUNS_SHOWN = 10;

export async function statusOf(
  { store, location }: Pick<Workspace, 'store' | 'location'>,
  asked: { readonly quarantine: boolean; readonly check: boolean },
): Promise<WorkspaceStatus> {
  const recorded = await store.summary();
  const runs = await store.runs({ limit: RUNS_SHOWN });
  const deadShards = await store.deadShards();
  const fleet = placeOfWorkspace(location).isShared ? await fleetStatus(store) : undefined;
  const sources = await store.sourceRoots();
  // A list that came on stdin is of no file.
  const goneSources = sources.filter(
    (source) => !existsSync(source) && !source.endsWith('/-') && !source.includes('://'),
  );
  const away = await pathsIn(store, goneSources);
  const summary = { ...recorded, missingPaths: recorded.missingPaths + away };
  const problems = asked.check ? await store.check() : undefined;
  if (!asked.quarantine) return { summary, sources, goneSources, runs, deadShards, fleet, problems };
  const quarantine: QuarantineRow[] = [];
  for await (const page of store.quarantine()) quarantine.push(...page);
  return { summary, sources, goneSources, runs, deadShards, fleet, problems, quarantine };
}

/** By the record alone: a queue is not asked. */
async function fleetStatus(store: Pick<Workspace['store'], 'getSetting'>): Promise<FleetStatus | undefined> {
  const [{ lastCommand }, { NO_ORDERS, readOrders }] = await Promise.all([
    import('./fleet/commands.ts'),
    import('./fleet/orders.ts'),
  ]);
  // Those that cannot be read stop workers, which say so; the rest of the status is to be seen.
  const { paused, limits } = await readOrders(store).catch(() => NO_ORDERS);
  const command = (await lastCommand(store).catch(() => undefined))?.words ?? null;
  if (!paused && Object.keys(limits).length === 0 && command === null) return undefined;
  return { paused, limits, command };
}

/** Paths that count as there, below sources that are not. */
async function pathsIn(store: Pick<Workspace['store'], 'pathsOf'>, roots: readonly string[]): Promise<number> {
  let count = 0;
  for (const root of roots)
    for await (const page of store.pathsOf(root)) count += page.filter(({ missing }) => !missing).length;
  return count;
}
