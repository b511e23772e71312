/**
 * How long the page keeps a person waiting, measured in the browser over a record of made items. Their pictures are one that is
 * there already: what decoding costs is another question (`bench -- add`).
 */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { openWorkspace } from '../../src/jobs/workspace.ts';
import { launchBrowser } from '../../test/browser.ts';
import { startReviewIn } from '../../test/review-app.ts';
import { fill } from '../items.ts';
import { median, rounded } from '../process.ts';
import { fillMap, mapSpeed } from './map.ts';

const KEYS = 30;
const SCROLL_MS = 4000;
/** Of content, a frame. */
const SCROLL_PX = 60;
const CELL_PX = 168;
const TIMEOUT_MS = 600_000;

export async function speed(dir: string, images: number) {
  const workspace = await openWorkspace(`${dir}/.labelsmith`, { create: true });
  // One of an earlier run is taken as it is.
  if ((await workspace.store.countImages()) === 0) {
    await fill(workspace.store, images);
    await fillMap(workspace);
  }
  await workspace.close();
  const review = await startReviewIn(dir);
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    // Beside other work counting takes long; how long is what is printed.
    page.setDefaultTimeout(TIMEOUT_MS);
    page.setDefaultNavigationTimeout(TIMEOUT_MS);
    const picture = await sharp({ create: { width: 256, height: 192, channels: 3, background: '#789' } })
      .webp()
      .toBuffer();
    await fulfilPictures(page, picture);
    await page.goto(review.url);
    const { origin } = new URL(review.url);
    const openedMs = performance.now();
    const firstPaintMs = await took(async () => {
      await page.goto(`${origin}/browse`);
      await page.waitForSelector('.grid .cell p span:has-text("class")');
    });
    const wholeOrderMs = await took(() => page.waitForSelector('.counted:not(:has-text("so far"))'));
    const lastMs = await took(async () => {
      await page.keyboard.press('End');
      await page.waitForSelector('.grid .cell.active p span:has-text("class")');
    });
    const blankRowMs = await scrolled(page, images);
    // The filter's classes, each with how many items it has, from opening the page.
    await page.waitForSelector('.filters label:has-text("Class") option >> nth=3', { state: 'attached' });
    const classesCountedMs = Math.round(performance.now() - openedMs);
    const filterMs = await took(async () => {
      await page.locator('.filters select').nth(1).selectOption({ index: 3 });
      await page.waitForSelector('.counted:not(:has-text("so far"))');
      await page.waitForSelector('.grid .cell p span:has-text("class")');
    });
    const keys = await labelKeys(page, origin);
    const map = await mapSpeed(page, origin);
    const everything = await everythingThatMatches(page, origin);
    const memory = readFileSync(`/proc/${review.process.pid}/status`, 'utf8');
    const mib = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(memory)?.[1] ?? 0) / 1024);
    return {
      images,
      firstPaintMs,
      wholeOrderMs,
      lastMs,
      blankRowMs,
      classesCountedMs,
      filterMs,
      ...keys,
      map,
      everything,
      serverMiB: { now: mib('VmRSS'), most: mib('VmHWM') },
    };
  } finally {
    await browser.close();
    await review.end('SIGTERM');
  }
}

/**
 * Pictures come from here, so that the record needs no files. Of all requests these alone are held: Playwright's own routes
 * would hold the page's calls too, and what is measured is those.
 */
async function fulfilPictures(page: Page, picture: Buffer): Promise<void> {
  const protocol = await page.context().newCDPSession(page);
  const patterns = [{ urlPattern: '*/thumbnail*' }, { urlPattern: '*/picture?*' }];
  await protocol.send('Fetch.enable', { patterns });
  const responseHeaders = [
    { name: 'content-type', value: 'image/webp' },
    { name: 'cache-control', value: 'private, max-age=31536000, immutable' },
  ];
  const answer = { responseCode: 200, responseHeaders, body: picture.toString('base64') };
  // A page that is left takes its requests with it.
  protocol.on('Fetch.requestPaused', ({ requestId }) => {
    protocol.send('Fetch.fulfillRequest', { requestId, ...answer }).catch(() => undefined);
  });
}

