/** `teach detector` through the built command line: discs and checks on scenes, which no detector knows, made by code. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { type Box, iou } from '../../src/core/boxes.ts';
import { seededRandom } from '../../src/core/random.ts';
import { cacheDirectory, sourcePath } from '../../src/fetch/cache.ts';
import { CATALOGUE } from '../../src/models/catalogue.ts';
import { runCli, runJson, scratch } from '../cli.ts';
import { scenePixels } from '../fixtures/images.ts';
import { imagesIn } from '../workspace.ts';

const detectorFiles = CATALOGUE.filter(({ id }) => id === 'centernet').flatMap(({ source }) =>
  source.files.map(({ sha256 = '' }) => sourcePath(cacheDirectory(), sha256)),
);
const noDetector = detectorFiles.every((path) => existsSync(path)) ? false : 'centernet is not in the model cache';

const IMAGES = 36;
const LABELLED = 30;
const SIDE = 320;
const KINDS = ['disc', 'checks'];

interface Thing {
  readonly kind: number;
  readonly box: Box;
}

/** One or two things on a scene. */
async function picture(seed: number): Promise<{ readonly bytes: Buffer; readonly things: readonly Thing[] }> {
  const random = seededRandom(seed, 'things');
  const pixels = scenePixels(SIDE, SIDE, seed);
  const things: Thing[] = [];
  for (let half = 0; half < 2; half++) {
    if (half === 1 && random() < 0.4) continue;
    const kind = (seed + half) % KINDS.length;
    const size = 60 + Math.floor(60 * random());
    const left = half * (SIDE / 2) + Math.floor(random() * (SIDE / 2 - size));
    const top = Math.floor(random() * (SIDE - size));
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        if (kind === 0 && (x - size / 2) ** 2 + (y - size / 2) ** 2 > (size / 2) ** 2) continue;
        const dark = kind === 1 && (Math.floor((6 * x) / size) + Math.floor((6 * y) / size)) % 2 === 0;
        pixels.set(
          kind === 0 ? [230, 30, 40] : dark ? [10, 10, 10] : [250, 250, 90],
          ((top + y) * SIDE + left + x) * 3,
        );
      }
    }
    things.push({ kind, box: [left, top, left + size, top + size] });
  }
  const raw = { width: SIDE, height: SIDE, channels: 3 } as const;
  return { bytes: await sharp(pixels, { raw }).png().toBuffer(), things };
}

interface Ground {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  /** By file. */
  readonly truth: ReadonlyMap<string, readonly Thing[]>;
}

/** A workspace with the pictures and people's boxes of most of them, and a model cache with the detector alone. */
async function ground(t: TestContext): Promise<Ground> {
  const dir = await scratch(t);
  const cache = join(dir, 'cache');
  for (const path of detectorFiles) {
    const to = path.replace(cacheDirectory(), cache);
    await mkdir(dirname(to), { recursive: true });
    await copyFile(path, to);
  }
  await mkdir(join(dir, 'images'));
  const truth = new Map<string, readonly Thing[]>();
  const rows = ['file,class,x1,y1,x2,y2'];
  for (let i = 0; i < IMAGES; i++) {
    const file = `${i}.png`;
    const { bytes, things } = await picture(i);
    await writeFile(join(dir, 'images', file), bytes);
    truth.set(file, things);
    if (i < LABELLED) for (const { kind, box } of things) rows.push([file, KINDS[kind], ...box].join(','));
  }
  await writeFile(join(dir, 'boxes.csv'), rows.join('\n'));
  const env = { LABELSMITH_CACHE: cache };
  await runJson(['add', 'images'], { cwd: dir, env });
  await runJson(['import', 'csv', 'boxes.csv', '--as', 'human', '--task', 'objects'], { cwd: dir, env });
  return { dir, env, truth };
}

interface Taught {
  readonly usable: boolean;
  readonly file: string;
  readonly classes: readonly string[];
  readonly images: number;
  readonly heldOutImages: number;
  readonly heldOut: { readonly AP50: number };
}

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

