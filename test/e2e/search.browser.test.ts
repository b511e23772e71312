/** Searching in the page, with a pair of networks of random weights: what it finds is what the command line finds. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { z } from 'zod';
import { withoutBrowser } from '../browser.ts';
import { runCli, scratch } from '../cli.ts';
import { goTo, openReviewIn } from '../review-app.ts';

const FOLDER = resolve(import.meta.dirname, '../fixtures/hub');
const PICTURES = ['landscape.jpg', 'portrait.jpg'];
const FOUND = z.object({ found: z.array(z.object({ path: z.string() })) });
if (withoutBrowser) console.log(`SKIP searching in a browser: ${withoutBrowser}`);

test('words, a picture that is dragged in and one that is chosen find what is like them', {
  skip: withoutBrowser,
}, async (t) => {
  const cwd = await scratch(t);
  const env = { LABELSMITH_CACHE: join(cwd, 'cache') };
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCli(args, { cwd, env });
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  mkdirSync(join(cwd, 'photos'));
  for (const name of PICTURES) cpSync(join(FOLDER, name), join(cwd, 'photos', name));
  await run('models', 'import', join(FOLDER, 'clip'), '--name', 'tiny', '--licence', 'MIT');
  await run('add', 'photos');
  await run('embed', '--model', 'tiny');
  const { page, complaints, close } = await openReviewIn(cwd, env);
  t.after(close);
  await goTo(page, 'Browse');
  const files = () => page.$$eval('.grid .cell img', (images) => images.map((one) => one.getAttribute('alt')));
  const shown = async (expected: readonly string[]) => {
    await page.waitForFunction((names) => {
      const images = [...globalThis.document.querySelectorAll('.grid .cell img')];
      return images.map((one) => one.getAttribute('alt')).join() === names;
    }, expected.join());
    assert.deepEqual(await files(), expected);
  };

  for (const words of ['a red car at night', 'a']) {
    await page.fill('input[placeholder="a red car at night"]', words);
    await page.keyboard.press('Enter');
    await page.waitForSelector(`.searched:has-text("${words}")`);
    const { found } = FOUND.parse(JSON.parse(await run('search', words, '--json')));
    await shown(found.map(({ path }) => path.split('/').pop() ?? ''));
    await page.click('button:text-is("Show everything")');
  }

  for (const name of PICTURES) {
    const others = PICTURES.filter((other) => other !== name);
    const base64 = readFileSync(join(FOLDER, name)).toString('base64');
    const transfer = await page.evaluateHandle(
      ([text, file]) => {
        const bytes = Uint8Array.from(atob(text ?? ''), (letter) => letter.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], file ?? '', { type: 'image/jpeg' }));
        return transfer;
      },
      [base64, name],
    );
    await page.dispatchEvent('.browse', 'dragover', { dataTransfer: transfer });
    await page.waitForSelector('.drop');
    await page.dispatchEvent('.browse', 'drop', { dataTransfer: transfer });
    await page.waitForSelector(`.searched:has-text("${name}")`);
    await shown([name, ...others]);
    // What was found can be labelled like any other items.
    await page.keyboard.press('Control+a');
    await page.waitForSelector('.selection strong:text-is("2 selected")');
    await page.click('button:text-is("Show everything")');
  }

  await page.setInputFiles('input[type="file"]', join(FOLDER, 'portrait.jpg'));
  await shown(['portrait.jpg', 'landscape.jpg']);

  // Of a kind that the browser cannot read, so that it is not made smaller there.
  const tiff = await sharp(join(FOLDER, 'landscape.jpg')).resize(1200).tiff({ compression: 'none' }).toBuffer();
  assert.ok(tiff.length > 2 ** 20);
  await page.click('button:text-is("Show everything")');
  await page.setInputFiles('input[type="file"]', { name: 'large.tif', mimeType: 'image/tiff', buffer: tiff });
  await page.waitForSelector('.searched:has-text("large.tif")');
  await shown(['landscape.jpg', 'portrait.jpg']);
  assert.equal(await page.locator('.searched img:visible').count(), 0, 'no sign of a broken picture');
  await page.click('button:text-is("Show everything")');
  await page.setInputFiles('input[type="file"]', join(FOLDER, 'portrait.jpg'));
  await shown(['portrait.jpg', 'landscape.jpg']);

  await page.locator('.grid .cell').nth(1).click();
  await page.click('a:text-is("What looks like it")');
  await page.waitForSelector('.searched:has-text("this image")');
  await shown(['landscape.jpg', 'portrait.jpg']);
  assert.deepEqual(complaints, []);
});
