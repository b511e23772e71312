/**
 * `import edge`: what a device found, into the workspace. The images that it was not sure of are added; labels go to the
 * images of the same bytes, with the origin of what said them, so that whoever outranks a machine here outranks it still.
 * Taken in again, nothing is doubled.
 */
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LabelsmithError } from '../../errors.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { type AddResult, addTo } from '../add/add.ts';
import { openSources } from '../add/open-sources.ts';
import type { ImportSummary } from '../import/import.ts';
import { importIn } from '../import/import-in.ts';
import { RESULTS_FILE, UNSURE_FOLDER } from './runner/edge-results.ts';

export interface EdgeImport {
  /** Of the images that the device was not sure of; null where there are none. */
  readonly added: AddResult['counts'] | null;
  readonly imported: ImportSummary;
}

export async function importEdgeResults(workspace: Workspace, results: string, run: RunOptions): Promise<EdgeImport> {
  const folder = resolve(results);
  const file = join(folder, RESULTS_FILE);
  if ((await stat(file).catch(() => undefined)) === undefined) {
    throw new LabelsmithError('NOT_FOUND', `${folder} holds no results of a device: there is no ${RESULTS_FILE}`, {
      hint: 'Name the folder that run.mjs of an edge pack wrote with --to, copied here.',
    });
  }
  const unsure = join(folder, UNSURE_FOLDER);
  const names = await readdir(unsure).catch(() => []);
  const added =
    names.length === 0
      ? null
      : (await addTo(workspace, await openSources(workspace, [unsure]), { ...run, sync: false })).counts;
  const { seed, threads, device } = run;
  const imported = await importIn(workspace, 'jsonl', file, { seed, threads, device });
  return { added, imported };
}
