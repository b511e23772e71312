/** `detect --pose`, `--segment` and `--tiles` through the built command line, on photographs; killed, and run again. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { matchBoxes, readCoco } from '../../bench/coco-boxes.ts';
import type { Box } from '../../src/core/boxes.ts';
import type { MaskRle } from '../../src/core/dataset.ts';
import { maskBox } from '../../src/formats/contours.ts';
import { maskArea } from '../../src/formats/rle.ts';
import { DATA, runCli, runJson, scratch, without } from '../cli.ts';
import { thorough } from '../thorough.ts';
import { filesUnder } from '../workspace.ts';

const skip = without('coco-train128');
const PHOTOS = 10;

interface Counts {
  readonly images: number;
  readonly regions: number;
}
interface Detected extends Counts {
  readonly detected: number;
  readonly pose?: Counts;
  readonly segment?: Counts;
}

/** A folder with the set's first photographs in `photos`, added. */
async function withPhotos(t: TestContext): Promise<string> {
  const dir = await scratch(t);
  const set = join(DATA, 'coco-train128/images');
  mkdirSync(join(dir, 'photos'));
  for (const name of readdirSync(set).sort().slice(0, PHOTOS)) cpSync(join(set, name), join(dir, 'photos', name));
  await runJson(['add', 'photos'], { cwd: dir });
  return dir;
}

/** The same with 2 × 2 photographs an image, and where each of them is. */
async function withCollages(t: TestContext): Promise<string> {
  const dir = await scratch(t);
  const set = join(DATA, 'coco-train128/images');
  const names = readdirSync(set).sort();
  mkdirSync(join(dir, 'photos'));
  for (let i = 0; i < 3; i++) {
    const cells = names.slice(4 * i, 4 * i + 4);
    await sharp({ create: { width: 1280, height: 1280, channels: 3, background: 'black' } })
      .composite(
        cells.map((name, k) => ({ input: join(set, name), left: 640 * (k % 2), top: 640 * Math.floor(k / 2) })),
      )
      .png()
      .toFile(join(dir, 'photos', `${i}.png`));
    writeFileSync(join(dir, `${i}.txt`), cells.join('\n'));
  }
  await runJson(['add', 'photos'], { cwd: dir });
  return dir;
}

async function exported(dir: string, format: string): Promise<string> {
  const out = join(dir, `out-${format}`);
  await runJson(['export', format, out, '--replace', '--images', 'none'], { cwd: dir });
  return out;
}

async function cocoIn(dir: string) {
  return readCoco(join(await exported(dir, 'coco'), 'annotations.json'));
}

test('--pose finds 17 keypoints on every person, once, near the person', { skip }, async (t) => {
  const dir = await withPhotos(t);
  const first = await runJson<Detected>(['detect', '--pose'], { cwd: dir });
  const boxes = [...(await cocoIn(dir)).values()].flatMap(({ boxes }) => boxes);
  const people = boxes.filter(({ category }) => category === 1);
  assert.ok(people.length >= 5, `${people.length} people`);
  assert.equal(first.pose?.regions, people.length);
  let [near, all] = [0, 0];
  for (const { category, keypoints, box } of boxes) {
    assert.equal(keypoints?.length, category === 1 ? 51 : undefined);
    for (let i = 0; i < (keypoints?.length ?? 0); i += 3) {
      const [x, y, seen] = (keypoints ?? []).slice(i, i + 3) as [number, number, number];
      if (seen === 0) continue;
      const margin = 0.1 * Math.max(box[2] - box[0], box[3] - box[1]);
      all++;
      if (x > box[0] - margin && x < box[2] + margin && y > box[1] - margin && y < box[3] + margin) near++;
    }
  }
  assert.ok(all > 8 * people.length, `${all} keypoints of ${people.length} people`);
  assert.ok(near / all > 0.95, `${near} of ${all} keypoints are near their person`);
  const rows = rowsUnder(join(await exported(dir, 'yolo-pose'), 'labels'));
  assert.ok(rows.length > 0 && rows.every((row) => row.length === 5 + 51), 'YOLO pose rows');

  assert.deepEqual((await runJson<Detected>(['detect', '--pose'], { cwd: dir })).pose?.regions, 0);
  await runJson(['detect', '--threshold', '0.2'], { cwd: dir });
  const more = [...(await cocoIn(dir)).values()].flatMap(({ boxes }) => boxes).filter((box) => box.category === 1);
  const again = await runJson<Detected>(['detect', '--threshold', '0.2', '--pose'], { cwd: dir });
  assert.equal(again.pose?.regions, more.length - people.length, 'only the people that are new');
});

