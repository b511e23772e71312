/**
 * The tables of the record: what each column means, once. Each driver creates them in its own dialect
 * (`sqlite/migrations.ts`).
 *
 * - Content ids are bytes (image 32, region 16), so that order by id is order of the hexadecimal text.
 * - Names that many rows repeat (tasks, classes, models, acceptance rules, runs, source roots, annotators) are small
 *   integers that the database gives, kept in memory as the dictionary.
 * - Rows about an image are clustered by image id, because stages write and exports read in that order.
 * - A merged class keeps its rows: `rootId` names the class it counts as, so that a merge rewrites no label and its undo
 *   is exact.
 * - No row is shared by commits that have nothing to do with each other.
 */
import { z } from 'zod';
import type { Keypoints, MaskRle } from '../../core/dataset.ts';
import type { ImageFormat } from '../../core/image.ts';
import type { ItemKind, TaskRule } from '../../core/labels.ts';
import { attributesSchema, regionDetailsSchema, skeletonSchema } from '../../core/region-details.ts';
import type { SimilarPair } from '../group-store.ts';
import { flags, origin } from './codes.ts';
import {
  bytes,
  flag,
  hex,
  imageId,
  integer,
  json,
  nullable,
  real,
  regionId,
  regionOrImage,
  text,
  textOf,
  uncheckedJson,
} from './column.ts';
import {
  artifacts,
  auditItems,
  audits,
  exportStates,
  exportsMade,
  referenceImages,
  shardResults,
  vectorShards,
} from './stage-tables.ts';
import { type RowOf, table } from './table.ts';

/** The row of `class` that stands for "none of these"; never shown as a class. */
export const NONE_CLASS_ID = 0;
/** The row of `model` that labels without a detector refer to. */
export const NO_MODEL_ID = 0;
/** The row of `annotator` that labels of nobody in particular refer to. */
export const NO_ANNOTATOR_ID = 0;

/**
 * One row a commit that changes what is known of images or classes. Its id is the revision of the images that the commit
 * changed, and the upper part of the sequence of its labels.
 */
export const changes = table(
  'change',
  {
    id: integer,
    kind: textOf<ChangeKind>(),
    atMs: integer,
    /** The images that it changed lie between these; null where it changed none. */
    firstImage: nullable(imageId),
    lastImage: nullable(imageId),
  },
  ['id'],
);
/** `corpus`: classes may have other names or count as others since. */
export type ChangeKind = 'images' | 'detections' | 'shapes' | 'regions' | 'labels' | 'corpus' | 'facts' | 'forget';

export const settings = table('setting', { key: text, value: text }, ['key']);
export const sourceRoots = table('source_root', { id: integer, path: text }, ['id']);
export const tasks = table('task', { id: integer, name: text, rule: textOf<TaskRule>(), items: textOf<ItemKind>() }, [
  'id',
]);
export const models = table('model', { id: integer, key: text, classNames: json(z.array(z.string())) }, ['id']);
export const acceptances = table('acceptance', { id: integer, key: text }, ['id']);
export const annotators = table('annotator', { id: integer, name: text }, ['id']);

const record = z.record(z.string(), z.unknown());
export const runs = table(
  'run',
  {
    key: integer,
    id: text,
    stage: text,
    settings: json(record),
    modelKey: nullable(text),
    seed: integer,
    threads: integer,
    versions: json(z.record(z.string(), z.string())),
    startedAtMs: integer,
    endedAtMs: nullable(integer),
    status: textOf<'running' | 'done' | 'failed' | 'interrupted'>(),
    counts: json(z.record(z.string(), z.number())),
    metrics: json(record),
    /** The process that runs it has said that it is alive until then. */
    leaseUntilMs: nullable(integer),
    /** That process and its machine (`files/unfinished.ts`); null of runs that older versions began. */
    writer: nullable(text),
  },
  ['key'],
);

