/** What people say: labels, "not this", pages confirmed with exceptions, boxes; and the way back and forth through it. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { ImageId, RegionId } from '../../core/ids.ts';
import { currentLabels } from '../../core/labels.ts';
import { nameHere } from '../../corpus/same-names.ts';
import { LabelsmithError } from '../../errors.ts';
import { answerOne, redoOperation, undoOperation } from '../../stages/audit/answer-one.ts';
import type { NewLabel, Store, WriteOptions } from '../../store/store.ts';
import type { ReviewContext } from '../context.ts';
import { drawnRegion } from '../drawn-regions.ts';
import { invalid } from '../failures.ts';
import {
  AUDIT_ANSWER,
  CONFIRM_REQUEST,
  IMAGE_ID,
  type ItemRef,
  LABEL_ALL_REQUEST,
  LABEL_REQUEST,
  LABEL_WRITTEN,
  OPERATION_RECORD,
  REGION_ID,
  REGION_REQUEST,
  REVISION,
  WRITTEN,
} from '../schemas.ts';
import { body, FAILURES, json } from './answers.ts';

const written = { 200: json(WRITTEN, 'It is on disk.'), ...FAILURES };
const undone = {
  200: json(z.object({ operation: OPERATION_RECORD.nullable() }), 'Null: there was nothing.'),
  ...FAILURES,
};
const LABEL = createRoute({
  method: 'post',
  path: '/labels',
  request: body(LABEL_REQUEST),
  responses: { 200: json(LABEL_WRITTEN, 'It is on disk.'), ...FAILURES },
});
const LABEL_ALL = createRoute({
  method: 'post',
  path: '/labels/all',
  request: body(LABEL_ALL_REQUEST),
  responses: written,
});
const CONFIRM = createRoute({
  method: 'post',
  path: '/labels/confirm',
  request: body(CONFIRM_REQUEST),
  responses: written,
});
const DRAW = createRoute({
  method: 'post',
  path: '/regions',
  request: body(REGION_REQUEST),
  responses: { 200: json(WRITTEN.extend({ id: z.string() }), 'It is on disk.'), ...FAILURES },
});
const DELETE = createRoute({
  method: 'post',
  path: '/regions/delete',
  responses: written,
  request: body(
    z.object({ imageId: IMAGE_ID, ids: z.array(REGION_ID).min(1).max(100), revision: REVISION.optional() }),
  ),
});
const ANSWER = createRoute({
  method: 'post',
  path: '/audit/answer',
  request: body(AUDIT_ANSWER),
  responses: written,
});
const UNDO = createRoute({ method: 'post', path: '/undo', responses: undone });
const REDO = createRoute({ method: 'post', path: '/redo', responses: undone });
const OPERATIONS = createRoute({
  method: 'get',
  path: '/operations',
  request: { query: z.object({ limit: z.coerce.number().int().min(1).max(200).default(50) }) },
  responses: { 200: json(z.object({ operations: z.array(OPERATION_RECORD) }), 'Newest first.'), ...FAILURES },
});

const HUMAN = { origin: 'human', confidence: 1, runId: null } as const;

export function labelRoutes({ workspace: { store } }: ReviewContext) {
  return new OpenAPIHono({ defaultHook: invalid })
    .openapi(LABEL, async (c) => {
      const { task, present, items, operation: part, ...asked } = c.req.valid('json');
      const names = new Map<string, string>();
      for (const name of new Set([asked.className, ...items.flatMap((one) => one.className ?? [])])) {
        names.set(name, await nameHere(store, name));
      }
      const nameOf = (name: string) => names.get(name) ?? name;
      const labels = items.map(({ itemId, className = asked.className }): NewLabel => {
        return { ...HUMAN, itemId, task, className: nameOf(className), present };
      });
      const told = { class: nameOf(asked.className), present };
      const operation = await putPart(store, labels, expecting(items), part, told);
      return c.json({ ...(await writtenOf(items)), operation }, 200);
    })
    .openapi(LABEL_ALL, async (c) => {
      const { filter, present, ...asked } = c.req.valid('json');
      const className = await nameHere(store, asked.className);
      return c.json({ items: await store.setLabels(filter, { className, present }), revisions: {} }, 200);
    })
    .openapi(CONFIRM, async (c) => {
      const { task, className, items, exceptions, ...asked } = c.req.valid('json');
      const as = asked.as === undefined ? className : await nameHere(store, asked.as);
      if (items.length + exceptions.length === 0) return c.json({ items: 0, revisions: {} }, 200);
      const of = (one: ItemRef, name: string, present: boolean): NewLabel => {
        return { ...HUMAN, itemId: one.itemId, task, className: name, present };
      };
      const labels = [...items.map((one) => of(one, as, true)), ...exceptions.map((one) => of(one, className, false))];
      const all = [...items, ...exceptions];
      const counts = { class: as, items: items.length, exceptions: exceptions.length };
      // A write that is refused leaves nothing in the history.
      await store.atomically(async (inner) => {
        const operation = await inner.beginOperation({ name: 'confirm', arguments: counts });
        await inner.putLabels(labels, { operation, ...expecting(all) });
      });
      return c.json(await writtenOf(all), 200);
    })
    .openapi(DRAW, async (c) => {
      const { imageId, id, box, keypoints, task, revision, ...asked } = c.req.valid('json');
      const className = asked.className === undefined ? undefined : await nameHere(store, asked.className);
      const name = id === undefined ? 'draw' : keypoints ? 'keypoints' : className ? 'change class' : 'move';
      // A write that is refused leaves nothing in the history.
      const region = await store.atomically(async (inner) => {
        const drawn = await drawnRegion(inner, { imageId, id, box, keypoints, className });
        const operation = await inner.beginOperation({ name, arguments: { class: className } });
        await inner.putRegions([drawn], { operation, ...expecting([{ imageId, revision }]) });
        if (className !== undefined) {
          const before = id === undefined ? [] : await othersOf(inner, task, id, className);
          const of = { ...HUMAN, itemId: drawn.id, task };
          const labels = before.map((other): NewLabel => ({ ...of, className: other, present: false }));
          await inner.putLabels([...labels, { ...of, className, present: true }], { operation });
        }
        return drawn;
      });
      return c.json({ ...(await writtenOf([{ imageId }])), id: region.id }, 200);
    })
    .openapi(DELETE, async (c) => {
      const { imageId, ids, revision } = c.req.valid('json');
      await store.deleteRegionsAsHuman(ids, expecting([{ imageId, revision }]));
      return c.json(await writtenOf([{ imageId }]), 200);
    })
    .openapi(ANSWER, async (c) => {
      const { imageId, itemId = imageId, ...answer } = c.req.valid('json');
      await answerOne(store, { ...answer, itemId });
      return c.json(await writtenOf([{ imageId }]), 200);
    })
    .openapi(UNDO, async (c) => c.json({ operation: await undoOperation(store) }, 200))
    .openapi(REDO, async (c) => c.json({ operation: await redoOperation(store) }, 200))
    .openapi(OPERATIONS, async (c) => {
      return c.json({ operations: await store.operations({ limit: c.req.valid('query').limit }) }, 200);
    });

  async function writtenOf(items: readonly { readonly imageId: ImageId }[]) {
    const ids = [...new Set(items.map(({ imageId }) => imageId))];
    return { items: items.length, revisions: Object.fromEntries(await store.revisionsOf(ids)) };
  }
}

/** @returns the operation that others may be a part of, where `part` asks for one */
async function putPart(
  store: Store,
  labels: readonly NewLabel[],
  options: WriteOptions,
  part: number | 'begin' | undefined,
  told: Readonly<Record<string, unknown>>,
): Promise<number | undefined> {
  if (part === undefined) {
    await store.putLabels(labels, options);
    return undefined;
  }
  return store.atomically(async (inner) => {
    const operation = await operationOf(inner, part, told);
    await inner.putLabels(labels, { ...options, operation });
    return operation;
  });
}

