/** How a section that reads more than the one pass over the images comes by it. */
import type { Workspace } from '../../jobs/workspace.ts';
import type { GatheredSection } from '../report-data.ts';

export interface GatherOptions {
  readonly seed: number;
  readonly threads: number;
}

/** A row of the table in `gather.ts`. */
export type Gather = (workspace: Workspace, options: GatherOptions) => Promise<GatheredSection | null>;
