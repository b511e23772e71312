/** `import` into a workspace, recorded as a run: what the command line does, and a program too. */
import { rehearse } from '../../core/rehearsal.ts';
import type { ReaderName } from '../../formats/format.ts';
import { type RunOptions, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Store } from '../../store/store.ts';
import { type ImportOptions, type ImportSummary, importLabels } from './import.ts';

type InOptions = ImportOptions & Pick<RunOptions, 'seed' | 'threads' | 'device'>;

/**
 * Takes in labels of images that were added before. Nothing is written when any part of the file cannot be read; with `dryRun`
 * nothing at all: it is done in one transaction that is taken back, for which others who write wait.
 */
export async function importIn(
  { store }: Pick<Workspace, 'store'>,
  format: ReaderName | 'auto',
  path: string,
  options: InOptions,
): Promise<ImportSummary> {
  if (!options.dryRun) return importInto(store, format, path, options);
  return rehearse(store, (within: Store) => importInto(within, format, path, options));
}

async function importInto(
  store: Store,
  format: ReaderName | 'auto',
  path: string,
  { seed, threads, device, ...options }: InOptions,
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
      // Where it is a copy of an export: see `same-copy.ts`.
      const copy = found.corrections?.copy ? { copy: found.corrections.copy } : {};
      const counts = { matched, unmatched, regions, labels };
      return { counts, metrics: { reckoning, ...copy }, interrupted: false, summary: found };
    },
  );
  return summary;
}
