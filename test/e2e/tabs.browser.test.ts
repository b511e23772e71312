/**
 * Many tabs of the review app in one browser, which holds six connections to a server for all of them together, and the command
 * line beside them: each tab is answered and told of what others write, and no edit is written over.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { openWorkspace } from '../../src/jobs/workspace.ts';
import { launchBrowser, withoutBrowser } from '../browser.ts';
import { runCli, scratch } from '../cli.ts';
import { startReviewIn } from '../review-app.ts';

if (withoutBrowser) console.log(`SKIP many tabs in a browser: ${withoutBrowser}`);
/** More than the connections that there are. */
const TABS = 9;
const IMAGES = 4;

test('more tabs than a browser has connections: each is answered, and told of what others say', {
  skip: withoutBrowser,
}, async (t) => {
  const cwd = await scratch(t);
  mkdirSync(join(cwd, 'pictures'));
  for (let i = 0; i < IMAGES; i++) {
    const picture = sharp({
      create: { width: 60 + i, height: 40, channels: 3, background: ['#c33', '#3c3', '#33c', '#cc3'][i] },
    });
    writeFileSync(join(cwd, 'pictures', `${i}.png`), await picture.png().toBuffer());
  }
  assert.equal((await runCli(['add', 'pictures'], { cwd })).code, 0);
  const review = await startReviewIn(cwd);
  t.after(() => review.end('SIGTERM'));
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const context = await browser.newContext();
  const tabs: Page[] = [];
  for (let i = 0; i < TABS; i++) tabs.push(await context.newPage());
  const [first] = tabs;
  assert.ok(first);
  await first.goto(review.url);
  const { origin } = new URL(review.url);
  for (const tab of tabs) {
    tab.setDefaultTimeout(60_000);
    await tab.goto(`${origin}/browse`);
    await tab.waitForSelector(`text=${IMAGES} items`);
    await tab.waitForSelector('.grid .cell img');
  }

  const other = await openWorkspace(join(cwd, '.labelsmith'), { create: false });
  t.after(() => other.close());
  const { items } = await other.store.page({ limit: IMAGES });
  const human = { task: 'class', present: true, origin: 'human', confidence: 1, runId: null } as const;
  await other.store.putLabels(items.map(({ itemId }) => ({ ...human, itemId, className: 'heron' })));
  for (const tab of tabs) await tab.waitForSelector('.grid .cell:has-text("heron")');

  // The one that listened for all goes, and another one listens.
  await first.close();
  await other.store.putLabels(items.map(({ itemId }) => ({ ...human, itemId, className: 'stork' })));
  for (const tab of tabs.slice(1)) await tab.waitForSelector('.grid .cell:has-text("stork")');

  const [, here, there] = tabs;
  assert.ok(here && there);
  // Seen by both, changed by one: the other one is told, and nothing of the first is lost.
  await refused(there, () => label(here, 'crane'), 'egret');
  const labels = await other.store.labelsOf(items.map(({ itemId }) => itemId));
  const said = items.map(({ itemId }) => labels.get(itemId)?.map(({ className }) => className) ?? []);
  assert.equal(said.filter((names) => names.includes('crane')).length, 1);
  assert.ok(!said.flat().includes('egret'));
});

async function label(tab: Page, className: string): Promise<void> {
  await tab.locator('.grid .cell').first().click();
  await tab.keyboard.press('l');
  await tab.keyboard.type(className);
  await tab.keyboard.press('Enter');
  await tab.waitForSelector(`.grid .cell:has-text("${className}")`);
}

/** What the tab says meanwhile is on its way while `work` is done by somebody else. */
async function refused(tab: Page, work: () => Promise<void>, className: string): Promise<void> {
  await tab.locator('.grid .cell').first().click();
  await tab.keyboard.press('l');
  await tab.keyboard.type(className);
  const held = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await tab.route('**/api/labels', async (route) => {
    asked.resolve();
    await held.promise;
    await route.continue();
  });
  await tab.keyboard.press('Enter');
  await asked.promise;
  await work();
  held.resolve();
  await tab.waitForSelector('.told:has-text("changed by somebody else")');
}
