/** Gives a command to the workers of a workspace, follows it, takes it back, and tells all workers something at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CommandState,
  commandQueue,
  type GivenCommand,
  lastCommand,
  noteCommand,
} from '../../jobs/fleet/commands.ts';
import { readOrders } from '../../jobs/fleet/orders.ts';
import type { Workspace } from '../../jobs/stage.ts';
import { type FleetView, viewOf } from './follow.ts';

/** Runs of one command: a stage each, and some that are begun again. */
const MAX_RUNS = 200;

export async function giveCommand(
  { store, location }: Pick<Workspace, 'store' | 'location'>,
  words: readonly string[],
  priority: number,
): Promise<GivenCommand> {
  const queue = await commandQueue({ location });
  try {
    const before = (await store.runs({ limit: MAX_RUNS })).map(({ id }) => id);
    const given = { ...(await queue.send(words, { priority })), before };
    await noteCommand(store, given);
    return given;
  } finally {
    await queue.close();
  }
}

/** @returns the command that was given last and how it stands now: `cancelled`, or over before. Undefined where none was given */
export async function cancelCommand({
  store,
  location,
}: Pick<Workspace, 'store' | 'location'>): Promise<FleetView['command'] | undefined> {
  const given = await lastCommand(store);
  if (given === undefined) return undefined;
  const queue = await commandQueue({ location });
  try {
    await queue.cancel(given);
    return { words: given.words, state: await queue.stateOf(given) };
  } finally {
    await queue.close();
  }
}

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly onView: (view: FleetView) => void;
  /** Between two looks, milliseconds (default 1000). */
  readonly everyMs?: number;
}

/** Until nothing is under way any more, or the signal. A place that does not answer is asked again by the record itself. */
export async function followFleet(
  { store, location }: Pick<Workspace, 'store' | 'location'>,
  { signal, onView, everyMs = 1000 }: FollowOptions,
): Promise<FleetView | undefined> {
  const given = await lastCommand(store);
  const queue = given && (await commandQueue({ location }));
  let state: CommandState | undefined;
  const before = new Set(given?.before ?? (await store.runs({ limit: MAX_RUNS })).map(({ id }) => id));
  let view: FleetView | undefined;
  try {
    while (!signal.aborted) {
      // Its state first: after its end, all its runs are there. While the queue does not answer, the state that was known.
      if (given && queue) state = await queue.stateOf(given).catch((): CommandState => state ?? { kind: 'waiting' });
      const [runs, orders] = await Promise.all([store.runs({ limit: MAX_RUNS }), readOrders(store)]);
      view = viewOf({ given, state, runs, orders, before, nowMs: Date.now() });
      onView(view);
      if (view.isOver) break;
      await sleep(everyMs, undefined, { signal }).catch(() => {});
    }
    return view;
  } finally {
    await queue?.close();
  }
}
