/** The data map of a task, as one binary array. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { IdMap } from '../../core/id-set.ts';
import { LabelsmithError } from '../../errors.ts';
import { readMarks } from '../../stages/discover/data-map.ts';
import { type HeldColumns, MAX_PACKED_ITEMS } from '../../store/item-store.ts';
import type { Store } from '../../store/store.ts';
import type { ReviewContext } from '../context.ts';
import { invalid } from '../failures.ts';
import { NAME } from '../schemas.ts';
import { BINARY, FAILURES } from './answers.ts';

const MAP = createRoute({
  ...{ method: 'get', path: '/map', request: { query: z.object({ task: NAME.default('class') }) } },
  responses: {
    200: {
      ...BINARY,
      description:
        'The length of the header (32 bits, little-endian), the header as JSON {count, classes}, blanks to a multiple of 4; then x, y, confidence (float32 each), the place in classes (int32, −1 for none), and the ids (32 bytes each), array by array.',
    },
    ...FAILURES,
  },
});

export function mapRoutes({ workspace }: ReviewContext) {
  return new OpenAPIHono({ defaultHook: invalid }).openapi(MAP, async (c) => {
    const bytes = await packedMap(c.req.valid('query').task);
    return c.body(bytes, 200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' });
  });

  /** Resident while it is made: 48 bytes an item, and some 48 more to find its place by its id. */
  async function packedMap(task: string): Promise<ArrayBuffer> {
    const { store, vectors } = workspace;
    const map = await readMarks({ store, vectors }, task);
    if (map?.items !== 'images') {
      throw new LabelsmithError('NOT_FOUND', 'There is no map of the images yet.', { hint: 'Run discover first.' });
    }
    const columns = emptyColumns(map.count);
    const placeOf = new IdMap();
    let at = 0;
    for await (const marks of map.marks()) {
      for (const { id, x, y } of marks) {
        columns.x[at] = x;
        columns.y[at] = y;
        columns.ids.set(Buffer.from(id, 'hex'), at * ID_BYTES);
        placeOf.set(id, at++);
      }
    }
    const classes = new Map<string, number>();
    for await (const { imageIds, classNames, confidences } of held(store, task)) {
      for (const [i, id] of imageIds.entries()) {
        const place = placeOf.get(id);
        if (place === undefined) continue;
        const name = classNames[i] ?? '';
        const known = classes.get(name) ?? classes.size;
        classes.set(name, known);
        columns.classOf[place] = known;
        columns.confidence[place] = confidences[i] ?? 0;
      }
    }
    return packed({ count: map.count, classes: [...classes.keys()] }, columns);
  }
}

const ID_BYTES = 32;

function emptyColumns(count: number) {
  return {
    x: new Float32Array(count),
    y: new Float32Array(count),
    confidence: new Float32Array(count),
    classOf: new Int32Array(count).fill(-1),
    ids: new Uint8Array(count * ID_BYTES),
  };
}

/** What holds of images in the task; of tasks with several classes an item nothing is coloured by class. */
async function* held(store: Pick<Store, 'tasks' | 'heldColumns'>, task: string): AsyncGenerator<HeldColumns> {
  if ((await store.tasks()).find(({ name }) => name === task)?.rule !== 'single') return;
  for (let after: string | undefined; ; ) {
    const part = await store.heldColumns({ task, after, limit: MAX_PACKED_ITEMS });
    yield part;
    if (part.next === null) return;
    after = part.next;
  }
}

function packed(header: object, { x, y, confidence, classOf, ids }: ReturnType<typeof emptyColumns>): ArrayBuffer {
  const text = JSON.stringify(header);
  const head = Buffer.from(text + ' '.repeat((4 - (Buffer.byteLength(text) % 4)) % 4));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  const parts = [x, y, confidence, classOf, ids].map((of) => Buffer.from(of.buffer, of.byteOffset, of.byteLength));
  return new Uint8Array(Buffer.concat([length, head, ...parts])).buffer;
}
