/** The map of the data, from made-up vectors through `discover` into a report, and in a real browser. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { sha256Hex } from '../../src/core/ids.ts';
import { seededRandom } from '../../src/core/random.ts';
import { LabelsmithError } from '../../src/errors.ts';
import { openWorkspace, type Workspace } from '../../src/jobs/workspace.ts';
import { collectReport } from '../../src/report/collect.ts';
import { renderReport } from '../../src/report/html.ts';
import type { GatheredSection } from '../../src/report/report-data.ts';
import { gatherMap } from '../../src/report/sections/map.ts';
import { discoverIn } from '../../src/stages/discover/discover.ts';
import { launchBrowser, withoutBrowser } from '../browser.ts';
import { scratch } from '../cli.ts';
import { addEmbedded } from '../fixtures/embedded.ts';

if (withoutBrowser) console.log(`SKIP map in a browser: ${withoutBrowser}`);

const KINDS = ['rose', 'bus', '<b>cat'];
const GATHER = { seed: 0, threads: 1 };

/** Three kinds, one item that is like none and one that is nearly another. */
async function discovered(t: TestContext, count: number): Promise<Workspace> {
  const workspace = await openWorkspace(join(await scratch(t), '.labelsmith'), { create: true });
  t.after(() => workspace.close());
  const { store, dir } = workspace;
  const random = seededRandom(3);
  const near = (kind: number) => Array.from({ length: 8 }, (_, j) => (j === kind ? 1 : 0) + 0.3 * random());
  const items = Array.from({ length: count }, (_, n) => {
    const kind = n % KINDS.length;
    return { id: sha256Hex(`item ${n}`), path: `/photos/${KINDS[kind]}/${n}.jpg`, vector: near(kind) };
  });
  const twin = { id: sha256Hex('twin'), path: '/photos/twin.jpg', vector: items[0]?.vector.map((x) => x + 1e-3) ?? [] };
  const odd = { id: sha256Hex('odd'), path: '/photos/odd.jpg', vector: [-1, -3, -1, -3, -1, -3, -1, -3] };
  await addEmbedded(store, dir, [...items, twin, odd]);
  const readBytes = () => Promise.reject(new LabelsmithError('NOT_FOUND', 'there are no files'));
  await discoverIn(workspace, { ...GATHER, k: 3 }, readBytes);
  return workspace;
}

async function pageOf({ store }: Workspace, gathered: readonly GatheredSection[]): Promise<string> {
  const bytes = await sharp({ create: { width: 40, height: 20, channels: 3, background: '#385' } })
    .webp()
    .toBuffer();
  const thumbnail = async () => ({ bytes, mediaType: 'image/webp' as const });
  return renderReport(await collectReport(store, thumbnail, { title: 'map', version: '0', nowMs: 0, gathered }));
}

describe('map of the data', () => {
  test('a workspace without clusters has none', async (t) => {
    const workspace = await openWorkspace(join(await scratch(t), '.labelsmith'), { create: true });
    t.after(() => workspace.close());
    assert.equal(await gatherMap(workspace, GATHER), null);
  });

  test('dots, exemplars, what stands apart and the pair are in the page, small and escaped', async (t) => {
    const workspace = await discovered(t, 90);
    const section = (await gatherMap(workspace, GATHER)) as GatheredSection;
    assert.ok(section.pictures.includes(sha256Hex('odd')) && section.pictures.includes(sha256Hex('twin')));
    const page = await pageOf(workspace, [section]);
    const [, places] = /data-places="([^"]+)"/.exec(page) ?? [];
    assert.equal(Buffer.from(places, 'base64').length, 92 * 4);
    assert.match(page, /92 images in 3 classes/);
    assert.match(page, /Standing apart[\s\S]*1 image much farther/);
    assert.match(page, /Nearly alike[\s\S]*1 pair that is/);
    assert.ok(!page.includes('<b>cat') && page.includes('&lt;b&gt;cat'));
  });

  test('a report can be made when files of the map are gone, and says so', async (t) => {
    const workspace = await discovered(t, 30);
    rmSync(join(workspace.dir, 'vectors'), { recursive: true });
    const section = (await gatherMap(workspace, GATHER)) as GatheredSection;
    assert.match(await pageOf(workspace, [section]), /Files of the map of task class are gone or damaged/);
  });

  test('the dot under the pointer is named, with an exemplar; the page complains of nothing', {
    skip: withoutBrowser,
  }, async (t) => {
    const workspace = await discovered(t, 90);
    const file = join(await scratch(t), 'report.html');
    await writeFile(file, await pageOf(workspace, [(await gatherMap(workspace, GATHER)) as GatheredSection]));
    const browser = await launchBrowser();
    t.after(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 1300, height: 1400 } });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(pathToFileURL(file).href);
    const canvas = page.locator('#map canvas');
    await canvas.evaluate((element) => element.scrollIntoView({ behavior: 'instant' }));
    const frame = await canvas.boundingBox();
    assert.ok(frame);
    const shown = page.locator('#map .exemplars > li:not([hidden])');
    const seen = new Set<string>();
    const steps = [0.1, 0.3, 0.5, 0.7, 0.9];
    for (const x of steps) {
      for (const y of steps) {
        await page.mouse.move(frame.x + x * frame.width, frame.y + y * frame.height);
        const name = (await page.locator('#map output').textContent()) ?? '';
        seen.add(name);
        assert.equal(await shown.count(), 1);
      }
    }
    for (const kind of ['rose', 'bus', 'cat']) assert.ok(seen.has(kind), `${kind} of ${[...seen]}`);
    assert.deepEqual(complaints, []);
    // Dots are there: the canvas has more than its ground.
    const { channels } = await sharp(await canvas.screenshot()).stats();
    assert.ok(channels.some(({ stdev }) => stdev > 2));
  });
});
