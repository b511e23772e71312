/**
 * The first of several models of the hub that is here or can be had, for whoever asks for a quality and not for a name.
 *
 * Guarantees: a hub that does not answer costs two seconds, once; what was missed is told with its reason, and nothing fails.
 */
import { isInterruption, LabelsmithError } from '../../errors.ts';
import type { Missed } from '../missed.ts';
import type { PrepareOptions } from '../prepare.ts';
import { takenIn } from './named.ts';

/** The longest wait for the hub's list of files. */
const REACH_MS = 2_000;

export interface FirstOfHub {
  readonly id: string | undefined;
  readonly missed: readonly Missed[];
  /** Whether the hub gave no answer at all. */
  readonly away: boolean;
}

/** What one process has found out about its hub: why it gives no answer. */
export interface HubReach {
  away?: string;
}

/**
 * @param names short names of the catalogue, the better one first
 * @param reach what was found out before, and what is found out now
 */
export async function firstOfHub(
  names: readonly string[],
  options: PrepareOptions,
  reach: HubReach = {},
): Promise<FirstOfHub> {
  const missed: Missed[] = [];
  for (const id of names) {
    // What is here already is found with no network.
    const here = reach.away === undefined ? options : { ...options, offline: true };
    try {
      await takenIn(id, here, { reachMs: REACH_MS });
      return { id, missed, away: reach.away !== undefined };
    } catch (error) {
      if (!(error instanceof LabelsmithError) || isInterruption(error)) throw error;
      const reason = reach.away ?? error.message;
      if (error.code === 'NETWORK') reach.away ??= reason;
      missed.push({ id, why: `could not be had (${reason})` });
    }
  }
  return { id: undefined, missed, away: reach.away !== undefined };
}
