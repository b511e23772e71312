/** The data map of a task, as one binary array. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { ahead } from '../../core/ahead.ts';
import { IdMap } from '../../core/id-set.ts';
import { IMAGE_ID_BYTES } from '../../core/ids.ts';
import { ORIGINS } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import { readMarks } from '../../stages/discover/data-map.ts';
import { type HeldColumns, type HeldRequest, MAX_PACKED_ITEMS } from '../../store/item-store.ts';
import type { Store } from '../../store/store.ts';
import type { ReviewContext } from '../context.ts';
import { invalid } from '../failures.ts';
import { NAME } from '../schemas.ts';
import { BINARY, FAILURES } from './answers.ts';

const MAP = createRoute({
  method: 'get',
  path: '/map',
  request: { query: z.object({ task: NAME.default('class') }) },
  responses: {
    200: {
      ...BINARY,
      description:
        'The length of the header (32 bits, little-endian), the header as JSON {count, classes, origins}, blanks to a multiple of 4; then x, y, confidence (float32 each), the place in classes (int32, −1 for none), the ids (32 bytes each), and the place in origins (a byte each, 255 for none), array by array.',
    },
    ...FAILURES,
  },
});

const MAP_CLUSTERS = createRoute({
  method: 'get',
  path: '/map/clusters',
  request: { query: z.object({ task: NAME.default('class') }) },
  responses: {
    200: {
      ...BINARY,
      description:
        'Which cluster each point of the map is of: the length of the header, the header as JSON {count, classes} as in the map, then the place in classes (int32, −1 for none).',
    },
    ...FAILURES,
  },
});

const HEADERS = { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' };

export function mapRoutes({ workspace }: ReviewContext) {
  return new OpenAPIHono({ defaultHook: invalid })
    .openapi(MAP, async (c) => c.body(await packedMap(c.req.valid('query').task), 200, HEADERS))
    .openapi(MAP_CLUSTERS, async (c) => c.body(await packedClusters(c.req.valid('query').task), 200, HEADERS));

  /** Resident while it is made: 49 bytes an item, and some 48 more to find its place by its id. */
  async function packedMap(task: string): Promise<ArrayBuffer> {
    const map = await marksOf(task);
    // What holds is read by another thread, while places are unpacked here.
    const parts = ahead(held(workspace.store, task), AHEAD);
    const columns = emptyColumns(map.count);
    const placeOf = new IdMap();
    let at = 0;
    for await (const marks of map.marks()) {
      columns.ids.set(Buffer.from(marks.map(({ id }) => id).join(''), 'hex'), at * IMAGE_ID_BYTES);
      for (const { x, y } of marks) {
        columns.x[at] = x;
        columns.y[at] = y;
        placeOf.setAt(columns.ids, at * IMAGE_ID_BYTES, at++);
      }
    }
    const classes = new Map<string, number>();
    for await (const { ids, classNames, classOf, confidences, originOf } of parts) {
      const numbers = classNames.map((name) => numberOf(classes, name));
      for (let i = 0; i < classOf.length; i++) {
        const place = placeOf.getAt(ids, i * IMAGE_ID_BYTES);
        if (place === undefined) continue;
        columns.classOf[place] = numbers[classOf[i] ?? -1] ?? -1;
        columns.confidence[place] = confidences[i] ?? 0;
        columns.originOf[place] = originOf[i] ?? NO_ORIGIN;
      }
    }
    const { x, y, confidence, classOf, ids, originOf } = columns;
    const header = { count: map.count, classes: [...classes.keys()], origins: ORIGINS };
    return packed(header, [x, y, confidence, classOf, ids, originOf]);
  }

  async function packedClusters(task: string): Promise<ArrayBuffer> {
    const map = await marksOf(task);
    const parts = ahead(held(workspace.store, task, 'cluster'), AHEAD);
    const placeOf = new IdMap();
    let at = 0;
    for await (const marks of map.marks()) for (const { id } of marks) placeOf.set(id, at++);
    const classOf = new Int32Array(map.count).fill(-1);
    const classes = new Map<string, number>();
    for await (const { ids, classNames, classOf: clusterOf } of parts) {
      const numbers = classNames.map((name) => numberOf(classes, name));
      for (let i = 0; i < clusterOf.length; i++) {
        const place = placeOf.getAt(ids, i * IMAGE_ID_BYTES);
        if (place !== undefined) classOf[place] = numbers[clusterOf[i] ?? -1] ?? -1;
      }
    }
    return packed({ count: map.count, classes: [...classes.keys()] }, [classOf]);
  }

  async function marksOf(task: string) {
    const map = await readMarks(workspace, task);
    if (map?.items === 'images') return map;
    throw new LabelsmithError('NOT_FOUND', 'There is no map of the images yet.', { hint: 'Run discover first.' });
  }
}

/** A name's place among those that came before it; a new one is the last. */
function numberOf(places: Map<string, number>, name: string): number {
  const place = places.get(name) ?? places.size;
  places.set(name, place);
  return place;
}

const NO_ORIGIN = 255;

function emptyColumns(count: number) {
  return {
    x: new Float32Array(count),
    y: new Float32Array(count),
    confidence: new Float32Array(count),
    classOf: new Int32Array(count).fill(-1),
    ids: new Uint8Array(count * IMAGE_ID_BYTES),
    originOf: new Uint8Array(count).fill(NO_ORIGIN),
  };
}

/** Parts of what holds that wait at once: 41 bytes an item, 0.8 MB each. */
const AHEAD = 4;

/** What holds of images in the task; of tasks with several classes an item nothing is coloured by class. */
async function* held(
  store: Pick<Store, 'tasks' | 'heldColumns'>,
  task: string,
  of?: HeldRequest['of'],
): AsyncGenerator<HeldColumns> {
  if ((await store.tasks()).find(({ name }) => name === task)?.rule !== 'single') return;
  for (let after: string | undefined; ; ) {
    const part = await store.heldColumns({ task, after, limit: MAX_PACKED_ITEMS, of });
    yield part;
    if (part.next === null) return;
    after = part.next;
  }
}

function packed(header: object, columns: readonly (Float32Array | Int32Array | Uint8Array)[]): ArrayBuffer {
  const text = JSON.stringify(header);
  const head = Buffer.from(text + ' '.repeat((4 - (Buffer.byteLength(text) % 4)) % 4));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  const parts = columns.map((of) => Buffer.from(of.buffer, of.byteOffset, of.byteLength));
  return new Uint8Array(Buffer.concat([length, head, ...parts])).buffer;
}
