/**
 * What becomes of files that no one would choose to have. Every expected outcome is written down: an image with its
 * upright size, the reason it is put aside for, or that it is passed over. Nothing of it ever ends a run.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, rename, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { timed } from '../../bench/process.ts';
import { iou } from '../../src/core/boxes.ts';
import { CLI, runCli, runJson, scratch } from '../cli.ts';
import { badImages, cut, jpegScene, pngOfZeros, scene, stored } from '../fixtures/images.ts';
import { photographs } from '../fixtures/photographs.ts';
import { tarGzOf, tarOf, zipOf } from '../fixtures/zip-and-tar.ts';
import { thorough } from '../thorough.ts';
import { filesUnder, imagesIn, statusIn } from '../workspace.ts';

/** `[width, height]` of the upright image, the reason in quarantine, or nothing at all. */
type Outcome = readonly [width: number, height: number] | string | 'passed over';

/** Checks a table of outcomes, by path below `source`, against the workspace in `dir`. */
async function assertOutcomes(dir: string, source: string, expected: Readonly<Record<string, Outcome>>): Promise<void> {
  const images = await imagesIn(dir);
  const { quarantine } = await statusIn(dir);
  const found = new Map<string, Outcome>();
  for (const [file, { width, height }] of images) found.set(file, [width, height]);
  for (const { path, reason } of quarantine) found.set(path.slice(join(dir, source).length + 1), reason);
  const wanted = Object.entries(expected).filter(([, outcome]) => outcome !== 'passed over');
  assert.deepEqual(Object.fromEntries([...found].sort()), Object.fromEntries(wanted.sort()));
}

test('files of every kind', async (t) => {
  const dir = await scratch(t);
  const whole: Outcome = [320, 240];
  const files: (readonly [name: string, content: Buffer | string, outcome: Outcome])[] = [
    ['no-extension', await jpegScene(320, 240, 20), whole],
    ['alpha.png', await scene(320, 240, 21).ensureAlpha(0.5).png().toBuffer(), whole],
    ['palette.png', await scene(320, 240, 22).png({ palette: true }).toBuffer(), whole],
    ['still.tiff', await scene(320, 240, 23).tiff().toBuffer(), whole],
    ['still.avif', await scene(320, 240, 24).avif({ effort: 0 }).toBuffer(), whole],
    // 256 million pixels in 32 kB: below the limit, so it has to be read without holding them all.
    ['vast.png', pngOfZeros(16_000), [16_000, 16_000]],
    ['real-bomb.png', pngOfZeros(30_000), 'too-large'],
    ['page.png', '<!doctype html><title>404 Not Found</title>', 'not-an-image'],
    ['notes.txt', 'no image, and no one says it is', 'passed over'],
    ['.hidden.jpg', await jpegScene(320, 240, 25), 'passed over'],
    ['data', 'no extension and no image', 'passed over'],
  ];
  const sizes: Record<string, Outcome> = {
    'cmyk.jpg': [64, 48],
    'deep.png': [64, 48],
    'grey.png': [64, 48],
    'grey-alpha.png': [64, 48],
    'animated.gif': [48, 32],
    'animated.webp': [48, 32],
    'pages.tiff': [48, 32],
    'photo.heic': [64, 32],
    'photo.nef': [480, 320],
    'photo.cr3': [320, 480],
    'one-pixel.png': [1, 1],
    'thread.png': [1, 20_000],
    'really-a-png.jpg': whole,
    'turned.jpg': [40, 20],
  };
  for (const [name, { bytes, reason }] of Object.entries(await badImages())) {
    files.push([name, bytes, reason ?? sizes[name]]);
  }
  await mkdir(join(dir, 'files'));
  for (const [name, bytes] of files) await writeFile(join(dir, 'files', name), bytes);
  const good = files.filter(([, , outcome]) => typeof outcome !== 'string').length;
  const bad = files.filter(([, , outcome]) => typeof outcome === 'string' && outcome !== 'passed over').length;

  const { peakBytes, stdout } = await timed(CLI, ['add', 'files', '--json', '--quiet'], dir);
  const added = JSON.parse(stdout) as Record<string, number>;
  assert.deepEqual([added.images, added.quarantined], [good, bad]);
  // As RGB the vast picture alone has 768 MB.
  assert.ok(peakBytes < 600e6, `${Math.round(peakBytes / 1e6)} MB for a picture of 256 million pixels`);
  await assertOutcomes(dir, 'files', Object.fromEntries(files.map(([name, , outcome]) => [name, outcome])));

  await t.test('reasons are sentences, and say what to do where there is something', async () => {
    const { quarantine } = await statusIn(dir);
    const said = (name: string) => quarantine.find(({ path }) => path.endsWith(name))?.message ?? '';
    assert.match(said('sensor-only.dng'), /only a thumbnail of 160 × 107, .* develop the file to JPEG/);
    assert.match(said('bomb.png'), /more than 268 million pixels/);
    assert.match(said('page.png'), /not an image/);
    for (const { message } of quarantine) assert.match(message, /^[\p{L}\d].{10,}[^.]$/u);
    const { stdout: text } = await runCli(['status', '--quarantine'], { cwd: dir });
    for (const { path, message } of quarantine) assert.ok(text.includes(path) && text.includes(message), path);
  });

  await t.test('a second run looks at nothing again, and --strict reports what was put aside before', async () => {
    const again = await runJson(['add', 'files'], { cwd: dir });
    assert.deepEqual([again.files, again.unchanged], [0, good + bad]);
    const fresh = await runCli(['add', 'files', '--strict', '-w', 'strict'], { cwd: dir });
    assert.equal(fresh.code, 1);
  });

  await t.test('detect takes all that add took', async () => {
    const detected = await runJson(['detect'], { cwd: dir });
    assert.deepEqual([detected.detected, detected.quarantined], [good, 0]);
  });

  await t.test('auto ends well on such a folder, and its report lists what was put aside', async () => {
    const { code, stdout, stderr } = await runCli(['auto', 'files', '-w', 'auto/.labelsmith'], { cwd: dir });
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`Added ${good} new images`));
    const report = readFileSync(join(dir, 'auto/labelsmith-report.html'), 'utf8');
    for (const [name, , outcome] of files) {
      if (typeof outcome === 'string' && outcome !== 'passed over') assert.ok(report.includes(name), name);
    }
  });
});

