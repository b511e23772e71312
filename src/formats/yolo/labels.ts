/**
 * Rows of a YOLO label file, as trainers read them and as prediction writes them:
 * - `class x y w h`, then perhaps a confidence, then perhaps a track's number;
 * - `class x1 y1 x2 y2 …` of three points or more, a polygon, with the same perhaps behind it; four corners may be a turned
 *   box (OBB): where `data.yaml` says so (`task: obb`, in our own exports), or where all rows of a file have four;
 * - with `kpt_shape`, a box and its keypoints, whose third number is a visibility or, in predictions, a confidence.
 * All as fractions of the image.
 */
import type { ImportedRegion, Keypoints } from '../../core/dataset.ts';
import type { RegionDetails } from '../../core/region-details.ts';
import { badFile, numberIn, shown } from '../check.ts';
import { extentOf } from '../contours.ts';
import { confidenceFrom, hasRoom, MAX_OBJECTS, sortedBox } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';

export interface LabelScheme {
  readonly classNames: readonly string[];
  /** Where the names come from, for messages. */
  readonly namesFrom: string;
  /** Keypoints a row and numbers a keypoint (2 or 3); null: rows hold no keypoints. */
  readonly keypoints: { readonly count: number; readonly numbers: number } | null;
  /** Rows of four corners are turned boxes. Default: where all rows of a file have four, those that are rectangles are. */
  readonly turned?: true;
}

/** What is further outside than this is no fraction of the image: pixels, or damage. */
const MAX_FRACTION = 2;

export function regionsOfText(text: string, name: string, scheme: LabelScheme, reckoning: Reckoning): ImportedRegion[] {
  // Not all of a file of millions of rows, which would become as many texts.
  const lines = text.split(/\r\n|\n|\r/, MAX_LINES);
  const context = contextOf(lines.map(cellsOf), scheme);
  const regions: ImportedRegion[] = [];
  for (const [i, line] of lines.entries()) {
    const cells = cellsOf(line);
    const where = `${name}:${i + 1}`;
    if (cells[0] === '' || !hasRoom(regions, where, reckoning)) continue;
    const region = reckoning.attempt('row-unreadable', () => regionOf(cells, where, context, reckoning));
    if (region === null) continue;
    reckoning.take('rows');
    regions.push(region);
  }
  if (lines.length === MAX_LINES) tellFurther(text, name, reckoning);
  return regions;
}

/** Lines that are gone through; those of too many objects are only counted. */
const MAX_LINES = 2 * MAX_OBJECTS;

function tellFurther(text: string, name: string, reckoning: Reckoning): void {
  let [number, from, further] = [0, 0, 0];
  for (const end of text.matchAll(/\r\n|\n|\r|$/g)) {
    if (number++ >= MAX_LINES && text.slice(from, end.index).trim() !== '') further++;
    from = end.index + end[0].length;
  }
  reckoning.note('too-many-objects', `${name}:${MAX_LINES + 1}`, `more than ${MAX_OBJECTS}`, further);
}

function cellsOf(line: string): string[] {
  return line.trim().split(/[\s,]+/);
}

function isTrack(value: number): boolean {
  return Number.isSafeInteger(value) && value > 1;
}

interface RowContext {
  readonly scheme: LabelScheme;
  /** Rows of six cells end in a track's number. */
  readonly tracked: boolean;
  /** No row is a polygon: rows of seven cells are a box, its confidence and a track's number. */
  readonly boxesOnly: boolean;
  /** What four corners are. */
  readonly corners: ImportedRegion['corners'];
}

/** What the rows of one file say of each other. */
function contextOf(rows: readonly (readonly string[])[], scheme: LabelScheme): RowContext {
  // A sixth number that is no share is a track's; then it is one in every row, that of track 1 too.
  const tracked = rows.some((cells) => cells.length === 6 && isTrack(Number(cells[5])));
  const ofSeven = rows.filter((cells) => cells.length === 7);
  // A coordinate is written with its point, and a box lies in the image, which three corners seldom look like.
  const isBox = (cells: readonly string[]) =>
    /^[1-9]\d*$/.test(cells[6]) && isInside(cornersOf(cells.slice(1, 5).map(Number)));
  const boxesOnly = ofSeven.every(isBox) && rows.every((cells) => cells.length <= 7);
  const keypoints = scheme.keypoints ?? keypointsShown(rows);
  const corners = scheme.turned ? 'said' : rows.every(isFourCorners) ? 'likely' : undefined;
  return { scheme: { ...scheme, keypoints }, tracked, boxesOnly, corners };
}

