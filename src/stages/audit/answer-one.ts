/**
 * One answer of an audit as an operation of its own, and undo and redo of everything that people did: with the labels of such an
 * answer its place in the audit is taken back too, or is what it was before.
 */
import { z } from 'zod';
import { LabelsmithError } from '../../errors.ts';
import type { AuditVerdict } from '../../store/audit-store.ts';
import type { OperationRecord } from '../../store/operation-store.ts';
import type { AuditAnswer, Store } from '../../store/store.ts';
import { relabelClusters } from '../discover/relabel.ts';
import { answerAudit } from './answers.ts';

const NAME = 'audit answer';
const VERDICT = z.object({ right: z.boolean(), trueClass: z.string().nullable() });
/** What the operation says of itself. */
const ANSWERED = z.object({
  audit: z.number(),
  item: z.string(),
  class: z.string(),
  answer: VERDICT,
  before: VERDICT.nullable(),
});

export interface OneAnswer extends AuditAnswer {
  readonly task: string;
  readonly auditId: number;
}

export function answerOne(store: Store, { task, auditId, ...answer }: OneAnswer): Promise<void> {
  return store.atomically(async (inner) => {
    const audit = (await inner.audits(task)).find(({ id }) => id === auditId);
    if (!audit) throw new LabelsmithError('NOT_FOUND', `there is no audit ${auditId} of the task`);
    const { itemId, className, right, trueClass } = answer;
    const asked = (await inner.auditItems(auditId)).find((one) => one.itemId === itemId && one.className === className);
    const said: z.input<typeof ANSWERED> = {
      audit: auditId,
      item: itemId,
      class: className,
      answer: { right, trueClass },
      before: asked?.answer ?? null,
    };
    const operation = await inner.beginOperation({ name: NAME, arguments: said });
    await answerAudit(inner, audit, [answer], { operation });
  });
}

/** As the store's. */
export async function undoOperation(store: Store, operationId?: number): Promise<OperationRecord | null> {
  const undone = await store.atomically(async (inner) => withAnswer(inner, await inner.undo(operationId), 'before'));
  if (undone?.kind === 'corpus') await relabelClusters(store, undone.id);
  return undone;
}

/** As the store's; items that an operation on the corpus was about are labelled accordingly, also where they were clustered anew since. */
export async function redoOperation(store: Store, operationId?: number): Promise<OperationRecord | null> {
  const redone = await store.atomically(async (inner) => withAnswer(inner, await inner.redo(operationId), 'answer'));
  if (redone?.kind === 'corpus') await relabelClusters(store, redone.id);
  return redone;
}

async function withAnswer(store: Store, operation: OperationRecord | null, side: 'before' | 'answer') {
  if (operation?.name !== NAME) return operation;
  const { audit, item: itemId, class: className, ...said } = ANSWERED.parse(operation.arguments);
  const verdict: AuditVerdict | null = said[side];
  if (verdict === null) await store.clearAuditAnswers(audit, [{ itemId, className }]);
  else await store.putAuditAnswers(audit, [{ itemId, className, ...verdict }]);
  return operation;
}
