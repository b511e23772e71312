/**
 * A write over all images in parts, each a transaction of its own over a range of ids: others write in between, and wait no
 * longer than for one part.
 */
import { setTimeout } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';

/** Ids that are not below `from` and are below `to`, which are what ids begin with. */
export interface KeyRange {
  readonly from: Uint8Array;
  /** Null: up to the last. */
  readonly to: Uint8Array | null;
}

export const ALL_IDS: KeyRange = { from: new Uint8Array(4), to: null };

export function inRange(id: RawBuilder<unknown>, { from, to }: KeyRange): RawBuilder<unknown> {
  return to === null ? sql`${id} >= ${from}` : sql`${id} >= ${from} and ${id} < ${to}`;
}

/** What four bytes can be; ids are digests, so that a share of these is that share of the images. */
const ALL = 2 ** 32;
const FIRST = ALL / 256;
/** What a part is to take: who waits for it waits a fraction of a second. */
const PART_MS = 200;
/** A part that was quick says little of those after it. */
const MAX_GROWTH = 16;
/** Other processes look every 10 to 25 ms by then whether it is their turn (SQLite's `busy_timeout`). */
const PAUSE_MS = 30;
/** After shorter ones nobody has waited for long. */
const SHORT_MS = 50;

interface PartsClock {
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<unknown>;
}

const REAL: PartsClock = { now: () => performance.now(), pause: (ms) => setTimeout(ms) };

/** Calls `write` for one range after the other until all ids were in one; how wide each is follows from how long those before took. */
export async function inParts(write: (range: KeyRange) => Promise<void>, clock: PartsClock = REAL): Promise<void> {
  let width = FIRST;
  for (let start = 0; start < ALL; ) {
    const end = Math.min(ALL, start + width);
    const began = clock.now();
    await write({ from: prefix(start), to: end === ALL ? null : prefix(end) });
    const tookMs = clock.now() - began;
    width = Math.ceil((end - start) * Math.min(MAX_GROWTH, PART_MS / tookMs));
    start = end;
    if (start < ALL && tookMs > SHORT_MS) await clock.pause(PAUSE_MS);
  }
}

function prefix(start: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, start);
  return bytes;
}
