/**
 * Open Images (storage.googleapis.com/openimages): classes are codes such as `/m/01g317`; what they mean stands in
 * `class-descriptions….csv`, a table of code and name without a header, in the folder of the labels.
 */
import { join } from 'node:path';
import { csvRows } from '../csv-table.ts';
import { listFolder } from '../walk.ts';

/** The name of a code; a code that no description names stays as it is. */
export async function openImagesNames(folder: string): Promise<(code: string) => string> {
  const nameOf = new Map<string, string>();
  const { files } = await listFolder(folder);
  for (const file of files.filter((name) => /^(?:oidv\d+-)?class-descriptions.*\.csv$/i.test(name)))
    for await (const { cells } of csvRows(join(folder, file), file)) if (cells[1]) nameOf.set(cells[0], cells[1]);
  return (code) => nameOf.get(code) ?? code;
}
