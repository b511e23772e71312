/** The data that the page and the server exchange, each with its limits. `web/` knows the server by these alone. */
import { z } from '@hono/zod-openapi';
import { ITEM_KINDS, ORIGINS } from '../core/labels.ts';
import { ITEM_FILTER, ITEM_ORDERS } from '../store/item-store.ts';
import { MAX_ITEMS } from './limits.ts';

export const IMAGE_ID = z.string().regex(/^[0-9a-f]{64}$/);
export const REGION_ID = z.string().regex(/^[0-9a-f]{32}$/);
export const ITEM_ID = z.string().regex(/^(?:[0-9a-f]{64}|[0-9a-f]{32})$/);
export const NAME = z.string().min(1).max(200);
export const REVISION = z.int().min(0);

/** Points of one region. */
const MAX_KEYPOINTS = 500;

export const FAILURE = z
  .object({ error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }) })
  .openapi('Failure');

export const QUERY = z
  .object({ filter: ITEM_FILTER, order: z.enum(ITEM_ORDERS).default('id') })
  .openapi('Query', { description: 'Everything that matches, in an order. Travels in the place of ids.' });

/** An item with the image that it is, or is in. */
export const ITEM_REF = z.object({ itemId: ITEM_ID, imageId: IMAGE_ID }).openapi('ItemRef');
export type ItemRef = z.infer<typeof ITEM_REF>;

export const LABEL = z
  .object({
    task: z.string(),
    className: z.string(),
    present: z.boolean(),
    origin: z.enum(ORIGINS),
    confidence: z.number(),
    runId: z.string().nullable(),
    annotator: z.string().nullable(),
  })
  .openapi('Label');

export const CELL = z
  .object({
    ...ITEM_REF.shape,
    revision: z.number(),
    file: z.string(),
    labels: z.array(LABEL).openapi({ description: 'What holds in the task, best first.' }),
    rejected: z.array(z.string()).openapi({ description: 'Classes that a person said it is not.' }),
  })
  .openapi('Cell');
export type Cell = z.infer<typeof CELL>;

export const BOX = z.tuple([z.number(), z.number(), z.number(), z.number()]);
const FINITE_BOX = z.tuple([
  z.number().min(0).max(1e6),
  z.number().min(0).max(1e6),
  z.number().min(0).max(1e6),
  z.number().min(0).max(1e6),
]);

export const REGION = z
  .object({
    id: z.string(),
    box: BOX,
    score: z.number().nullable(),
    modelKey: z.string().nullable(),
    touched: z.boolean(),
    keypoints: z.array(z.tuple([z.number(), z.number(), z.literal([0, 1, 2])])).nullable(),
    polygons: z.array(z.array(z.number())).nullable(),
    mask: z.object({ size: z.tuple([z.number(), z.number()]), counts: z.array(z.number()) }).nullable(),
    maskMaker: z
      .string()
      .nullable()
      .openapi({ description: 'What made the mask; null where people or imports brought it.' }),
    labels: z.array(LABEL),
  })
  .openapi('Region');
export type Region = z.infer<typeof REGION>;

export const IMAGE_DETAIL = z
  .object({
    id: z.string(),
    revision: z.number(),
    width: z.number(),
    height: z.number(),
    format: z.string(),
    byteSize: z.number(),
    camera: z.string().nullable(),
    capturedAtMs: z.number().nullable(),
    flags: z.array(z.string()),
    groupId: z.string(),
    paths: z.array(z.string()),
    heldOut: z.array(z.string()).openapi({ description: 'Tasks in which it is measured on, and never learned from.' }),
    labels: z.array(LABEL).openapi({ description: 'Of the image itself, all that was ever said of it.' }),
    regions: z.array(REGION),
  })
  .openapi('ImageDetail');
export type ImageDetail = z.infer<typeof IMAGE_DETAIL>;

/** What a write gives back. */
export const WRITTEN = z
  .object({
    items: z.number(),
    revisions: z
      .record(z.string(), z.number())
      .openapi({ description: 'Of the images that were written, as they are now.' }),
  })
  .openapi('Written');

export const LABEL_WRITTEN = WRITTEN.extend({
  operation: z
    .number()
    .optional()
    .openapi({ description: 'The one that others may be a part of, where one was begun.' }),
}).openapi('LabelWritten');

export type LabelWritten = z.infer<typeof LABEL_WRITTEN>;

export const OPERATION_RECORD = z
  .object({
    id: z.number(),
    atMs: z.number(),
    actor: z.string(),
    kind: z.enum(['corpus', 'items']),
    name: z.string(),
    arguments: z.record(z.string(), z.unknown()),
    undone: z.boolean(),
    labels: z.number(),
    regions: z.number(),
  })
  .openapi('Operation');

