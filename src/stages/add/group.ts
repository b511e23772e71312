/** Groups of images that belong together, over the whole record. */
import { z } from 'zod';
import { chunks } from '../../core/chunks.ts';
import { computeGroups, type Groups } from '../../images/groups.ts';
import { dropParts } from '../../jobs/reduction.ts';
import type { StageJob } from '../../jobs/stage.ts';
import { readSetting, type Setting, writeSetting } from '../../store/typed.ts';
import { bandStage, copyStage, readGroupFacts, SearchStopped, searchBy } from './alike-stages.ts';

const ROWS_A_WRITE = 1000;

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

export interface GroupResult extends GroupCounts {
  /** Stopped while it looked: the groups are those of before. */
  readonly interrupted: boolean;
}

/**
 * Groups over all images of the record; only changes are written. What takes long is done by the engine of the workspace. Resident:
 * see `groups.ts`.
 */
export async function groupImages(job: Omit<StageJob<unknown>, 'settings'>): Promise<GroupResult> {
  const { store, blobs } = job.workspace;
  const { table, digest: facts, withoutPrint } = await readGroupFacts(store);
  const before = await readSetting(store, GROUPING);
  if (before?.facts === facts) return { ...before.counts, interrupted: false };
  let groups: Groups;
  try {
    groups = await computeGroups(table, { search: searchBy(job, facts) });
  } catch (error) {
    if (!(error instanceof SearchStopped)) throw error;
    const counts = before?.counts ?? { similarPairs: 0, groups: table.count, overfullBuckets: 0, withoutPrint };
    return { ...counts, interrupted: true };
  }
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
  await dropParts(blobs, [bandStage.name, copyStage.name]);
  return { ...counts, interrupted: false };
}
