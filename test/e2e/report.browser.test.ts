/** The report in a real browser: it asks for nothing, complains of nothing, and draws boxes where they are. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { renderReport } from '../../src/report/html.ts';
import type { ReportClass, ReportData } from '../../src/report/report-data.ts';
import { launchBrowser, withoutBrowser } from '../browser.ts';

if (withoutBrowser) console.log(`SKIP report in a browser: ${withoutBrowser}`);

/** 400 × 200 pixels, black, with a red rectangle at the box. */
const BOX = [240, 40, 360, 160] as const;

async function thumbnail(): Promise<Uint8Array> {
  const [x1, y1, x2, y2] = BOX.map((value) => value / 2);
  const red = { create: { width: x2 - x1, height: y2 - y1, channels: 3 as const, background: '#f00' } };
  return sharp({ create: { width: 200, height: 100, channels: 3, background: '#000' } })
    .composite([{ input: await sharp(red).png().toBuffer(), left: x1, top: y1 }])
    .webp({ lossless: true })
    .toBuffer();
}

function classNamed(name: string, imageId: string, synonyms: string[] = []): ReportClass {
  return {
    name,
    task: 'objects',
    images: 1,
    regions: 1,
    meanConfidence: 0.5,
    origins: { detector: 1 },
    synonyms,
    parent: null,
    description: null,
    typical: [{ imageId, confidence: 0.5, regions: [{ id: `region of ${imageId}`, box: BOX }] }],
    doubtful: [],
  };
}

async function fixture(): Promise<ReportData> {
  const bytes = await thumbnail();
  const picture = (file: string) => ({
    file,
    width: 400,
    height: 200,
    thumbnail: { bytes, mediaType: 'image/webp' as const },
  });
  const attack = '<img src=http://127.0.0.1:9/x onerror=alert(1)>';
  return {
    title: `photos ${attack}`,
    generatedAt: '2026-01-02T03:04:05.678Z',
    version: '0',
    sources: ['/data'],
    totals: {
      images: 3,
      labelledImages: 3,
      regions: 3,
      paths: 3,
      duplicatePaths: 0,
      groups: 0,
      groupedImages: 0,
      quarantined: 0,
    },
    classes: [classNamed('cat', 'a', ['kitty']), classNamed('dog', 'b'), classNamed(attack, 'c')],
    tree: [],
    copies: [],
    groups: [],
    quality: [{ flag: 'dark', count: 1, examples: ['a'] }],
    quarantine: { total: 0, reasons: [], rows: [] },
    runs: [],
    gathered: [],
    pictures: new Map([
      ['a', picture('a.jpg')],
      ['b', picture('b.jpg')],
      ['c', picture(attack)],
    ]),
    shapes: new Map(),
    picturesLeftOut: 0,
  };
}

