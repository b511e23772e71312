/**
 * `npm run docs:review`: pictures of every page of the review app, light and dark, into `docs/review/`, from a pile that is
 * made by code. Needs the build, a browser and the embedder of the model cache.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { launchBrowser } from '../../test/browser.ts';
import { startReviewIn } from '../../test/review-app.ts';
import { drawPile } from './pile.ts';

const OUT = 'docs/review';
const EACH = 60;
const PAGES = ['Start', 'Browse', 'Name', 'Confirm', 'Label', 'Classes', 'Map', 'Runs'];

const scratch = await mkdtemp(join(tmpdir(), 'labelsmith-pictures-'));
const dir = join(scratch, 'shapes');
await drawPile(join(dir, 'pictures'), EACH);
const review = await startReviewIn(dir);
const browser = await launchBrowser();
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(review.url);
  await prepare(page);
  await mkdir(OUT, { recursive: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const name of PAGES) {
      await page.click(`nav[aria-label="Pages"] a:text-is("${name}")`);
      await page.waitForTimeout(1200);
      if (name === 'Confirm') await strikeOne(page);
      await picture(page, `${name.toLowerCase()}-${colorScheme}`);
      if (name === 'Browse') await oneImage(page, colorScheme);
    }
  }
} finally {
  await browser.close();
  await review.end('SIGTERM');
  await rm(scratch, { recursive: true, force: true });
}

async function strikeOne(page: Page): Promise<void> {
  await page.click('nav[aria-label="Classes to confirm"] button:has-text("arrow")');
  await page.waitForTimeout(1200);
  await page.locator('.screenful .cell').nth(3).click();
}

async function oneImage(page: Page, colorScheme: string): Promise<void> {
  await page.locator('.grid .cell').nth(2).dblclick();
  await page.waitForTimeout(1200);
  if (colorScheme === 'light') await drawBox(page);
  await picture(page, `image-${colorScheme}`);
  await page.click('.detail button:text-is("Close")');
}

/** A box around what is in the middle, of the class of the image. */
async function drawBox(page: Page): Promise<void> {
  const className = (await page.locator('.detail .said b').first().textContent()) ?? '';
  const { x = 0, y = 0, width = 0, height = 0 } = (await page.locator('.detail .layer img').boundingBox()) ?? {};
  await page.keyboard.press('d');
  await page.mouse.move(x + width * 0.28, y + height * 0.15);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.92, y + height * 0.82, { steps: 4 });
  await page.mouse.up();
  await page.fill('input[aria-label="Class of the box"]', className);
  await page.keyboard.press('Enter');
  await page.waitForTimeout(800);
}

async function picture(page: Page, name: string): Promise<void> {
  // What is in sight has come, however busy the machine is.
  await page.waitForFunction(
    () =>
      [...globalThis.document.images].every(({ complete }) => complete) &&
      [...globalThis.document.querySelectorAll('.grid .cell')].every((cell) => cell.querySelector('p')),
  );
  const bytes = await sharp(await page.screenshot())
    .webp({ quality: 60, effort: 6 })
    .toBuffer();
  await writeFile(join(OUT, `${name}.webp`), bytes);
}

/** A call of the page's own server, in the page. */
function call<T>(page: Page, path: string, json?: unknown): Promise<T> {
  const options =
    json === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) };
  return page.evaluate<T>(`fetch(${JSON.stringify(path)}, ${JSON.stringify(options)}).then((answer) => answer.json())`);
}

async function finished(page: Page): Promise<void> {
  for (;;) {
    const { jobs } = await call<{ jobs: { state: string; error: unknown }[] }>(page, '/api/jobs');
    if (jobs[0]?.state === 'failed') throw new Error(JSON.stringify(jobs[0].error));
    if (jobs[0]?.state !== 'running') return;
    await page.waitForTimeout(300);
  }
}

/** Added, clustered, all clusters but one named, half of them confirmed, taught; a box in every image that is looked at. */
async function prepare(page: Page): Promise<void> {
  await call(page, '/api/jobs', { kind: 'auto', folder: join(dir, 'pictures'), detect: false });
  await finished(page);
  const { clusters } = await call<{ clusters: { name: string; exemplars: string[] }[] }>(page, '/api/clusters');
  for (const [i, { name, exemplars }] of clusters.entries()) {
    const { paths } = await call<{ paths: string[] }>(page, `/api/images/${exemplars[0]}`);
    const kind = /(\w+)-\d+\.jpg$/.exec(paths[0] ?? '')?.[1] ?? name;
    if (i === clusters.length - 1) continue;
    const { classes } = await call<{ classes: { name: string }[] }>(page, '/api/classes');
    const known = classes.some((one) => one.name === kind) && kind !== name;
    if (kind !== name) {
      const change = known
        ? { kind: 'merge', names: [name, kind], into: kind }
        : { kind: 'rename', from: name, to: kind };
      await call(page, '/api/corpus', change);
    }
    const items = exemplars.map((id) => ({ itemId: id, imageId: id }));
    await call(page, '/api/labels/confirm', { task: 'class', className: kind, items, exceptions: [] });
  }
  await call(page, '/api/jobs', { kind: 'teach', task: 'class' });
  await finished(page);
  await page.reload();
  await page.click('.job button:text-is("Close")');
}
