/** What `import` says of what it is given: corrections with `--confirm-all`, spellings of one class, boxes and the tasks they fit. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli, runJson, scratch } from '../cli.ts';
import { jpegScene } from '../fixtures/images.ts';

interface Summary {
  readonly regions: number;
  readonly tasks: object;
  readonly reckoning: {
    readonly problems: { reason: string; count: number; examples: { what?: string }[] }[];
  };
}

test('import says what it makes of what it is given', async (t) => {
  const dir = await scratch(t);
  await mkdir(join(dir, 'photos'));
  for (const n of [1, 2, 3]) await writeFile(join(dir, 'photos', `${n}.jpg`), await jpegScene(96, 72, n));
  await writeFile(join(dir, 'boxes.csv'), 'file,class,x1,y1,x2,y2\n1.jpg,dog,5,5,60,60\n2.jpg,cat,5,5,70,60\n');
  await writeFile(join(dir, 'images.csv'), 'file,class\n1.jpg,Relay\n2.jpg,relay\n3.jpg,relay \n');
  await runJson(['add', 'photos'], { cwd: dir });

  await t.test('that spellings of one class are one', async () => {
    const asked = await runCli(['import', 'csv', 'images.csv', '--classes', 'ask'], { cwd: dir });
    assert.equal(asked.code, 1);
    assert.match(asked.stderr, /relay \(also Relay\)/);
    const strict = await runCli(['import', 'csv', 'images.csv', '--strict'], { cwd: dir });
    assert.equal(strict.code, 1);
    const { code, stdout, stderr } = await runCli(['import', 'csv', 'images.csv'], { cwd: dir });
    assert.deepEqual([code, /New classes: relay$/m.test(stdout)], [0, true], stdout);
    assert.match(stderr, /spells in several ways: it is one class\n {2}images\.csv:2: "Relay" is "relay"/);
  });

  await t.test('that boxes are for a task of boxes, and classes of images for one of images', async () => {
    const boxes = await runCli(['import', 'csv', 'boxes.csv', '--task', 'class'], { cwd: dir });
    assert.equal(boxes.code, 1);
    assert.match(boxes.stderr, /boxes\.csv has boxes, and the task class is of whole images\.\n.*Leave out --task/);
    const images = await runCli(['import', 'csv', 'images.csv', '--task', 'objects'], { cwd: dir });
    assert.equal(images.code, 1);
    assert.match(images.stderr, /classes of whole images, and the task objects is of boxes\.\n.*Leave out --task/);
    await writeFile(
      join(dir, 'named.csv'),
      'file,class,x1,y1,x2,y2,task\n1.jpg,dog,5,5,60,60,class\n2.jpg,dog,5,5,60,60,\n',
    );
    const named = await runJson<Summary>(['import', 'csv', 'named.csv'], { cwd: dir });
    assert.deepEqual([named.regions, named.tasks], [1, { objects: 1 }]);
    assert.deepEqual(
      named.reckoning.problems.map(({ reason, count }) => `${reason} ${count}`),
      ['box-in-images-task 1'],
    );
  });

  await t.test('that two copies of a picture call one box by two classes', async () => {
    const set = join(dir, 'set');
    for (const [split, name, rows] of [
      ['train', 'a', '0 .5 .5 .5 .5\n1 .2 .2 .2 .2\n'],
      ['val', 'b', '1 .5 .5 .5 .5\n1 .2 .2 .2 .2\n'],
    ]) {
      await mkdir(join(set, 'images', split), { recursive: true });
      await mkdir(join(set, 'labels', split), { recursive: true });
      await writeFile(join(set, 'images', split, `${name}.jpg`), await readFile(join(dir, 'photos', '3.jpg')));
      await writeFile(join(set, 'labels', split, `${name}.txt`), rows);
    }
    await writeFile(join(set, 'data.yaml'), 'train: images/train\nval: images/val\nnames: [fork, spoon]\n');
    await runJson(['-w', 'copies', 'add', 'set'], { cwd: dir });
    const { reckoning } = await runJson<Summary>(['-w', 'copies', 'import', 'yolo', 'set'], { cwd: dir });
    const told = reckoning.problems.map(({ reason, count, examples }) => [reason, count, examples[0]?.what]);
    const { regions } = await runJson<{ regions: number }>(['-w', 'copies', 'status'], { cwd: dir });
    assert.equal(regions, 3, 'the box that both call a spoon is one');
    assert.deepEqual(told, [
      ['object-contradicts', 1, 'images/val/b.jpg: "spoon", and "fork" in images/train/a.jpg'],
      ['split-contradicts', 1, 'images/val/b.jpg is in val, and was in another one'],
    ]);
  });

  await t.test('nothing of --confirm-all to who gave it', async () => {
    await runJson(['import', 'csv', 'boxes.csv'], { cwd: dir });
    await runJson(['export', 'coco', 'out'], { cwd: dir });
    const again = ['import', 'coco', 'out/annotations.json', '--as', 'human'];
    const { stdout: left } = await runCli(again, { cwd: dir });
    assert.match(left, /unchanged\.\n {2}What is unchanged stays .*--confirm-all/);
    await runCli([...again, '--confirm-all'], { cwd: dir });
    const { stdout, stderr } = await runCli([...again, '--confirm-all'], { cwd: dir });
    assert.match(stdout, /unchanged\.\n {2}What is unchanged was people's word already/);
    assert.doesNotMatch(stdout + stderr, /--confirm-all|None of them has a class/);
  });
});

test('what a file had without a box is background in an export; what nobody looked at is not', async (t) => {
  const dir = await scratch(t);
  await mkdir(join(dir, 'photos'));
  for (const n of [1, 2, 3]) await writeFile(join(dir, 'photos', `${n}.jpg`), await jpegScene(96, 72, n));
  await runJson(['add', 'photos'], { cwd: dir });
  const rows = {
    images: [1, 2].map((id) => ({ id, file_name: `${id}.jpg`, width: 96, height: 72 })),
    categories: [{ id: 1, name: 'dog' }],
    annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [5, 5, 40, 40], area: 1600, iscrowd: 0 }],
  };
  await writeFile(join(dir, 'a.json'), JSON.stringify(rows));
  const imported = await runJson<{ labels: number; tasks: object }>(['import', 'coco', 'a.json'], { cwd: dir });
  assert.deepEqual([imported.labels, imported.tasks], [1, { objects: 1 }]);
  const status = await runJson<{ labels: object }>(['status'], { cwd: dir });
  assert.deepEqual(status.labels, { imported: 1 }, 'that nothing is there is no label');
  type Exported = Record<'background' | 'images' | 'backgroundImages' | 'notLookedAt', unknown>;
  const counts = async (out: string, ...more: string[]) => {
    const found = await runJson<Exported>(['export', 'coco', out, ...more], { cwd: dir });
    return [found.background, found.images, found.backgroundImages, found.notLookedAt];
  };
  assert.deepEqual(await counts('labelled'), ['labelled', 2, 1, 1]);
  assert.deepEqual(await counts('all', '--background', 'all'), ['all', 3, 2, 0]);
  assert.deepEqual(await counts('none', '--background', 'none'), ['none', 1, 0, 0]);
  const told = await runCli(['export', 'yolo', 'told'], { cwd: dir });
  assert.match(told.stdout, /^1 image of these without a label, as background: .*an import found nothing\.$/m);
  assert.match(told.stderr, /^Left out 1 image that no detector went over and nobody looked at: /m);
});

test('boxes of another task, or of origins that are left out, make no image background', async (t) => {
  const dir = await scratch(t);
  await mkdir(join(dir, 'photos'));
  for (const n of [1, 2, 3]) await writeFile(join(dir, 'photos', `${n}.jpg`), await jpegScene(96, 72, n));
  await runJson(['add', 'photos'], { cwd: dir });
  const boxes = (n: number) => `file,class,x1,y1,x2,y2\n${n}.jpg,dog,5,5,60,60\n`;
  for (const n of [1, 2, 3]) await writeFile(join(dir, `${n}.csv`), boxes(n));
  await runJson(['import', 'csv', '1.csv', '--as', 'human'], { cwd: dir });
  await runJson(['import', 'csv', '2.csv'], { cwd: dir });
  await runJson(['import', 'csv', '3.csv', '--task', 'signs'], { cwd: dir });
  type Exported = Record<'images' | 'backgroundImages' | 'notLookedAt', unknown>;
  const counts = async (out: string, ...more: string[]) => {
    const found = await runJson<Exported>(['export', 'coco', out, '--task', 'objects', ...more], { cwd: dir });
    return [found.images, found.backgroundImages, found.notLookedAt];
  };
  assert.deepEqual(await counts('all'), [2, 0, 1]);
  assert.deepEqual(await counts('people', '--origin', 'human'), [1, 0, 2]);
  const words = async (out: string, ...more: string[]) =>
    /Left out .*/.exec((await runCli(['export', 'coco', out, ...more], { cwd: dir })).stderr)?.[0];
  assert.equal(
    await words('of-people', '--origin', 'human'),
    'Left out 2 images of which --origin human says nothing: --background all takes them along.',
  );
  assert.equal(
    await words('of-signs', '--task', 'signs'),
    'Left out 2 images where nothing and nobody looked for the task signs: --background all takes them along.',
  );
  // Who takes the last box away has looked.
  await writeFile(
    join(dir, 'none.json'),
    JSON.stringify({
      images: [{ id: 1, file_name: '2.jpg', width: 96, height: 72 }],
      categories: [{ id: 1, name: 'dog' }],
      annotations: [],
    }),
  );
  await runJson(['import', 'coco', 'none.json', '--as', 'human', '--replace'], { cwd: dir });
  assert.deepEqual(await counts('emptied'), [2, 1, 1]);
});

