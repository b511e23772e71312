/** What running commands, again and again and in any order, does to images and labels. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { type Box, iou } from '../../src/core/boxes.ts';
import { runCli, runJson, scratch } from '../cli.ts';
import { jpegScene } from '../fixtures/images.ts';
import { photographs } from '../fixtures/photographs.ts';
import { tarGzOf, zipOf } from '../fixtures/zip-and-tar.ts';
import { thorough } from '../thorough.ts';
import { filesUnder, type ImageRow, imagesIn, statusIn } from '../workspace.ts';

/** Photographs and a workspace in which objects were detected in them, made once; every test works on a copy. */
const ground = mkdtempSync(join(tmpdir(), 'labelsmith-ground-'));
const PHOTOS = 7;
const WITH_OBJECTS = 5;
before(async () => {
  await photographs(join(ground, 'photos'));
  await runJson(['add', 'photos'], { cwd: ground });
  await runJson(['detect'], { cwd: ground });
});
after(() => rmSync(ground, { recursive: true, force: true }));

async function detected(t: TestContext): Promise<string> {
  const dir = await scratch(t);
  cpSync(join(ground, '.labelsmith'), join(dir, '.labelsmith'), { recursive: true });
  return dir;
}

/** `class x1 y1 x2 y2`, sorted: what an image shows, whoever says it. */
function boxesOf({ regions }: Pick<ImageRow, 'regions'>): string[] {
  return regions.flatMap(({ box, labels }) => labels.map((label) => `${label.class} ${box.join(' ')}`)).sort();
}

describe('detect again', () => {
  test('does only what is missing', async (t) => {
    const dir = await detected(t);
    assert.deepEqual(countsOf(await runJson(['detect'], { cwd: dir })), { images: 0, detected: 0, quarantined: 0 });
    // With two sources a file's name begins with that of its source, so images are told apart by their content.
    const known = async () =>
      new Map([...(await imagesIn(dir)).values()].map(({ file: _, ...row }) => [row.sha256, row]));
    const before = await known();
    await mkdir(join(dir, 'more'));
    for (const i of [1, 2]) await writeFile(join(dir, `more/${i}.jpg`), await jpegScene(200, 150, i));
    await runJson(['add', 'more'], { cwd: dir });
    assert.equal((await runJson(['detect', '--dry-run'], { cwd: dir })).images, 2);
    assert.equal((await runJson(['detect'], { cwd: dir })).detected, 2);
    const after = await known();
    for (const [id, row] of before) assert.deepEqual(after.get(id), row);
    assert.equal(after.size, PHOTOS + 2);
  });

  test('another threshold or class list works on the stored candidates, and back gives the same', async (t) => {
    const dir = await detected(t);
    const before = await imagesIn(dir);
    // No model could be opened from this cache, let alone fetched.
    const steps: readonly (readonly [args: readonly string[], holds: (row: ImageRow) => boolean])[] = [
      [['--threshold', '0.5'], ({ regions }) => regions.every(({ score = 0 }) => score >= 0.5)],
      [
        ['--threshold', '0.9,person=0.2'],
        ({ regions }) => regions.every(({ score = 0, labels }) => score >= (labels[0]?.class === 'person' ? 0.2 : 0.9)),
      ],
      [
        ['--classes', 'person,bowl'],
        ({ regions }) => regions.every(({ labels }) => ['person', 'bowl'].includes(labels[0]?.class)),
      ],
      [['--image-labels', 'most-confident'], ({ labels }) => labels.length <= 1],
    ];
    for (const [args, holds] of steps) {
      const result = await runJson(['detect', ...args], { cwd: dir });
      assert.deepEqual(countsOf(result), { images: PHOTOS, detected: 0, quarantined: 0 }, args.join(' '));
      const rows = [...(await imagesIn(dir)).values()];
      assert.ok(rows.every(holds), args.join(' '));
      assert.ok(
        rows.some(({ regions }) => regions.length > 0),
        args.join(' '),
      );
    }
    await runJson(['detect'], { cwd: dir });
    assert.deepEqual(await imagesIn(dir), before);
  });

  test('--force runs the model again and finds the same; --limit is a pilot', async (t) => {
    const dir = await detected(t);
    const before = await imagesIn(dir);
    assert.equal((await runJson(['detect', '--force'], { cwd: dir })).detected, PHOTOS);
    assert.deepEqual(await imagesIn(dir), before);
    assert.equal((await runJson(['detect', '--force', '--limit', '3'], { cwd: dir })).detected, 3);
    assert.equal(
      (await runJson(['add', join(ground, 'photos'), '--limit', '2', '-w', 'pilot'], { cwd: dir })).images,
      2,
    );
    const rest = await runJson(['add', join(ground, 'photos'), '-w', 'pilot'], { cwd: dir });
    assert.deepEqual([rest.images, rest.unchanged], [PHOTOS - 2, 2]);
  });

  test('threads do not change the results', async (t) => {
    const dir = await scratch(t);
    await runJson(['add', join(ground, 'photos')], { cwd: dir });
    await runJson(['detect', '--threads', '1', '--shard-size', '2'], { cwd: dir });
    assert.deepEqual(await imagesIn(dir), await imagesIn(ground));
  });

  test('--dry-run writes nothing', async (t) => {
    const dir = await scratch(t);
    const estimate = await runJson(['add', join(ground, 'photos'), '--dry-run'], { cwd: dir });
    assert.equal(estimate.files, PHOTOS);
    assert.ok(Number(estimate.estimatedMs) > 0 && Number(estimate.recordBytes) > 0);
    assert.equal(existsSync(join(dir, '.labelsmith')), false);
    await runJson(['add', join(ground, 'photos')], { cwd: dir });
    const before = await statusIn(dir);
    const { images, estimatedMs } = await runJson(['detect', '--dry-run'], { cwd: dir });
    assert.equal(images, PHOTOS);
    assert.ok(Number(estimatedMs) > 0);
    assert.deepEqual(await statusIn(dir), before);
  });
});

