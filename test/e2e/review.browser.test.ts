/**
 * The story of the review app on real photographs, in a browser, by hand and keyboard alone: from a folder to classes, taught
 * and exported, with the server killed in between. What came of it is read through the command line.
 */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { openWorkspace } from '../../src/jobs/workspace.ts';
import { barriersOf, withoutBrowser } from '../browser.ts';
import { DATA, runJson, without } from '../cli.ts';
import { goTo, type OpenedReview, openReviewIn, startReviewIn } from '../review-app.ts';

const SET = 'caltech-30';
const skip = withoutBrowser || without(SET);
if (skip) console.log(`SKIP the review app in a browser: ${skip}`);
const CLASSES = ['accordion', 'butterfly', 'barrel', 'beaver'];
const EACH = 14;

/** The class of each file, by its name that says nothing. */
const truth = new Map<string, string>();

function copyPile(to: string): void {
  mkdirSync(to);
  let number = 0;
  for (const folder of readdirSync(join(DATA, SET)).filter((name) => CLASSES.some((word) => name.includes(word)))) {
    for (const file of readdirSync(join(DATA, SET, folder)).slice(0, EACH)) {
      const name = `${String(++number).padStart(3, '0')}.jpg`;
      copyFileSync(join(DATA, SET, folder, file), join(to, name));
      truth.set(name, folder);
    }
  }
}

interface Row {
  readonly labels: Readonly<Record<string, number>>;
}

