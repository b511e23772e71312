/** Audits: samples drawn for people, and their answers. A part of the store's contract (`store.ts`). */
import type { ImageId, ItemId } from '../core/ids.ts';
import type { Origin } from '../core/labels.ts';

export interface AuditStore {
  /** Records a drawn sample before anybody sees it, and gives the audit's id. */
  startAudit(audit: NewAudit): Promise<number>;
  /** Of claims of machines, newest first. */
  audits(task?: string): Promise<AuditRecord[]>;
  /** In order of image, region and class. */
  auditItems(auditId: number): Promise<AuditItem[]>;
  /** Items are named by `itemId` and `className`; a later answer replaces an earlier one. */
  putAuditAnswers(auditId: number, answers: readonly AuditAnswer[]): Promise<void>;
  /** As if nobody had answered. */
  clearAuditAnswers(auditId: number, items: readonly Pick<AuditAnswer, 'itemId' | 'className'>[]): Promise<void>;
  /**
   * Holds items out of training, drawn at random with equal chance: what accuracy may be estimated on as it is. Those that
   * are held out already stay so. Regions that are not there are refused.
   */
  holdOut(draw: HeldOutDraw): Promise<void>;
  /** Items held out by `holdOut`. */
  heldOutItems(task: string): Promise<Set<ItemId>>;
  /** Lets go of those held out items that no person and no import has labelled; gives how many. */
  releaseUnlabelled(task: string): Promise<number>;
  /** Every item that was ever drawn for an audit of the task, and those held out: never to be trained on. */
  auditedItems(task: string): Promise<Set<ItemId>>;
}

export interface HeldOutDraw {
  readonly task: string;
  readonly atMs: number;
  readonly seed: number;
  readonly items: readonly ItemId[];
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