function countsOf({ images, detected, quarantined }: Record<string, unknown>) {
  return { images, detected, quarantined };
}

describe('add', () => {
  test('the same bytes under ten names are one image with ten paths', async (t) => {
    const dir = await scratch(t);
    const bytes = await jpegScene(200, 150, 1);
    for (let i = 0; i < 10; i++) {
      await mkdir(join(dir, `files/${i % 3}`), { recursive: true });
      await writeFile(join(dir, `files/${i % 3}/name-${i}.jpg`), bytes);
    }
    const added = await runJson(['add', 'files'], { cwd: dir });
    assert.deepEqual([added.images, added.duplicates], [1, 9]);
    const { images, paths, duplicatePaths } = await statusIn(dir);
    assert.deepEqual([images, paths, duplicatePaths], [1, 10, 9]);
    assert.equal((await runJson(['detect'], { cwd: dir })).detected, 1);
    await rm(join(dir, 'files/0'), { recursive: true });
    const exported = await runJson(['export', 'coco', 'out', '--images', 'copy', '--empty'], { cwd: dir });
    assert.deepEqual([exported.images, exported.failedImages], [1, 0], 'read by another of its paths');
  });

  test('sources of every kind hold the same images', async (t) => {
    const dir = await scratch(t);
    const files = await Promise.all([1, 2, 3].map((i) => jpegScene(200, 150, i)));
    await mkdir(join(dir, 'folder/sub'), { recursive: true });
    const names = ['a.jpg', 'b.jpg', 'sub/c.jpg'];
    const members = names.map((name, i) => ({ name, content: files[i] }));
    for (const { name, content } of members) await writeFile(join(dir, 'folder', name), content);
    await writeFile(join(dir, 'images.zip'), zipOf(members));
    await writeFile(join(dir, 'images.tar.gz'), await tarGzOf(members));
    await writeFile(join(dir, 'list.txt'), names.map((name) => `folder/${name}\n`).join(''));
    const sources: readonly (readonly [source: string, input?: string])[] = [
      ['folder'],
      ['folder/**/*.jpg'],
      ['images.zip'],
      ['images.tar.gz'],
      ['@list.txt'],
      ['-', names.map((name) => join(dir, 'folder', name)).join('\n')],
    ];
    for (const [i, [source, input]] of sources.entries()) {
      const added = await runJson(['add', source, '-w', `workspace-${i}`], { cwd: dir, input });
      assert.equal(added.images, 3, source);
    }
    // All of them into one: three images, and from every source their paths.
    const all = await runJson(['add', ...sources.slice(0, 5).map(([source]) => source), '-w', 'all'], { cwd: dir });
    assert.equal(all.images, 3);
    const { paths } = await runJson<{ paths: number }>(['status', '-w', 'all'], { cwd: dir });
    assert.equal(paths, 9, 'the list and the glob name the files of the folder');
  });

  test('--sync: moved, changed and deleted files are noticed, and no label is lost', async (t) => {
    const dir = await scratch(t);
    await cp(join(ground, 'photos'), join(dir, 'photos'), { recursive: true });
    await runJson(['add', 'photos'], { cwd: dir });
    await runJson(['detect'], { cwd: dir });
    await writeFile(join(dir, 'labels.csv'), 'file,class\nmeal_1.jpg,lunch\nmeal_2.jpg,dinner\nother_1.jpg,soup\n');
    await runJson(['import', 'csv', 'labels.csv', '--as', 'human'], { cwd: dir });
    const before = await statusIn(dir);
    const dinner = join(dir, 'photos/meal_2.jpg');
    const taken = await readFile(dinner);

    await mkdir(join(dir, 'photos/moved'));
    await rename(join(dir, 'photos/meal_1.jpg'), join(dir, 'photos/moved/renamed.jpg'));
    await rm(dinner);
    await writeFile(join(dir, 'photos/other_1.jpg'), await jpegScene(200, 150, 1));
    const synced = await runJson(['add', 'photos', '--sync'], { cwd: dir });
    assert.deepEqual([synced.moved, synced.missing, synced.images], [1, 1, 1]);
    const after = await statusIn(dir);
    assert.deepEqual([after.images, after.goneImages], [PHOTOS - 1, 2], 'deleted and overwritten ones do not count');

    const classes = async () => {
      const rows = await imagesIn(dir);
      return (file: string) => rows.get(file)?.labels.find(({ task }) => task === 'class')?.class;
    };
    const classOf = await classes();
    assert.equal(classOf('moved/renamed.jpg'), 'lunch');
    assert.equal(classOf('meal_2.jpg'), undefined, 'gone');
    assert.equal(classOf('other_1.jpg'), undefined, 'other bytes are another image');
    const again = await runJson(['add', 'photos', '--sync'], { cwd: dir });
    assert.deepEqual([again.files, again.moved, again.missing], [0, 0, 0]);

    await writeFile(dinner, taken);
    await runJson(['add', 'photos', '--sync'], { cwd: dir });
    assert.equal((await classes())('meal_2.jpg'), 'dinner', 'back, with its label');
    const back = await statusIn(dir);
    assert.deepEqual([back.images, back.goneImages, back.labels.human], [PHOTOS, 1, (before.labels.human ?? 0) - 1]);
    const { images, failedImages } = await runJson(['export', 'coco', 'out', '--images', 'copy'], { cwd: dir });
    assert.deepEqual([images, failedImages], [PHOTOS - 1, 0], 'nobody has looked at the new bytes');
  });
});

