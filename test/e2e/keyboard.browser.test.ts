/**
 * The whole path of the review app by keys alone, on real photographs: no pointer is used, and what is reached by Tab shows that
 * it has the focus. What came of it is read from the record and from the exported files.
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page, Route } from 'playwright-core';
import { openWorkspace } from '../../src/jobs/workspace.ts';
import { withoutBrowser } from '../browser.ts';
import { DATA, runCli, scratch, without } from '../cli.ts';
import { openReviewIn } from '../review-app.ts';

const SET = 'caltech-30';
const skip = withoutBrowser || without(SET);
if (skip) console.log(`SKIP the review app by keys alone: ${skip}`);
const CLASSES = ['accordion', 'butterfly', 'beaver'];
const EACH = 12;
const MAX_TABS = 120;
const PATIENCE_MS = 60_000;

function copyPile(to: string): Map<string, string> {
  const truth = new Map<string, string>();
  mkdirSync(to);
  for (const folder of readdirSync(join(DATA, SET)).filter((name) => CLASSES.some((word) => name.includes(word)))) {
    for (const file of readdirSync(join(DATA, SET, folder)).slice(0, EACH)) {
      const name = `${String(truth.size + 1).padStart(3, '0')}.jpg`;
      copyFileSync(join(DATA, SET, folder, file), join(to, name));
      truth.set(name, folder);
    }
  }
  return truth;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jpg'))
    .sort();
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const startedMs = performance.now(); !(await isSo()); await sleep(50)) {
    assert.ok(performance.now() - startedMs < PATIENCE_MS, `waited for: ${what}`);
  }
}

/** Tab until this has the focus, which is seen; as one who cannot see the pointer would. */
async function tabTo(page: Page, selector: string): Promise<void> {
  await page.waitForSelector(selector);
  for (let tab = 0; tab < MAX_TABS; tab++) {
    await page.keyboard.press('Tab');
    const found = await page.evaluate<string | null>(`(() => {
      const focused = document.activeElement;
      if (!focused?.matches(${JSON.stringify(selector)})) return null;
      const { outlineStyle, outlineWidth } = getComputedStyle(focused);
      return outlineStyle + ' ' + outlineWidth;
    })()`);
    if (found === null) continue;
    assert.match(found, /^(?:solid|auto) [1-9]/, `the focus on ${selector} is not seen: ${found}`);
    return;
  }
  throw new Error(`Tab does not lead to ${selector}`);
}

async function press(page: Page, selector: string): Promise<void> {
  await tabTo(page, selector);
  await page.keyboard.press('Enter');
}