describe('report in a browser', { skip: withoutBrowser }, () => {
  let browser: Browser;
  let folder: string;
  let page: Page;
  const complaints: string[] = [];
  const requests: string[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'labelsmith-report-'));
    const file = join(folder, 'report.html');
    await writeFile(file, renderReport(await fixture()));
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1300, height: 1000 } });
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!request.url().startsWith('data:')) requests.push(request.url());
    });
    await page.goto(pathToFileURL(file).href);
  });

  after(async () => {
    await browser?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  test('the box lies on what it marks, small and large', async () => {
    for (const where of ['.class-card .shot svg', 'dialog svg']) {
      if (where.startsWith('dialog')) await page.click('.class-card .shot');
      const svg = page.locator(where).first();
      const frame = await svg.boundingBox();
      const box = await svg.locator('.box').boundingBox();
      assert.ok(frame && box, where);
      // The picture is fitted into its frame at one scale, centred.
      const scale = Math.min(frame.width / 400, frame.height / 200);
      const left = frame.x + (frame.width - 400 * scale) / 2;
      const top = frame.y + (frame.height - 200 * scale) / 2;
      const expected = [left + BOX[0] * scale, top + BOX[1] * scale, 120 * scale, 120 * scale];
      for (const [i, value] of [box.x, box.y, box.width, box.height].entries()) {
        // Half the line's width to each side may count as part of it.
        assert.ok(Math.abs(value - expected[i]) <= 3, `${where}: ${i} is ${value}, expected ${expected[i]}`);
      }
      const shot = await sharp(await page.screenshot())
        .raw()
        .toBuffer({ resolveWithObject: true });
      const pixel = (x: number, y: number) => {
        const at = (Math.round(top + y * scale) * shot.info.width + Math.round(left + x * scale)) * shot.info.channels;
        return [...shot.data.subarray(at, at + 3)];
      };
      // Well inside the box the picture is red, well outside it black: picture and box share one geometry.
      assert.deepEqual(
        pixel(300, 100).map((v) => v > 128),
        [true, false, false],
        where,
      );
      assert.deepEqual(
        pixel(200, 60).map((v) => v > 128),
        [false, false, false],
        where,
      );
    }
    await page.keyboard.press('ArrowRight');
    assert.equal(await page.locator('dialog .file').textContent(), 'b.jpg');
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('dialog[open]').count(), 0);
  });

  test('the filter finds classes by name and synonym, from the keyboard', async () => {
    const visible = () => page.locator('.class-card:visible h3').allTextContents();
    assert.equal((await visible()).length, 3);
    await page.keyboard.press('/');
    await page.keyboard.type('KIT');
    assert.deepEqual(await visible(), ['cat']);
    assert.equal(await page.locator('.class-links li:visible').count(), 1);
    assert.equal(await page.locator('#filtered').textContent(), '1 of 3 classes');
    await page.fill('#filter', 'nothing like it');
    assert.ok(await page.locator('#no-class').isVisible());
    await page.keyboard.press('Escape');
    assert.equal((await visible()).length, 3);
  });

  test('names are text, whatever is in them', async () => {
    assert.equal(await page.locator('img').count(), 0);
    assert.ok((await page.locator('.class-card h3').allTextContents()).some((name) => name.startsWith('<img src=')));
  });

  test('no script of another origin could run: the policy holds', async () => {
    const ran = await page.evaluate(() => {
      const global = globalThis as unknown as { document: unknown; intruder?: boolean };
      const document = global.document as {
        createElement(name: string): { textContent: string };
        body: { append(node: unknown): void };
      };
      const script = document.createElement('script');
      script.textContent = 'globalThis.intruder = true';
      document.body.append(script);
      return global.intruder === true;
    });
    assert.equal(ran, false);
    // Chromium reports the refusal; that one message is what was asked for.
    const refusal = complaints.findIndex((text) => text.includes('Content Security Policy'));
    assert.ok(refusal >= 0);
    complaints.splice(refusal, 1);
  });

  test('it is dark where the reader wants it dark, and text stands out from the ground', async () => {
    const brightness = () =>
      page.evaluate(() => {
        const { document, getComputedStyle } = globalThis as unknown as {
          document: { body: unknown };
          getComputedStyle(of: unknown): { backgroundColor: string; color: string };
        };
        const { backgroundColor, color } = getComputedStyle(document.body);
        return [backgroundColor, color].map((rgb) => Math.max(...(rgb.match(/\d+/g) ?? []).slice(0, 3).map(Number)));
      });
    await page.emulateMedia({ colorScheme: 'dark' });
    const [darkGround = 255, darkText = 0] = await brightness();
    await page.emulateMedia({ colorScheme: 'light' });
    const [ground = 0, text = 255] = await brightness();
    assert.ok(darkGround < 40 && darkText > 200, `dark: ${darkText} on ${darkGround}`);
    assert.ok(ground > 200 && text < 60, `light: ${text} on ${ground}`);
  });

  test('it fits a phone without scrolling sideways, and asks and complains of nothing', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    const [inner, scroll] = await page.evaluate(() => {
      const { document } = globalThis as unknown as {
        document: { documentElement: { clientWidth: number; scrollWidth: number } };
      };
      return [document.documentElement.clientWidth, document.documentElement.scrollWidth];
    });
    assert.ok(scroll <= inner, `${scroll} > ${inner}`);
    assert.deepEqual(complaints, []);
    assert.equal(requests.length, 1, requests.join(' '));
    assert.ok(requests[0].startsWith('file:'));
  });
});
