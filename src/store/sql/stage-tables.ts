/** Tables of what stages leave behind: files of vectors, audits, artifacts, references. A part of `tables.ts`. */
import { z } from 'zod';
import type { ItemKind } from '../../core/labels.ts';
import { origin } from './codes.ts';
import { bytes, float32s, hex, imageId, integer, json, nullable, real, regionOrImage, text, textOf } from './column.ts';
import { table } from './table.ts';

export const vectorShards = table(
  'vector_shard',
  {
    space: text,
    items: textOf<ItemKind>(),
    shard: text,
    file: text,
    sha256: hex(64),
    count: integer,
    firstId: bytes,
    lastId: bytes,
    runKey: nullable(integer),
  },
  ['space', 'items', 'shard'],
);

/** Results that wait for their commit, and shards that were given up (`dead`), which have a reason in place of data. */
export const shardResults = table(
  'shard_result',
  {
    runKey: integer,
    shard: text,
    state: textOf<'done' | 'dead'>(),
    items: integer,
    data: bytes,
    worker: text,
    reason: text,
  },
  ['runKey', 'shard'],
);

export const audits = table(
  'audit',
  {
    id: integer,
    taskId: integer,
    atMs: integer,
    seed: integer,
    design: text,
    /** `claims`: what a machine said is asked. `items`: drawn with equal chance, and held out of training. */
    kind: textOf<'claims' | 'items'>(),
  },
  ['id'],
);
export const auditItems = table(
  'audit_item',
  {
    auditId: integer,
    imageId,
    regionId: regionOrImage,
    /** What the machine said, under the name of that day; empty, and the next two null, where nothing is claimed. */
    className: text,
    origin: nullable(origin),
    confidence: nullable(real),
    stratum: integer,
    /** Null until somebody answered. */
    answer: nullable(json(z.object({ right: z.boolean(), trueClass: z.string().nullable() }))),
  },
  ['auditId', 'imageId', 'regionId', 'className'],
);

/** Exports, in the order in which they began; `digest` is null until one is whole. */
export const exportsMade = table(
  'export',
  {
    id: integer,
    series: text,
    format: text,
    task: nullable(text),
    atMs: integer,
    digest: nullable(text),
  },
  ['id'],
);
/** What an export showed of an image, where that is another than in the export of its series before; null: nothing. */
export const exportStates = table('export_state', { imageId, exportId: integer, state: nullable(text) }, [
  'imageId',
  'exportId',
]);

/** What a stage left for a task. */
export const artifacts = table(
  'artifact',
  {
    kind: text,
    taskId: integer,
    version: integer,
    /** JSON in the form of its kind and version. */
    data: text,
  },
  ['kind', 'taskId'],
);
/** Reference images of classes, under the names of their folders. */
export const referenceImages = table(
  'reference_image',
  { taskId: integer, space: text, id: imageId, className: text, vector: float32s },
  ['taskId', 'space', 'id'],
);