/** A new one, or one that was begun and goes on: who undid it has said that no more is wanted. */
async function operationOf(
  store: Pick<Store, 'beginOperation' | 'operations'>,
  part: number | 'begin',
  told: Readonly<Record<string, unknown>>,
): Promise<number> {
  if (part === 'begin') return store.beginOperation({ name: 'label', arguments: told });
  const [known] = await store.operations({ before: part + 1, limit: 1 });
  if (known?.id === part && known.kind === 'items' && known.name === 'label' && !known.undone) return part;
  throw new LabelsmithError('REFUSED', `The operation ${part} is none that labels more, or was undone meanwhile`, {
    hint: 'Label what is left by itself.',
  });
}

/** Classes that a box has and would keep beside its new one, where the task allows several. */
async function othersOf(store: Store, task: string, id: RegionId, className: string): Promise<string[]> {
  const rule = (await store.tasks()).find(({ name }) => name === task)?.rule ?? 'multi';
  if (rule === 'single') return [];
  const held = currentLabels((await store.labelsOf([id], task)).get(id) ?? [], rule);
  return held.map((label) => label.className).filter((name) => name !== className);
}

/** Images that the page has seen must be as it saw them. */
function expecting(items: readonly { readonly imageId: ImageId; readonly revision?: number }[]): WriteOptions {
  const expected = new Map<ImageId, number>();
  for (const { imageId, revision } of items) if (revision !== undefined) expected.set(imageId, revision);
  return expected.size > 0 ? { expected } : {};
}
