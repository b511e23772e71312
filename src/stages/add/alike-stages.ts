/**
 * The two searches behind groups as stages, so that many machines do them: near-duplicates by buckets of a band, mirrored,
 * turned and cropped copies by ranges of pictures. Each shard gives the pairs that it found; they are joined by the command, in
 * the order of the plan, so that groups are those of one machine whoever looked.
 *
 * Every process reads what groups depend on from the record, and refuses to look where that is not what the run began with.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Hold, holdingBlobs, readHeld } from '../../blobs/held-blobs.ts';
import { isInterruption, LabelsmithError } from '../../errors.ts';
import { CopyFinder, joinedPairs } from '../../images/copies/find-copies.ts';
import { NearDuplicateSearch, nearDuplicateParts } from '../../images/duplicates.ts';
import { type AlikeSearch, type GroupRow, GroupTable, type OrderedTable } from '../../images/groups.ts';
import { type Merging, reduce, reductionStage } from '../../jobs/reduction.ts';
import { type Closing, closeContext, type StageJob } from '../../jobs/stage.ts';
import type { Store } from '../../store/store.ts';

/** Grows when other groups come of the same facts. */
const RULES = 4;
/** Below it, putting shards into a queue is reckoned to take longer than they take. */
const MIN_TO_SPREAD = 20_000;
const PARTS_A_BAND = 16;
const PICTURES_A_SHARD = 4096;

/** What groups depend on, as the record has it. */
export interface GroupFacts {
  readonly table: GroupTable;
  readonly digest: string;
  /** Images of before there were prints. */
  readonly withoutPrint: number;
}

export async function readGroupFacts(store: Pick<Store, 'groupFacts'>): Promise<GroupFacts> {
  const table = new GroupTable();
  const digest = createHash('sha256').update(`${RULES}\n`);
  let withoutPrint = 0;
  for await (const page of store.groupFacts()) {
    for (const facts of page) {
      table.add(facts);
      digest.update(factsLine(facts));
      if (facts.print === undefined) withoutPrint++;
    }
  }
  return { table, digest: digest.digest('hex'), withoutPrint };
}

/** All that groups depend on but the group so far; the id stands for the bytes, and so for the print. */
function factsLine({ id, perceptualHash, width, height, capturedAtMs, camera, path, print }: GroupRow): string {
  return `${JSON.stringify([id, perceptualHash, width, height, capturedAtMs, camera, path, print !== undefined])}\n`;
}

interface AlikeContext {
  readonly count: number;
  readonly isQuick: boolean;
}

const FACTS = z.object({ facts: z.string() });

async function sameFacts({ workspace, settings }: StageJob<z.infer<typeof FACTS>>): Promise<OrderedTable> {
  const { table, digest } = await readGroupFacts(workspace.store);
  if (digest === settings.facts) return table.inOrder();
  throw new LabelsmithError('BUSY', 'Images came in or went while groups are made.', { hint: 'Run it again.' });
}

const BAND_PART = z.object({ band: z.int(), from: z.int(), to: z.int() });

interface BandPairs {
  /** Shape [pairs, 3]: i, j and distance. */
  readonly pairs: Uint32Array;
  readonly overfull: number;
}

interface BandContext extends AlikeContext, Merging<BandPairs> {
  readonly search: NearDuplicateSearch;
}

export const bandStage = reductionStage<z.infer<typeof FACTS>, BandContext, z.infer<typeof BAND_PART>, BandPairs>({
  name: 'near-duplicates',
  isKept: true,
  within: 'add',
  settings: FACTS,
  shard: BAND_PART,
  isQuick: ({ isQuick }) => isQuick,

  async open(job) {
    const table = await sameFacts(job);
    return { count: table.count, isQuick: false, search: new NearDuplicateSearch(table) };
  },

  async *plan({ isQuick }) {
    yield* nearDuplicateParts(isQuick ? 1 : PARTS_A_BAND);
  },

  async map({ search }, part) {
    const pairs: number[] = [];
    const overfull = search.in(part, (i, j, distance) => pairs.push(i, j, distance));
    return { pairs: Uint32Array.from(pairs), overfull };
  },
});

