/** How a sample was drawn, as the record keeps it: what an estimate needs beside the answers. */
import type { Origin } from '../../core/labels.ts';

export interface AuditDesign {
  readonly origin: Origin | null;
  /** Labels that could have been drawn. */
  readonly population: number;
  readonly strata: readonly StratumDesign[];
  /** Labels of each class in each stratum. */
  readonly classes: Readonly<Record<string, readonly number[]>>;
}

export interface StratumDesign {
  /** Confidence from `low`, to below `high` but for the last stratum, which takes 1 in. */
  readonly low: number;
  readonly high: number;
  readonly population: number;
  readonly drawn: number;
}
