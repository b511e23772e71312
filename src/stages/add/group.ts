/** Groups of images that belong together, over the whole record. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { chunks } from '../../core/chunks.ts';
import { computeGroups, type GroupRow, GroupTable } from '../../images/groups.ts';
import type { Store } from '../../store/store.ts';
import { readSetting, type Setting, writeSetting } from '../../store/typed.ts';

const ROWS_A_WRITE = 1000;

/** Grows when other groups come of the same facts. */
const RULES = 3;

export interface GroupCounts {
  readonly similarPairs: number;
  readonly groups: number;
  readonly overfullBuckets: number;
  readonly withoutPrint: number;
}

/** What the groups on the record were made of, so that nothing is compared again that was compared before. */
const GROUPING: Setting<{ readonly facts: string; readonly counts: GroupCounts }> = {
  key: 'grouping',
  version: 1,
  schema: z.strictObject({
    facts: z.string(),
    counts: z.strictObject({
      similarPairs: z.int().nonnegative(),
      groups: z.int().nonnegative(),
      overfullBuckets: z.int().nonnegative(),
      withoutPrint: z.int().nonnegative(),
    }),
  }),
  what: 'what the groups were made of',
  remedy: 'Run `labelsmith add` on a folder again.',
};

/** Groups over all images of the record; only changes are written. Resident: see `groups.ts`. */
export async function groupImages(store: Store, threads: number): Promise<GroupCounts> {
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
  const facts = digest.digest('hex');
  const before = await readSetting(store, GROUPING);
  if (before?.facts === facts) return before.counts;
  const groups = await computeGroups(table, { threads });
  for (const pairs of chunks(groups.pairs(), ROWS_A_WRITE)) await store.putSimilarPairs(pairs);
  for (const changes of chunks(groups.changes(), ROWS_A_WRITE)) await store.putGroups(new Map(changes));
  const { pairCount, groupedImages, groupCount, overfullBuckets } = groups;
  const counts = {
    similarPairs: pairCount,
    groups: table.count - groupedImages + groupCount,
    overfullBuckets,
    withoutPrint,
  };
  await writeSetting(store, GROUPING, { facts, counts });
  return counts;
}

/** All that groups depend on but the group so far; the id stands for the bytes, and so for the print. */
function factsLine({ id, perceptualHash, width, height, capturedAtMs, camera, path, print }: GroupRow): string {
  return `${JSON.stringify([id, perceptualHash, width, height, capturedAtMs, camera, path, print !== undefined])}\n`;
}
