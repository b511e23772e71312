/**
 * KITTI's objects (cvlibs.net/datasets/kitti, `readme.txt` of the object development kit): `label_2/000001.txt` beside
 * `image_2/000001.png`, a row an object: type, truncated (0 to 1), occluded (0 to 3), alpha, box, three sizes, place,
 * rotation, and of results a score. What says `DontCare` is no object. The box in space is told as left out.
 */
import type { ImportedImage } from '../../core/dataset.ts';
import { badFile, classNameAt, shown } from '../check.ts';
import { detailsOfAttributes } from '../details.ts';
import type { ReadOptions } from '../format.ts';
import type { Reckoning } from '../reckoning.ts';
import type { Shape } from '../shapes.ts';
import { boxForm, imageOf, shapeOf, splitOfPath, withFolder } from './objects.ts';
import { isRowsName, numbersIn, objectsOf, rowFiles } from './rows.ts';

export async function* read(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  const options = {
    reckoning,
    isWanted: isRowsName,
    hint: 'KITTI has a text file an image in label_2.',
  };
  for await (const file of rowFiles(path, options)) {
    const stem = file.name.slice(0, -'.txt'.length);
    yield imageOf(
      {
        file: withFolder(stem, /^labels?(?=$|_\d)/i, 'image'),
        otherNames: [withFolder(stem, /^labels?$/i, 'images'), stem],
        shapes: objectsOf(file, reckoning, (cells, where) => objectOf(cells, where, reckoning)),
        where: file.name,
        split: splitOfPath(file.name),
      },
      reckoning,
    );
  }
}

/** Alpha, sizes, place and rotation as those write them who have none. */
const IN_SPACE_UNKNOWN = [
  [-10, 0],
  [-1, 0],
  [-1, 0],
  [-1, 0],
  [-1000, 0],
  [-1000, 0],
  [-1000, 0],
  [-10, 0],
] as const;

function objectOf(cells: readonly string[], where: string, reckoning: Reckoning): Shape | null {
  if (cells.length === 17 || cells.length === 18)
    throw badFile(where, 'a row of KITTI tracking, which has frames of a video and is not read');
  if (cells.length !== 15 && cells.length !== 16)
    throw badFile(where, `15 cells were expected, or 16 with a score, and the row has ${cells.length}`);
  const [type] = cells;
  if (/^dont_?care$/i.test(type)) {
    reckoning.note('object-ignored', where, type);
    return null;
  }
  const [truncated, occluded, alpha, x1, y1, x2, y2, ...rest] = numbersIn(cells.slice(1), where);
  const inSpace = [alpha, ...rest.slice(0, 7)];
  if (inSpace.some((number, i) => !IN_SPACE_UNKNOWN[i].some((unknown) => unknown === number)))
    reckoning.note('attribute-passed-over', where, `the box in space ${shown(rest.slice(0, 7))}`);
  const score = rest[7];
  const isShare = score === undefined || (score >= 0 && score <= 1);
  const attributes = {
    truncated: truncated > 0,
    occluded: occluded === 1 || occluded === 2,
    ...(truncated > 0 && truncated < 1 ? { truncation: truncated } : {}),
    ...(occluded === 2 ? { occlusion: 'large' } : {}),
    // Scores of KITTI's results are any number, and no chance of being right.
    ...(isShare ? {} : { score }),
  };
  return shapeOf(boxForm([x1, y1, x2, y2], where, reckoning), {
    className: classNameAt(type, where),
    where,
    confidence: isShare ? (score ?? null) : null,
    details: detailsOfAttributes(attributes, null),
  });
}
