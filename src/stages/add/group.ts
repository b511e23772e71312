/** Groups of images that belong together, over the whole record. */
import { chunks } from '../../core/chunks.ts';
import { computeGroups, GroupTable } from '../../images/groups.ts';
import type { Store } from '../../store/store.ts';

const ROWS_A_WRITE = 1000;

/** Groups over all images of the record; only changes are written. Resident: see `groups.ts`. */
export async function groupImages(store: Store): Promise<{
  readonly similarPairs: number;
  readonly groups: number;
  readonly overfullBuckets: number;
  readonly withoutPrint: number;
}> {
  const table = new GroupTable();
  let withoutPrint = 0;
  for await (const page of store.groupFacts()) {
    for (const facts of page) {
      table.add(facts);
      if (facts.print === undefined) withoutPrint++;
    }
  }
  const groups = computeGroups(table);
  for (const pairs of chunks(groups.pairs(), ROWS_A_WRITE)) await store.putSimilarPairs(pairs);
  for (const changes of chunks(groups.changes(), ROWS_A_WRITE)) await store.putGroups(new Map(changes));
  const { pairCount, groupedImages, groupCount, overfullBuckets } = groups;
  return { similarPairs: pairCount, groups: table.count - groupedImages + groupCount, overfullBuckets, withoutPrint };
}
