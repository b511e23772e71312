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

/** @param names short names of the catalogue, the better one first */
export async function firstOfHub(names: readonly string[], options: PrepareOptions): Promise<FirstOfHub> {
  const missed: Missed[] = [];
  let away: string | undefined;
  for (const id of names) {
    // What is here already is found with no network.
    const here = away === undefined ? options : { ...options, offline: true };
    try {
      await takenIn(id, here, { reachMs: REACH_MS });
      return { id, missed, away: away !== undefined };
    } catch (error) {
      if (!(error instanceof LabelsmithError) || isInterruption(error)) throw error;
      const reason = away ?? error.message;
      if (error.code === 'NETWORK') away ??= reason;
      missed.push({ id, why: `could not be had (${reason})` });
    }
  }
  return { id: undefined, missed, away: away !== undefined };
}
