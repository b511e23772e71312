/**
 * Reads the JSON of LabelMe (github.com/wkentaro/labelme) and X-AnyLabeling: a file a picture, with shapes. Shapes of one
 * label and group are one region; points that have the group of a box or an outline are its keypoints. Flags of the
 * picture are its classes.
 */
import { stat } from 'node:fs/promises';
import type { ImportedImage, ImportedRegion, Keypoints, MaskRle } from '../../core/dataset.ts';
import type { Attributes } from '../../core/region-details.ts';
import { ownershipOfFolder } from '../../files/own.ts';
import { arrayAt, badFile, classNameAt, type JsonObject, numberAt, objectAt, shown } from '../check.ts';
import { extentOf } from '../contours.ts';
import { detailsOfAttributes, plainAttributes } from '../details.ts';
import type { ReadOptions } from '../format.ts';
import { eachFile, readJsonFile } from '../json-files.ts';
import { maskOfPicture } from '../mask-picture.ts';
import { confidenceFrom, hasRoom, sizeFrom } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import { extentOfRotated, rotatedOfCorners } from '../rotated-box.ts';
import { regionsOfShapes, type Shape } from '../shapes.ts';
import { splitOfName } from '../split-names.ts';

/** @param path a JSON file, or a folder with some */
export async function* readLabelme(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  // Folders of our own exports are those of the pictures, and say nothing of splits.
  const own = (await stat(path)).isDirectory() && (await ownershipOfFolder(path)).kind !== 'foreign';
  const files = {
    reckoning,
    isWanted: (file: string) => /\.json$/i.test(file),
    hint: 'LabelMe has a JSON file beside each picture.',
  };
  const read = (file: string, name: string) => readOne(file, name, reckoning);
  for await (const { name, found } of eachFile(path, files, read)) {
    const split = own || !name.includes('/') ? null : splitOfName(name.slice(0, name.indexOf('/')));
    yield { ...found, split };
  }
}

async function readOne(path: string, name: string, reckoning: Reckoning): Promise<ImportedImage> {
  const row = objectAt(await readJsonFile(path, name), name);
  const rows = arrayAt(row.shapes, `${name} shapes`);
  const size: Size = {
    width: sizeFrom(row.imageWidth, `${name} imageWidth`, reckoning),
    height: sizeFrom(row.imageHeight, `${name} imageHeight`, reckoning),
  };
  const shapes: Shape[] = [];
  const points: Point[] = [];
  for (const [i, given] of rows.entries()) {
    const where = `${name} shapes[${i}]`;
    if (!hasRoom(shapes, where, reckoning)) continue;
    const read = await reckoning.attemptFile('object-unreadable', () => shapeOf(given, where, size, reckoning));
    if (read === null) continue;
    if ('point' in read) points.push(read);
    else shapes.push(read);
  }
  const tied = withGroups(shapes, points);
  const stem = name.slice(0, -'.json'.length);
  const folder = stem.includes('/') ? stem.slice(0, stem.lastIndexOf('/') + 1) : '';
  const said = typeof row.imagePath === 'string' ? row.imagePath.replaceAll('\\', '/').replace(/^(?:\.\/)+/, '') : '';
  const file = said === '' ? stem : said.startsWith('/') || said.startsWith('../') ? said : folder + said;
  return {
    file,
    ...(file === stem ? {} : { otherNames: [stem] }),
    ...size,
    labels: flagsOf(row.flags).map((className) => ({ className, confidence: null, origin: null, task: null })),
    regions: [...regionsOfShapes([...tied, ...keypointShapes(points, tied)], reckoning), ...alone(points, tied)],
    where: name,
    split: null,
  };
}

interface Size {
  readonly width: number | null;
  readonly height: number | null;
}

interface Point {
  readonly point: Keypoints[number];
  readonly className: string;
  readonly groupId: string | null;
  readonly where: string;
}

function flagsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, on]) => (on === true && name.trim() !== '' ? [name] : []));
}

async function shapeOf(given: unknown, where: string, size: Size, reckoning: Reckoning): Promise<Shape | Point> {
  const row = objectAt(given, where);
  const className = classNameAt(row.label, `${where}.label`);
  const kind = row.shape_type == null ? 'polygon' : row.shape_type;
  const groupId = row.group_id == null ? null : String(row.group_id);
  const flat = arrayAt(row.points, `${where}.points`).flatMap((point, i) => {
    const at = `${where}.points[${i}]`;
    const pair = arrayAt(point, at).map((part) => numberAt(part, at));
    if (pair.length !== 2) throw badFile(at, `x and y were expected, not ${shown(point)}`);
    return pair;
  });
  if (flat.length === 0) throw badFile(`${where}.points`, 'there are no points');
  if (kind === 'point') return { point: [flat[0], flat[1], 2], className, groupId, where };
  const confidence = confidenceFrom(row.score, `${where}.score`, reckoning);
  const rotatedBox = kind === 'rotation' || kind === 'oriented_rectangle' ? rotatedOfCorners(flat, 1) : null;
  const details = detailsOfAttributes(attributesOf(row, where, reckoning), rotatedBox);
  return {
    group: groupId === null ? null : `${className} ${groupId}`,
    labels: [{ className, confidence, origin: null, task: null }],
    score: confidence,
    crowd: false,
    where,
    unit: 'pixels',
    form: await formOf(kind, row, flat, { where, size, reckoning }),
    ...(details === null ? {} : { details }),
  };
}