/** Four corners, and perhaps a confidence and a track's number; an empty line is no row. */
function isFourCorners(cells: readonly string[]): boolean {
  return (
    cells[0] === '' || cells.length === 9 || cells.length === 10 || (cells.length === 11 && isTrack(Number(cells[10])))
  );
}

/** Rounding that corners of a box may be outside by. */
const EDGE = 0.01;

function isInside(corners: readonly number[]): boolean {
  return corners.every((corner) => corner >= -EDGE && corner <= 1 + EDGE);
}

/** Fewer keypoints than this could be a polygon by chance. */
const MIN_KEYPOINTS = 5;

/**
 * What predictions of a pose model are, whose folder has no `kpt_shape`: in every row the first four numbers are a box,
 * and then come triples whose points are in that box, or at 0, and whose third number is a confidence. Null where any row
 * is something else, as a polygon would have to be by chance.
 */
function keypointsShown(rows: readonly (readonly string[])[]): LabelScheme['keypoints'] {
  let count: number | null = null;
  for (const cells of rows) {
    if (cells[0] === '') continue;
    const numbers = cells.slice(1).map(Number);
    const triples = Math.floor((numbers.length - 4) / 3);
    if (triples < MIN_KEYPOINTS || (count !== null && triples !== count)) return null;
    count = triples;
    const [x1, y1, x2, y2] = cornersOf(numbers);
    const [marginX, marginY] = [(x2 - x1) / 4, (y2 - y1) / 4];
    for (let i = 4; i < 4 + 3 * triples; i += 3) {
      const [x, y, mark] = numbers.slice(i, i + 3) as [number, number, number];
      const inBox = x >= x1 - marginX && x <= x2 + marginX && y >= y1 - marginY && y <= y2 + marginY;
      if (!(mark >= 0 && (mark <= 1 || mark === 2)) || !(inBox || (x === 0 && y === 0))) return null;
    }
  }
  return count === null ? null : { count, numbers: 3 };
}

function regionOf(cells: readonly string[], where: string, context: RowContext, reckoning: Reckoning): ImportedRegion {
  const { scheme } = context;
  const [first, ...rest] = cells;
  const className = classOf(first, where, scheme);
  const numbers = rest.map((cell) => numberIn(cell, where));
  const { shape, keypoints, confidence, track } = partsOf(numbers, context, where);
  for (const fraction of shape)
    if (Math.abs(fraction) > MAX_FRACTION) throw badFile(where, `${fraction} is not a fraction of the image, 0 to 1`);
  const score = confidenceFrom(confidence, where, reckoning);
  const polygon = shape.length === 4 ? null : shape;
  const details: RegionDetails | null = track === null ? null : { trackId: String(track) };
  return {
    box: polygon === null ? sortedBox(cornersOf(shape), where, reckoning) : extentOf([polygon]),
    where,
    unit: 'fractions',
    score,
    labels: [{ className, confidence: score, origin: null, task: null }],
    mask: null,
    polygons: polygon === null ? null : [polygon],
    keypoints: keypoints === null ? null : keypointsOf(keypoints, scheme.keypoints?.numbers ?? 3, where, reckoning),
    crowd: false,
    ...(polygon?.length === 8 && context.corners !== undefined ? { corners: context.corners } : {}),
    ...(details === null ? {} : { details }),
  };
}

/** By its number, or, as a few tools write it, by its name. */
function classOf(cell: string, where: string, { classNames, namesFrom }: LabelScheme): string {
  const id = /^\d+(?:\.0*)?$/.test(cell) ? Number(cell) : null;
  const className = id === null ? classNames.find((name) => name === cell) : classNames[id];
  if (className !== undefined) return className;
  if (id === null) throw badFile(where, `${shown(cell)} is no class number`);
  throw badFile(where, `the class number ${id} is unknown; ${namesFrom} has 0 to ${classNames.length - 1}`);
}

