/** What people say: labels, "not this", pages confirmed with exceptions, boxes; and the way back and forth through it. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { clipBox } from '../../core/boxes.ts';
import { type ImageId, regionIdOf } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import type { NewLabel, StoredRegion, WriteOptions } from '../../store/store.ts';
import type { ReviewContext } from '../context.ts';
import { invalid } from '../failures.ts';
import {
  CONFIRM_REQUEST,
  IMAGE_ID,
  type ItemRef,
  LABEL_ALL_REQUEST,
  LABEL_REQUEST,
  OPERATION_RECORD,
  REGION_ID,
  REGION_REQUEST,
  WRITTEN,
} from '../schemas.ts';
import { body, FAILURES, json } from './answers.ts';

const written = { 200: json(WRITTEN, 'It is on disk.'), ...FAILURES };
const undone = {
  200: json(z.object({ operation: OPERATION_RECORD.nullable() }), 'Null: there was nothing.'),
  ...FAILURES,
};
const LABEL = createRoute({ method: 'post', path: '/labels', request: body(LABEL_REQUEST), responses: written });
const LABEL_ALL = createRoute({
  ...{ method: 'post', path: '/labels/all', request: body(LABEL_ALL_REQUEST), responses: written },
});
const CONFIRM = createRoute({
  ...{ method: 'post', path: '/labels/confirm', request: body(CONFIRM_REQUEST), responses: written },
});
const DRAW = createRoute({
  ...{ method: 'post', path: '/regions', request: body(REGION_REQUEST) },
  responses: { 200: json(WRITTEN.extend({ id: z.string() }), 'It is on disk.'), ...FAILURES },
});
const DELETE = createRoute({
  ...{ method: 'post', path: '/regions/delete', responses: written },
  request: body(z.object({ imageId: IMAGE_ID, ids: z.array(REGION_ID).min(1).max(100) })),
});
const UNDO = createRoute({ method: 'post', path: '/undo', responses: undone });
const REDO = createRoute({ method: 'post', path: '/redo', responses: undone });
const OPERATIONS = createRoute({
  ...{ method: 'get', path: '/operations' },
  request: { query: z.object({ limit: z.coerce.number().int().min(1).max(200).default(50) }) },
  responses: { 200: json(z.object({ operations: z.array(OPERATION_RECORD) }), 'Newest first.'), ...FAILURES },
});

const HUMAN = { origin: 'human', confidence: 1, runId: null } as const;

export function labelRoutes({ workspace: { store } }: ReviewContext) {
  return new OpenAPIHono({ defaultHook: invalid })
    .openapi(LABEL, async (c) => {
      const { task, className, present, items } = c.req.valid('json');
      const labels = items.map(({ itemId }): NewLabel => ({ ...HUMAN, itemId, task, className, present }));
      await store.putLabels(labels, expecting(items));
      return c.json(await writtenOf(items), 200);
    })
    .openapi(LABEL_ALL, async (c) => {
      const { filter, className, present } = c.req.valid('json');
      return c.json({ items: await store.setLabels(filter, { className, present }), revisions: {} }, 200);
    })
    .openapi(CONFIRM, async (c) => {
      const { task, className, as = className, items, exceptions } = c.req.valid('json');
      if (items.length + exceptions.length === 0) return c.json({ items: 0, revisions: {} }, 200);
      const operation = await store.beginOperation({
        name: 'confirm',
        arguments: { class: as, items: items.length, exceptions: exceptions.length },
      });
      const of = (one: ItemRef, name: string, present: boolean): NewLabel => {
        return { ...HUMAN, itemId: one.itemId, task, className: name, present };
      };
      const labels = [...items.map((one) => of(one, as, true)), ...exceptions.map((one) => of(one, className, false))];
      await store.putLabels(labels, { operation });
      return c.json(await writtenOf([...items, ...exceptions]), 200);
    })
    .openapi(DRAW, async (c) => {
      const { imageId, id, box, task, className, revision } = c.req.valid('json');
      const region = await drawn({ imageId, id, box, className });
      const operation = await store.beginOperation({ name: id ? 'move' : 'draw', arguments: { class: className } });
      await store.putRegions([region], { operation, ...expecting([{ imageId, revision }]) });
      if (className !== undefined) {
        await store.putLabels([{ ...HUMAN, itemId: region.id, task, className, present: true }], { operation });
      }
      return c.json({ ...(await writtenOf([{ imageId }])), id: region.id }, 200);
    })
    .openapi(DELETE, async (c) => {
      const { imageId, ids } = c.req.valid('json');
      await store.deleteRegionsAsHuman(ids);
      return c.json(await writtenOf([{ imageId }]), 200);
    })
    .openapi(UNDO, async (c) => c.json({ operation: await store.undo() }, 200))
    .openapi(REDO, async (c) => c.json({ operation: await store.redo() }, 200))
    .openapi(OPERATIONS, async (c) => {
      return c.json({ operations: await store.operations({ limit: c.req.valid('query').limit }) }, 200);
    });

  async function writtenOf(items: readonly { readonly imageId: ImageId }[]) {
    const ids = [...new Set(items.map(({ imageId }) => imageId))];
    return { items: items.length, revisions: Object.fromEntries(await store.revisionsOf(ids)) };
  }

  /** One that is there keeps all but its place; its shapes were of the old place. */
  async function drawn(asked: {
    readonly imageId: ImageId;
    readonly id?: string;
    readonly box: readonly [number, number, number, number];
    readonly className?: string;
  }): Promise<StoredRegion> {
    const { imageId, id, className = '' } = asked;
    const image = await store.image(imageId);
    if (!image) throw new LabelsmithError('NOT_FOUND', 'there is no such image here');
    const [x1, y1, x2, y2] = clipBox(asked.box, image.width, image.height);
    const box = [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)] as const;
    if (box[2] - box[0] < 1 || box[3] - box[1] < 1) {
      throw new LabelsmithError('USAGE', 'the box has no pixel of the image in it');
    }
    const regions = (await store.regionsOf([imageId])).get(imageId) ?? [];
    const known = id === undefined ? undefined : regions.find((region) => region.id === id);
    if (id !== undefined && !known) throw new LabelsmithError('NOT_FOUND', 'there is no such region in this image');
    if (known) return { ...known, box, touched: true, deleted: false, keypoints: null, mask: null, polygons: null };
    const nothing = { score: null, modelKey: null, runId: null, keypoints: null, mask: null, polygons: null };
    const newId = regionIdOf(imageId, 'human', className, box);
    return { ...nothing, id: newId, imageId, box, touched: true, deleted: false, crowd: false };
  }
}

/** Images that the page has seen must be as it saw them. */
function expecting(items: readonly { readonly imageId: ImageId; readonly revision?: number }[]): WriteOptions {
  const expected = new Map<ImageId, number>();
  for (const { imageId, revision } of items) if (revision !== undefined) expected.set(imageId, revision);
  return expected.size > 0 ? { expected } : {};
}