export const images = table(
  'image',
  {
    id: imageId,
    byteSize: integer,
    format: textOf<ImageFormat>(),
    width: integer,
    height: integer,
    orientation: integer,
    frames: integer,
    perceptualHash: hex(16),
    brightness: real,
    sharpness: real,
    entropy: real,
    flags,
    capturedAtMs: nullable(real),
    camera: nullable(text),
    groupId: imageId,
    runKey: integer,
    pixelHash: nullable(hex(64)),
    /** The last change of what is known of it. */
    revision: integer,
  },
  ['id'],
);
export const imagePaths = table(
  'image_path',
  {
    path: text,
    pathBytes: nullable(bytes),
    imageId,
    sourceRootId: integer,
    byteSize: integer,
    modifiedAtMs: real,
    missing: flag,
  },
  ['path'],
);
/**
 * Beside the revision of the image itself, where a write over many images puts one: rows that are a fifth as wide. The newer
 * one counts (`image-revision.ts`).
 */
export const imageRevisions = table('image_revision', { imageId, revision: integer }, ['imageId']);
/** Images that no path is there of any more; kept by triggers on `image_path`. */
export const goneImages = table('gone_image', { imageId }, ['imageId']);
/** The split an image came with, and the run that brought it. */
export const imageSplits = table('image_split', { imageId, split: text, runKey: integer }, ['imageId']);
/** What imports said of the image itself. */
export const imageAttributes = table('image_attributes', { imageId, attributes: json(attributesSchema) }, ['imageId']);
/** Luminance at 32 × 32, for groups. */
export const imagePrints = table('image_print', { imageId, print: bytes }, ['imageId']);
/** What prints have beside it; those of earlier versions have none. */
export const imageSlopes = table('image_slopes', { imageId, slopes: bytes }, ['imageId']);
export const quarantine = table(
  'quarantine',
  {
    path: text,
    sourceRootId: integer,
    reason: text,
    message: text,
    byteSize: integer,
    modifiedAtMs: real,
    stage: text,
  },
  ['path'],
);
export const similarPairs = table(
  'similar_pair',
  { a: imageId, b: imageId, kind: textOf<SimilarPair['kind']>(), distance: integer },
  ['a', 'b'],
);

export const classes = table(
  'class',
  {
    id: integer,
    name: text,
    rootId: integer,
    parentId: nullable(integer),
    description: nullable(text),
    synset: nullable(text),
    /** A person said where it stands. */
    placed: flag,
    skeleton: nullable(json(skeletonSchema)),
  },
  ['id'],
);
export const classAliases = table('class_alias', { name: text, classId: integer }, ['name']);

/** Packed (`packed-detections.ts`). */
export const candidates = table('candidate', { imageId, modelId: integer, detections: bytes }, ['imageId', 'modelId']);
/** By which rules a model's candidates were accepted last. */
export const detections = table('detection', { imageId, modelId: integer, acceptanceId: integer, runKey: integer }, [
  'imageId',
  'modelId',
]);

const regionColumns = {
  imageId,
  id: regionId,
  x1: real,
  y1: real,
  x2: real,
  y2: real,
  score: nullable(real),
  modelId: nullable(integer),
  runKey: nullable(integer),
  touched: flag,
  deleted: flag,
  crowd: flag,
};
export const regions = table('region', regionColumns, ['imageId', 'id']);

const shapeColumns = {
  keypoints: nullable(uncheckedJson<Keypoints>()),
  mask: nullable(uncheckedJson<MaskRle>()),
  polygons: nullable(uncheckedJson<readonly (readonly number[])[]>()),
  /** The model that made it; null for what a person or an import brought. */
  keypointsModelId: nullable(integer),
  maskModelId: nullable(integer),
  details: nullable(json(regionDetailsSchema)),
};
/** Only regions that have more than a box. */
export const regionShapes = table('region_shape', { imageId, regionId, ...shapeColumns }, ['imageId', 'regionId']);

const labelColumns = {
  imageId,
  regionId: regionOrImage,
  taskId: integer,
  classId: integer,
  origin,
  /** The detector whose regions it derives from; 0 for any other label. */
  modelId: integer,
  /** Who said it; 0 where nobody is named. */
  annotatorId: integer,
  present: flag,
  confidence: real,
  runKey: nullable(integer),
  /** Grows with every write: the change's id and the place in it. */
  sequence: integer,
};
const labelKey = ['imageId', 'regionId', 'taskId', 'classId', 'origin', 'modelId', 'annotatorId'] as const;
export const labels = table('label', labelColumns, labelKey);