async function formOf(
  kind: unknown,
  row: JsonObject,
  flat: readonly number[],
  { where, size, reckoning }: { readonly where: string; readonly size: Size; readonly reckoning: Reckoning },
): Promise<Shape['form']> {
  switch (kind) {
    case 'polygon':
      return { kind: 'polygon', polygon: flat };
    case 'rotation':
    case 'oriented_rectangle': {
      const rotated = rotatedOfCorners(flat, 1);
      return rotated === null ? { kind: 'polygon', polygon: flat } : { kind: 'box', box: extentOfRotated(rotated) };
    }
    case 'rectangle':
      // Two corners in whatever order they were drawn, or all four of X-AnyLabeling.
      return { kind: 'box', box: extentOf([flat]) };
    case 'circle': {
      reckoning.note('shape-as-box', where, kind);
      const radius = Math.hypot(flat[2] - flat[0], flat[3] - flat[1]);
      return { kind: 'box', box: [flat[0] - radius, flat[1] - radius, flat[0] + radius, flat[1] + radius] };
    }
    case 'line':
    case 'linestrip':
    case 'points':
      reckoning.note('shape-as-box', where, kind);
      return { kind: 'box', box: extentOf([flat]) };
    case 'mask':
      return { kind: 'mask', mask: await maskOf(row.mask, flat, where, size) };
    default:
      throw badFile(`${where}.shape_type`, `${shown(kind)} is no shape that can be read`);
  }
}

/** A picture of the part between the two points, both inside. */
async function maskOf(
  given: unknown,
  flat: readonly number[],
  where: string,
  { width, height }: Size,
): Promise<MaskRle> {
  if (typeof given !== 'string')
    throw badFile(`${where}.mask`, `a picture in base64 was expected, not ${shown(given)}`);
  if (width === null || height === null) throw badFile(where, 'a mask needs imageWidth and imageHeight');
  const [left, top] = [Math.round(flat[0]), Math.round(flat[1])];
  return maskOfPicture(Buffer.from(given, 'base64'), { left, top, width, height }, where);
}

/** Of X-AnyLabeling, and the remark that LabelMe has. */
function attributesOf(row: JsonObject, where: string, reckoning: Reckoning): Attributes {
  const groups = [row.attributes, row.flags, { description: row.description, difficult: row.difficult }];
  return plainAttributes(groups, where, reckoning);
}

/**
 * A group ties shapes of one label to a region, and points to it. What else it says, which objects belong together or who
 * an object is, stays as an attribute of each.
 */
function withGroups(shapes: readonly Shape[], points: readonly Point[]): Shape[] {
  const labels = new Map<string, Set<string>>();
  const counts = new Map<string, number>();
  for (const shape of shapes) {
    const id = groupIdOf(shape);
    if (id === null || shape.group === null) continue;
    labels.set(id, (labels.get(id) ?? new Set()).add(shape.group));
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const withPoints = new Set(points.map(({ groupId }) => groupId));
  return shapes.map((shape) => {
    const id = groupIdOf(shape);
    const isTie = id === null || (labels.get(id)?.size === 1 && ((counts.get(id) ?? 0) > 1 || withPoints.has(id)));
    if (isTie) return shape;
    const attributes = { group_id: Number.isSafeInteger(Number(id)) ? Number(id) : id, ...shape.details?.attributes };
    return { ...shape, details: { ...shape.details, attributes } };
  });
}

/** What ties a shape to others; null where nothing does. */
function groupIdOf({ group, labels: [label] }: Shape): string | null {
  return group?.slice(label.className.length + 1) ?? null;
}

/** Points of the group of a box or an outline, as the keypoints of that region, in the order of the file. */
function keypointShapes(points: readonly Point[], shapes: readonly Shape[]): Shape[] {
  const ofGroup = Map.groupBy(points, ({ groupId }) => groupId);
  return shapes.flatMap((shape): Shape[] => {
    const id = groupIdOf(shape);
    const own = id === null ? undefined : ofGroup.get(id);
    if (own === undefined) return [];
    const { details: _, ...bare } = shape;
    return [{ ...bare, form: { kind: 'keypoints', keypoints: own.map(({ point }) => point) } }];
  });
}

/** Points of no other shape are regions of their own. */
function alone(points: readonly Point[], shapes: readonly Shape[]): ImportedRegion[] {
  const groups = new Set(shapes.map(groupIdOf));
  return points
    .filter(({ groupId }) => groupId === null || !groups.has(groupId))
    .map(({ point, className, where }) => ({
      box: [point[0], point[1], point[0], point[1]],
      where,
      unit: 'pixels',
      score: null,
      labels: [{ className, confidence: null, origin: null, task: null }],
      mask: null,
      polygons: null,
      keypoints: [point],
      crowd: false,
    }));
}
