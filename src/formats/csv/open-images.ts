/**
 * Open Images (storage.googleapis.com/openimages): classes are codes such as `/m/01g317`; what they mean stands in
 * `class-descriptions….csv`, a table of code and name without a header, in the folder of the labels, or in FiftyOne's
 * `metadata/classes.csv` beside that folder.
 */
import { join } from 'node:path';
import { csvRows } from '../csv-table.ts';
import { listFolder } from '../walk.ts';

const DESCRIPTIONS = /^(?:oidv\d+-)?class-descriptions.*\.csv$/i;

/** The name of a code; a code that no description names stays as it is. */
export async function openImagesNames(folder: string): Promise<(code: string) => string> {
  const nameOf = new Map<string, string>();
  for (const place of [folder, join(folder, 'metadata'), join(folder, '..'), join(folder, '..', 'metadata')]) {
    const { files } = await listFolder(place);
    const isNames = place.endsWith('metadata') ? /^(?:class-descriptions.*|classes)\.csv$/i : DESCRIPTIONS;
    for (const file of files.filter((name) => isNames.test(name)))
      for await (const { cells } of csvRows(join(place, file), file, { onFault: () => undefined }))
        if (cells[1] && !nameOf.has(cells[0])) nameOf.set(cells[0], cells[1]);
    if (nameOf.size > 0) break;
  }
  return (code) => nameOf.get(code) ?? code;
}