test('an image whose objects cannot be read is not one that a file had without a box', async (t) => {
  const dir = await scratch(t);
  for (const folder of ['photos', 'yolo/labels', 'voc/Annotations'])
    await mkdir(join(dir, folder), { recursive: true });
  for (const n of [1, 2, 3]) await writeFile(join(dir, 'photos', `${n}.jpg`), await jpegScene(96, 72, n));
  const coco = {
    images: [1, 2, 3].map((id) => ({ id, file_name: `${id}.jpg`, width: 96, height: 72 })),
    categories: [{ id: 1, name: 'dog' }],
    annotations: [
      { id: 1, image_id: 1, category_id: 1, bbox: [5, 5, 40, 40] },
      { id: 2, image_id: 2, category_id: 9, bbox: [5, 5, 40, 40] },
    ],
  };
  await writeFile(join(dir, 'coco.json'), JSON.stringify(coco));
  await writeFile(join(dir, 'yolo/data.yaml'), 'names: [dog]');
  const objects = (n: number, name: string) =>
    n === 3
      ? ''
      : `<object>${name}<bndbox><xmin>5</xmin><ymin>5</ymin><xmax>40</xmax><ymax>40</ymax></bndbox></object>`;
  for (const [n, row, name] of [
    [1, '0 .5 .5 .2 .2', '<name>dog</name>'],
    [2, '9 .5 .5 .2 .2', ''],
    [3, '', ''],
  ] as const) {
    await writeFile(join(dir, 'yolo/labels', `${n}.txt`), row);
    const xml = `<annotation><filename>${n}.jpg</filename>${objects(n, name)}</annotation>`;
    await writeFile(join(dir, 'voc/Annotations', `${n}.xml`), xml);
  }
  for (const [format, path] of Object.entries({ coco: 'coco.json', yolo: 'yolo', voc: 'voc' })) {
    const workspace = ['--workspace', `of-${format}`];
    await runJson(['add', 'photos', ...workspace], { cwd: dir });
    await runJson(['import', format, path, ...workspace], { cwd: dir });
    const found = await runJson<Record<'backgroundImages' | 'notLookedAt', number>>(
      ['export', 'coco', `out-${format}`, ...workspace],
      { cwd: dir },
    );
    assert.deepEqual([found.backgroundImages, found.notLookedAt], [1, 1], format);
  }
});