test('--segment makes a mask in every box, once; formats take masks; people keep theirs', { skip }, async (t) => {
  const dir = await withPhotos(t);
  const before = await runJson<Detected>(['detect'], { cwd: dir });
  const first = await runJson<Detected>(['detect', '--segment'], { cwd: dir });
  assert.deepEqual([first.detected, first.segment?.regions], [0, before.regions], 'on regions that were there before');
  let [shares, n] = [0, 0];
  for (const { image, boxes } of (await cocoIn(dir)).values()) {
    for (const { box, segmentation } of boxes) {
      const mask = segmentation as MaskRle;
      assert.deepEqual(mask.size, [image.height, image.width]);
      const inner = maskBox(mask) as Box;
      assert.ok(inner[0] >= box[0] - 1 && inner[1] >= box[1] - 1 && inner[2] <= box[2] + 1 && inner[3] <= box[3] + 1);
      shares += maskArea(mask) / ((box[2] - box[0]) * (box[3] - box[1]));
      n++;
    }
  }
  assert.equal(n, before.regions);
  assert.ok(shares / n > 0.3 && shares / n < 0.85, `masks fill ${shares / n} of their boxes`);
  const rows = rowsUnder(join(await exported(dir, 'yolo-seg'), 'labels'));
  assert.equal(rows.length, before.regions);
  assert.ok(
    rows.every((row) => row.length >= 7 && row.length % 2 === 1),
    'a class and a polygon',
  );
  assert.ok(rows.filter((row) => row.length > 9).length > 0.9 * rows.length, 'outlines and not boxes');
  const cvat = readFileSync(join(await exported(dir, 'cvat'), 'annotations.xml'), 'utf8');
  assert.equal(cvat.match(/<mask /g)?.length, before.regions);
  const labelStudio = readFileSync(join(await exported(dir, 'label-studio'), 'tasks.json'), 'utf8');
  assert.equal(labelStudio.match(/"brushlabels"/g)?.length, before.regions * 2, 'type and value');

  assert.equal((await runJson<Detected>(['detect', '--segment'], { cwd: dir })).segment?.regions, 0);
  const more = await runJson<Detected>(['detect', '--threshold', '0.2', '--segment'], { cwd: dir });
  assert.equal(more.segment?.regions, more.regions - before.regions, 'only boxes that are new');

  // A person outlines the first box anew: the detector's gives way at once, and no later run puts a mask on it.
  const machine = JSON.parse(readFileSync(join(dir, 'out-coco/annotations.json'), 'utf8'));
  const [box] = machine.annotations;
  const [x, y, width, height] = box.bbox;
  const outline = [x, y, x + width, y, x + width, y + height];
  const annotations = [{ ...box, segmentation: [outline], score: undefined }];
  writeFileSync(join(dir, 'mine.json'), JSON.stringify({ ...machine, annotations }));
  const file = machine.images.find(({ id }: { id: number }) => id === box.image_id).file_name;
  const imageBoxes = async () => (await cocoIn(dir)).get(file)?.boxes ?? [];
  const boxesBefore = (await imageBoxes()).length;
  // It is of our own making but one box is all it says: the others stay.
  await runJson(['import', 'coco', 'mine.json', '--as', 'human', '--no-replace'], { cwd: dir });
  assert.equal((await imageBoxes()).length, boxesBefore, 'no double box');
  await runJson(['detect', '--threshold', '0.2', '--segment', '--force'], { cwd: dir });
  const outlined = (await imageBoxes()).filter(({ segmentation }) => Array.isArray(segmentation));
  assert.deepEqual(
    outlined.map(({ segmentation }) => segmentation),
    [[outline]],
    'the outline is kept',
  );
  assert.equal((await imageBoxes()).length, boxesBefore);
});

