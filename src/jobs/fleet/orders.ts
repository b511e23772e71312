/** What people tell all workers of a workspace at once, in its record: whoever works looks there before taking a shard. */
import { z } from 'zod';
import { changeSetting, readSetting, type Setting } from '../../store/typed.ts';
import type { Workspace } from '../stage.ts';

const ORDERS = z.object({
  /** What is under way is finished, and nothing is begun. */
  paused: z.boolean(),
  /** How often workers were told to end: each ends when this is more than when it began. */
  drains: z.int().nonnegative(),
  /** Shards of a model at once, over all workers; models that are not named have no limit. */
  limits: z.record(z.string(), z.int().positive()),
});
export type FleetOrders = z.infer<typeof ORDERS>;

export const NO_ORDERS: FleetOrders = { paused: false, drains: 0, limits: {} };

const SETTING: Setting<FleetOrders> = {
  key: 'fleet/orders',
  version: 1,
  schema: ORDERS,
  what: 'The orders of the workers',
  remedy: 'labelsmith worker resume begins anew, with no limits.',
};

type Settings = Pick<Workspace['store'], 'getSetting' | 'swapSetting'>;

export async function readOrders(store: Pick<Settings, 'getSetting'>): Promise<FleetOrders> {
  return (await readSetting(store, SETTING)) ?? NO_ORDERS;
}

/**
 * Of two people who order something in one moment, both are obeyed.
 *
 * @param anew of orders that cannot be read, begins with none
 */
export function changeOrders(
  store: Settings,
  change: (now: FleetOrders) => FleetOrders,
  options: { readonly anew?: boolean } = {},
): Promise<FleetOrders> {
  return changeSetting(store, SETTING, (now = NO_ORDERS) => change(now), options);
}

/** Workers take many shards a second: what they know of the orders may be as old as this, milliseconds. */
const KNOWN_MS = 1000;

/**
 * The orders as they were `knownMs` ago at most, with 0 as they are; while the record does not answer, those that were known.
 * Fails where there are some that cannot be read.
 */
export async function watchedOrders(
  store: Pick<Settings, 'getSetting'>,
  {
    knownMs = KNOWN_MS,
    clock = () => performance.now(),
  }: { readonly knownMs?: number; readonly clock?: () => number } = {},
): Promise<() => Promise<FleetOrders>> {
  let known = await readOrders(store);
  let readAtMs = clock();
  return async () => {
    if (clock() - readAtMs < knownMs) return known;
    known = await readOrders(store).catch(() => known);
    readAtMs = clock();
    return known;
  };
}