test('pictures beside no label file at all are not background, and beside some they are', async (t) => {
  const dir = await scratch(t);
  for (const folder of ['photos', 'set/images', 'set/labels']) await mkdir(join(dir, folder), { recursive: true });
  for (const n of [1, 2, 3]) {
    const picture = await jpegScene(96, 72, n);
    for (const folder of ['photos', 'set/images']) await writeFile(join(dir, folder, `${n}.jpg`), picture);
  }
  await writeFile(join(dir, 'set/data.yaml'), 'names: [dog]\n');
  await runJson(['add', 'photos'], { cwd: dir });
  const counts = async (out: string) => {
    const told = await runCli(['import', 'yolo', 'set'], { cwd: dir });
    const found = await runJson<Record<'backgroundImages' | 'notLookedAt', number>>(
      ['export', 'coco', out, '--background', 'labelled', '--empty'],
      { cwd: dir },
    );
    return [
      found.backgroundImages,
      found.notLookedAt,
      /3 images?.*no label file at all/.test(told.stdout + told.stderr),
    ];
  };
  assert.deepEqual(await counts('bare'), [0, 3, true]);
  await writeFile(join(dir, 'set/labels/1.txt'), '0 .5 .5 .2 .2\n');
  assert.deepEqual(await counts('labelled'), [2, 0, false]);
});