test('from a folder to an export, without a pointer', { skip }, async (t) => {
  const dir = await scratch(t);
  const truth = copyPile(join(dir, 'pile'));
  const opened = await openReviewIn(dir);
  t.after(() => opened.close());
  const { page, complaints } = opened;
  page.setDefaultTimeout(60_000);
  const record = await openWorkspace(join(dir, '.labelsmith'), { create: true });
  t.after(() => record.close());
  const people = async () => (await record.store.summary()).labels.human ?? 0;
  const jobDone = async (name: string) => {
    await page.waitForSelector(`.job.done:has-text("${name}")`, { timeout: 120_000 });
    await press(page, '.job.done button');
    await page.waitForSelector('.job', { state: 'detached' });
  };

  await tabTo(page, 'input[aria-label="Path of a folder"]');
  await page.keyboard.type(join(dir, 'pile'));
  await page.keyboard.press('Enter');
  await page.waitForSelector(`text=${truth.size} images right here`);
  await press(page, '.folders button.main');
  await jobDone('Looking at the folder');

  await page.keyboard.press('Shift+N');
  const clusters = page.locator('nav[aria-label="Clusters"] button');
  await clusters.first().waitFor();
  const count = await clusters.count();
  // Who names fast is on the next page before the last name is written.
  const slowly = async (route: Route) => {
    await sleep(300);
    await route.continue();
  };
  await page.route('**/api/corpus', slowly);
  for (let i = 0; i < count; i++) {
    const shown = await page.locator('.exemplars img').first().getAttribute('src');
    const id = shown?.split('/')[3] ?? '';
    const [path] = (await record.store.pathsOfImages([id])).get(id) ?? [];
    await page.keyboard.type(truth.get(path?.path.split('/').pop() ?? '') ?? 'odd');
    await page.keyboard.press('Enter');
    await page.waitForSelector(`.exemplars img:first-child[src="${shown}"]`, { state: 'detached' });
  }
  await page.waitForSelector('text=All of them were looked at');

  await page.keyboard.press('Shift+C');
  const confirmed = await page.locator('.page-bar b').first().textContent();
  await page.unroute('**/api/corpus', slowly);
  assert.ok(confirmed !== null && [...truth.values(), 'odd'].includes(confirmed), `asked about ${confirmed}`);
  await page.waitForSelector('.screenful .cell img');
  const before = await people();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Space');
  await page.waitForSelector('.screenful .cell.struck');
  await page.keyboard.press('Enter');
  await page.waitForSelector(`nav[aria-label="Classes to confirm"] button:has-text("✓ ${confirmed}")`);
  await until('it is confirmed', async () => (await people()) !== before);
  // A second class, without which there is nothing to learn.
  const first = await people();
  await page.waitForSelector('.screenful .cell img');
  await page.keyboard.press('Enter');
  await until('the second is confirmed', async () => (await people()) !== first);
  // A button that Tab led to is pressed by Enter, which the page would confirm with.
  const kept = await people();
  await press(page, '.page-bar button:has(kbd):not(.main)');
  await page.waitForTimeout(300);
  assert.equal(await people(), kept, 'skipped and not confirmed');

  await page.keyboard.press('Shift+L');
  // All of them.
  await press(page, '.label .row button:nth-last-of-type(2)');
  await page.waitForSelector('figcaption b');
  await page.keyboard.press('2');
  await until('it is labelled', async () => (await people()) !== kept);

  await page.keyboard.press('Shift+R');
  await press(page, '.runs .row button:nth-child(4)');
  await jobDone('Learning');
  await page.waitForSelector('text=How good the model is');
  await press(page, '.matrix td button');
  await page.waitForSelector('section[aria-label="Confusion matrix"] a');

  await page.keyboard.press('Shift+S');
  await press(page, '.start a[href="/confirm?order=uncertainty"]');
  await page.waitForSelector('.screenful .cell img, .empty');
  if ((await page.locator('.screenful .cell').count()) > 0) {
    const said = await people();
    await page.keyboard.press('Enter');
    await until('the least sure are confirmed', async () => (await people()) !== said);
  }

  await page.keyboard.press('Shift+K');
  await page.waitForSelector('.tree li');
  const tree = await page.locator('.tree b').allInnerTexts();
  // Not what stands above them.
  const [one = '', other = ''] = tree.filter((name) => [...truth.values()].includes(name));
  await press(page, `.tree li:nth-child(${tree.indexOf(one) + 1}) button`);
  await tabTo(page, 'textarea[aria-label="What it is"]');
  await page.keyboard.type('Folded wings too.');
  await press(page, 'textarea[aria-label="What it is"] + button');
  await page.waitForSelector('text=is described');
  assert.equal((await record.store.classes()).find(({ name }) => name === one)?.description, 'Folded wings too.');
  await tabTo(page, 'input[aria-label="Make it one with"]');
  await page.keyboard.type(other);
  await page.keyboard.press('Enter');
  await page.waitForSelector(`text=${one} counts as ${other} now`);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+z');
  await page.waitForSelector('text=Undone: merge');
  assert.ok((await record.store.classes()).some(({ name }) => name === one));

  await boxes(page, record);
  await mapped(page, people);

  await page.keyboard.press('Shift+?');
  await page.waitForSelector('dialog.help[open]');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog.help', { state: 'detached' });

  await page.keyboard.press('Shift+S');
  await tabTo(page, 'input[placeholder="/path/of/a/new/folder"]');
  await page.keyboard.press('Control+a');
  await page.keyboard.type(join(dir, 'out'));
  await page.keyboard.press('Enter');
  await jobDone('Exporting');
  // How good the labels are depends on what was confirmed; the export is that of the command line.
  await runCli(['export', 'folders', 'told', '--task', 'class'], { cwd: dir });
  const exported = filesIn(join(dir, 'out'));
  assert.ok(exported.length > truth.size / 2);
  assert.deepEqual(exported, filesIn(join(dir, 'told')));
  assert.deepEqual(complaints, []);
});

