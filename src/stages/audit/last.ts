/** What the last audit of a task says. */
import { LabelsmithError } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import { type AuditResult, estimateAudit } from './estimate.ts';

export async function lastAudit(store: Pick<Store, 'audits' | 'auditItems'>, task: string): Promise<AuditResult> {
  const [last] = await store.audits(task);
  if (last) return estimateAudit(last, await store.auditItems(last.id));
  throw new LabelsmithError('NOT_FOUND', `Nothing was audited in the task "${task}" yet.`, {
    hint: `labelsmith audit ${task} draws a sample to check.`,
  });
}