test('who handed a picture in with nothing on it looked at it; CVAT does not say whether anybody did', async (t) => {
  const dir = await scratch(t);
  const at = { cwd: dir };
  await mkdir(join(dir, 'photos'));
  for (const n of [1, 2, 3, 4, 5]) await writeFile(join(dir, 'photos', `${n}.jpg`), await jpegScene(96, 72, n));
  const value = { x: 1, y: 1, width: 20, height: 20, rotation: 0, rectanglelabels: ['dog'] };
  const frame = { original_width: 96, original_height: 72 };
  const task = (n: number, said: object) => ({ data: { image: `${n}.jpg` }, ...said });
  const result = [{ id: 'a', from_name: 'box', to_name: 'image', type: 'rectanglelabels', ...frame, value }];
  const cases: Record<string, readonly [format: string, text: string, background: readonly string[]]> = {
    full: [
      'label-studio',
      JSON.stringify([
        task(1, { annotations: [{ result }] }),
        task(2, { annotations: [{ result: [], was_cancelled: false }] }),
        task(3, { annotations: [{ result: [], was_cancelled: true }] }),
        task(4, { annotations: [] }),
        task(5, { annotations: [], predictions: [{ result: [] }] }),
      ]),
      ['2.jpg'],
    ],
    'nothing but empty ones': ['label-studio', JSON.stringify([task(2, { annotations: [{ result: [] }] })]), ['2.jpg']],
    'choices left open': [
      'label-studio',
      JSON.stringify([
        task(1, { annotations: [{ result: [{ type: 'choices', from_name: 'c', value: { choices: ['dog'] } }] }] }),
        task(2, { annotations: [{ result: [] }] }),
      ]),
      [],
    ],
    min: [
      'label-studio',
      JSON.stringify([
        { image: '1.jpg', box: [{ ...value, ...frame }], annotator: 1, annotation_id: 1 },
        { image: '2.jpg', annotator: 1, annotation_id: 2 },
      ]),
      ['2.jpg'],
    ],
    cvat: [
      'cvat',
      '<annotations><image name="1.jpg" width="96" height="72"><box label="dog" xtl="1" ytl="2" xbr="40" ybr="60"/></image>' +
        '<image name="2.jpg" width="96" height="72"/></annotations>',
      [],
    ],
  };
  for (const [name, [format, text, background]] of Object.entries(cases)) {
    await rm(join(dir, '.labelsmith'), { recursive: true, force: true });
    await runJson(['add', 'photos'], at);
    await writeFile(join(dir, `labels-${format}`), text);
    await runJson(['import', format, `labels-${format}`], at);
    await runJson(['export', 'coco', 'out', '--task', 'objects', '--empty', '--replace'], at).catch(() => null);
    const path = join(dir, 'out', 'annotations.json');
    const { images, annotations } = existsSync(path)
      ? (JSON.parse(await readFile(path, 'utf8')) as {
          images: { id: number; file_name: string }[];
          annotations: { image_id: number }[];
        })
      : { images: [], annotations: [] };
    const bare = images.filter(({ id }) => !annotations.some(({ image_id }) => image_id === id));
    assert.deepEqual(
      bare.map(({ file_name }) => file_name),
      background,
      name,
    );
    await rm(join(dir, 'out'), { recursive: true, force: true });
  }
});

