/** The whole way by words with models of the hub, in bounded memory; the single steps: hub-flow.test.ts and test/e2e/words.test.ts. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { z } from 'zod';
import { runCli, scratch } from '../cli.ts';

const FOLDER = resolve(import.meta.dirname, '../fixtures/hub');
const PICTURES = ['landscape.jpg', 'portrait.jpg'];

/** Beyond the files of the model that a command runs, in bytes; as `docs/words.md` states it. */
const STATED_BYTES = 700e6;
/** Written by every process that a command starts: its largest resident memory, in kB. */
const TELLS_MEMORY = `data:text/javascript,${encodeURIComponent(
  "import{appendFileSync}from'node:fs';process.on('exit',()=>appendFileSync(process.env.PEAK_FILE,process.resourceUsage().maxRSS+'\\n'))",
)}`;

test('embed, discover, names, search, match, detect and masks, all by words, in bounded memory', async (t) => {
  const cwd = await scratch(t);
  mkdirSync(join(cwd, 'photos'));
  for (const name of PICTURES) cpSync(join(FOLDER, name), join(cwd, 'photos', name));
  for (let n = 0; n < 16; n++) {
    const background = n % 2 === 0 ? { r: 250, g: 10 + n, b: 20 } : { r: 20, g: 40, b: 230 + n };
    const picture = sharp({ create: { width: 400, height: 300 + n, channels: 3, background } });
    await picture.png().toFile(join(cwd, 'photos', `${n}.png`));
  }
  const PEAK_FILE = join(cwd, 'peaks.txt');
  const env = { LABELSMITH_CACHE: join(cwd, 'cache'), PEAK_FILE, NODE_OPTIONS: `--import ${TELLS_MEMORY}` };
  const peaks: Record<string, number> = {};
  const run = async (...args: string[]) => {
    writeFileSync(PEAK_FILE, '');
    const { code, stdout, stderr } = await runCli([...args, '--json', '--threads', '2'], { cwd, env });
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    const lines = readFileSync(PEAK_FILE, 'utf8').trim().split('\n');
    peaks[args.slice(0, 2).join(' ')] = 1024 * Math.max(...lines.map(Number));
    return JSON.parse(stdout) as unknown;
  };
  const images = z.object({ images: z.number() });
  for (const family of ['clip', 'owlv2', 'sam2']) {
    await run('models', 'import', join(FOLDER, family), '--name', `tiny-${family}`);
  }
  await run('add', 'photos');
  await run('embed', '--model', 'tiny-clip');
  await run('discover', '--k', '2', '--vocabulary', 'wordnet');
  await run('corpus', 'names', 'names.csv');
  const { found } = z.object({ found: z.array(z.unknown()) }).parse(await run('search', 'a red car at night'));
  assert.ok(found.length > 0);
  assert.equal(images.parse(await run('match', '--classes', 'red car,cat', '--threshold', '0')).images, 18);
  const detect = ['detect', '--model', 'tiny-owlv2', '--classes', 'red car,cat', '--segmenter', 'tiny-sam2'];
  const counts = z.object({ images: z.number(), regions: z.number(), segment: z.object({ regions: z.number() }) });
  const detected = counts.parse(await run(...detect));
  assert.equal(detected.images, 18);
  assert.ok(detected.regions > 0);
  assert.equal(detected.segment.regions, detected.regions);
  await run('export', 'coco', 'coco', '--task', 'objects');
  t.diagnostic(
    `peaks in MB: ${JSON.stringify(Object.fromEntries(Object.entries(peaks).map(([k, v]) => [k, Math.round(v / 1e6)])))}`,
  );
  for (const [command, bytes] of Object.entries(peaks)) {
    assert.ok(bytes < STATED_BYTES, `${command} took ${Math.round(bytes / 1e6)} MB`);
  }
});
