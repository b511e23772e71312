/** What the answers to an audit say of all labels that could have been drawn. Pure. */
import type { Origin } from '../../core/labels.ts';
import { type Proportion, type StratumSample, stratifiedInterval } from '../../math/metrics/interval.ts';
import type { AuditItem, AuditRecord } from '../../store/store.ts';
import type { AuditDesign } from './design.ts';

export interface AuditResult {
  readonly audit: number;
  readonly task: string;
  readonly origin: Origin | null;
  /** Labels that could have been drawn, drawn, and answered. */
  readonly population: number;
  readonly drawn: number;
  readonly checked: number;
  readonly right: number;
  /** Null where fewer than {@link MIN_ANSWERS} were answered, but for an audit of fewer labels than that. */
  readonly accuracy: Proportion | null;
  readonly classes: readonly ClassAccuracy[];
  readonly strata: readonly (StratumSample & { readonly low: number; readonly high: number })[];
}

export interface ClassAccuracy {
  readonly className: string;
  readonly population: number;
  readonly checked: number;
  readonly right: number;
  readonly accuracy: Proportion | null;
}

/** Fewer answers are no figure, wherever one is stated. */
export const MIN_ANSWERS = 10;

export function auditDesign({ design }: Pick<AuditRecord, 'design'>): AuditDesign {
  return JSON.parse(design) as AuditDesign;
}

/** What the answers so far say of all labels of the audit's day. Unanswered items count as if they had not been drawn. */
export function estimateAudit(audit: AuditRecord, items: readonly AuditItem[]): AuditResult {
  const design = auditDesign(audit);
  const answered = items.filter(({ answer }) => answer !== null);
  const right = answered.filter(({ answer }) => answer?.right);
  const sampleOf = (populations: readonly number[], own: readonly AuditItem[]): StratumSample[] =>
    populations.map((population, stratum) => {
      const here = own.filter((item) => item.stratum === stratum);
      return { population, checked: here.length, right: here.filter(({ answer }) => answer?.right).length };
    });
  const strata = sampleOf(
    design.strata.map(({ population }) => population),
    answered,
  );
  const classes = Object.entries(design.classes).map(([className, populations]): ClassAccuracy => {
    const own = answered.filter((item) => item.className === className);
    return {
      className,
      population: populations.reduce((sum, count) => sum + count, 0),
      checked: own.length,
      right: own.filter(({ answer }) => answer?.right).length,
      accuracy: stratifiedInterval(sampleOf(populations, own)),
    };
  });
  return {
    audit: audit.id,
    task: audit.task,
    origin: design.origin,
    population: design.population,
    drawn: items.length,
    checked: answered.length,
    right: right.length,
    accuracy: answered.length >= Math.min(MIN_ANSWERS, design.population) ? stratifiedInterval(strata) : null,
    classes: classes.sort((a, b) => b.population - a.population || (a.className < b.className ? -1 : 1)),
    strata: strata.map((sample, i) => ({
      low: design.strata[i]?.low ?? 0,
      high: design.strata[i]?.high ?? 1,
      ...sample,
    })),
  };
}
