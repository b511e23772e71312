/**
 * VGG Image Annotator's JSON, version 1 and 2 (3: `via3.ts`): a project (`_via_img_metadata`) or its annotations alone, an object a
 * picture. Regions are a list, in version 1 an object. What they say is what rows of the CSV say (`via.ts`).
 */
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import { badFile, fileNameAt, type JsonObject, jsonOf, objectAt } from '../check.ts';
import { hasRoom } from '../mend.ts';
import type { Reckoning } from '../reckoning.ts';
import { readSmallText } from '../walk.ts';
import { regionOf, viaImage } from './via.ts';
import { looksLikeVia3, via3Project } from './via3.ts';

const METADATA = '_via_img_metadata';

export async function* readViaJson(path: string, name: string, reckoning: Reckoning): AsyncGenerator<ImportedImage> {
  const whole = objectAt(jsonOf((await readSmallText(path, name)) ?? '', name), name);
  if (whole.project !== undefined && whole.view !== undefined) {
    yield* via3Project(whole, name, reckoning);
    return;
  }
  const pictures = whole[METADATA] === undefined ? whole : objectAt(whole[METADATA], `${name} ${METADATA}`);
  let found = false;
  for (const [key, value] of Object.entries(pictures)) {
    const where = `${name} ${key}`;
    const image = reckoning.attempt('image-unreadable', () => imageOf(objectAt(value, where), where, reckoning));
    if (image === null) continue;
    found = true;
    yield image;
  }
  if (!found && Object.keys(pictures).length > 0)
    throw badFile(
      name,
      'this is no JSON of VIA',
      'Of other tools the format has to be named: labelsmith import --help.',
    );
}

function imageOf(row: JsonObject, where: string, reckoning: Reckoning): ImportedImage {
  const file = fileNameAt(row.filename, `${where} filename`);
  const said = row.file_attributes == null ? {} : objectAt(row.file_attributes, `${where} file_attributes`);
  const regions: ImportedRegion[] = [];
  for (const [i, given] of Object.entries(row.regions ?? {})) {
    const at = `${where} regions[${i}]`;
    if (!hasRoom(regions, at, reckoning)) continue;
    const region = reckoning.attempt('object-unreadable', () => {
      const shape = objectAt(given, at);
      const attributes = shape.region_attributes == null ? {} : objectAt(shape.region_attributes, at);
      return regionOf(objectAt(shape.shape_attributes, `${at}.shape_attributes`), attributes, at, reckoning);
    });
    if (region !== null) regions.push(region);
  }
  return { ...viaImage(file, said, where), regions };
}

/** Whether JSON that begins so is VIA's. */
export function looksLikeVia(head: string): boolean {
  return looksLikeVia3(head) || head.includes('"_via_') || (/"filename"\s*:/.test(head) && /"regions"\s*:/.test(head));
}
