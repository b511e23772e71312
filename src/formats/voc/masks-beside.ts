/**
 * Reads masks that lie beside their pictures, as Roboflow writes them ("Semantic Segmentation Masks"): `a_mask.png` beside
 * `a.jpg`, and `_classes.csv` with the columns Pixel Value and Class, in the folder itself or in those of the splits. A region
 * is a connected part.
 */
import { join } from 'node:path';
import type { ImportedImage } from '../../core/dataset.ts';
import { badFile, numberIn } from '../check.ts';
import { csvRows } from '../csv-table.ts';
import type { Reckoning } from '../reckoning.ts';
import { splitOfName } from '../split-names.ts';
import { listFolder } from '../walk.ts';
import { maskPictureOf } from './mask-file.ts';
import { tableByNumber } from './mask-table.ts';
import { regionsOfMask } from './masks.ts';

const CLASSES = '_classes.csv';
const MASK = /_mask\.png$/i;

/** Folders with such masks: the folder itself (an empty name), or those in it. */
export async function foldersOfMasksBeside(path: string): Promise<string[]> {
  const { folders } = await listFolder(path);
  const found: string[] = [];
  for (const folder of ['', ...folders.filter((name) => splitOfName(name) !== null)]) {
    const { files } = await listFolder(join(path, folder));
    if (files.includes(CLASSES) && files.some((name) => MASK.test(name))) found.push(folder);
  }
  return found;
}

export async function* readMasksBeside(
  root: string,
  folder: string,
  reckoning: Reckoning,
): AsyncGenerator<ImportedImage> {
  const below = (name: string) => (folder === '' ? name : `${folder}/${name}`);
  const table = tableByNumber(await namesIn(join(root, folder, CLASSES), below(CLASSES)));
  const { files } = await listFolder(join(root, folder));
  for (const file of files.filter((name) => MASK.test(name))) {
    const name = below(file);
    const found = await reckoning.attemptFile('file-unreadable', async () => {
      const picture = await maskPictureOf(join(root, name), name);
      return { picture, regions: regionsOfMask(picture, null, { table, name, reckoning }) };
    });
    if (found === null) continue;
    reckoning.take('files');
    const { width, height } = found.picture;
    const stem = name.replace(MASK, '');
    yield { file: stem, width, height, labels: [], regions: found.regions, where: name, split: splitOfName(folder) };
  }
}

/** Names by pixel value; 0 is the background where the table does not say otherwise. */
async function namesIn(path: string, name: string): Promise<string[]> {
  const names: string[] = ['background'];
  for await (const { cells, where } of csvRows(path, name)) {
    const [value = '', className = ''] = cells.map((cell) => cell.trim());
    if (!/^\d+$/.test(value)) {
      if (names.length === 1 && /pixel/i.test(value)) continue;
      throw badFile(where, 'a pixel value and a class were expected');
    }
    const number = numberIn(value, where);
    if (number > MAX_NUMBER) throw badFile(where, `${number} is no value of a pixel`);
    names[number] = className;
  }
  return names;
}

const MAX_NUMBER = 65_535;
