/**
 * Tables without a header, told by what stands in their first row: makesense.ai's (class, box, picture, its size), Google
 * AutoML's (`TRAIN,gs://…,class,` and corners in fractions, or an address with its class), and those of
 * keras-retinanet (picture, corners, class). Pure.
 */
import { isImageName } from '../walk.ts';

/** The header that such a table might have had, by which its rows are read; null for a table that has one. */
export function headerFor(first: readonly string[]): readonly string[] | null {
  const cells = first.map((cell) => cell.trim());
  const isName = (i: number) => cells[i] !== undefined && isImageName(cells[i]);
  const areNumbers = (from: number, to: number) => cells.slice(from, to).every((cell) => NUMBER.test(cell));
  const areEmpty = (from: number, to: number) => cells.slice(from, to).every((cell) => cell === '');
  const isAddress = (i: number) => /^gs:\/\//.test(cells[i] ?? '') && isName(i);
  if (cells.length === 8 && isName(5) && areNumbers(1, 5) && areNumbers(6, 8))
    return ['class', 'x', 'y', 'w', 'h', 'file', 'image_width', 'image_height'];
  if (isUse(cells[0] ?? '') && isAddress(1))
    return cells.length >= 10 ? AUTOML : ['split', 'file', 'class'].slice(0, Math.max(cells.length, 3));
  if (cells.length === 6 && isName(0) && (areNumbers(1, 5) || areEmpty(1, 6)))
    return ['file', 'xmin', 'ymin', 'xmax', 'ymax', 'class'];
  if (cells.length === 2 && isAddress(0) && cells[1] !== '') return ['file', 'class'];
  return null;
}

const NUMBER = /^-?\d+(?:\.\d+)?$/;

/** AutoML's word for a split, in capitals. */
export function isUse(cell: string): boolean {
  return /^(?:TRAIN(?:ING)?|VALIDAT(?:E|ION)|TEST|UNASSIGNED)$/.test(cell);
}

/** Of four corners the first and the third are opposite; the others may be empty. */
const AUTOML = ['split', 'file', 'class', 'xmin', 'ymin', '', ' ', 'xmax', 'ymax', '  ', '   '];