const COPY_SETTINGS = FACTS.extend({
  /** Key of a blob: shape [n], what is joined already. Empty where the process that runs the stage has it. */
  roots: z.string(),
});
const PICTURES = z.object({ from: z.int(), to: z.int() });

interface CopyContext extends AlikeContext, Closing, Merging<Uint32Array> {
  readonly finder: CopyFinder;
  readonly picturesAShard: number;
}

export const copyStage = reductionStage<
  z.infer<typeof COPY_SETTINGS>,
  CopyContext,
  z.infer<typeof PICTURES>,
  Uint32Array
>({
  name: 'copies',
  isKept: true,
  within: 'add',
  settings: COPY_SETTINGS,
  shard: PICTURES,
  isQuick: ({ isQuick }) => isQuick,

  async open(job) {
    const { prints, count } = await sameFacts(job);
    const bytes = await readHeld(() => job.workspace.blobs.get(job.settings.roots));
    if (bytes?.length !== 4 * count) throw new Error('what is joined already is not among the blobs of the workspace');
    const roots = new Uint32Array(new SharedArrayBuffer(4 * count));
    new Uint8Array(roots.buffer).set(bytes);
    const finder = new CopyFinder(prints, roots, job.threads);
    return { count, isQuick: false, finder, picturesAShard: PICTURES_A_SHARD, close: () => finder.close() };
  },

  close: closeContext,

  async *plan({ count, picturesAShard }) {
    for (let from = 0; from < count; from += picturesAShard) {
      yield { from, to: Math.min(count, from + picturesAShard) };
    }
  },

  map: ({ finder }, pictures) => finder.find(pictures),
});

/** Stopped before all was looked at: what was found says nothing. */
export class SearchStopped extends Error {}

async function untilStopped(searching: Promise<void>): Promise<void> {
  try {
    await searching;
  } catch (error) {
    throw isInterruption(error) ? new SearchStopped() : error;
  }
}

export interface SearchOptions {
  /** Images from which many machines are worth while (default 20,000). */
  readonly minToSpread?: number;
  /** Of the search for copies (default 4096). */
  readonly picturesAShard?: number;
}

/** Has the engine of the workspace look. */
export function searchBy(
  job: Omit<StageJob<unknown>, 'settings'>,
  facts: string,
  { minToSpread = MIN_TO_SPREAD, picturesAShard = PICTURES_A_SHARD }: SearchOptions = {},
): AlikeSearch {
  const { workspace, signal, threads } = job;
  // What was stopped before groups are made of what there is; what is stopped now makes none.
  const how = { ...job, onProgress: undefined, limit: undefined, signal: signal?.aborted ? undefined : signal };
  return {
    async nearDuplicates(columns, onPair) {
      const search = new NearDuplicateSearch(columns);
      search.equal(onPair);
      let overfullBuckets = 0;
      const merge = ({ pairs, overfull }: BandPairs) => {
        overfullBuckets += overfull;
        for (let at = 0; at < pairs.length; at += 3) onPair(pairs[at], pairs[at + 1], pairs[at + 2]);
      };
      const count = columns.high.length;
      const context = { count, isQuick: count < minToSpread, search, merge };
      await untilStopped(reduce(bandStage, { ...how, settings: { facts } }, context));
      return overfullBuckets;
    },
    async copies(prints, roots) {
      const parts: Uint32Array[] = [];
      const isQuick = prints.count < minToSpread;
      const finder = new CopyFinder(prints, roots, threads);
      const key = `groups/${facts}.roots`;
      const bytes = new Uint8Array(roots.buffer, roots.byteOffset, roots.byteLength);
      const look = async (hold: Hold) => {
        if (!isQuick) await hold(key, () => workspace.blobs.put(key, bytes));
        const context = {
          count: prints.count,
          isQuick,
          finder,
          picturesAShard,
          merge: (pairs: Uint32Array) => parts.push(pairs),
        };
        const settings = { facts, roots: isQuick ? '' : key };
        await untilStopped(reduce(copyStage, { ...how, settings }, context));
        return joinedPairs(parts);
      };
      try {
        return await holdingBlobs(workspace.blobs, look);
      } finally {
        await finder.close();
        if (!isQuick) await workspace.blobs.delete(key).catch(() => {});
      }
    },
  };
}
