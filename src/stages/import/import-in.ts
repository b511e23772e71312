/** `import` into a workspace, recorded as a run: what the command line does, and a program too. */
import type { ReaderName } from '../../formats/format.ts';
import { type RunOptions, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { type ImportOptions, type ImportSummary, importLabels } from './import.ts';

/** Takes in labels of images that were added before. Nothing is written when any part of the file cannot be read. */
export async function importIn(
  { store }: Pick<Workspace, 'store'>,
  format: ReaderName | 'auto',
  path: string,
  { seed, threads, device, ...options }: ImportOptions & Pick<RunOptions, 'seed' | 'threads' | 'device'>,
): Promise<ImportSummary> {
  const {
    as = null,
    task = null,
    classes = 'new',
    disagreement = 'newest',
    replace = null,
    confirmAll = null,
  } = options;
  const settings = { format, path, as, task, classes, disagreement, replace, confirmAll };
  const { summary } = await recordRun(
    store,
    { stage: 'import', settings },
    { seed, threads, device },
    async (runId) => {
      const found = await importLabels(store, format, path, options, runId);
      const { matched, unmatched, regions, labels, reckoning } = found;
      const counts = { matched, unmatched, regions, labels };
      return { counts, metrics: { reckoning }, interrupted: false, summary: found };
    },
  );
  return summary;
}