describe('the review app', { skip }, () => {
  let dir = '';
  let opened: OpenedReview;
  let page: Page;
  let complaints = (): readonly string[] => opened.complaints;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'labelsmith-review-app-'));
    copyPile(join(dir, 'pile'));
    opened = await openReviewIn(dir);
    ({ page } = opened);
    page.setDefaultTimeout(30_000);
  });
  after(async () => {
    await opened?.close();
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  });

  const labels = async () => (await runJson<Row>(['status'], { cwd: dir })).labels;
  const go = (name: string) => goTo(page, name);
  /** Gone from the page, whatever the reason. */
  const gone = (selector: string) => page.waitForSelector(selector, { state: 'detached' });
  const jobDone = async (name: string) => {
    const job = await page.waitForSelector(`.job:not(.running):has-text("${name}")`, { timeout: 120_000 });
    const [said, kind] = [await job.textContent(), await job.getAttribute('class')];
    assert.equal(kind, 'job done', said ?? '');
    await job.$eval('button', (button) => button.click());
  };

  test('a folder is chosen, and its images are added and clustered', async () => {
    assert.ok(!page.url().includes('token'), 'the token is not left in the address');
    await page.fill('input[aria-label="Path of a folder"]', join(dir, 'pile'));
    await page.click('button:text-is("Look")');
    await page.waitForSelector(`text=${truth.size} images right here`);
    await page.click('button:text-is("Use this folder")');
    await jobDone('Looking at the folder');
    await page.waitForSelector(`text=${truth.size} images from`);
    assert.equal((await labels()).cluster, truth.size);
  });

  test('a key makes a cluster one with what may be the same, and undo takes them apart', async () => {
    // What a detector found is what speaks for names, so that clustering proposes one.
    const found = [...truth]
      .filter(([, name]) => name === 'barrel')
      .map(([file]) => `${file},barrel,0.9,detector,objects`);
    writeFileSync(join(dir, 'found.csv'), ['file,class,confidence,origin,task', ...found, ''].join('\n'));
    await runJson(['import', 'csv', 'found.csv'], { cwd: dir });
    // More clusters than classes, so that some are of one class.
    await runJson(['discover', '--k', '12'], { cwd: dir });
    await go('Name');
    const side = 'nav[aria-label="Clusters"] button';
    const clusters = async (count: number) => {
      await page
        .locator(side)
        .nth(count - 1)
        .waitFor();
      await gone(`${side} >> nth=${count}`);
    };
    await clusters(12);
    const near = page.locator('.near-clusters li:first-child img').first();
    for (let place = 0; (await near.count()) === 0; place++) {
      assert.ok(place < 12, 'no two of them are alike');
      await page.locator(side).nth(place).click();
      await page.locator(`${side}[aria-pressed="true"] >> nth=0`).waitFor();
    }
    const pictures = [page.locator('.exemplars img').first(), near];
    const ids = await Promise.all(pictures.map(async (one) => (await one.getAttribute('src'))?.split('/')[3]));
    const classes = async () => {
      const held = await other.store.labelsOf(
        ids.flatMap((id) => id ?? []),
        'class',
      );
      return ids.map((id) =>
        held
          .get(id ?? '')
          ?.map(({ className }) => className)
          .join(),
      );
    };
    const other = await openWorkspace(join(dir, '.labelsmith'), { create: false });
    const [own, its] = await classes();
    assert.ok(own && its && own !== its);
    await page.keyboard.press('=');
    await page.waitForSelector('text=They are one now');
    await clusters(11);
    const [together, too] = await classes();
    assert.ok(together === too && (together === own || together === its));
    await page.keyboard.press('Control+z');
    await page.waitForSelector('text=Undone: merge');
    await clusters(12);
    assert.deepEqual(await classes(), [own, its]);
    await other.close();
  });

  test('clusters are named with the keyboard, one after the other', async () => {
    await go('Name');
    await page.waitForSelector('.cluster');
    const names = await page.locator('nav[aria-label="Clusters"] button').count();
    // A detector has found one of them already: the name is a class of another task, and the cluster becomes that class.
    const detected = await openWorkspace(join(dir, '.labelsmith'), { create: false });
    const [some = ''] = (await detected.store.page({ limit: 1 })).items.map(({ imageId }) => imageId);
    const label = { task: 'objects', className: 'beaver', present: true, origin: 'detector', confidence: 0.6 } as const;
    await detected.store.putLabels([{ ...label, itemId: some, runId: null }]);
    await detected.close();
    await page.reload();
    await page.waitForSelector('.cluster');
    // A name that was taken back can be given again.
    for (let time = 0; time < 2; time++) {
      await page.locator('nav[aria-label="Clusters"] button').first().click();
      await page.keyboard.type('thing');
      await page.keyboard.press('Enter');
      await page.waitForSelector('nav[aria-label="Clusters"] button:has-text("✓ thing")');
      await page.keyboard.press('Control+z');
      await page.waitForSelector('text=Undone: rename');
      await gone('nav[aria-label="Clusters"] button:has-text("✓ thing")');
    }
    await page.reload();
    await page.waitForSelector('.cluster');
    // The next cluster does not wait until the word on the first is written.
    const shown = Promise.withResolvers<void>();
    const accepted: string[] = [];
    await page.route('**/api/corpus', async (route) => {
      if (route.request().method() === 'POST') await shown.promise;
      await route.continue();
    });
    for (let i = 0; i < names; i++) {
      const exemplar = await page.locator('.exemplars img').first().getAttribute('src');
      const id = /images\/(\w+)/.exec(exemplar ?? '')?.[1] ?? '';
      const { paths } = await page.evaluate<{ paths: string[] }>(`fetch('/api/images/${id}').then((r) => r.json())`);
      const name = truth.get(paths[0]?.split('/').pop() ?? '') ?? '';
      // Clustering's own name is accepted by Enter alone. No key before another: a letter begins the name.
      const isProposed = await page.locator(`.cluster button:has-text("${name} is right")`).isVisible();
      if (isProposed) accepted.push(name);
      else {
        await page.keyboard.type(name);
        assert.equal(await page.inputValue('input[aria-label="Its name"]'), name);
      }
      await page.keyboard.press('Enter');
      await gone(`.exemplars img:first-child[src="${exemplar}"]`);
      shown.resolve();
    }
    await page.waitForSelector('text=All of them were looked at');
    await page.unroute('**/api/corpus');
    assert.ok(accepted.length > 0, 'clustering found the name of one of them');
    assert.equal((await labels()).human ?? 0, 0, 'names are of clusters, and label no image');
    const named = await openWorkspace(join(dir, '.labelsmith'), { create: false });
    const history = await named.store.operations({ kind: 'corpus' });
    const confirmed = history.flatMap(({ arguments: { from, to } }) => (from !== undefined && from === to ? [to] : []));
    assert.deepEqual(confirmed.sort(), accepted.sort());
    await named.close();
  });

  test('the surer half of a class is confirmed but for what was clicked, and the next class comes', async () => {
    await go('Confirm');
    await page.waitForSelector('.screenful .cell img');
    const cells = page.locator('.screenful .cell');
    const before = await cells.count();
    const [first] = await page
      .locator('nav[aria-label="Classes to confirm"] button[aria-pressed="true"]')
      .allInnerTexts();
    const all = Number(/\d+$/.exec(first ?? '')?.[0]);
    assert.equal(before, Math.ceil(all / 2));
    await cells.nth(before - 1).click();
    await page.keyboard.press('Enter');
    await gone('.screenful .struck');
    await page.waitForSelector('nav[aria-label="Classes to confirm"] button:has-text("✓")');
    assert.equal((await labels()).human ?? 0, before, 'a word about each, one of which is "not this"');
  });

  test('what was clicked is named at once', async () => {
    await page.waitForSelector('.screenful .cell img');
    const before = (await labels()).human ?? 0;
    const cells = page.locator('.screenful .cell');
    await cells.nth(0).click();
    await cells.nth(1).click();
    await page.keyboard.press('/');
    await page.keyboard.type('odd ones');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.screenful .cell.done');
    assert.equal(await page.locator('.screenful .cell.done').count(), 2);
    await page.waitForSelector('.cell.done:has-text("odd ones")');
    assert.equal((await labels()).human, before + 2);
    await page.keyboard.press('Control+z');
    await page.waitForSelector('text=Undone: label');
    assert.equal((await labels()).human, before);
  });

  test('what was acknowledged is there after the server was killed, and can be undone and redone then', async () => {
    const before = (await labels()).human ?? 0;
    assert.deepEqual(complaints(), []);
    const killed = new URL(opened.review.url).origin;
    await opened.review.end('SIGKILL');
    opened.review = await startReviewIn(dir);
    await page.goto(opened.review.url);
    await page.waitForSelector('text=From a pile of images');
    assert.equal((await labels()).human, before);
    // The page may have asked the one that was killed until it was left, and the browser may say so later.
    complaints = () => opened.complaints.filter((complaint) => !complaint.includes(killed));
    await page.keyboard.press('Control+z');
    await page.waitForSelector('text=Undone: confirm');
    assert.ok(((await labels()).human ?? 0) < before);
    await page.keyboard.press('Control+Shift+Z');
    await page.waitForSelector('text=Done again: confirm');
    assert.equal((await labels()).human, before);
  });

  test('a key is a label, and on to the next', async () => {
    await go('Confirm');
    await page.getByLabel('one screenful of each').uncheck();
    const classes = page.locator('nav[aria-label="Classes to confirm"] button');
    for (;;) {
      await page.waitForSelector('.screenful .cell');
      await page.keyboard.press('Enter');
      await page.waitForSelector('text=That is all of');
      // Nothing of it is left to confirm.
      await gone('nav[aria-label="Classes to confirm"] button[aria-pressed="true"]');
      if ((await classes.count()) === 0) break;
      await page.click('button:text-is("Next class")');
    }
    await go('Label');
    await page.click('button:text-is("All")');
    await page.waitForSelector('figcaption b');
    const before = (await labels()).human ?? 0;
    await page.keyboard.press('1');
    await page.waitForSelector(`text=2 of ${truth.size}`);
    await page.keyboard.press('s');
    await page.waitForSelector(`text=3 of ${truth.size}`);
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await page.waitForSelector('text=You said:');
    assert.ok(((await labels()).human ?? 0) >= before);
  });

  test('it learns, says how good it is, and a class merged into another one can be taken back', async () => {
    await go('Runs');
    await page.click('button:text-is("Teach")');
    await jobDone('Learning');
    await page.waitForSelector('text=How good the model is');
    // The figures are those of the run, which the command line prints.
    const other = await openWorkspace(join(dir, '.labelsmith'), { create: false });
    const [{ metrics }] = await other.store.runs({ limit: 1 });
    await other.close();
    const { quality } = await page.evaluate<{ quality: object }>(`fetch('/api/quality').then((r) => r.json())`);
    assert.ok(typeof metrics.evaluation === 'object');
    assert.partialDeepStrictEqual(metrics.evaluation, quality);
    await page.waitForSelector('.matrix td button');
    const cells = await page.locator('.matrix td button').allInnerTexts();
    const told = await page.locator('section[aria-label="Quality"] .facts').textContent();
    const total = cells.reduce((sum, text) => sum + Number(text), 0);
    assert.match(told ?? '', new RegExp(`Measured on ${total} items`));
    assert.equal(await page.locator('.charts canvas').count(), 3);
    const right = page.locator('.matrix .right button').first();
    await right.click();
    await page.waitForSelector('a:text-is("Those that people named")');
    await go('Classes');
    await page.waitForSelector('.tree li');
    const count = await page.locator('.tree li').count();
    const two = await page.locator('.tree b').allInnerTexts();
    await page.click(`.tree button:has(b:text-is("${two[0]}"))`);
    await page.fill('input[aria-label="Make it one with"]', two[1] ?? '');
    await page.keyboard.press('Enter');
    await page.waitForSelector(`text=${two[0]} counts as`);
    assert.ok((await page.locator('.tree li').count()) <= count);
    await page.click('button:text-is("Undo the last")');
    await page.waitForSelector('text=Undone: merge');
    await page.waitForSelector(`.tree b:text-is("${two[0]}")`);
  });

  test('queues say why each is here, and what the model would say is one key', async () => {
    await go('Label');
    await page.click('button:text-is("Confusing")');
    await page.waitForSelector('text=/Nobody|There is nothing left|Here because/');
    await page.click('button:text-is("Audit")');
    await page.waitForSelector('button:text-is("Draw 100 at random")');
    await page.click('button:text-is("Teaches most")');
    await page.click('button:text-is("Choose 100 that teach most")');
    const job = await page.waitForSelector('.job:not(.running):has-text("Choosing")', { timeout: 120_000 });
    await job.$eval('button', (button) => button.click());
    await page.click('button:text-is("Check")');
    await page.waitForSelector('button:text-is("Draw 200 to check")');
    // People have labelled everything here, so nothing is left to draw; this is as it was drawn before.
    const other = await openWorkspace(join(dir, '.labelsmith'), { create: false });
    const [{ itemId, imageId, labels: held }] = (await other.store.page({ filter: { task: 'class' }, limit: 1 })).items;
    const className = held[0]?.className ?? '';
    const claim = { itemId, imageId, className, origin: 'cluster', confidence: 0.5, stratum: 0, answer: null } as const;
    await other.store.startAudit({ task: 'class', atMs: 1, seed: 0, design: '{}', items: [claim] });
    await page.click('button:text-is("Begin anew")');
    await page.waitForSelector('figcaption:has-text("drawn to check whether it is")');
    await page.keyboard.press('Enter');
    for (let answered = 0; answered === 0; ) answered = (await other.store.audits('class'))[0]?.answered ?? 0;
    assert.deepEqual(
      (await other.store.auditItems(1)).map(({ answer }) => answer),
      [{ right: true, trueClass: null }],
    );
    await page.keyboard.press('Control+z');
    await page.waitForSelector('text=Undone: audit answer');
    assert.equal((await other.store.audits('class'))[0]?.answered, 0);
    await other.close();
  });

  test('the export has the classes that were named', async () => {
    await go('Start');
    await page.fill('input[placeholder="/path/of/a/new/folder"]', join(dir, 'out'));
    await page.click('button:text-is("Export")');
    await jobDone('Exporting');
    assert.ok(existsSync(join(dir, 'out')));
    const folders = readdirSync(join(dir, 'out')).filter((name) => [...truth.values()].includes(name));
    assert.ok(folders.length >= 3, folders.join());
    const wrong = folders.flatMap((folder) =>
      readdirSync(join(dir, 'out', folder)).filter((file) => truth.get(file) !== folder),
    );
    assert.ok(wrong.length <= truth.size / 5, `${wrong.length} of ${truth.size} are wrong`);
  });

  test('no page has barriers that axe finds, light or dark, and none complained', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const name of ['Start', 'Browse', 'Name', 'Confirm', 'Label', 'Classes', 'Map', 'Runs']) {
        await go(name);
        await page.waitForTimeout(400);
        assert.deepEqual(await barriersOf(page), [], `${name}, ${colorScheme}`);
      }
    }
    await go('Browse');
    await page.locator('.grid .cell:has(img)').first().dblclick();
    await page.waitForSelector('.detail .layer img');
    assert.deepEqual(await barriersOf(page), [], 'an image');
    assert.deepEqual(complaints(), []);
  });
});
