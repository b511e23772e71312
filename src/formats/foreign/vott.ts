/**
 * VoTT 2 (github.com/microsoft/VoTT, `src/models/applicationState.ts`): its JSON export, one object with all `assets`, or
 * its own files `ID-asset.json`. Regions have any number of tags, and corners in pixels. An asset that nobody opened is
 * told; it has no labels, as has one that was opened and has no region.
 */
import type { ImportedImage } from '../../core/dataset.ts';
import { arrayAt, badFile, classNameAt, fileNameAt, type JsonObject, objectAt, shown } from '../check.ts';
import type { ReadOptions } from '../format.ts';
import { eachFile, readJsonFile } from '../json-files.ts';
import { sizeFrom } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import type { Shape } from '../shapes.ts';
import { isJsonName } from './images.ts';
import {
  boxForm,
  cornersAt,
  imageOf,
  labelOf,
  outlineAsBox,
  pointForm,
  pointsAt,
  polygonForm,
  shapeOf,
  shapesIn,
} from './objects.ts';

export async function* read(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  const options = {
    reckoning,
    isWanted: isJsonName,
    hint: 'VoTT has files *-asset.json in the folder of the project, or one file when it is exported as VoTT JSON.',
  };
  for await (const { name, found } of eachFile(path, options, readJsonFile)) {
    const row = objectAt(found, name);
    if (row.asset !== undefined) {
      yield imageOfAsset(row, name, reckoning);
      continue;
    }
    const assets = objectAt(row.assets, `${name} assets`);
    if (row.sourceConnection !== undefined)
      throw badFile(
        name,
        'this is the project of VoTT, which has no regions',
        'Name its folder with the files *-asset.json, or export it as VoTT JSON.',
      );
    for (const [id, asset] of Object.entries(assets)) {
      const where = `${name} assets.${id}`;
      const image = reckoning.attempt('image-unreadable', () => imageOfAsset(objectAt(asset, where), where, reckoning));
      if (image !== null) yield image;
    }
  }
}

/** What nobody opened yet. */
const NOT_VISITED = 0;

function imageOfAsset(row: JsonObject, where: string, reckoning: Reckoning): ImportedImage {
  const asset = objectAt(row.asset, `${where}.asset`);
  const size = asset.size == null ? {} : objectAt(asset.size, `${where}.asset.size`);
  const name = fileNameAt(asset.name, `${where}.asset.name`);
  const path = typeof asset.path === 'string' ? asset.path.replace(/^file:/, '') : '';
  const shapes = shapesIn(row.regions, `${where}.regions`, reckoning, (one, at) => regionOf(one, at, reckoning));
  if (asset.state === NOT_VISITED && shapes.length === 0) reckoning.note('image-not-labelled', where, name);
  return imageOf(
    {
      file: name,
      otherNames: [path],
      width: sizeFrom(size.width, `${where}.asset.size.width`, reckoning),
      height: sizeFrom(size.height, `${where}.asset.size.height`, reckoning),
      shapes,
      where,
    },
    reckoning,
  );
}

function regionOf(row: JsonObject, where: string, reckoning: Reckoning): Shape {
  const tags = arrayAt(row.tags, `${where}.tags`).map((tag) => classNameAt(tag, `${where}.tags`));
  const [className] = tags;
  if (className === undefined) throw badFile(where, 'the region has no tag');
  const shape = shapeOf(formOf(row, where, reckoning), { className, where });
  return { ...shape, labels: tags.map((tag) => labelOf(tag)) };
}

function formOf(row: JsonObject, where: string, reckoning: Reckoning): Shape['form'] {
  const box = () =>
    boxForm(cornersAt(row.boundingBox, ['left', 'top', 'width', 'height'], `${where}.boundingBox`), where, reckoning);
  switch (row.type) {
    case 'RECTANGLE':
    case 'SQUARE':
      return box();
    case 'POLYGON':
      return polygonForm(pointsAt(row.points, `${where}.points`), `${where}.points`);
    case 'POINT':
      return pointForm(pointsAt(row.points, `${where}.points`), where);
    case 'POLYLINE':
      return outlineAsBox(pointsAt(row.points, `${where}.points`), String(row.type), where, reckoning);
    default:
      if (row.boundingBox != null) return box();
      throw badFile(`${where}.type`, `${shown(row.type)} is no region that can be read`);
  }
}
