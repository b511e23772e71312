/** What every route is given. */
import type { Workspace } from '../jobs/workspace.ts';
import type { Jobs } from './jobs.ts';
import type { Pictures } from './pictures.ts';

export interface ReviewContext {
  readonly workspace: Workspace;
  readonly pictures: Pictures;
  readonly jobs: Jobs;
  /** Another one after every change of the record: see `counted.ts`. */
  readonly revision: () => Promise<string>;
  /** Only this machine talks to the server: it may be told of folders. */
  readonly local: boolean;
}