/** See `former-labels.ts`. */
export const formerLabels = table(
  'former_label',
  { imageId, regionId: regionOrImage, taskId: integer, origin, classId: integer },
  ['imageId', 'regionId', 'taskId', 'origin', 'classId'],
);

/** What a person did, with what it takes to undo it. */
export const operations = table(
  'operation',
  {
    id: integer,
    atMs: integer,
    /** Who did it; a row of `annotator`. */
    actorId: integer,
    kind: textOf<'corpus' | 'items'>(),
    /** `rename`, `merge`, `label`, `draw`, … */
    name: text,
    arguments: json(record),
    /** Rows of classes and synonyms as it left them, and as they were; null for an operation on items. */
    forward: nullable(text),
    backward: nullable(text),
    /** Labels and regions that it wrote, changed or took away. */
    labels: integer,
    regions: integer,
    /** The change that undid it; 0 where it stands. */
    undone: integer,
  },
  ['id'],
);
/** Labels that an operation wrote or took away: as they were (side 0), and as it left them (side 1). */
export const operationLabels = table('operation_label', { operationId: integer, side: integer, ...labelColumns }, [
  'operationId',
  ...labelKey,
  'side',
]);
/** The same of regions, with their shapes. */
export const operationRegions = table(
  'operation_region',
  {
    operationId: integer,
    side: integer,
    ...regionColumns,
    ...shapeColumns,
    /** The shapes are a part of it; else only the region's own row is. */
    whole: flag,
  },
  ['operationId', 'imageId', 'id', 'side'],
);

/** What imports that are under way are going to write (`import-staging.ts`). */
export const stagedImports = table('staged_import', { id: integer, runKey: integer, dropped: flag }, ['id']);
/** What the file says, in its order. */
export const stagedEntries = table('staged_entry', { importId: integer, number: integer, data: text }, [
  'importId',
  'number',
]);
export const stagedImages = table(
  'staged_image',
  {
    importId: integer,
    imageId,
    /** As it was before it was looked at. */
    revision: integer,
    /** Something of it will be other than it was. */
    changes: flag,
    split: nullable(text),
    attributes: nullable(json(attributesSchema)),
    tally: nullable(text),
    /** The numbers of its entries, with commas between. */
    entries: text,
  },
  ['importId', 'imageId'],
);
/** Names that had no number yet: below zero until the end, and the number that they have then. */
export const stagedNames = table(
  'staged_name',
  {
    importId: integer,
    kind: textOf<'class' | 'annotator' | 'task'>(),
    number: integer,
    name: text,
    id: nullable(integer),
  },
  ['importId', 'kind', 'number'],
);
/** Labels as they will be; `gone`: as they are, and will not be. */
export const stagedLabels = table('staged_label', { importId: integer, gone: flag, ...labelColumns }, [
  'importId',
  ...labelKey,
]);
export const stagedRegions = table(
  'staged_region',
  { importId: integer, gone: flag, whole: flag, ...regionColumns, ...shapeColumns },
  ['importId', 'imageId', 'id'],
);
export const STAGING_TABLES = [
  stagedImports,
  stagedEntries,
  stagedImages,
  stagedNames,
  stagedLabels,
  stagedRegions,
] as const;

const all = [
  ...STAGING_TABLES,
  acceptances,
  annotators,
  artifacts,
  auditItems,
  audits,
  candidates,
  changes,
  classAliases,
  classes,
  detections,
  exportStates,
  exportsMade,
  formerLabels,
  goneImages,
  imageAttributes,
  imagePaths,
  imagePrints,
  imageRevisions,
  imageSlopes,
  images,
  imageSplits,
  labels,
  models,
  operationLabels,
  operationRegions,
  operations,
  quarantine,
  referenceImages,
  regions,
  regionShapes,
  runs,
  settings,
  shardResults,
  similarPairs,
  sourceRoots,
  tasks,
  vectorShards,
] as const;
export const TABLES = all;

/** The tables as Kysely sees them. */
export type Schema = { [T in (typeof all)[number] as T['name']]: RowOf<T['columns']> };
