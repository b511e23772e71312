/**
 * The map in the browser, in software rendering: from its address to drawn points, and from the end of a lasso to the points in
 * it. Places are made: 200 round heaps, one a class.
 */
import type { Page } from 'playwright-core';
import { seededRandom } from '../../src/core/random.ts';
import type { Workspace } from '../../src/jobs/workspace.ts';
import { matrix } from '../../src/math/matrix.ts';
import { type ClusterModel, saveModel } from '../../src/stages/discover/cluster-model.ts';
import { MAP_COLUMNS, mapKeyOf, mapSpace, saveMap } from '../../src/stages/discover/map-record.ts';
import { MAX_PACKED_ITEMS } from '../../src/store/item-store.ts';
import { rounded } from '../process.ts';

const HEAPS = 200;
const TASK = 'class';

/** A map of every image, as `discover` would have left one. */
export async function fillMap({ store, vectors }: Workspace): Promise<void> {
  const model: ClusterModel = {
    ...({ task: TASK, items: 'images', space: 'made', meanKey: 'made', method: 'graph', seed: 0 } as const),
    ...({ asked: 'auto', k: 0, sample: [], clusters: [] } as const),
    hierarchy: {
      leafOf: new Int32Array(0),
      tree: { points: 0, left: new Int32Array(0), right: new Int32Array(0), costs: new Float64Array(0) },
    },
  };
  await saveModel(store, model);
  const key = mapKeyOf(model);
  await saveMap(store, TASK, { key, items: 'images' });
  const random = seededRandom(1, 'map');
  const around = () => random() + random() + random() - 1.5;
  for (let after: string | undefined; ; ) {
    const part = await store.packed({ order: 'id', after, limit: MAX_PACKED_ITEMS });
    const ids = Buffer.from(part.ids).toString('hex').match(/.{64}/g) ?? [];
    const [first] = ids;
    if (first !== undefined) {
      const data = new Float32Array(ids.length * MAP_COLUMNS);
      for (const i of ids.keys()) {
        const heap = Math.floor(random() * HEAPS);
        data.set([(heap % 20) + 0.5 * around(), Math.floor(heap / 20) + 0.5 * around()], i * MAP_COLUMNS);
      }
      const vectorsOfPart = matrix(data, ids.length, MAP_COLUMNS);
      const shard = { space: mapSpace(TASK, key), items: 'images', shard: first, runId: null, ids } as const;
      await store.putVectorShard(await vectors.write({ ...shard, vectors: vectorsOfPart }));
    }
    if (part.next === null) return;
    after = part.next;
  }
}

/** @returns ms: from the address to drawn points; what of it the server took; from letting go of a lasso to what is in it */
export async function mapSpeed(page: Page, origin: string) {
  const began = performance.now();
  await page.goto(`${origin}/map`);
  await page.evaluate(`new Promise((done) => {
    const look = () => {
      const canvas = document.querySelector('.plane canvas');
      const pixels = canvas?.width > 0 && canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      if (pixels && pixels.some((value) => value > 0)) done();
      else requestAnimationFrame(look);
    };
    look();
  })`);
  const drawnMs = Math.round(performance.now() - began);
  const served = await page.evaluate<number>(
    `performance.getEntriesByType('resource').find(({ name }) => name.includes('/api/map')).duration`,
  );
  const box = await page.locator('.plane canvas').boundingBox();
  if (!box) throw new Error('There is no canvas');
  const [middleX, middleY, radius] = [box.x + box.width / 2, box.y + box.height / 2, box.height / 3];
  const at = (turn: number) => [middleX + radius * Math.cos(turn), middleY + radius * Math.sin(turn)] as const;
  await page.mouse.move(...at(0));
  await page.mouse.down();
  for (let step = 1; step < 40; step++) await page.mouse.move(...at((2 * Math.PI * step) / 40));
  const lasso = page.evaluate<number>(`new Promise((done) => {
    let began;
    addEventListener('pointerup', () => { began = performance.now(); }, { capture: true, once: true });
    new MutationObserver((_, watcher) => {
      if (!document.querySelector('section[aria-label="What is chosen"]')) return;
      watcher.disconnect();
      requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
    }).observe(document.querySelector('.map'), { childList: true, subtree: true });
  })`);
  await page.waitForTimeout(100);
  await page.mouse.up();
  const lassoMs = rounded(await lasso, 0);
  const chosen = await page.locator('section[aria-label="What is chosen"] strong').textContent();
  return { drawnMs, servedMs: Math.round(served), lassoMs, chosen };
}