describe('splits', () => {
  /** Thirty scenes, each as a large JPEG, a smaller one, a WebP, and one cropped by a few pixels. */
  async function families(t: TestContext): Promise<string> {
    const dir = await scratch(t);
    await mkdir(join(dir, 'photos'));
    for (let i = 0; i < 30; i++) {
      const large = await jpegScene(320, 240, 500 + i);
      const save = (name: string, bytes: Buffer) => writeFile(join(dir, `photos/${i}-${name}`), bytes);
      await save('large.jpg', large);
      await save('small.jpg', await sharp(large).resize(200).jpeg({ quality: 60 }).toBuffer());
      await save('other.webp', await sharp(large).webp({ quality: 70 }).toBuffer());
    }
    await runJson(['add', 'photos'], { cwd: dir });
    return dir;
  }

  test('near-duplicates are one group, and no group is ever split; the seed decides, and nothing else', async (t) => {
    const dir = await families(t);
    const { groups } = await statusIn(dir);
    assert.ok(groups >= 29 && groups <= 31, `${groups} groups of 30 scenes`);
    const share = ['--split', 'train=.6,val=.2,test=.2'];
    const splits = new Map<number, string>();
    for (const seed of [0, 1, 2]) {
      const rows = [...(await imagesIn(dir, [...share, '--seed', String(seed)])).values()];
      const splitOf = new Map<string, string>();
      for (const { group, split = '' } of rows) {
        assert.equal(splitOf.get(group) ?? split, split, `group ${group} is on two sides with seed ${seed}`);
        splitOf.set(group, split);
      }
      const families = Array.from({ length: 30 }, (_, i) => rows.filter(({ file }) => file.startsWith(`${i}-`)));
      const whole = families.filter((family) => new Set(family.map(({ split }) => split)).size === 1).length;
      assert.ok(whole >= 29, `${30 - whole} of 30 scenes are on two sides with seed ${seed}`);
      const train = rows.filter(({ split }) => split === 'train').length;
      assert.ok(train >= 42 && train <= 66, `${train} of 90 in a share of .6`);
      splits.set(seed, JSON.stringify([...splitOf].sort()));
      const again = [...(await imagesIn(dir, [...share, '--seed', String(seed)])).values()];
      assert.deepEqual(again, rows);
    }
    assert.equal(new Set(splits.values()).size, 3, 'other seeds, other splits');
  });
});

