/** Items page by page, by what holds of them; what a cell of the grid and the detail view show. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { stream } from 'hono/streaming';
import type { ImageId } from '../../core/ids.ts';
import { currentLabels, type Label, NONE_OF_THESE, type TaskRule } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import { type ItemFilter, MAX_PACKED_ITEMS } from '../../store/item-store.ts';
import type { Store, StoredRegion } from '../../store/store.ts';
import { alternativesTo } from '../alternatives.ts';
import type { ReviewContext } from '../context.ts';
import { invalid } from '../failures.ts';
import { MAX_ITEMS } from '../limits.ts';
import {
  CELL,
  type Cell,
  IMAGE_DETAIL,
  IMAGE_ID,
  type ImageDetail,
  ITEM_REF,
  type ItemRef,
  NAME,
  QUERY,
} from '../schemas.ts';
import { BINARY, body, FAILURES, json } from './answers.ts';

const COUNT_REQUEST = z.object({
  filter: QUERY.shape.filter,
  about: z.boolean().default(false).openapi({ description: 'An estimate at once, from a 64th of the images.' }),
});

const COUNT = createRoute({
  method: 'post',
  path: '/items/count',
  request: body(COUNT_REQUEST),
  responses: { 200: json(z.object({ count: z.number() }), 'How many items match.'), ...FAILURES },
});

const ORDER = createRoute({
  method: 'post',
  path: '/items/order',
  request: body(QUERY),
  responses: {
    200: {
      ...BINARY,
      description:
        'Every item that matches, in its place: 32 bytes an image; of regions the 32 bytes of their image and 16 of their own. The header x-item-bytes says which.',
    },
    ...FAILURES,
  },
});

const CELLS = createRoute({
  method: 'post',
  path: '/items/cells',
  request: body(z.object({ task: NAME, items: z.array(ITEM_REF).min(1).max(MAX_ITEMS) })),
  responses: { 200: json(z.object({ cells: z.array(CELL) }), 'In their order.'), ...FAILURES },
});

const ALTERNATIVES = createRoute({
  method: 'post',
  path: '/items/alternatives',
  request: body(z.object({ task: NAME, className: NAME, items: z.array(ITEM_REF).min(1).max(MAX_ITEMS) })),
  responses: {
    200: json(
      z.object({
        items: z.array(
          z.object({
            itemId: z.string(),
            classes: z.array(z.object({ className: z.string(), confidence: z.number() })),
          }),
        ),
      }),
      'What they are instead of this class, if they are not it, as the model sees it; the most likely first.',
    ),
    ...FAILURES,
  },
});

const IMAGE = createRoute({
  method: 'get',
  path: '/images/{id}',
  request: { params: z.object({ id: IMAGE_ID }) },
  responses: { 200: json(IMAGE_DETAIL, 'An image with all that was said of it.'), ...FAILURES },
});

export function itemRoutes({ workspace }: ReviewContext) {
  const { store } = workspace;
  return new OpenAPIHono({ defaultHook: invalid })
    .openapi(COUNT, async (c) => {
      const { filter, about } = c.req.valid('json');
      return c.json({ count: await (about ? store.estimateItems(filter) : store.countItems(filter)) }, 200);
    })
    .openapi(ORDER, async (c) => {
      const { filter, order } = c.req.valid('json');
      const walked = await onlyNeeded(store, filter);
      // What is wrong with the query is said before the answer begins, and the first screens come at once.
      const first = await store.packed({ filter: walked, order, limit: FIRST_ITEMS });
      c.header('content-type', 'application/octet-stream');
      c.header('x-item-bytes', first.kind === 'regions' ? '48' : '32');
      return stream(c, async (out) => {
        for (let part = first; ; ) {
          await out.write(part.ids);
          if (part.next === null || out.aborted) return;
          part = await store.packed({ filter: walked, order, after: part.next, limit: MAX_PACKED_ITEMS });
        }
      });
    })
    .openapi(CELLS, async (c) => {
      const { task, items } = c.req.valid('json');
      return c.json({ cells: await cellsOf(task, items) }, 200);
    })
    .openapi(ALTERNATIVES, async (c) => {
      const { task, className, items } = c.req.valid('json');
      const itemIds = items.map(({ itemId }) => itemId);
      return c.json({ items: await alternativesTo(workspace, { task, className, itemIds }) }, 200);
    })
    .openapi(IMAGE, async (c) => {
      const { id } = c.req.valid('param');
      return c.json(await detailOf(store, id), 200);
    });

  async function cellsOf(task: string, items: readonly ItemRef[]): Promise<Cell[]> {
    const rule = (await store.tasks()).find(({ name }) => name === task)?.rule ?? 'multi';
    const imageIds = [...new Set(items.map(({ imageId }) => imageId))];
    const [labels, revisions, paths] = await Promise.all([
      store.labelsOf(
        items.map(({ itemId }) => itemId),
        task,
      ),
      store.revisionsOf(imageIds),
      store.pathsOfImages(imageIds),
    ]);
    const fileOf = (id: ImageId) => paths.get(id)?.[0]?.path.split('/').pop() ?? '';
    return items.map(({ itemId, imageId }) => ({
      itemId,
      imageId,
      revision: revisions.get(imageId) ?? 0,
      file: fileOf(imageId),
      ...said(labels.get(itemId) ?? [], rule),
    }));
  }
}

async function detailOf(store: Store, id: ImageId): Promise<ImageDetail> {
  const image = await store.image(id);
  if (!image) throw new LabelsmithError('NOT_FOUND', 'there is no such image here');
  const regions = ((await store.regionsOf([id])).get(id) ?? []).filter(({ deleted }) => !deleted);
  const labels = await store.labelsOf([id, ...regions.map((region) => region.id)]);
  const heldOut: string[] = [];
  for (const { name } of await store.tasks()) if ((await store.auditedItems(name)).has(id)) heldOut.push(name);
  const { width, height, format, byteSize, camera, capturedAtMs, flags, groupId } = image;
  return {
    id,
    revision: (await store.revisionsOf([id])).get(id) ?? 0,
    width,
    height,
    format,
    byteSize,
    camera,
    capturedAtMs,
    groupId,
    paths: ((await store.pathsOfImages([id])).get(id) ?? []).map(({ path }) => path),
    heldOut,
    flags: [...flags],
    labels: (labels.get(id) ?? []).map(plainLabel),
    regions: regions.map((region) => plainRegion(region, labels.get(region.id) ?? [])),
  };
}

const FIRST_ITEMS = 500;

/** A task that nothing is asked about only costs time. What it is about stays. */
async function onlyNeeded(store: Pick<Store, 'tasks'>, filter: ItemFilter): Promise<ItemFilter> {
  const { task, ...rest } = filter;
  const { state, className, origins, minConfidence, maxConfidence, cluster } = rest;
  const asked = [state, className, origins, minConfidence, maxConfidence, cluster].some((one) => one !== undefined);
  if (asked || task === undefined || rest.items !== undefined) return asked ? filter : rest;
  return { ...rest, items: (await store.tasks()).find(({ name }) => name === task)?.items };
}

