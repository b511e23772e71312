/**
 * WIDER FACE (shuoyang1213.me/WIDERFACE, `readme.txt` of the annotations): `wider_face_train_bbx_gt.txt`, for each image its
 * path, the number of faces, and a row a face: x, y, width, height, blur, expression, illumination, invalid, occlusion, pose.
 * An image without faces has a row of zeros.
 */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ImportedImage } from '../../core/dataset.ts';
import { badFile, numberIn } from '../check.ts';
import { detailsOfAttributes } from '../details.ts';
import { filesInTurn } from '../files-in-turn.ts';
import type { ReadOptions } from '../format.ts';
import { linesOf } from '../lines.ts';
import { hasRoom } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import type { Shape } from '../shapes.ts';
import { isImageName, walkFiles } from '../walk.ts';
import { boxForm, imageOf, shapeOf, splitAmong } from './objects.ts';
import { numbersIn } from './rows.ts';

const NAME = /^wider_face_.*bbx_gt\.txt$/i;

export async function* read(path: string, options: ReadOptions): AsyncGenerator<ImportedImage> {
  if (!(await stat(path)).isDirectory()) {
    yield* readOne(path, basename(path), options);
    return;
  }
  const found: string[] = [];
  for await (const file of walkFiles(path)) if (NAME.test(file.slice(file.lastIndexOf('/') + 1))) found.push(file);
  if (found.length === 0) throw badFile(path, 'there is no wider_face_…_bbx_gt.txt in it', 'Name the file itself.');
  yield* filesInTurn(found, options.reckoning, (name) => readOne(join(path, name), name, options));
}

async function* readOne(
  path: string,
  name: string,
  { reckoning, classNames }: ReadOptions,
): AsyncGenerator<ImportedImage> {
  const className = classNames?.[0] ?? 'face';
  const split = splitAmong(name.split('_'));
  let image: Open | null = null;
  for await (const { text, number } of linesOf(path, name)) {
    const line = text.trim();
    if (line === '') continue;
    const where = `${name}:${number}`;
    if (isImageName(line)) {
      if (image !== null) yield closed(image, split, reckoning);
      image = { file: line, where, said: 0, rows: 0, shapes: [] };
      continue;
    }
    if (image === null) throw badFile(where, 'the path of an image was expected', 'This is no file of WIDER FACE.');
    const cells = line.split(/\s+/);
    if (cells.length === 1) {
      image.said = reckoning.attempt('object-unreadable', () => numberIn(line, where)) ?? image.said;
      continue;
    }
    image.rows++;
    if (!hasRoom(image.shapes, where, reckoning)) continue;
    const shape = reckoning.attempt('object-unreadable', () => faceOf(cells, className, where, reckoning));
    if (shape !== null && shape !== NO_FACE) image.shapes.push(shape);
  }
  if (image !== null) yield closed(image, split, reckoning);
}

/** An image whose rows are being read. */
interface Open {
  readonly file: string;
  readonly where: string;
  /** Faces by the line below the path. */
  said: number;
  rows: number;
  readonly shapes: Shape[];
}

function closed({ file, where, said, rows, shapes }: Open, split: string | null, reckoning: Reckoning): ImportedImage {
  if (rows < said)
    reckoning.note('object-unreadable', where, `${said} faces were said, and there are ${rows}`, said - rows);
  return imageOf({ file, where, shapes, split }, reckoning);
}

const NO_FACE = 'no face';
const BLUR = [undefined, 'normal', 'heavy'];

function faceOf(
  cells: readonly string[],
  className: string,
  where: string,
  reckoning: Reckoning,
): Shape | typeof NO_FACE {
  if (cells.length < 4) throw badFile(where, 'x, y, width and height were expected');
  const [x, y, width, height, blur, expression, illumination, invalid, occlusion, pose] = numbersIn(cells, where);
  if (cells.length > 4 && [x, y, width, height].every((number) => number === 0)) return NO_FACE;
  const details = detailsOfAttributes(
    {
      difficult: invalid === 1,
      occluded: occlusion > 0,
      ...(BLUR[blur] === undefined ? {} : { blur: BLUR[blur] }),
      ...(expression === 1 ? { expression: 'exaggerate' } : {}),
      ...(illumination === 1 ? { illumination: 'extreme' } : {}),
      ...(occlusion === 2 ? { occlusion: 'heavy' } : {}),
      ...(pose === 1 ? { pose: 'atypical' } : {}),
    },
    null,
  );
  return shapeOf(boxForm([x, y, x + width, y + height], where, reckoning), { className, where, details });
}