describe('people win', () => {
  test("a person's class stays, whatever detect does after", async (t) => {
    const dir = await detected(t);
    await writeFile(join(dir, 'labels.csv'), 'file,class,task\nmeal_1.jpg,lunch,class\nother_2.jpg,street,class\n');
    await runJson(['import', 'csv', 'labels.csv', '--as', 'human'], { cwd: dir });
    await writeFile(join(dir, 'other.csv'), 'file,class,task\nmeal_1.jpg,breakfast,class\n');
    await runJson(['import', 'csv', 'other.csv'], { cwd: dir });
    for (const args of [['--force'], ['--threshold', '0.5'], ['--classes', 'person']]) {
      await runJson(['detect', ...args], { cwd: dir });
      const labels = (file: string, rows: ReadonlyMap<string, ImageRow>) =>
        rows.get(file)?.labels.flatMap(({ class: name, origin, task }) => (task === 'class' ? [[name, origin]] : []));
      const rows = await imagesIn(dir);
      assert.deepEqual(labels('meal_1.jpg', rows), [['lunch', 'human']], 'not what was merely imported');
      assert.deepEqual(labels('other_2.jpg', rows), [['street', 'human']]);
    }
  });

  test("a person's box stays, and no run puts another over it", async (t) => {
    const dir = await detected(t);
    const found = (await imagesIn(dir))
      .get('other_2.jpg')!
      .regions.find(({ labels }) => labels[0]?.class === 'person')!;
    // A little to the side of what the detector says, as people draw.
    const drawn = found.box.map((value, i) => value + (i % 2 === 0 ? 3 : -2)) as unknown as Box;
    await writeFile(
      join(dir, 'boxes.csv'),
      `file,class,task,x1,y1,x2,y2\nother_2.jpg,person,objects,${drawn.join(',')}\n`,
    );
    await runJson(['import', 'csv', 'boxes.csv', '--as', 'human'], { cwd: dir });
    for (const args of [['--force'], ['--threshold', '0.1']]) {
      await runJson(['detect', ...args], { cwd: dir });
      const { regions } = (await imagesIn(dir)).get('other_2.jpg')!;
      const human = regions.filter(({ labels }) => labels[0]?.origin === 'human');
      assert.equal(human.length, 1, args.join(' '));
      assert.ok(iou(human[0].box, drawn) > 0.999);
      const over = regions.filter(
        (region) => region !== human[0] && region.labels[0]?.class === 'person' && iou(region.box, drawn) >= 0.5,
      );
      assert.deepEqual(over, [], `detect ${args.join(' ')} added a person over a person's box`);
    }
  });
});

