/** The data map of a task, as one binary array, and an image's neighbours. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { currentLabels } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import { readMap } from '../../stages/discover/data-map.ts';
import { similarTo } from '../../stages/similar/similar.ts';
import type { ReviewContext } from '../context.ts';
import { invalid } from '../failures.ts';
import { IMAGE_ID, NAME } from '../schemas.ts';
import { BINARY, FAILURES, json } from './answers.ts';

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

const NEIGHBOURS = createRoute({
  ...{ method: 'get', path: '/images/{id}/neighbours', request: { params: z.object({ id: IMAGE_ID }) } },
  responses: {
    200: json(
      z.object({ neighbours: z.array(z.object({ id: z.string(), similarity: z.number() })) }),
      'Nearest first; none where nothing is embedded.',
    ),
    ...FAILURES,
  },
});

const NEIGHBOURS_SHOWN = 12;

export function mapRoutes({ workspace }: ReviewContext) {
  return new OpenAPIHono({ defaultHook: invalid })
    .openapi(MAP, async (c) => {
      const bytes = await packedMap(c.req.valid('query').task);
      return c.body(bytes, 200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' });
    })
    .openapi(NEIGHBOURS, async (c) => {
      const options = { n: NEIGHBOURS_SHOWN, index: 'exact', seed: 0, threads: 1 } as const;
      const { similar } = await similarTo(workspace, c.req.valid('param').id, options);
      return c.json({ neighbours: similar.map(({ id, similarity }) => ({ id, similarity })) }, 200);
    });

  /** Resident while it is made: 48 bytes an item. */
  async function packedMap(task: string): Promise<ArrayBuffer> {
    const { store, vectors } = workspace;
    const map = await readMap({ store, vectors }, task);
    if (map?.items !== 'images') {
      throw new LabelsmithError('NOT_FOUND', 'There is no map of the images yet.', { hint: 'Run discover first.' });
    }
    const rule = (await store.tasks()).find(({ name }) => name === task)?.rule ?? 'single';
    const columns = { x: new Float32Array(map.count), y: new Float32Array(map.count) };
    const confidence = new Float32Array(map.count);
    const classes = new Map<string, number>();
    const places = new Int32Array(map.count).fill(-1);
    const ids = new Uint8Array(map.count * 32);
    let at = 0;
    for await (const marks of map.marks()) {
      const labels = await store.labelsOf(
        marks.map(({ id }) => id),
        task,
      );
      for (const { id, x, y } of marks) {
        columns.x[at] = x;
        columns.y[at] = y;
        ids.set(Buffer.from(id, 'hex'), at * 32);
        const [label] = currentLabels(labels.get(id) ?? [], rule);
        if (label) {
          if (!classes.has(label.className)) classes.set(label.className, classes.size);
          places[at] = classes.get(label.className) ?? -1;
          confidence[at] = label.confidence;
        }
        at++;
      }
    }
    const header = JSON.stringify({ count: map.count, classes: [...classes.keys()] });
    const head = Buffer.from(header + ' '.repeat((4 - (Buffer.byteLength(header) % 4)) % 4));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(head.length);
    const arrays = [columns.x, columns.y, confidence, places, ids];
    const parts = arrays.map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength));
    return new Uint8Array(Buffer.concat([length, head, ...parts])).buffer;
  }
}
