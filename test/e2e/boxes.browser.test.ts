/** Selecting with a rubber band and drawing boxes in the review app, in a browser, on photographs that nobody has labelled. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { openWorkspace } from '../../src/jobs/workspace.ts';
import { withoutBrowser } from '../browser.ts';
import { DATA, runJson, without } from '../cli.ts';
import { goTo, type OpenedReview, openReviewIn } from '../review-app.ts';

const SET = 'caltech-30';
const skip = withoutBrowser || without(SET);
if (skip) console.log(`SKIP boxes in a browser: ${skip}`);
const COUNT = 24;

describe('boxes in the review app', { skip }, () => {
  let dir = '';
  let opened: OpenedReview;
  let page: Page;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'labelsmith-boxes-'));
    mkdirSync(join(dir, 'pile'));
    const [folder = ''] = readdirSync(join(DATA, SET)).filter((name) => name.includes('butterfly'));
    for (const file of readdirSync(join(DATA, SET, folder)).slice(0, COUNT)) {
      copyFileSync(join(DATA, SET, folder, file), join(dir, 'pile', file));
    }
    await runJson(['add', 'pile'], { cwd: dir });
    opened = await openReviewIn(dir);
    ({ page } = opened);
    page.setDefaultTimeout(30_000);
  });
  after(async () => {
    await opened?.close();
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  });

  test('a rubber band selects what it touches', async () => {
    await goTo(page, 'Browse');
    await page.waitForSelector('.grid .cell img');
    const places = await page.$$eval('.grid .place', (cells) =>
      cells.map((cell) => cell.getBoundingClientRect()).map(({ x, y, width, height }) => ({ x, y, width, height })),
    );
    const columns = places.filter(({ y }) => y === places[0]?.y).length;
    const middle = (place: number) => {
      const { x = 0, y = 0, width = 0, height = 0 } = places[place] ?? {};
      return [x + width / 2, y + height / 2] as const;
    };
    await page.mouse.move(...middle(1));
    await page.mouse.down();
    await page.mouse.move(...middle(columns + 3), { steps: 8 });
    assert.equal(await page.locator('.grid .band').count(), 1);
    await page.mouse.up();
    await page.waitForSelector('.selection strong:text-is("6 selected")');
    await page.keyboard.press('l');
    await page.waitForSelector('.selection input:focus');
    await page.keyboard.press('Escape');
  });

  test('boxes are drawn by two clicks and by four, and a keypoint is put elsewhere', async () => {
    await page.locator('.grid .cell').nth(2).dblclick();
    const picture = page.locator('.detail .layer img');
    await picture.waitFor();
    await page.keyboard.press('d');
    const box = await page.locator('.canvas').boundingBox();
    assert.ok(box);
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.click(x - 60, y - 50);
    await page.mouse.move(x + 10, y + 10);
    assert.equal(await page.locator('.shapes .draft').count(), 1, 'what a second click would draw');
    await page.mouse.click(x + 60, y + 50);
    await page.waitForSelector('.boxes button:has-text("object")');
    // Typed at once, before the page has read the box again.
    await page.fill('input[aria-label="Class of the box"]', 'gadget');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.boxes button:has-text("gadget")');
    await page.keyboard.press('Control+z');
    await page.waitForSelector('text=Undone: change class');
    await page.waitForSelector('.boxes button:has-text("object")');
    await page.locator('.canvas').click({ position: { x: 5, y: 5 } });
    await page.keyboard.press('e');
    const outermost = [
      [x - 90, y],
      [x, y - 70],
      [x + 80, y + 10],
      [x - 5, y + 60],
    ] as const;
    for (const [px, py] of outermost) await page.mouse.click(px, py);
    await page.waitForFunction(() => globalThis.document.querySelectorAll('.boxes button').length === 2);
    await page.keyboard.press('Control+z');
    await page.waitForFunction(() => globalThis.document.querySelectorAll('.boxes button').length === 1);

    const id = /images\/(\w+)/.exec((await picture.getAttribute('src')) ?? '')?.[1] ?? '';
    type Known = { id: string; box: [number, number, number, number]; keypoints: [number, number, number][] | null };
    const regionOf = async (): Promise<Known | undefined> =>
      (await page.evaluate<{ regions: Known[] }>(`fetch('/api/images/${id}').then((r) => r.json())`)).regions[0];
    const drawn = await regionOf();
    assert.ok(drawn);
    // A pose model's point, by another process.
    const other = await openWorkspace(join(dir, '.labelsmith'), { create: false });
    const { store } = other;
    const [stored] = (await store.regionsOf([id])).get(id) ?? [];
    assert.ok(stored);
    await store.putRegions([{ ...stored, keypoints: [[stored.box[0] + 5, stored.box[1] + 5, 1]] }]);
    await other.close();
    await page.click('.boxes button:has-text("object")');
    const point = page.locator('.shapes .keypoint');
    await point.waitFor();
    const at = await point.boundingBox();
    assert.ok(at);
    await page.mouse.move(at.x + at.width / 2, at.y + at.height / 2);
    await page.mouse.down();
    await page.mouse.move(at.x + at.width / 2 + 30, at.y + at.height / 2 + 12, { steps: 4 });
    await page.mouse.up();
    for (let moved = false; !moved; ) {
      const [[px = 0, , seen] = []] = (await regionOf())?.keypoints ?? [];
      moved = seen === 2 && px > stored.box[0] + 6;
      if (!moved) await page.waitForTimeout(100);
    }
    assert.deepEqual((await regionOf())?.box, drawn.box, 'the box stays');
    await page.click('.detail button:text-is("Close")');
    for (const what of ['keypoints', 'draw']) {
      await page.keyboard.press('Control+z');
      await page.waitForSelector(`text=Undone: ${what}`);
      if (what === 'keypoints') {
        // What the other process wrote.
        await page.keyboard.press('Control+z');
      }
    }
  });

  test('the page complained of nothing', () => {
    assert.deepEqual(opened.complaints, []);
  });
});
