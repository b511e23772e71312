/** Reads JSON Lines: one image a line. A line, a region or a label that cannot be read leaves the others as they are. */
import { basename } from 'node:path';
import type { ImportedImage, ImportedLabel, ImportedRegion, Rejection } from '../../core/dataset.ts';
import { ORIGINS } from '../../core/labels.ts';
import { attributesSchema, regionDetailsSchema } from '../../core/region-details.ts';
import {
  arrayAt,
  badFile,
  classNameAt,
  fileNameAt,
  jsonOf,
  keypointsAt,
  numberAt,
  objectAt,
  polygonsAt,
  regionIdAt,
  sha256At,
  shown,
  sizeAt,
  stringAt,
} from '../check.ts';
import type { ReadOptions } from '../format.ts';
import { linesOf } from '../lines.ts';
import { confidenceFrom, maskFrom, polygonsFrom, sizeFrom, sortedBox } from '../mend.ts';
import type { ReasonKey, Reckoning } from '../reckoning.ts';

export async function* readJsonl(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  const name = basename(path);
  for await (const { text, number } of linesOf(path, name)) {
    if (text.trim() === '') continue;
    const where = `${name}:${number}`;
    const image = reckoning.attempt('row-unreadable', () => imageOfJson(jsonOf(text, where), where, reckoning));
    if (image === null) continue;
    reckoning.take('rows');
    yield image;
  }
}

/** @throws `BAD_FILE` where it is not about an image at all */
export function imageOfJson(value: unknown, where: string, reckoning: Reckoning): ImportedImage {
  const row = objectAt(value, where);
  const sha256 = row.sha256 == null ? undefined : sha256At(row.sha256, `${where} sha256`);
  const regionsAt = (key: 'regions' | 'deleted') =>
    listOf(row[key], `${where} ${key}`, 'object-unreadable', reckoning, (part, at) => regionOf(part, at, reckoning));
  return {
    file: fileNameAt(row.file, `${where} file`),
    width: sizeFrom(row.width, `${where} width`, reckoning),
    height: sizeFrom(row.height, `${where} height`, reckoning),
    labels: listOf(row.labels, `${where} labels`, 'label-unreadable', reckoning, (part, at) =>
      labelOf(part, at, reckoning),
    ),
    regions: regionsAt('regions'),
    where,
    split: row.split == null ? null : stringAt(row.split, `${where} split`),
    sha256,
    ...rejectionsOf(row.rejected, `${where} rejected`, reckoning),
    ...(row.deleted == null ? {} : { deleted: regionsAt('deleted') }),
    ...attributesOf(row.attributes, `${where} attributes`, reckoning),
    // Nobody else says which pictures are nearly equal by a digest.
    ...(sha256 !== undefined && typeof row.group === 'string' ? { ownExport: true as const } : {}),
  };
}

/** Elements that can be read. */
function listOf<T>(
  value: unknown,
  where: string,
  reason: ReasonKey,
  reckoning: Reckoning,
  read: (value: unknown, where: string) => T,
): T[] {
  if (value == null) return [];
  return arrayAt(value, where).flatMap((part, i) => {
    const found = reckoning.attempt(reason, () => read(part, `${where}[${i}]`));
    return found === null ? [] : [found];
  });
}

function labelOf(value: unknown, where: string, reckoning: Reckoning): ImportedLabel {
  const row = objectAt(value, where);
  const origin = ORIGINS.find((known) => known === row.origin) ?? null;
  if (origin === null && row.origin != null) reckoning.note('origin-dropped', `${where}.origin`, shown(row.origin));
  return {
    className: classNameAt(row.class, `${where}.class`),
    confidence: confidenceFrom(row.confidence, `${where}.confidence`, reckoning),
    origin,
    task: row.task == null ? null : stringAt(row.task, `${where}.task`),
    ...(row.annotator == null ? {} : { annotator: stringAt(row.annotator, `${where}.annotator`) }),
  };
}