/** With the revision of its image that was seen; left out, any will do. */
const SEEN_ITEM = ITEM_REF.extend({ revision: REVISION.optional() });

export const LABEL_REQUEST = z
  .object({
    task: NAME,
    className: NAME,
    present: z.boolean().default(true),
    items: z
      .array(
        SEEN_ITEM.extend({
          className: NAME.optional().openapi({ description: 'Its own, in the place of the class of all.' }),
        }),
      )
      .min(1)
      .max(MAX_ITEMS),
    operation: z
      .union([z.literal('begin'), z.int().min(1)])
      .optional()
      .openapi({
        description: 'More than one request takes, undone as one: `begin` with the first, then what that gave back.',
      }),
  })
  .openapi('LabelRequest');

export const LABEL_ALL_REQUEST = z
  .object({ filter: ITEM_FILTER, className: NAME, present: z.boolean().default(true) })
  .openapi('LabelAllRequest');

export const CONFIRM_REQUEST = z
  .object({
    task: NAME,
    className: NAME,
    as: NAME.optional().openapi({ description: 'The class that they are said to be. Default: `className`.' }),
    items: z.array(SEEN_ITEM).max(MAX_ITEMS),
    exceptions: z.array(SEEN_ITEM).max(MAX_ITEMS).openapi({ description: 'These are not `className`.' }),
  })
  .openapi('ConfirmRequest');

export const AUDIT_ANSWER = z
  .object({
    task: NAME,
    auditId: z.int().min(1),
    imageId: IMAGE_ID,
    itemId: ITEM_ID.optional().openapi({ description: 'A region of it. Default: the image.' }),
    className: NAME.openapi({ description: 'What the machine said, which was asked about.' }),
    right: z.boolean(),
    trueClass: NAME.nullable().openapi({ description: 'What it is instead, where that was said.' }),
  })
  .openapi('AuditAnswer');

export const REGION_REQUEST = z
  .object({
    imageId: IMAGE_ID,
    id: REGION_ID.optional().openapi({ description: 'One that is there; left out, a new one is drawn.' }),
    box: FINITE_BOX,
    keypoints: z
      .array(z.tuple([z.number().min(0).max(1e6), z.number().min(0).max(1e6), z.literal([0, 1, 2])]))
      .max(MAX_KEYPOINTS)
      .optional()
      .openapi({ description: 'Of one that has as many; left out, they stay with the box.' }),
    task: NAME,
    className: NAME.optional().openapi({ description: 'Of one that is there: in the place of what it was.' }),
    revision: REVISION.optional(),
  })
  .openapi('RegionRequest');

export const CLASS = z
  .object({
    name: z.string(),
    synonyms: z.array(z.string()),
    parent: z.string().nullable(),
    description: z.string().nullable(),
    synset: z.string().nullable(),
    counts: z.array(
      z.object({
        task: z.string(),
        items: z.enum(ITEM_KINDS),
        count: z.number(),
        meanConfidence: z.number(),
        origins: z.partialRecord(z.enum(ORIGINS), z.number()),
      }),
    ),
  })
  .openapi('Class');

export const CORPUS_CHANGE = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('rename'), from: NAME, to: NAME }),
  z.strictObject({ kind: z.literal('call'), from: NAME, to: NAME }).openapi({
    description: 'A rename, or a merge where another class has the name: what it is when it is written.',
  }),
  z.strictObject({ kind: z.literal('merge'), names: z.array(NAME).min(1).max(200), into: NAME }),
  z.strictObject({ kind: z.literal('unmerge'), name: NAME, merged: NAME }),
  z.strictObject({ kind: z.literal('alias'), name: NAME, synonym: NAME }),
  z.strictObject({ kind: z.literal('nest'), child: NAME, parent: NAME.nullable() }),
  z.strictObject({ kind: z.literal('describe'), name: NAME, description: z.string().max(4000).nullable() }),
]);

export type CorpusChange = z.infer<typeof CORPUS_CHANGE>;

export const CLUSTER = z
  .object({
    name: z.string(),
    unnamed: z.boolean(),
    items: z.number(),
    held: z.boolean().openapi({ description: 'People gave it its name.' }),
    chance: z.number().nullable().openapi({ description: 'That it is one thing.' }),
    exemplars: z.array(z.string()),
    candidates: z.array(z.object({ name: z.string(), score: z.number(), why: z.array(z.string()) })),
    near: z
      .array(z.object({ name: z.string(), unnamed: z.boolean(), exemplars: z.array(z.string()) }))
      .openapi({ description: 'Clusters that may be the same thing, the nearest first.' }),
  })
  .openapi('Cluster');
export type Cluster = z.infer<typeof CLUSTER>;