async function took(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return Math.round(performance.now() - began);
}

/** From the key to the next item in the page, and to the server's word that it is on disk. */
async function labelKeys(page: Page, origin: string) {
  await page.goto(`${origin}/label`);
  await page.waitForSelector('figcaption b');
  const shown: number[] = [];
  for (let i = 0; i < KEYS; i++) {
    shown.push(
      await page.evaluate<number>(`new Promise((done) => {
        const began = performance.now();
        const status = document.querySelector('.label [role=status]');
        new MutationObserver((_, watcher) => { watcher.disconnect(); done(performance.now() - began); })
          .observe(status, { characterData: true, childList: true, subtree: true });
        window.dispatchEvent(new KeyboardEvent('keydown', { key: '1', code: 'Digit1', bubbles: true }));
      })`),
    );
    await page.waitForTimeout(120);
  }
  const acknowledged = await page.evaluate<number[]>(
    `performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/api/labels')).map(({ duration }) => duration)`,
  );
  return {
    keyShownMs: rounded(median(shown), 1),
    keyAcknowledgedMs: { median: rounded(median(acknowledged), 1), worst: rounded(Math.max(...acknowledged), 1) },
  };
}

/**
 * Scrolls from the top, 3,600 pixels of content a second. Gives the longest times for which a row in sight had no cell, and no
 * picture, in ms. Rows are looked at by their first cell.
 */
async function scrolled(page: Page, images: number) {
  await page.keyboard.press('Home');
  await page.waitForTimeout(500);
  const [cell, picture] = await page.evaluate<[number, number]>(`new Promise((done) => {
    const grid = document.querySelector('.grid');
    const { left, top, height } = grid.getBoundingClientRect();
    const columns = Math.floor(grid.clientWidth / ${CELL_PX});
    const step = ${SCROLL_PX} * grid.scrollHeight / (Math.ceil(${images} / columns) * ${CELL_PX});
    const began = performance.now();
    const watched = [(cell) => cell.matches('.waiting'), (cell) => cell.querySelector('img')?.complete !== true];
    const since = watched.map(() => null);
    const worst = watched.map(() => 0);
    let to = grid.scrollTop;
    const look = (now) => {
      const cells = [0.1, 0.3, 0.5, 0.7, 0.9].map((share) => {
        const under = [0, 10, -10].map((by) => document.elementFromPoint(left + 90, top + share * height + by));
        return under.map((one) => one?.closest('.place')).find((place) => place)?.firstElementChild;
      });
      for (const [i, isBlank] of watched.entries()) {
        since[i] = cells.some((cell) => !cell || isBlank(cell)) ? (since[i] ?? now) : null;
        if (since[i] !== null) worst[i] = Math.max(worst[i], now - since[i]);
      }
      to += step;
      grid.scrollTop = to;
      if (now - began < ${SCROLL_MS}) requestAnimationFrame(look);
      else done(worst);
    };
    requestAnimationFrame(look);
  })`);
  return { cell: Math.round(cell), picture: Math.round(picture) };
}

/** From the click that selects all to the server's word that they are labelled; it says how many they were. */
async function everythingThatMatches(page: Page, origin: string) {
  await page.goto(`${origin}/browse?path=folder-7`);
  await page.waitForSelector('.grid .cell p span:has-text("class")');
  let told = '';
  const selectMs = await took(async () => {
    await page.click('button:text-is("Select all that match")');
    await page.fill('input[aria-label="Label them"]', 'class 3');
  });
  const labelMs = await took(async () => {
    await page.keyboard.press('Enter');
    const message = await page.waitForSelector('.told p:has-text("class 3")', { timeout: 120_000 });
    told = (await message.textContent()) ?? '';
  });
  return { items: Number(/[\d,]+/.exec(told)?.[0].replaceAll(',', '')), selectMs, labelMs };
}
