/** What every route is given, and how it is made of a workspace. */
import type { Workspace } from '../jobs/workspace.ts';
import { revisionsOf } from './counted.ts';
import type { Jobs } from './jobs.ts';
import { createPictures, type Pictures } from './pictures.ts';
import { createSearches, type Searches } from './searches.ts';

export interface ReviewContext {
  readonly workspace: Workspace;
  readonly pictures: Pictures;
  readonly jobs: Jobs;
  readonly searches: Searches;
  /** Another one after every change of the record: see `counted.ts`. */
  readonly revision: () => Promise<string>;
  /** Only this machine talks to the server: it may be told of folders. */
  readonly local: boolean;
}

export function contextOf(
  workspace: Workspace,
  { threads, ...given }: Pick<ReviewContext, 'jobs' | 'local'> & { readonly threads: number },
): ReviewContext {
  const made = { pictures: createPictures(workspace), searches: createSearches(workspace, { threads }) };
  return { ...given, ...made, workspace, revision: revisionsOf(workspace.store) };
}