test('a split of nothing but background comes back from YOLO, and a damaged list leaves the other sets', async (t) => {
  const dir = await scratch(t);
  const at = { cwd: dir };
  await mkdir(join(dir, 'photos'));
  for (const n of [1, 2, 3]) await writeFile(join(dir, 'photos', `${n}.jpg`), await jpegScene(96, 72, n));
  const file = (images: readonly number[], boxes: readonly number[]) =>
    JSON.stringify({
      images: images.map((id) => ({ id, file_name: `${id}.jpg`, width: 96, height: 72 })),
      categories: [{ id: 1, name: 'dog' }],
      annotations: boxes.map((id) => ({
        id,
        image_id: id,
        category_id: 1,
        bbox: [5, 5, 40, 40],
        area: 1600,
        iscrowd: 0,
      })),
    });
  await mkdir(join(dir, 'set'));
  await writeFile(join(dir, 'set/instances_train.json'), file([1], [1]));
  await writeFile(join(dir, 'set/instances_val.json'), file([2], []));
  await runJson(['add', 'photos'], at);
  await runJson(['import', 'coco', 'set'], at);
  for (const images of ['copy', 'none']) {
    await runJson(['export', 'yolo', images, '--images', images], at);
    assert.equal(await readFile(join(dir, images, 'labels/val/2.txt'), 'utf8'), '');
    await rm(join(dir, '.labelsmith'), { recursive: true });
    await runJson(['add', 'photos'], at);
    await runJson(['import', 'yolo', images], at);
    const back = await runJson<{ backgroundImages: number; notLookedAt: number }>(
      ['export', 'coco', `back-${images}`],
      at,
    );
    assert.deepEqual([back.backgroundImages, back.notLookedAt], [1, 1], images);
  }
  await writeFile(join(dir, 'none', 'val.txt'), Buffer.from('./images/val/2.jpg\n\xff\xfe\x00\x81\n', 'latin1'));
  const { reckoning } = await runJson<{ reckoning: { problems: { reason: string; examples: { where: string }[] }[] } }>(
    ['import', 'yolo', 'none'],
    at,
  );
  assert.deepEqual(
    reckoning.problems.map(({ reason, examples }) => [reason, examples[0].where]),
    [['file-unreadable', 'val.txt']],
  );
});

test('import and export on trial give the same reckoning and leave nothing', async (t) => {
  const dir = await scratch(t);
  await mkdir(join(dir, 'photos'));
  for (const n of [1, 2]) await writeFile(join(dir, 'photos', `${n}.jpg`), await jpegScene(96, 72, n));
  await writeFile(
    join(dir, 'boxes.csv'),
    'file,class,x1,y1,x2,y2\n1.jpg,dog,5,5,60,60\n2.jpg,cat,5,5,99,60\n9.jpg,cat,1,1,9,9\n',
  );
  await runJson(['add', 'photos'], { cwd: dir });
  const before = await runJson(['status'], { cwd: dir });
  const { dryRun, ...tried } = await runJson(['import', 'csv', 'boxes.csv', '--dry-run'], { cwd: dir });
  assert.equal(dryRun, true);
  assert.deepEqual(await runJson(['status'], { cwd: dir }), before, 'no label, class or run');
  const told = await runCli(['import', 'csv', 'boxes.csv', '--dry-run'], { cwd: dir });
  assert.match(told.stdout, /^Would import 2 labels and 2 regions for 2 entries\.$/m);
  assert.deepEqual(await runJson(['import', 'csv', 'boxes.csv'], { cwd: dir }), tried);
  const files = () => readdir(dir).then((names) => names.sort());
  const there = await files();
  for (const format of ['coco', 'folders', 'csv', 'crops']) {
    const args = ['export', format, `new/${format}`, ...(format === 'folders' ? ['--task', 'objects'] : [])];
    const { dryRun: isDry, ...would } = await runJson([...args, '--dry-run'], { cwd: dir });
    assert.deepEqual([isDry, await files()], [true, there], format);
    assert.deepEqual(await runJson(args, { cwd: dir }), would, format);
    await rm(join(dir, 'new'), { recursive: true });
  }
  const other = await runCli(['auto', 'photos', '--dry-run'], { cwd: dir });
  assert.equal(other.code, 2);
  assert.match(other.stderr, /^labelsmith: auto cannot say beforehand what it would do, so it takes no --dry-run\.$/m);
  const listed = async (command: string) =>
    /--dry-run/.test((await runCli([...command.split(' '), '--help'], { cwd: dir })).stdout);
  assert.deepEqual(await Promise.all(['auto', 'teach predict', 'match', 'teach rounds'].map(listed)), [
    false,
    false,
    true,
    true,
  ]);
});
