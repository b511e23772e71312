/**
 * Which imports took in a copy of an export before, from where it lies now. What such an import changed, the copy itself had: where it
 * has it again as it was exported, somebody moved it back there. A copy that lies elsewhere may be another person's, who never touched it.
 */
import { realpath } from 'node:fs/promises';
import { z } from 'zod';
import type { RunId } from '../../core/ids.ts';
import type { Store } from '../../store/store.ts';

/** What the run of an import says of it, among its metrics. */
export interface Copy {
  readonly exportId: number;
  /** Its path with no links in it. */
  readonly place: string;
}

const METRICS = z.object({ copy: z.object({ exportId: z.int(), place: z.string() }) });

export async function copyAt(path: string, exportId: number): Promise<Copy> {
  return { exportId, place: await realpath(path) };
}

export async function importsOfCopy(store: Pick<Store, 'runs'>, { exportId, place }: Copy): Promise<Set<RunId>> {
  const runs = await store.runs({ stage: 'import', limit: Number.MAX_SAFE_INTEGER });
  const isSame = (metrics: unknown) => {
    const { data } = METRICS.safeParse(metrics);
    return data !== undefined && data.copy.exportId === exportId && data.copy.place === place;
  };
  return new Set(runs.flatMap(({ id, metrics }) => (isSame(metrics) ? [id] : [])));
}
