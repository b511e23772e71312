/** How many more labels a task needs, as its newest training recorded it. Runs that recorded none say nothing. */
import { z } from 'zod';
import type { Store } from '../../store/store.ts';
import type { LearningCurve } from './learning-curve.ts';

/** What is repeated of a curve; `labels` are those that it was learned from. */
export interface LastLearningCurve extends Pick<LearningCurve, 'goal' | 'more' | 'moreInterval' | 'limit'> {
  readonly task: string;
  readonly atMs: number;
  /** What that training tried beside the features that there were. */
  readonly tried: { readonly search: boolean; readonly fineTune: boolean };
}

const RECORDED = z.object({
  evaluation: z.object({
    learningCurve: z
      .object({
        goal: z.number(),
        more: z.number().nullable(),
        moreInterval: z.tuple([z.number(), z.number().nullable()]).nullable(),
        limit: z.number(),
      })
      .nullable(),
  }),
  backbones: z.array(z.unknown()).default([]),
  fineTuningGate: z.looseObject({}).optional(),
});
const STAGES = ['teach rounds', 'teach train'];
/** Runs of each stage looked through for the newest of every task. */
const LOOKED_AT = 50;

/** In order of the tasks' names; a task whose newest training had too few labels for a curve is left out. */
export async function lastLearningCurves(store: Pick<Store, 'runs'>): Promise<LastLearningCurve[]> {
  const newest = new Map<string, { readonly atMs: number; readonly curve: LastLearningCurve | null }>();
  for (const stage of STAGES) {
    for (const { settings, metrics, startedAtMs: atMs } of await store.runs({ stage, limit: LOOKED_AT })) {
      const { task } = settings;
      const recorded = RECORDED.safeParse(metrics);
      if (typeof task !== 'string' || !recorded.success || atMs <= (newest.get(task)?.atMs ?? -1)) continue;
      const { evaluation, backbones, fineTuningGate } = recorded.data;
      const { learningCurve } = evaluation;
      const tried = { search: backbones.length > 0, fineTune: fineTuningGate !== undefined };
      newest.set(task, { atMs, curve: learningCurve && { task, atMs, tried, ...learningCurve } });
    }
  }
  return [...newest.values()]
    .flatMap(({ curve }) => (curve === null ? [] : [curve]))
    .sort((a, b) => (a.task < b.task ? -1 : 1));
}
