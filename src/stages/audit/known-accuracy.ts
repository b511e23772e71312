/**
 * How many of a task's machine labels are right, as it was last measured: by `audit`, or by `teach rounds` for the labels
 * that it gave. One figure: the newer one.
 */
import { z } from 'zod';
import type { LabelAccuracy } from '../../core/label-accuracy.ts';
import type { Store } from '../../store/store.ts';
import { estimateAudit } from './estimate.ts';

/** Fewer answers say less than the labels do. */
const MIN_ANSWERS = 10;

/** What `teach rounds` recorded of the labels that it gave. */
const TAUGHT = z.object({
  accuracy: z.object({
    labels: z
      .object({
        accuracy: z.number(),
        interval: z.tuple([z.number(), z.number()]),
        measuredOn: z.enum(['audit', 'cross-validation']),
        count: z.number(),
        picked: z.boolean().optional(),
        measuredBefore: z.boolean().optional(),
      })
      .nullable(),
  }),
});

type AccuracyStore = Pick<Store, 'runs' | 'audits' | 'auditItems'>;

/** Null where nothing was measured. */
export async function knownAccuracy(store: AccuracyStore, task: string): Promise<LabelAccuracy | null> {
  const taught = await taughtLabels(store, task);
  const audited = await auditedLabels(store, task);
  if (!taught || !audited) return taught?.known ?? audited?.known ?? null;
  return audited.atMs > taught.atMs ? audited.known : taught.known;
}

interface Measured {
  readonly atMs: number;
  readonly known: LabelAccuracy;
}

async function taughtLabels(store: AccuracyStore, task: string): Promise<Measured | null> {
  const runs = await store.runs({ stage: 'teach rounds' });
  const last = runs.find(({ settings, status }) => settings.task === task && status === 'done');
  const labels = TAUGHT.safeParse(last?.metrics).data?.accuracy.labels;
  if (!last || !labels) return null;
  return { atMs: last.startedAtMs, known: { task, ...labels } };
}

async function auditedLabels(store: AccuracyStore, task: string): Promise<Measured | null> {
  const [last] = await store.audits(task);
  if (!last || last.answered < MIN_ANSWERS) return null;
  const { accuracy, checked } = estimateAudit(last, await store.auditItems(last.id));
  if (!accuracy) return null;
  const { estimate, low, high } = accuracy;
  const figures = { accuracy: estimate, interval: [low, high] as const, count: checked };
  return { atMs: last.atMs, known: { task, ...figures, measuredOn: 'audit' } };
}