describe('out and in again', () => {
  /** How far a coordinate may move in pixels, and whether the score comes back. */
  const KEPT = {
    coco: { pixels: 0.002, score: true },
    yolo: { pixels: 0.01, score: false },
    voc: { pixels: 1, score: false },
    csv: { pixels: 0.002, score: true },
    jsonl: { pixels: 0.002, score: true },
  } as const;

  const formats = Object.entries(KEPT).filter(([name]) => thorough(name === 'coco' || name === 'yolo', true));
  for (const [format, { pixels, score }] of formats) {
    test(`${format} into an empty workspace`, async (t) => {
      const dir = await detected(t);
      await runJson(['export', format, 'out'], { cwd: dir });
      const back = join(dir, 'back');
      await mkdir(back);
      await runJson(['add', join(ground, 'photos')], { cwd: back });
      const summary = await runJson(['import', format, '../out'], { cwd: back });
      assert.equal(summary.unmatched, 0);
      const [expected, found] = [await imagesIn(dir), await imagesIn(back)];
      assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort());
      for (const [file, { regions }] of expected) {
        const left = [...found.get(file)!.regions];
        assert.equal(left.length, regions.length, file);
        for (const region of regions) {
          const at = left.findIndex(
            ({ box, labels }) =>
              labels[0]?.class === region.labels[0]?.class &&
              box.every((value, i) => Math.abs(value - region.box[i]) <= pixels),
          );
          assert.ok(at >= 0, `${file}: ${region.labels[0]?.class} at ${region.box} did not come back`);
          const [same] = left.splice(at, 1);
          if (score) assert.ok(Math.abs((same?.score ?? -1) - (region.score ?? 0)) < 1e-5, `${file}: its score`);
        }
      }
    });
  }

  test('folders and csv bring classes of images back', async (t) => {
    const dir = await detected(t);
    const classes = { 'meal_1.jpg': 'lunch', 'meal_2.jpg': 'a/b "c", d', 'other_2.jpg': '=street' };
    const rows = Object.entries(classes).map(([file, name]) => `${file},"${name.replaceAll('"', '""')}"\n`);
    await writeFile(join(dir, 'labels.csv'), `file,class\n${rows.join('')}`);
    await runJson(['import', 'csv', 'labels.csv', '--as', 'human'], { cwd: dir });
    for (const format of ['folders', 'csv']) {
      await runJson(['export', format, `out-${format}`, '--task', 'class'], { cwd: dir });
      const back = join(dir, `back-${format}`);
      await mkdir(back);
      await runJson(['add', join(ground, 'photos')], { cwd: back });
      await runJson(['import', format, `../out-${format}`], { cwd: back });
      const found = [...(await imagesIn(back)).values()].flatMap(({ file, labels }) =>
        labels.map(({ class: name }) => [file, name]),
      );
      assert.deepEqual(Object.fromEntries(found), classes, format);
    }
  });

  test('crops have the boxes of their regions, and come back as them', async (t) => {
    const dir = await detected(t);
    const { regions } = await runJson<{ regions: number }>(['export', 'crops', 'out'], { cwd: dir });
    const crops = [...filesUnder(join(dir, 'out')).keys()].filter((file) => file.endsWith('.jpg'));
    assert.equal(crops.length, regions);
    const back = join(dir, 'back');
    await mkdir(back);
    await runJson(['add', join(ground, 'photos')], { cwd: back });
    const summary = await runJson(['import', 'crops', '../out'], { cwd: back });
    assert.deepEqual([summary.matched, summary.regions], [WITH_OBJECTS, regions]);
    const [expected, found] = [await imagesIn(dir), await imagesIn(back)];
    for (const [file, row] of expected) assert.deepEqual(boxesOf(found.get(file)!), boxesOf(row), file);
  });

  test('an export is the same bytes every time', async (t) => {
    const dir = await detected(t);
    for (const out of ['first', 'second']) {
      await runJson(['export', 'coco', out, '--images', 'copy', '--split', 'train=.5,val=.5'], { cwd: dir });
    }
    assert.deepEqual(filesUnder(join(dir, 'first')), filesUnder(join(dir, 'second')));
    const { stdout } = await runCli(['export', 'voc', 'voc'], { cwd: dir });
    assert.match(stdout, /This format does not keep: [\s\S]*confidence/);
    assert.ok(readFileSync(join(dir, 'voc/Annotations/meal_1.xml'), 'utf8').includes('<name>bowl</name>'));
  });
});
