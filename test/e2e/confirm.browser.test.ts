/**
 * A screenful to confirm on which a model says what each may be instead, on a record made by hand; and what the page says when
 * the server is killed under it and started anew.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { openWorkspace } from '../../src/jobs/workspace.ts';
import { matrix } from '../../src/math/matrix.ts';
import { addTo } from '../../src/stages/add/add.ts';
import { openSources } from '../../src/stages/add/open-sources.ts';
import { putPredictions } from '../../src/stages/predictions.ts';
import { barriersOf, withoutBrowser } from '../browser.ts';
import { scratch } from '../cli.ts';
import { goTo, openReviewIn, startReviewIn } from '../review-app.ts';

if (withoutBrowser) console.log(`SKIP confirming in a browser: ${withoutBrowser}`);
const CLASSES = ['cat', 'cow', 'dog'];
/** Of each picture, what the model thinks of these classes. All are called cat. */
const ROWS = [
  [0.5, 0.4, 0.1],
  [0.55, 0.05, 0.4],
  [0.9, 0.09, 0.01],
  [1, 0, 0],
];
const TASK = 'class';

test('one key makes exceptions what stands under them; the page outlives its server', {
  skip: withoutBrowser,
}, async (t) => {
  const cwd = await scratch(t);
  mkdirSync(join(cwd, 'pictures'));
  for (const [i, background] of ['#c33', '#3c3', '#33c', '#cc3'].entries()) {
    const picture = sharp({ create: { width: 60 + i, height: 40, channels: 3, background } });
    writeFileSync(join(cwd, 'pictures', `${i}.png`), await picture.png().toBuffer());
  }
  const workspace = await openWorkspace(join(cwd, '.labelsmith'), { create: true });
  t.after(() => workspace.close());
  const { store } = workspace;
  const run = { seed: 0, threads: 1 };
  await addTo(workspace, await openSources(workspace, [join(cwd, 'pictures')]), { ...run, sync: false });
  const ids = (await store.page({ filter: {}, limit: 10 })).items.map(({ itemId }) => itemId).sort();
  const [first = '', second = ''] = ids;
  const runId = await store.startRun({ stage: 'test', settings: {}, modelKey: null, ...run, versions: {} });
  const said = { task: TASK, className: 'cat', present: true, origin: 'model', runId } as const;
  await store.ensureClasses(CLASSES);
  await store.putLabels(ids.map((itemId, row) => ({ ...said, itemId, confidence: ROWS[row]?.[0] ?? 0 })));
  const set = { task: TASK, items: 'images', origin: 'model', classNames: CLASSES, runId, key: 'k' } as const;
  await putPredictions(workspace, set, ids, matrix(Float32Array.from(ROWS.flat()), ids.length, CLASSES.length));
  const classesNow = async () => {
    const held = await store.labelsOf(ids, TASK);
    return ids.map((id) => held.get(id)?.find(({ origin }) => origin === 'human')?.className);
  };

  const opened = await openReviewIn(cwd);
  t.after(() => opened.close());
  const { page, complaints } = opened;
  await goTo(page, 'Confirm');
  await page.getByLabel('Which come first').selectOption('uncertainty');
  const cellOf = (id: string) => page.locator(`.screenful .cell:has(img[src*="${id}"])`);
  await cellOf(first).locator('.instead:has-text("or cow")').waitFor();
  await cellOf(second).locator('.instead:has-text("or dog")').waitFor();
  await cellOf(first).click();
  await cellOf(second).click();
  await page.waitForSelector('button:has-text("2 are what stands under them")');
  assert.deepEqual(await barriersOf(page), []);
  await page.keyboard.press('g');
  await cellOf(second).locator('.by-human:has-text("dog")').waitFor();
  assert.deepEqual(await classesNow(), ['cow', 'dog', undefined, undefined]);
  await page.keyboard.press('Control+z');
  await page.waitForSelector('text=Undone: label');
  assert.deepEqual(await classesNow(), [undefined, undefined, undefined, undefined], 'both with one key');
  await page.waitForSelector('.screenful .cell.done', { state: 'detached' });
  await cellOf(second).click();
  await page.waitForSelector('.screenful .cell.struck');
  assert.deepEqual(complaints, []);

  const { port } = new URL(opened.review.url);
  await opened.review.end('SIGKILL');
  await page.waitForSelector('[role=alert]:has-text("Labelsmith does not answer")');
  await page.keyboard.press('g');
  await page.waitForSelector('.told:has-text("Not done. Labelsmith does not answer.")');
  assert.deepEqual(await barriersOf(page), []);
  opened.review = await startReviewIn(cwd, {}, port);
  await page.waitForSelector('[role=alert]:has-text("Labelsmith was started anew")');
  // As another tab of this browser opens it.
  await page.evaluate((url) => fetch(url).then(({ status }) => status), opened.review.url);
  await page.waitForSelector('[role=alert]', { state: 'detached' });
  await cellOf(first).click();
  await page.keyboard.press('g');
  await cellOf(first).locator('.by-human:has-text("cow")').waitFor();
  assert.equal((await classesNow())[0], 'cow');
});
