/** Audits: samples drawn for people, and their answers. A part of the store's contract (`store.ts`). */
import type { ImageId, ItemId } from '../core/ids.ts';
import type { Origin } from '../core/labels.ts';

export interface AuditStore {
  /** Records a drawn sample before anybody sees it, and gives the audit's id. */
  startAudit(audit: NewAudit): Promise<number>;
  /** Newest first. */
  audits(task?: string): Promise<AuditRecord[]>;
  /** In order of image, region and class. */
  auditItems(auditId: number): Promise<AuditItem[]>;
  /** Items are named by `itemId` and `className`; a later answer replaces an earlier one. */
  putAuditAnswers(auditId: number, answers: readonly AuditAnswer[]): Promise<void>;
  /** Every item that was ever drawn for an audit of the task: never to be trained on. */
  auditedItems(task: string): Promise<Set<ItemId>>;
}

export interface NewAudit {
  readonly task: string;
  readonly atMs: number;
  readonly seed: number;
  /** How the sample was drawn, as JSON: sizes of strata and classes, what an estimate needs. */
  readonly design: string;
  readonly items: readonly Omit<AuditItem, 'answer'>[];
}

export type AuditRecord = Omit<NewAudit, 'items'> & {
  readonly id: number;
  readonly items: number;
  readonly answered: number;
};

export interface AuditItem {
  readonly itemId: ItemId;
  readonly imageId: ImageId;
  /** What the machine said. */
  readonly className: string;
  readonly origin: Origin;
  readonly confidence: number;
  readonly stratum: number;
  readonly answer: AuditVerdict | null;
}

/** What a person said of what the machine said. */
export interface AuditVerdict {
  readonly right: boolean;
  /** What it is instead, where that was said; `(none of these)` is an answer too. */
  readonly trueClass: string | null;
}

export interface AuditAnswer extends AuditVerdict {
  readonly itemId: ItemId;
  readonly className: string;
}