function regionOf(value: unknown, where: string, reckoning: Reckoning): ImportedRegion {
  const row = objectAt(value, where);
  const corners = arrayAt(row.box, `${where}.box`).map((part, i) => numberAt(part, `${where}.box[${i}]`));
  if (corners.length !== 4)
    throw badFile(`${where}.box`, `[x1, y1, x2, y2] was expected, not ${corners.length} numbers`);
  return {
    box: sortedBox(corners, `${where}.box`, reckoning),
    where,
    unit: 'pixels',
    score: confidenceFrom(row.score, `${where}.score`, reckoning),
    labels:
      row.labels == null
        ? []
        : arrayAt(row.labels, `${where}.labels`).map((part, i) => labelOf(part, `${where}.labels[${i}]`, reckoning)),
    mask: row.mask == null ? null : maskOf(row.mask, `${where}.mask`, reckoning),
    ...(row.maskMaker == null ? {} : { maskMaker: stringAt(row.maskMaker, `${where}.maskMaker`) }),
    polygons: row.polygons == null ? null : polygonsOf(row.polygons, `${where}.polygons`, reckoning),
    keypoints:
      row.keypoints == null
        ? null
        : reckoning.attempt('keypoints-left-out', () => keypointsAt(row.keypoints, `${where}.keypoints`)),
    crowd: row.crowd === true,
    ...(row.id == null ? {} : { id: regionIdAt(row.id, `${where}.id`) }),
    ...(row.touched === true ? { touched: true } : {}),
    ...rejectionsOf(row.rejected, `${where}.rejected`, reckoning),
    ...detailsOf(row.details, `${where}.details`, reckoning),
  };
}

function polygonsOf(value: unknown, where: string, reckoning: Reckoning): ImportedRegion['polygons'] {
  const polygons = reckoning.attempt('polygon-left-out', () => polygonsAt(value, where));
  return polygons === null ? null : polygonsFrom(polygons, where, reckoning);
}

function detailsOf(value: unknown, where: string, reckoning: Reckoning): Pick<ImportedRegion, 'details'> {
  if (value == null) return {};
  const found = regionDetailsSchema.safeParse(value);
  if (found.success) return { details: found.data };
  reckoning.note('attribute-passed-over', where, shown(value));
  return {};
}

function attributesOf(value: unknown, where: string, reckoning: Reckoning): Pick<ImportedImage, 'attributes'> {
  if (value == null) return {};
  const found = attributesSchema.safeParse(value);
  if (found.success) return { attributes: found.data };
  reckoning.note('attribute-passed-over', where, shown(value));
  return {};
}

function rejectionsOf(value: unknown, where: string, reckoning: Reckoning): { rejected?: Rejection[] } {
  if (value == null) return {};
  const rejected = listOf(value, where, 'label-unreadable', reckoning, (part, at) => {
    const row = objectAt(part, at);
    return {
      className: classNameAt(row.class, `${at}.class`),
      task: stringAt(row.task, `${at}.task`),
      ...(row.annotator == null ? {} : { annotator: stringAt(row.annotator, `${at}.annotator`) }),
    };
  });
  return { rejected };
}

function maskOf(value: unknown, where: string, reckoning: Reckoning): ImportedRegion['mask'] {
  return reckoning.attempt('mask-left-out', () => {
    const row = objectAt(value, where);
    const size = arrayAt(row.size, `${where}.size`);
    if (size.length !== 2) throw badFile(`${where}.size`, `[height, width] was expected, not ${size.length} numbers`);
    const counts = arrayAt(row.counts, `${where}.counts`).map((count, i) => numberAt(count, `${where}.counts[${i}]`));
    const [height, width] = [sizeAt(size[0], `${where}.size[0]`), sizeAt(size[1], `${where}.size[1]`)];
    return maskFrom(height, width, counts, `${where}.counts`, reckoning);
  });
}