test('EXIF orientations 1 to 8: sizes and boxes are those of the upright image, applied once', async (t) => {
  const dir = await scratch(t);
  await photographs(join(dir, 'plain'), ['other_2.jpg']);
  const upright = await sharp(join(dir, 'plain/other_2.jpg')).resize(512, 384, { fit: 'fill' }).png().toBuffer();
  await mkdir(join(dir, 'turned'));
  for (let orientation = 1; orientation <= 8; orientation++) {
    await writeFile(join(dir, `turned/${orientation}.jpg`), await stored(upright, orientation));
  }
  await runJson(['add', 'turned'], { cwd: dir });
  await runJson(['detect'], { cwd: dir });
  const images = await imagesIn(dir);
  const boxesOf = (orientation: number) => {
    const { width, height, regions } = images.get(`${orientation}.jpg`)!;
    assert.deepEqual([width, height], [512, 384], `orientation ${orientation}`);
    return regions.filter(({ score = 0 }) => score > 0.4);
  };
  const expected = boxesOf(1);
  assert.ok(expected.length >= 3, `only ${expected.length} objects found: too few to compare`);
  for (let orientation = 2; orientation <= 8; orientation++) {
    const all = images.get(`${orientation}.jpg`)!.regions;
    boxesOf(orientation);
    for (const { box, labels } of expected) {
      const best = Math.max(...all.filter((r) => r.labels[0]?.class === labels[0]?.class).map((r) => iou(r.box, box)));
      // The turned copies were compressed anew, so boxes move by a pixel or two.
      assert.ok(best > 0.85, `orientation ${orientation}: a ${labels[0]?.class} at ${box} has overlap ${best}`);
    }
  }
  assert.equal((await statusIn(dir)).groups, 1, 'all eight are one picture, so one group');

  await t.test('crops are cut out upright', async () => {
    await runJson(['export', 'crops', 'crops', '--min-confidence', '0.5'], { cwd: dir });
    const crops = [...filesUnder(join(dir, 'crops')).keys()].filter((file) => file.endsWith('.jpg'));
    const sizes = await Promise.all(crops.map((file) => sharp(join(dir, 'crops', file)).metadata()));
    assert.ok(sizes.length >= 8);
    for (const { orientation = 1 } of sizes) assert.equal(orientation, 1);
  });
});

