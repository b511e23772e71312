/** One part of the report. A part that has nothing to show gives null and is left out, with its link. */
import type { ImageId } from '../../core/ids.ts';
import type { Workspace } from '../../pipeline/workspace.ts';
import type { Markup } from '../markup.ts';
import type { Pictures } from '../picture.ts';
import type { ReportData } from '../report-data.ts';

export interface Section {
  /** Anchor and CSS hook. */
  readonly id: string;
  readonly title: string;
  readonly render: (data: ReportData, pictures: Pictures) => Markup | null;
  /** Rules for what only this section has; they begin with `#ID`. Constant, or made of numbers only. */
  readonly style?: string;
  /** Plain JavaScript for what only this section does; runs after the page's own. Constant: data goes into attributes. */
  readonly script?: string;
}

/**
 * A section that reads more than the one pass over the images gives, vectors say. `gather` is called once and holds what
 * it needs in the section that it gives: bounded, whatever the number of images. Null where there is nothing to show.
 */
export interface GatheredSection {
  readonly section: Section;
  /** Pictures it would show, those that matter most first; a picture left out for size is null in `Pictures.shot`. */
  readonly pictures: readonly ImageId[];
}

export interface GatherOptions {
  readonly seed: number;
  readonly threads: number;
}

/** A row of the table in `gather.ts`. */
export type Gather = (workspace: Workspace, options: GatherOptions) => Promise<GatheredSection | null>;
