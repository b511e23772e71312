/**
 * Cityscapes (github.com/mcordts/cityscapesScripts, `helpers/labels.py`): `gtFine/SPLIT/CITY/NAME_gtFine_polygons.json`, or
 * where those are not there the masks `…_instanceIds.png` (16 bits; class × 1000 + instance) or `…_labelIds.png`, for the
 * pictures `leftImg8bit/SPLIT/CITY/NAME_leftImg8bit.png`. What a class has no instances of is one region an image; things of
 * `labelIds` are what hangs together. A class that ends in `group` is a crowd. What is out of the picture's region of interest
 * is no object.
 */
import { stat } from 'node:fs/promises';
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import { badFile, classNameAt, type JsonObject, objectAt } from '../check.ts';
import type { ReadOptions } from '../format.ts';
import { eachFile, readJsonFile } from '../json-files.ts';
import { hasRoom, sizeFrom } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import type { Shape } from '../shapes.ts';
import { maskPictureOf } from '../voc/mask-file.ts';
import { type MaskPicture, partsOf } from '../voc/parts.ts';
import { walkFiles } from '../walk.ts';
import { imageOf, labelOf, pointsAt, polygonForm, shapeOf, shapesIn, splitOfPath } from './objects.ts';

/** By id, from 0. */
// biome-ignore format: names read best on few lines
const CLASSES = [
  'unlabeled', 'ego vehicle', 'rectification border', 'out of roi', 'static', 'dynamic', 'ground', 'road', 'sidewalk', 'parking',
  'rail track', 'building', 'wall', 'fence', 'guard rail', 'bridge', 'tunnel', 'pole', 'polegroup', 'traffic light',
  'traffic sign', 'vegetation', 'terrain', 'sky', 'person', 'rider', 'car', 'truck', 'bus', 'caravan', 'trailer', 'train',
  'motorcycle', 'bicycle',
];
/** Ids of no object. */
const NO_OBJECT = new Set(CLASSES.slice(0, 4));
const FIRST_THING = CLASSES.indexOf('person');

/** Best first. */
const KINDS = ['_polygons.json', '_instanceIds.png', '_labelIds.png'] as const;
type Kind = (typeof KINDS)[number];

export async function* read(path: string, options: ReadOptions): AsyncGenerator<ImportedImage> {
  const { reckoning } = options;
  const kind = await kindIn(path);
  const files = {
    reckoning,
    isWanted: (file: string) => file.endsWith(kind),
    hint: 'Cityscapes has files …_gtFine_polygons.json, …_instanceIds.png or …_labelIds.png.',
  };
  const readOne = async (file: string, name: string) =>
    kind === '_polygons.json'
      ? imageOfPolygons(objectAt(await readJsonFile(file, name), name), name, reckoning)
      : imageOfMask(await maskPictureOf(file, name), name, { kind, ...options });
  for await (const { found } of eachFile(path, files, readOne)) yield found;
}

async function kindIn(path: string): Promise<Kind> {
  const seen = new Set<Kind>();
  const look = (file: string) => {
    const kind = KINDS.find((ending) => file.endsWith(ending));
    if (kind !== undefined) seen.add(kind);
  };
  if ((await stat(path)).isDirectory()) {
    for await (const file of walkFiles(path)) {
      look(file);
      if (seen.has(KINDS[0])) break;
    }
  } else look(path);
  return KINDS.find((kind) => seen.has(kind)) ?? KINDS[0];
}

function namesOf(name: string): { file: string; otherNames: string[]; split: string | null } {
  const stem = name.replace(/_gt(?:Fine|Coarse)_(?:polygons\.json|instanceIds\.png|labelIds\.png)$/, '');
  const parts = stem.split('/').map((part) => (/^gt(?:Fine|Coarse)$/.test(part) ? 'leftImg8bit' : part));
  const base = parts.at(-1) ?? stem;
  return {
    file: `${parts.join('/')}_leftImg8bit`,
    otherNames: [`${base}_leftImg8bit`, base],
    split: splitOfPath(name),
  };
}

function imageOfPolygons(row: JsonObject, name: string, reckoning: Reckoning): ImportedImage {
  const shapes = shapesIn(row.objects, `${name} objects`, reckoning, (one, where): Shape | [] => {
    const said = classNameAt(one.label, `${where}.label`);
    if (one.deleted === 1 || NO_OBJECT.has(said)) {
      reckoning.note('object-ignored', where, said);
      return [];
    }
    const { className, crowd } = withoutGroup(said);
    return shapeOf(polygonForm(pointsAt(one.polygon, `${where}.polygon`), where), { className, crowd, where });
  });
  return imageOf(
    {
      ...namesOf(name),
      width: sizeFrom(row.imgWidth, `${name} imgWidth`, reckoning),
      height: sizeFrom(row.imgHeight, `${name} imgHeight`, reckoning),
      shapes,
      where: name,
    },
    reckoning,
  );
}

/** `cargroup` are cars; `polegroup` is a class. */
function withoutGroup(said: string): { className: string; crowd: boolean } {
  const one = said.replace(/group$/, '');
  const crowd = one !== said && CLASSES.indexOf(one) >= FIRST_THING;
  return { className: crowd ? one : said, crowd };
}

interface MaskContext extends ReadOptions {
  readonly kind: Kind;
}

function imageOfMask(picture: MaskPicture, name: string, { kind, reckoning, classNames }: MaskContext): ImportedImage {
  if (picture.coloured) throw badFile(name, 'a mask of numbers was expected, and this one has colours');
  const known = classNames ?? CLASSES;
  const isInstances = kind === '_instanceIds.png';
  const idOf = (value: number) => (isInstances && value >= 1000 ? Math.floor(value / 1000) : value);
  const isObject = (value: number) => {
    const className = known[idOf(value)];
    return className !== undefined && !NO_OBJECT.has(className);
  };
  const unknown = new Set<number>();
  for (const value of picture.values) if (known[idOf(value)] === undefined && value !== 255) unknown.add(idOf(value));
  for (const id of unknown) reckoning.note('object-of-no-class', name, `no class has the number ${id}`);
  const isThing = (value: number) => idOf(value) >= FIRST_THING;
  // By values, or what hangs together.
  const parts = isInstances
    ? partsOf(picture, picture, isObject)
    : [
        ...partsOf(picture, picture, (value) => isObject(value) && !isThing(value)),
        ...partsOf(picture, null, (value) => isObject(value) && isThing(value)),
      ];
  const regions: ImportedRegion[] = [];
  for (const { value, box, mask } of parts) {
    if (!hasRoom(regions, name, reckoning)) continue;
    regions.push({
      box,
      where: name,
      unit: 'pixels',
      score: null,
      labels: [labelOf(known[idOf(value)])],
      mask: mask(),
      polygons: null,
      keypoints: null,
      crowd: isInstances && isThing(value) && value < 1000,
    });
  }
  const { width, height } = picture;
  return { ...imageOf({ ...namesOf(name), width, height, where: name }, reckoning), regions };
}
