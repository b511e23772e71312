/** What the first page says of labels that came from elsewhere and of files that could not be read; near-duplicates as a filter. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { openWorkspace } from '../../src/jobs/workspace.ts';
import { withoutBrowser } from '../browser.ts';
import { runCli, scratch } from '../cli.ts';
import { goTo, openReviewIn } from '../review-app.ts';

if (withoutBrowser) console.log(`SKIP the first page in a browser: ${withoutBrowser}`);

test('imported labels need no clusters; what could not be read is listed; near-duplicates are found', {
  skip: withoutBrowser,
}, async (t) => {
  const cwd = await scratch(t);
  const folder = join(cwd, 'pictures');
  mkdirSync(folder);
  for (const [i, background] of ['#c33', '#3c3', '#33c'].entries()) {
    const picture = sharp({ create: { width: 60 + i, height: 40, channels: 3, background } });
    writeFileSync(join(folder, `${i}.png`), await picture.png().toBuffer());
  }
  writeFileSync(join(folder, 'broken.jpg'), 'this is no image');
  assert.equal((await runCli(['add', 'pictures'], { cwd })).code, 0);
  const { store, close } = await openWorkspace(join(cwd, '.labelsmith'), { create: false });
  t.after(close);
  const ids = (await store.page({ limit: 10 })).items.map(({ imageId }) => imageId);
  const [first = '', second = ''] = ids;
  await store.putGroups(new Map(ids.map((id) => [id, id === second ? first : id])));
  const imported = { task: 'class', present: true, origin: 'imported', confidence: 1, runId: null } as const;
  await store.putLabels(ids.map((itemId) => ({ ...imported, itemId, className: 'lamp' })));

  const opened = await openReviewIn(cwd);
  t.after(() => opened.close());
  const { page } = opened;
  page.setDefaultTimeout(60_000);
  await page.waitForSelector('.start li.next:has-text("Look through what was imported")');
  assert.equal(await page.locator('.start li.next a.main').getAttribute('href'), '/browse?origin=imported');
  assert.equal(await page.locator('.start .main:text-is("Find clusters")').count(), 0);
  await page.click('summary:has-text("1 file could not be read")');
  await page.waitForSelector('.quarantined li:has-text("broken.jpg")');

  await goTo(page, 'Browse');
  await page.waitForSelector('text=3 items');
  await page.click('button:text-is("More filters")');
  await page.locator('label:has-text("Duplicates") select').selectOption('yes');
  await page.waitForSelector('text=2 items');
});
