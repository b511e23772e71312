/** One part of the report. A part that has nothing to show gives null and is left out, with its link. */
import type { Markup } from '../markup.ts';
import type { Pictures } from '../picture.ts';
import type { ReportData } from '../report-data.ts';

export interface Section {
  /** Anchor and CSS hook. */
  readonly id: string;
  readonly title: string;
  readonly render: (data: ReportData, pictures: Pictures) => Markup | null;
}
