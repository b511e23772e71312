/**
 * A sheet to name clusters in, all at once: a row a class of the task, with what speaks for names and pictures to look at.
 * The column `to` is empty; `corpus map` reads the sheet when it is filled in, and leaves alone what has no name in it.
 */
import { writeFile } from 'node:fs/promises';
import { LabelsmithError } from '../../errors.ts';
import { writeOutput } from '../../files/output.ts';
import { csvRow, fileCell, textCell } from '../../formats/csv-table.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { lookOf } from './cluster-confidence.ts';
import { savedModel } from './cluster-model.ts';
import { described } from './findings.ts';
import { clusterDigests } from './sheet-digests.ts';

/** `cluster` says which items a row is about (`sheet-digests.ts`). */
const COLUMNS = ['from', 'to', 'items', 'looks', 'proposed', 'examples', 'cluster'];
const EXAMPLES = 3;
const PROPOSED = 3;

export interface NamingSheetOptions {
  readonly task: string;
  /** Takes the place of a sheet that is there. */
  readonly replace: boolean;
}

/** Gives the path of the file and the rows in it. */
export async function writeNamingSheet(
  { store, dir }: Pick<Workspace, 'store' | 'dir'>,
  file: string,
  { task, replace }: NamingSheetOptions,
): Promise<{ readonly path: string; readonly classes: number }> {
  const model = await savedModel(store, task);
  if (!model) {
    throw new LabelsmithError('NOT_FOUND', `There are no clusters in the task "${task}".`, {
      hint: 'Run labelsmith discover first, or name the task with --task.',
    });
  }
  const counts = (await store.classes()).flatMap(({ name, counts: own }) =>
    own.flatMap((of) => (of.task === task ? [[name, of.count] as const] : [])),
  );
  const { clusters } = await described(store, model, new Map(counts));
  const digests = await clusterDigests(store, task);
  const items = clusters.reduce((sum, { size }) => sum + size, 0);
  const rows = clusters.map(({ name, size, chance, candidates, exemplars }) => [
    textCell(name),
    '',
    String(size),
    lookOf(chance, items),
    textCell(
      candidates
        .slice(0, PROPOSED)
        .map((candidate) => candidate.name)
        .join('; '),
    ),
    fileCell(exemplars.slice(0, EXAMPLES).join('; ')),
    digests.get(name) ?? '',
  ]);
  // Sheets of earlier builds have no column for the cluster.
  const signature = { begins: COLUMNS.slice(0, -1).join(',') };
  const protectedPaths = [{ path: dir, what: 'the workspace' }];
  const to = { kind: 'file', what: 'sheet of names', signature, replace, protectedPaths } as const;
  const path = await writeOutput(file, to, async (target) => {
    await writeFile(target, [COLUMNS, ...rows].map(csvRow).join(''));
  });
  return { path, classes: rows.length };
}