function said(labels: readonly Label[], rule: TaskRule): Pick<Cell, 'labels' | 'rejected'> {
  const held = currentLabels(labels, rule);
  const rejected = labels.filter(({ present, origin }) => !present && origin === 'human').map((one) => one.className);
  const none = labels.some((one) => one.className === NONE_OF_THESE && one.origin === 'human' && one.present);
  return {
    labels: held.map(plainLabel),
    rejected: none && held.length === 0 ? [...rejected, NONE_OF_THESE] : rejected,
  };
}

function plainLabel({ task, className, present, origin, confidence, runId, annotator }: Label) {
  return { task, className, present, origin, confidence, runId, annotator: annotator ?? null };
}

function plainRegion(region: StoredRegion, labels: readonly Label[]) {
  const { id, box, score, modelKey, touched, keypoints, polygons, mask, maskMaker = null } = region;
  return {
    id,
    score,
    modelKey,
    touched,
    box: [...box] as [number, number, number, number],
    keypoints: keypoints?.map(([x, y, seen]): [number, number, 0 | 1 | 2] => [x, y, seen]) ?? null,
    polygons: polygons?.map((polygon) => [...polygon]) ?? null,
    mask: mask && { size: [mask.size[0], mask.size[1]] as [number, number], counts: [...mask.counts] },
    maskMaker,
    labels: labels.map(plainLabel),
  };
}
