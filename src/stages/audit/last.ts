/**
 * What an audit says today. Its figure is stated while it is the newest of labels that stand (`known-accuracy.ts`); after that
 * the figure of today is given in its place, and of the audit what was asked and answered.
 */
import type { LabelAccuracy } from '../../core/label-accuracy.ts';
import { LabelsmithError } from '../../errors.ts';
import type { AuditRecord } from '../../store/store.ts';
import { type AuditResult, auditDesign, estimateAudit } from './estimate.ts';
import { knownAccuracy } from './known-accuracy.ts';

type AuditedStore = Parameters<typeof knownAccuracy>[0];

export interface AuditToday extends AuditResult {
  readonly atMs: number;
  /** Whether `accuracy` and those of classes are of labels that stand; else they are null. */
  readonly stands: boolean;
  /** The one figure of these labels, whatever it was measured by. Null where none is known. */
  readonly known: LabelAccuracy | null;
}

export async function lastAudit(store: AuditedStore, task: string): Promise<AuditToday> {
  const [last] = await store.audits(task);
  if (last) return auditToday(store, last);
  throw new LabelsmithError('NOT_FOUND', `Nothing was audited in the task "${task}" yet.`, {
    hint: `labelsmith audit ${task} draws a sample to check.`,
  });
}

export async function auditToday(store: AuditedStore, audit: AuditRecord): Promise<AuditToday> {
  const result = estimateAudit(audit, await store.auditItems(audit.id));
  const whose = auditDesign(audit).origin === 'imported' ? 'imports' : 'machines';
  const of = await knownAccuracy(store, audit.task);
  const known = of?.figures.find((figure) => figure.whose === whose) ?? null;
  const { atMs } = audit;
  // Where every label was answered none by a machine is left, and the figure is of what there was.
  const stands = known === null ? of?.outdated == null : known.measuredOn === 'audit' && known.atMs === atMs;
  if (stands) return { ...result, atMs, stands, known };
  const classes = result.classes.map((one) => ({ ...one, accuracy: null }));
  return { ...result, accuracy: null, classes, atMs, stands, known };
}