test('names with spaces, newlines, quotes, and bytes that are no UTF-8', async (t) => {
  const dir = await scratch(t);
  await photographs(join(dir, 'plain'));
  // As JavaScript text where it can be, as bytes where not; and what the record calls it.
  const names: readonly (readonly [plain: string, name: string | Buffer, shown: string])[] = [
    ['meal_1.jpg', 'two words.jpg', 'two words.jpg'],
    ['meal_2.jpg', 'new\nline.jpg', 'new\nline.jpg'],
    ['other_1.jpg', Buffer.from('caf\xe9.jpg', 'latin1'), 'caf\\xE9.jpg'],
    ['other_2.jpg', `"it's" 100%, =1+1;#&<b>.jpg`, `"it's" 100%, =1+1;#&<b>.jpg`],
    ['samples.jpg', '\u202egpj.\x1b[31m雪.jpg', '\u202egpj.\x1b[31m雪.jpg'],
  ];
  const folder = Buffer.from(join(dir, 'photos/'));
  await mkdir(folder);
  for (const [plain, name] of names) {
    await cp(join(dir, 'plain', plain), join(dir, 'moving'));
    await rename(join(dir, 'moving'), Buffer.concat([folder, Buffer.from(name)]));
  }
  const bytesOf = new Map(names.map(([plain, , shown]) => [shown, readFileSync(join(dir, 'plain', plain))]));

  const { images } = await runJson(['add', 'photos'], { cwd: dir });
  assert.equal(images, names.length);
  const detected = await runJson(['detect'], { cwd: dir });
  assert.deepEqual(
    [detected.detected, detected.quarantined],
    [names.length, 0],
    'every file is found again to be read',
  );
  const rows = await imagesIn(dir);
  assert.deepEqual([...rows.keys()].sort(), names.map(([, , shown]) => shown).sort());
  const regions = [...rows.values()].flatMap((row) => row.regions).length;
  assert.ok(regions > 30);

  for (const format of thorough(['coco', 'voc'] as const, ['coco', 'yolo', 'voc'] as const)) {
    await t.test(`${format}: files of safe names with the same bytes, and labels that come back`, async () => {
      const out = join(dir, format);
      const exported = await runJson(['export', format, out, '--images', 'copy'], { cwd: dir });
      assert.deepEqual([exported.images, exported.failedImages], [names.length, 0]);
      const files = [...filesUnder(out).keys()];
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      for (const file of files) assert.doesNotMatch(file, /[\x00-\x1f"<>:|?*\\]/);
      const images = files.filter((file) => file.endsWith('.jpg'));
      const bytes = images.map((file) => readFileSync(join(out, file)).toString('base64')).sort();
      assert.deepEqual(bytes, [...bytesOf.values()].map((original) => original.toString('base64')).sort());
      await assertComesBack(dir, format, out, regions, join(out, format === 'voc' ? 'JPEGImages' : 'images'));
    });
  }
  for (const format of thorough(['csv'] as const, ['csv', 'jsonl'] as const)) {
    await t.test(`${format}: labels that come back to the files of strange names`, async () => {
      const out = join(dir, `labels.${format}`);
      await runJson(['export', format, out], { cwd: dir });
      await assertComesBack(dir, format, out, regions, join(dir, 'photos'));
    });
  }

  await t.test('crops and class folders', async () => {
    const crops = await runJson(['export', 'crops', 'crops'], { cwd: dir });
    assert.equal(crops.regions, regions);
    const folders = await runJson(['export', 'folders', 'folders', '--images', 'symlink'], { cwd: dir });
    assert.deepEqual([folders.images, folders.failedImages], [names.length, 0]);
    const linked = await runJson(['add', 'folders', '-w', 'linked'], { cwd: dir });
    assert.deepEqual([linked.images, linked.quarantined], [names.length, 0], 'the links lead to the images');
  });

  await t.test('a list with a NUL after each name, on stdin', async () => {
    const list = Buffer.concat(names.flatMap(([, name]) => [Buffer.from('photos/'), Buffer.from(name), Buffer.of(0)]));
    const listed = await runJson(['add', '-', '-w', 'listed'], { cwd: dir, input: list });
    assert.deepEqual([listed.images, listed.quarantined], [names.length, 0]);
  });

  await t.test('what is printed of a name cannot move the cursor or forge a line', async () => {
    await writeFile(join(dir, 'photos/bad\nfine 1\x1b[2J\r.jpg'), '');
    await runJson(['add', 'photos'], { cwd: dir });
    const { stdout } = await runCli(['status', '--quarantine'], { cwd: dir });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.doesNotMatch(stdout, /[\x1b\r]/);
    assert.doesNotMatch(stdout, /^fine/m);
    assert.match(stdout, /bad\\nfine 1\\x1B\[2J\\r\.jpg/);
  });
});

/** Imports `path` into a new workspace with the images under `images`, and counts the regions. */
async function assertComesBack(dir: string, format: string, path: string, regions: number, images: string) {
  const back = join(dir, `back-${format}`);
  await mkdir(back);
  await runJson(['add', images], { cwd: back });
  const summary = await runJson(['import', format, path], { cwd: back });
  assert.equal(summary.unmatched, 0);
  assert.equal((await statusIn(back)).regions, regions);
}

test('links: loops, links to nothing, links to what is there anyway', async (t) => {
  const dir = await scratch(t);
  const files = join(dir, 'files');
  await mkdir(join(files, 'sub/deeper'), { recursive: true });
  await mkdir(join(dir, 'elsewhere'));
  await writeFile(join(files, 'fine.jpg'), await jpegScene(320, 240, 1));
  await writeFile(join(files, 'sub/deeper/other.jpg'), await jpegScene(320, 240, 2));
  await writeFile(join(dir, 'elsewhere/third.jpg'), await jpegScene(320, 240, 3));
  await symlink('.', join(files, 'self'));
  await symlink('../..', join(files, 'sub/deeper/up'));
  await symlink(dir, join(files, 'sub/above'));
  await symlink('b', join(files, 'a'));
  await symlink('a', join(files, 'b'));
  await symlink('not-there.jpg', join(files, 'nothing.jpg'));
  await symlink('fine.jpg', join(files, 'same.jpg'));
  await symlink(join(dir, 'elsewhere'), join(files, 'outside'));
  await symlink(join(dir, 'elsewhere'), join(files, 'outside-again'));
  const size: Outcome = [320, 240];
  const { images, duplicates } = await runJson(['add', 'files'], { cwd: dir });
  assert.deepEqual([images, duplicates], [3, 1]);
  await assertOutcomes(dir, 'files', {
    'fine.jpg': size,
    'sub/deeper/other.jpg': size,
    // Byte by byte, `outside-again/` comes before `outside/`; the second link to a folder is not followed again.
    'outside-again/third.jpg': size,
    'outside/third.jpg': 'passed over',
    'same.jpg': 'passed over', // the same image as fine.jpg, so no row of its own
    self: 'link-loop',
    'sub/deeper/up': 'link-loop',
    'sub/above': 'link-loop',
    a: 'broken-link',
    b: 'broken-link',
    'nothing.jpg': 'broken-link',
  });

  await t.test('rows of quarantine go with their cause at add --sync', async () => {
    await unlink(join(files, 'nothing.jpg'));
    await unlink(join(files, 'self'));
    await unlink(join(files, 'b'));
    await writeFile(join(files, 'b'), await jpegScene(320, 240, 4));
    await runJson(['add', 'files', '--sync'], { cwd: dir });
    const { quarantine } = await statusIn(dir);
    const left = quarantine.map(({ path }) => path.slice(files.length + 1)).sort();
    assert.deepEqual(left, ['sub/above', 'sub/deeper/up']);
  });
});

test('archives: names that lead outside, archives inside, damage, lies about sizes', async (t) => {
  const dir = await scratch(t);
  const files = join(dir, 'files');
  await mkdir(files);
  const evil: readonly { name: string; content: Buffer }[] = [
    { name: '../../evil.jpg', content: await jpegScene(320, 240, 1) },
    { name: '/tmp/evil.jpg', content: await jpegScene(320, 240, 2) },
    { name: 'a/../../evil.jpg', content: await jpegScene(320, 240, 3) },
  ];
  const inner = zipOf([{ name: 'inside.jpg', content: await jpegScene(320, 240, 4) }]);
  const zeros = Buffer.alloc(4 << 20);
  await writeFile(
    join(files, 'bad.zip'),
    zipOf([
      ...evil,
      { name: 'good/fine.jpg', content: await jpegScene(320, 240, 5) },
      { name: 'inner.zip', content: inner },
      { name: 'liar.jpg', content: zeros, claimedSize: 1000 },
      { name: 'huge.jpg', content: zeros, claimedSize: 4e9 },
      { name: 'words.txt', content: Buffer.from('words') },
      { name: Buffer.from('caf\xe9.jpg', 'latin1'), content: await jpegScene(320, 240, 11) },
    ]),
  );
  await writeFile(
    join(files, 'bad.tar'),
    await tarOf([...evil, { name: './fine.jpg', content: await jpegScene(320, 240, 6) }]),
  );
  await writeFile(
    join(files, 'bad.tgz'),
    await tarGzOf([...evil, { name: 'fine.jpg', content: await jpegScene(320, 240, 7) }]),
  );
  const two: readonly { name: string; content: Buffer }[] = [
    { name: 'first.jpg', content: await jpegScene(320, 240, 8) },
    { name: 'second.jpg', content: await jpegScene(1200, 900, 9) },
  ];
  await writeFile(join(files, 'cut.zip'), cut(zipOf(two), 0.5));
  await writeFile(join(files, 'cut.tar'), cut(await tarOf(two), 0.5));
  await writeFile(join(files, 'empty.zip'), '');
  await writeFile(
    join(files, 'words.tar'),
    'These are words, and not few enough of them to be an empty archive.'.repeat(20),
  );
  await writeFile(join(files, 'other.rar'), 'Rar!');
  await runJson(['add', 'files'], { cwd: dir });
  const size: Outcome = [320, 240];
  const expected: Record<string, Outcome> = {
    'bad.zip!/good/fine.jpg': size,
    // A name without the flag for UTF-8 is in code page 437, says the format: E9 is a capital theta there.
    'bad.zip!/cafΘ.jpg': size,
    'bad.tar!/fine.jpg': size,
    'bad.tgz!/fine.jpg': size,
    'bad.zip!/inner.zip': 'nested-archive',
    'bad.zip!/liar.jpg': 'damaged-archive',
    'bad.zip!/huge.jpg': 'too-large',
    'cut.zip': 'damaged-archive',
    'cut.tar!/first.jpg': size,
    'cut.tar': 'damaged-archive',
    'empty.zip': 'damaged-archive',
    'words.tar': 'damaged-archive',
    'other.rar': 'unsupported-archive',
  };
  for (const archive of ['bad.zip', 'bad.tar', 'bad.tgz']) {
    for (const { name } of evil) expected[`${archive}!/${name}`] = 'unsafe-name';
  }
  await assertOutcomes(dir, 'files', expected);
  for (const outside of [join(dir, 'evil.jpg'), join(dir, '../evil.jpg'), '/tmp/evil.jpg']) {
    assert.equal(existsSync(outside), false, `${outside} was written`);
  }

  await t.test('members are read again by detect and copied by export', async () => {
    const { detected, quarantined } = await runJson(['detect'], { cwd: dir });
    assert.deepEqual([detected, quarantined], [5, 0]);
    const exported = await runJson(['export', 'coco', 'out', '--images', 'copy', '--empty'], { cwd: dir });
    assert.deepEqual([exported.images, exported.failedImages], [5, 0]);
    for (const file of filesUnder(join(dir, 'out')).keys()) assert.doesNotMatch(file, /\.\.|evil/);
  });
});
