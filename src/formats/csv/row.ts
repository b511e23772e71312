/** What readers of tables make of one row. */
import type { ImportedLabel, ImportedRegion, Rejection } from '../../core/dataset.ts';
import type { Attributes } from '../../core/region-details.ts';
import type { CsvRow } from '../csv-table.ts';

/** What one row says. */
export interface RowImage {
  readonly file: string;
  readonly where: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly split: string | null;
  readonly labels: readonly ImportedLabel[];
  readonly regions: readonly ImportedRegion[];
  readonly rejected: readonly Rejection[];
  readonly otherNames?: readonly string[];
  readonly attributes?: Attributes;
  /** The row stands for itself: see `ImportedImage.answer`. */
  readonly answer: boolean;
  readonly ownExport?: true;
}

export type RowReader = (row: CsvRow) => RowImage;