test('a detector that is not good enough does not get its name; one that is ends with the same bytes after a kill, and finds the new things in new images', {
  skip: noDetector,
}, async (t) => {
  const { dir, env, truth } = await ground(t);
  const { code, stderr } = await runCli(['teach', 'detector', '--min-boxes', '500'], { cwd: dir, env });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /No class of the task "objects" that the detector does not know has at least 500 boxes[\s\S]*disc/,
  );
  const asked = ['teach', 'detector', '--name', 'things', '--min-boxes', '5'];
  for (const [share, why] of [
    ['0', /--hold-out 0 holds out none of 30 images/],
    ['1', /--hold-out 1 of 30 images .* leaves none with a box of these classes to learn from/],
  ] as const) {
    const oneSided = await runCli([...asked, '--hold-out', share], { cwd: dir, env });
    assert.deepEqual([oneSided.code, why.test(oneSided.stderr)], [2, true], oneSided.stderr);
  }
  const strict = [...asked, '--min-ap50', '1', '--hold-out', '0.4'];
  const refused = await runCli(strict, { cwd: dir, env });
  assert.equal(refused.code, 1, refused.stderr);
  assert.match(refused.stdout, /Not used: AP50 is/);
  assert.match(refused.stdout, /Network: .*things\.not-used\.onnx/);
  assert.match(refused.stderr, /AP50 rests on \d+ boxes, which says little/);
  assert.equal((await runCli(['detect', '--model', 'things'], { cwd: dir, env })).code, 2);

  const taught = await runJson<Taught>(asked, { cwd: dir, env });
  assert.equal(taught.usable, true);
  assert.deepEqual(taught.classes, ['checks', 'disc']);
  assert.equal(taught.images, LABELLED, 'what was held out is learned from at last');
  assert.ok(taught.heldOutImages > 0);
  assert.ok(taught.heldOut.AP50 >= 0.3);

  // From the images on, with another number of threads.
  const once = await sha256(taught.file);
  assert.equal((await runCli(strict, { cwd: dir, env })).code, 1);
  assert.equal(await sha256(taught.file), once, 'one that fails leaves the one that may be used alone');
  const points = join(dir, '.labelsmith', 'cache', 'blobs', 'detector-points');
  await rm(points, { recursive: true });
  await rm(taught.file);
  const killed = await runCli(asked, { cwd: dir, env, killAfterMs: 2500 });
  t.diagnostic(`killed: ${killed.code === null}; points kept: ${existsSync(points)}`);
  const again = await runJson<Taught>(['--threads', '1', ...asked], { cwd: dir, env });
  assert.equal(await sha256(again.file), once);

  await runJson(['detect', '--model', 'things'], { cwd: dir, env });
  let found = 0;
  let all = 0;
  for (const { file, regions } of (await imagesIn(dir)).values()) {
    const things = truth.get(file) ?? [];
    if (Number.parseInt(file, 10) < LABELLED) {
      // What people drew stays, and nothing is put over it.
      assert.equal(
        regions.filter(({ labels }) => labels.some(({ origin }) => origin === 'human')).length,
        things.length,
      );
      continue;
    }
    for (const { kind, box } of things) {
      all++;
      const hit = regions.some(
        (region) => region.labels.some((label) => label.class === KINDS[kind]) && iou(region.box, box) >= 0.5,
      );
      found += Number(hit);
    }
  }
  assert.ok(all >= 6);
  assert.ok(found >= all / 2, `${found} of ${all}`);
  // Of a class that the detector knows: what it came to before stands beside what it comes to now.
  const known = (await readFile(join(dir, 'boxes.csv'), 'utf8')).replaceAll(',disc,', ',orange,');
  await writeFile(join(dir, 'known.csv'), known);
  await runJson(['import', 'csv', 'known.csv', '--as', 'human', '--task', 'known'], { cwd: dir, env });
  const { heldOut: anew } = await runJson<{ heldOut: { perClass: { className: string; before?: number | null }[] } }>(
    ['teach', 'detector', '--task', 'known', '--classes', 'orange,checks', '--min-boxes', '5', '--min-ap50', '0'],
    { cwd: dir, env },
  );
  assert.deepEqual(
    anew.perClass.map(({ className, before }) => [className, before !== undefined]),
    [
      ['orange', true],
      ['checks', false],
    ],
  );
});