/** A box is drawn, moved, made larger, given a class, and deleted. */
async function boxes(page: Page, { store }: Pick<Awaited<ReturnType<typeof openWorkspace>>, 'store'>): Promise<void> {
  await page.keyboard.press('Shift+B');
  await page.waitForSelector('.grid .cell img');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  const picture = page.locator('.detail .layer img');
  await picture.waitFor();
  const id = (await picture.getAttribute('src'))?.split('/')[3] ?? '';
  const boxOf = async () => (await store.regionsOf([id])).get(id)?.find(({ deleted }) => !deleted)?.box;
  await page.keyboard.press('d');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  for (const key of ['Shift+ArrowRight', 'Shift+ArrowDown']) await page.keyboard.press(key);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.boxes button[aria-pressed="true"]');
  const drawn = await boxOf();
  assert.ok(drawn && drawn[2] > drawn[0] && drawn[3] > drawn[1]);
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await until('it is moved', async () => (await boxOf())?.[0] !== drawn[0]);
  const now = await boxOf();
  assert.ok(now && now[0] > drawn[0] && Math.abs(now[2] - now[0] - (drawn[2] - drawn[0])) < 0.01, 'moved as it is');
  const [x1, , x2] = now;
  await page.keyboard.press('Alt+Shift+ArrowRight');
  await until('it is larger', async () => (await boxOf())?.[2] !== x2);
  const larger = await boxOf();
  assert.ok(larger && larger[0] === x1 && larger[2] > x2, 'its right side alone');
  // Undone at once, before it was written, that press is what is undone; and the next one begins where the box is then.
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Control+z');
  await page.waitForSelector('text=Undone: move (1 box)');
  assert.deepEqual(await boxOf(), larger);
  await page.waitForTimeout(1000);
  assert.deepEqual(await boxOf(), larger, 'nothing is written afterwards');
  await page.keyboard.press('Shift+ArrowRight');
  await until('it is moved again', async () => (await boxOf())?.[0] !== x1);
  const step = (x1 - drawn[0]) / 2;
  assert.ok(Math.abs(((await boxOf())?.[0] ?? 0) - x1 - step) < 0.01, 'one step from where undo had put it');
  await tabTo(page, 'input[aria-label="Class of the box"]');
  await page.keyboard.type('gadget');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.boxes button:has-text("gadget")');
  await page.keyboard.press('Delete');
  await until('it is deleted', async () => (await boxOf()) === undefined);
  // Seen to be gone, too: keys act on the boxes that are shown.
  await page.waitForSelector('.boxes button', { state: 'detached' });
  await page.keyboard.press('Control+z');
  await until('it is back', async () => (await boxOf()) !== undefined);
  await page.waitForSelector('.boxes button');
  await page.keyboard.press('b');
  await page.waitForSelector('.boxes button[aria-pressed="true"]');
  // Left at once, what was done last is written all the same.
  const back = await boxOf();
  await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.detail', { state: 'detached' });
  await until('it is lower', async () => (await boxOf())?.[1] !== back?.[1]);
}

/** Everything in sight of the map is labelled, and that undone. */
async function mapped(page: Page, people: () => Promise<number>): Promise<void> {
  await page.keyboard.press('Shift+M');
  await page.waitForSelector('.plane canvas');
  await page.waitForFunction(`document.querySelector('.plane canvas').width > 0`);
  for (const by of ['cluster', 'origin', 'confidence']) {
    await tabTo(page, '.map select');
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction(`document.querySelector('.map select').value === '${by}'`);
    if (by === 'cluster') await page.waitForSelector('.legend li');
    await page.evaluate('document.activeElement.blur()');
  }
  await page.keyboard.press('+');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('0');
  const before = await people();
  await page.keyboard.press('a');
  await page.waitForSelector('section[aria-label="What is chosen"]');
  await page.keyboard.press('l');
  await page.keyboard.type('everything');
  await page.keyboard.press('Enter');
  await page.waitForSelector('section[aria-label="What is chosen"]', { state: 'detached' });
  assert.ok((await people()) >= before);
  await page.keyboard.press('Control+z');
  await page.waitForSelector('text=Undone: label');
}
