/**
 * Classes that a person's corrections made out of clusters. Only the import that takes them in can tell this from labels in classes of
 * people's own, so it stands in the import's arguments in the history: undoing the import takes it back too.
 */
import { z } from 'zod';

/** Of each task, names of classes. */
export type OutOfClusters = Readonly<Record<string, readonly string[]>>;

/** The argument that holds them. */
export const OUT_OF_CLUSTERS = 'outOfClusters';

const ARGUMENTS = z.object({ [OUT_OF_CLUSTERS]: z.record(z.string(), z.array(z.string())) });

/** None where the operation says nothing of them. */
export function outOfClustersIn(given: unknown): OutOfClusters {
  const read = ARGUMENTS.safeParse(given);
  return read.success ? read.data[OUT_OF_CLUSTERS] : {};
}