test('--tiles finds what is small in a large image, once, and nothing twice', { skip }, async (t) => {
  const dir = await withCollages(t);
  const truth = readCoco(join(DATA, 'coco-train128/instances.json'));
  const recall = async () => {
    const found = await cocoIn(dir);
    const sum = { right: 0, wanted: 0, doubles: 0, found: 0 };
    for (let i = 0; i < 3; i++) {
      const cells = readFileSync(join(dir, `${i}.txt`), 'utf8').split('\n');
      const boxes = cells.flatMap((name, k) =>
        (truth.get(name)?.boxes ?? []).map((box) => ({
          ...box,
          box: box.box.map((at, j) => at + 640 * (j % 2 === 0 ? k % 2 : Math.floor(k / 2))) as unknown as Box,
        })),
      );
      const here = found.get(`${i}.png`)?.boxes ?? [];
      const { pairs, doubles } = matchBoxes(boxes, here);
      sum.right += pairs.length;
      sum.wanted += boxes.filter(({ crowd }) => !crowd).length;
      sum.doubles += doubles;
      sum.found += here.length;
    }
    return sum;
  };
  await runJson(['detect'], { cwd: dir });
  const whole = await recall();
  const estimate = await runJson<{ images: number }>(['detect', '--tiles', '--dry-run'], { cwd: dir });
  assert.equal(estimate.images, 3);
  assert.equal((await runJson<Detected>(['detect', '--tiles'], { cwd: dir })).detected, 3);
  const tiled = await recall();
  assert.ok(tiled.right > 1.2 * whole.right, `${tiled.right} found with tiles, ${whole.right} without`);
  assert.ok(tiled.doubles <= 0.05 * tiled.found, `${tiled.doubles} of ${tiled.found} boxes are double`);
  assert.equal((await runJson<Detected>(['detect', '--tiles'], { cwd: dir })).images, 0);
  const { quarantined } = await runJson<{ quarantined: Record<string, number> }>(['status'], { cwd: dir });
  assert.deepEqual(quarantined, {});
  await runJson(['detect'], { cwd: dir });
  assert.deepEqual(await recall(), whole, 'back to the whole images, from stored candidates');
});

test('--tiles leaves images that the model sees whole as they are', { skip }, async (t) => {
  const dir = await withPhotos(t);
  await runJson(['detect'], { cwd: dir });
  const boxes = async () =>
    [...(await cocoIn(dir)).values()].flatMap((image) => image.boxes.map(({ box, score }) => [...box, score].join()));
  const plain = (await boxes()).sort();
  await runJson(['detect', '--tiles'], { cwd: dir });
  assert.deepEqual((await boxes()).sort(), plain);
});

const STAGES = [
  { option: '--pose', prepare: withPhotos, before: ['detect'] },
  { option: '--segment', prepare: withPhotos, before: ['detect'] },
  { option: '--tiles', prepare: withCollages, before: [] },
] as const;

/** Shares of the command's time. */
const KILLED_AT = thorough([0.6], [0.4, 0.6, 0.8]);

for (const { option, prepare, before } of STAGES.filter(({ option }) => thorough(option === '--segment', true))) {
  test(`SIGKILL amid detect ${option}, then a plain re-run`, { skip }, async (t) => {
    const dir = await prepare(t);
    if (before.length > 0) await runJson(before, { cwd: dir });
    cpSync(join(dir, '.labelsmith'), join(dir, 'before'), { recursive: true });
    const args = ['detect', option, '--shard-size', '1', '--threads', '2'];
    const outcome = async () => {
      for (const format of ['coco', 'jsonl']) {
        rmSync(join(dir, 'exports', format), { recursive: true, force: true });
        await runJson(['export', format, join('exports', format)], { cwd: dir });
      }
      return filesUnder(join(dir, 'exports'));
    };
    mkdirSync(join(dir, 'exports'));
    const startedAt = performance.now();
    const whole = await runJson<Detected>(args, { cwd: dir });
    const lengthMs = performance.now() - startedAt;
    const expected = await outcome();
    const done = (result: Detected) => (result.pose ?? result.segment ?? result).images;
    let killed = 0;
    for (const share of KILLED_AT) {
      // A machine with less to do than at the whole run ends before its moment: then an earlier one is tried.
      for (let killAfterMs = share * lengthMs, tries = 0; tries < 4; killAfterMs *= 0.6, tries++) {
        rmSync(join(dir, '.labelsmith'), { recursive: true });
        cpSync(join(dir, 'before'), join(dir, '.labelsmith'), { recursive: true });
        if ((await runCli(args, { cwd: dir, killAfterMs })).code !== null) continue;
        killed++;
        break;
      }
      const again = await runJson<Detected>(args, { cwd: dir });
      assert.ok(done(again) <= done(whole), 'nothing more than what was missing');
      assert.deepEqual(await outcome(), expected, `${option}, killed after ${share} of its time: byte for byte`);
    }
    assert.ok(killed > KILLED_AT.length / 2, `only ${killed} of ${KILLED_AT.length} kills hit the running command`);
  });
}

/** Every row of every label file, as words. */
function rowsUnder(dir: string): string[][] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8').trim().split('\n'))
    .filter((row) => row !== '')
    .map((row) => row.split(' '));
}
