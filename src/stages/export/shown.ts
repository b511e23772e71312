/**
 * What an export shows of an image, in the form in which it is kept: as much as its format can say, in the names of that
 * day. Of the shapes and marks of a region there is a digest, by which it is seen that they are as they were.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Box } from '../../core/boxes.ts';
import type { DatasetImage, RegionRecord } from '../../core/dataset.ts';
import type { RegionId } from '../../core/ids.ts';
import type { Task } from '../../core/labels.ts';
import { validateJson } from '../../core/validate.ts';
import { bestLabel } from '../../formats/folders/folders.ts';
import type { Keeps } from '../../formats/format.ts';
import { pixel } from '../../formats/numbers.ts';

export interface ShownRegion {
  readonly id: RegionId;
  readonly box: Box;
  /** In the order of their names. */
  readonly classes: readonly string[];
  readonly task: string;
  /** See {@link shapeDigest}. */
  readonly shapes: string;
}

export interface ShownImage {
  readonly labels: readonly { readonly task: string; readonly className: string }[];
  readonly regions: readonly ShownRegion[];
}

/** Pairs and lists rather than objects: there is a text an image of every export. */
const SCHEMA = z.object({
  l: z.array(z.tuple([z.string(), z.string()])),
  r: z.array(
    z.tuple([
      z.string(),
      z.tuple([z.number(), z.number(), z.number(), z.number()]),
      z.array(z.string()),
      z.string(),
      z.string(),
    ]),
  ),
});

/** Null where it shows nothing of the image. */
export function shownText(image: DatasetImage, keeps: Keeps, task: Task | null): string | null {
  const l = shownLabels(image, keeps, task).map((label) => [label.task, label.className]);
  const r = keeps.boxes === 'none' ? [] : image.regions.flatMap((region) => shownRegion(region, keeps));
  return l.length + r.length === 0 ? null : JSON.stringify({ l, r });
}

export function shownOf(text: string): ShownImage {
  const { l, r } = validateJson(SCHEMA, text, {
    what: 'The record of an export',
    code: 'WORKSPACE',
    hint: 'Run labelsmith doctor, or put back a copy of the workspace.',
  });
  return {
    labels: l.map(([task, className]) => ({ task, className })),
    regions: r.map(([id, box, classes, task, shapes]) => ({ id, box, classes, task, shapes })),
  };
}

function shownLabels(image: DatasetImage, { imageLabels }: Keeps, task: Task | null): ShownImage['labels'] {
  if (imageLabels === 'none') return [];
  const best = imageLabels === 'best' ? bestLabel(image, task) : null;
  return imageLabels === 'all' ? image.labels : best === null ? [] : [best];
}

/** In formats of boxes a region without a class is not to be seen. */
function shownRegion(region: RegionRecord, { regionClasses }: Keeps) {
  const labels = regionClasses === 'best' ? region.labels.slice(0, 1) : region.labels;
  if (labels.length === 0) return [];
  const classes = [...new Set(labels.map(({ className }) => className))].sort();
  return [[region.id, region.box.map(pixel), classes, labels[0].task, shapeDigest(region)]];
}

const SHAPE_DIGEST_LENGTH = 12;

/** Of everything that a region has beside its box and its classes; empty where there is nothing. */
export function shapeDigest({
  polygons,
  mask,
  keypoints,
  crowd,
  details = {},
}: Pick<RegionRecord, 'polygons' | 'mask' | 'keypoints' | 'crowd' | 'details'>): string {
  const isPlain = polygons === null && mask === null && keypoints === null && !crowd;
  if (isPlain && Object.keys(details).length === 0) return '';
  const text = JSON.stringify([polygons, mask, keypoints, crowd, details]);
  return createHash('sha256').update(text).digest('hex').slice(0, SHAPE_DIGEST_LENGTH);
}
