/**
 * Pages of items in a record of a million images: what a person who looks through them waits for. Every image has a path, a
 * time, and a label of one of 200 classes by a model; every tenth has one of a person too, every hundredth is flagged. A page
 * has 100 items; the first one, one from the middle and one near the end are asked for, each some times, and the median
 * counts. Then a count, and a person's word about a whole class. `bench/items.ts IMAGES` takes fewer.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '../src/core/ids.ts';
import type { ImageRecord } from '../src/core/image.ts';
import { seededRandom } from '../src/core/random.ts';
import { DATABASE_FILE, openStore } from '../src/store/open.ts';
import type { ItemFilter, ItemOrder, NewLabel, Store } from '../src/store/store.ts';
import { inScratch, rounded } from './process.ts';

const SHARD = 10_000;
const CLASSES = 200;
const PAGE = 100;
const TIMES = 7;

const IN_TASK: ItemFilter = { task: 'class' };
const OF_CLASS: ItemFilter = { task: 'class', className: 'class 7' };
const QUESTIONS: Readonly<Record<string, readonly [filter: ItemFilter, order: ItemOrder]>> = {
  'all by id': [{}, 'id'],
  'labelled by id': [{ ...IN_TASK, state: 'labelled' }, 'id'],
  'a class by id': [OF_CLASS, 'id'],
  'a class, the least sure first': [OF_CLASS, 'uncertainty'],
  'the least sure first': [IN_TASK, 'uncertainty'],
  'the surest first': [IN_TASK, 'confidence'],
  'of a model, 0.4 to 0.6, the surest first': [
    { ...IN_TASK, origins: ['model'], minConfidence: 0.4, maxConfidence: 0.6 },
    'confidence',
  ],
  'of people by id': [{ ...IN_TASK, origins: ['human'] }, 'id'],
  'the newest first': [{}, 'newest'],
  'blurred by id': [{ flag: 'blurred' }, 'id'],
  'a path by id': [{ path: 'folder-77/' }, 'id'],
};

export function run(images = 1_000_000): Promise<unknown> {
  return inScratch(async (dir) => {
    const store = await openStore(dir);
    try {
      const began = performance.now();
      await fill(store, images);
      const filled = rounded((performance.now() - began) / 1000, 1);
      process.stderr.write(`filled in ${filled} s\n`);
      const pages: Record<string, unknown> = {};
      for (const [name, [filter, order]] of Object.entries(QUESTIONS)) {
        pages[name] = await measured(store, filter, order);
        process.stderr.write(`  ${name}: ${JSON.stringify(pages[name])}\n`);
      }
      const word = await timed(() => store.setLabels(OF_CLASS, { className: 'class 8' }));
      const bytes = statSync(join(dir, DATABASE_FILE)).size;
      return {
        images,
        itemsAPage: PAGE,
        fillSeconds: filled,
        databaseMiB: Math.round(bytes / 2 ** 20),
        pages,
        wordAboutAClass: { items: word.result, seconds: rounded(word.ms / 1000, 2) },
        peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
      };
    } finally {
      await store.close();
    }
  });
}

async function measured(store: Store, filter: ItemFilter, order: ItemOrder) {
  // The first time the order's index is made.
  const first = await timed(() => store.page({ filter, order, limit: PAGE }));
  const count = await timed(() => store.countItems(filter));
  const again = await median(() => store.page({ filter, order, limit: PAGE }));
  // Cursors are found by walking in the largest steps there are.
  const cursors: string[] = [];
  let after: string | undefined;
  for (let n = 0; n < 60; n++) {
    const { next } = await store.page({ filter, order, limit: 1000, after });
    if (next === null) break;
    after = next;
    cursors.push(next);
  }
  const deep = cursors.at(-1);
  return {
    matches: count.result,
    countMs: rounded(count.ms, 1),
    firstEverMs: rounded(first.ms, 1),
    pageMs: rounded(again, 1),
    ...(deep === undefined
      ? {}
      : { deepPageMs: rounded(await median(() => store.page({ filter, order, limit: PAGE, after: deep })), 1) }),
  };
}

async function median(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < TIMES; n++) times.push((await timed(work)).ms);
  return times.sort((a, b) => a - b)[TIMES >> 1];
}

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const began = performance.now();
  const result = await work();
  return { ms: performance.now() - began, result };
}

/** Images with labels of a model, of which people said every tenth again; `bench/review.ts` has them too. */
export async function fill(store: Store, images: number): Promise<void> {
  const random = seededRandom(1, 'items');
  const run = { stage: 'bench', settings: {}, modelKey: null, seed: 0, threads: 1, versions: {} };
  const runId = await store.startRun(run);
  for (let at = 0; at < images; at += SHARD) {
    const numbers = Array.from({ length: Math.min(SHARD, images - at) }, (_, i) => at + i);
    const records = numbers.map((n) => recordOf(n));
    await store.commitIngest({
      runId,
      images: records,
      paths: records.map(({ id }, i) => ({
        imageId: id,
        path: `/photos/folder-${(at + i) % 1000}/${at + i}.jpg`,
        pathBytes: null,
        sourceRoot: '/photos',
        byteSize: 1000,
        modifiedAtMs: 1,
        missing: false,
      })),
      quarantine: [],
    });
    const said = { task: 'class', present: true } as const;
    const labels = records.map(({ id }): NewLabel => {
      const className = `class ${Math.floor(random() * CLASSES)}`;
      return { ...said, itemId: id, className, origin: 'model', confidence: random(), runId };
    });
    await store.putLabels(labels);
    const people = labels.filter((_, i) => i % 10 === 0);
    await store.putLabels(people.map((label): NewLabel => ({ ...label, origin: 'human', confidence: 1, runId: null })));
  }
}

function recordOf(n: number): ImageRecord {
  const id = sha256Hex(`${n}`);
  return {
    id,
    byteSize: 1000,
    format: 'jpeg',
    width: 640,
    height: 480,
    orientation: 1,
    frames: 1,
    perceptualHash: id.slice(0, 16),
    quality: { brightness: 0.5, sharpness: 100, entropy: 7 },
    flags: n % 100 === 0 ? ['blurred'] : [],
    capturedAtMs: n % 7 === 0 ? null : 1_600_000_000_000 + ((n * 7919) % 1_000_003) * 1000,
    camera: null,
    groupId: id,
  };
}

if (import.meta.main) {
  const images = process.argv[2];
  process.stdout.write(`${JSON.stringify(await run(images === undefined ? undefined : Number(images)), null, 2)}\n`);
}