interface Parts {
  /** A box of four numbers, or a polygon of six or more. */
  readonly shape: readonly number[];
  readonly keypoints: readonly number[] | null;
  readonly confidence: number | null;
  readonly track: number | null;
}

/** Which number of a row is what. */
function partsOf(numbers: readonly number[], { scheme, tracked, boxesOnly }: RowContext, where: string): Parts {
  const { keypoints } = scheme;
  const length = numbers.length;
  const ends = (from: number): Pick<Parts, 'confidence' | 'track'> | null => {
    if (length === from) return { confidence: null, track: null };
    if (length === from + 1)
      return tracked || isTrack(numbers[from])
        ? { confidence: null, track: numbers[from] }
        : { confidence: numbers[from], track: null };
    return length === from + 2 ? { confidence: numbers[from], track: numbers[from + 1] } : null;
  };
  if (keypoints !== null) {
    const size = keypoints.count * keypoints.numbers;
    const pose = length >= 4 + size ? ends(4 + size) : null;
    if (pose !== null) return { shape: numbers.slice(0, 4), keypoints: numbers.slice(4, 4 + size), ...pose };
  }
  const box = ends(4);
  if (box !== null && length < 6) return { shape: numbers.slice(0, 4), keypoints: null, ...box };
  // Of six numbers a track's cannot be a coordinate.
  if (box !== null && (boxesOnly || isTrack(numbers[5])))
    return { shape: numbers.slice(0, 4), keypoints: null, ...box };
  if (keypoints !== null) {
    const columns = 5 + keypoints.count * keypoints.numbers;
    const what = `class, box and ${keypoints.count} keypoints of ${keypoints.numbers} numbers, as kpt_shape says`;
    throw badFile(where, `${columns} columns were expected (${what}), not ${length + 1}`);
  }
  if (length < 6)
    throw badFile(where, `5 columns were expected (class, centre x and y, width, height), not ${length + 1}`);
  const last = isTrack(numbers[length - 1]) ? numbers[length - 1] : null;
  const rest = last === null ? numbers : numbers.slice(0, -1);
  const odd = rest.length % 2 === 1;
  return {
    shape: odd ? rest.slice(0, -1) : rest,
    keypoints: null,
    confidence: odd ? rest[rest.length - 1] : null,
    track: last,
  };
}

function cornersOf(row: readonly number[]): number[] {
  const [x, y, width, height] = row as [number, number, number, number];
  return [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
}

/** From here on a keypoint of a prediction is seen; below, it is there and hidden. */
const SEEN_FROM = 0.5;

/** Null where all of them are absent. */
function keypointsOf(row: readonly number[], numbers: number, where: string, reckoning: Reckoning): Keypoints | null {
  const marks = Array.from({ length: row.length / numbers }, (_, i) => (numbers === 3 ? row[i * numbers + 2] : null));
  const confidences = marks.some((mark) => mark !== null && ![0, 1, 2].includes(mark));
  if (confidences) {
    const wrong = marks.find((mark) => mark !== null && !(mark >= 0 && mark <= 1));
    if (wrong !== undefined && wrong !== null) {
      reckoning.note('keypoints-left-out', where, `the visibility of a keypoint is 0, 1 or 2, not ${wrong}`);
      return null;
    }
    reckoning.note('visibility-from-confidence', where);
  }
  const points = marks.map((mark, i) => {
    const [x, y] = [row[i * numbers], row[i * numbers + 1]];
    return [x, y, visibilityOf(mark, x === 0 && y === 0, confidences)] as const;
  });
  return points.every(([, , visibility]) => visibility === 0) ? null : points;
}

function visibilityOf(mark: number | null, atZero: boolean, confidence: boolean): 0 | 1 | 2 {
  if (mark === null) return atZero ? 0 : 2;
  if (confidence) return atZero ? 0 : mark >= SEEN_FROM ? 2 : 1;
  return mark === 0 ? 0 : mark === 1 ? 1 : 2;
}
