/** Corrections that single tools and kinds of labels make otherwise: trees of folders, CVAT, Label Studio, classes of images. */
import assert from 'node:assert/strict';
import { cp, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runJson, scratch } from '../cli.ts';
import { countsOf, type Imported, withMachineBoxes } from '../corrections.ts';
import { jpegScene } from '../fixtures/images.ts';

test('files that somebody moved in a tree of class folders', async (t) => {
  const dir = await scratch(t);
  await withMachineBoxes(dir);
  await writeFile(join(dir, 'photos', 'c.jpg'), await jpegScene(160, 120, 3));
  await runJson(['add', 'photos'], { cwd: dir });
  const classes = ['file,class,confidence,origin,task', 'a.jpg,cat,0.9,cluster,class', 'b.jpg,cat,0.9,cluster,class'];
  await writeFile(join(dir, 'classes.csv'), [...classes, 'c.jpg,dog,0.8,cluster,class', ''].join('\n'));
  await runJson(['import', 'csv', 'classes.csv'], { cwd: dir });
  await runJson(['export', 'folders', 'tree', '--task', 'class'], { cwd: dir });
  await cp(join(dir, 'tree'), join(dir, 'other'), { recursive: true });
  await rename(join(dir, 'tree', 'cat', 'b.jpg'), join(dir, 'tree', 'dog', 'b.jpg'));
  const labels = async () => {
    await runJson(['export', 'csv', 'out.csv', '--task', 'class', '--replace'], { cwd: dir });
    const rows = (await readFile(join(dir, 'out.csv'), 'utf8')).trimEnd().split('\n').slice(1);
    return rows
      .map((row) => row.split(','))
      .map((cells) => `${cells[0]} ${cells[1]} ${cells[3]}`)
      .sort();
  };
  const moved = await runJson<Imported>(['import', 'folders', 'tree', '--as', 'human'], { cwd: dir });
  assert.equal(countsOf(moved.corrections?.labels), 'changed 1, unchanged 2');
  assert.deepEqual(await labels(), ['a.jpg cat cluster', 'b.jpg dog human', 'c.jpg dog cluster']);
  const all = await runJson<Imported>(['import', 'folders', 'tree', '--as', 'human', '--confirm-all'], { cwd: dir });
  assert.equal(countsOf(all.corrections?.labels), 'confirmed 2, unchanged 1');
  assert.deepEqual(await labels(), ['a.jpg cat human', 'b.jpg dog human', 'c.jpg dog human']);
  // Another person's copy of the same export, in which b is left as it was and c is a cat, too.
  await mkdir(join(dir, 'other', 'bird'));
  await rename(join(dir, 'other', 'dog', 'c.jpg'), join(dir, 'other', 'bird', 'c.jpg'));
  const other = await runJson<Imported>(['import', 'folders', 'other', '--as', 'human'], { cwd: dir });
  assert.equal(countsOf(other.corrections?.labels), 'changed 1, unchanged 2');
  assert.deepEqual(await labels(), ['a.jpg cat human', 'b.jpg dog human', 'c.jpg bird human']);
  // In the first copy b is moved back; c, which lies there as it was, stays what the other copy made of it.
  await rename(join(dir, 'tree', 'dog', 'b.jpg'), join(dir, 'tree', 'cat', 'b.jpg'));
  const back = await runJson<Imported>(['import', 'folders', 'tree', '--as', 'human'], { cwd: dir });
  assert.equal(countsOf(back.corrections?.labels), 'changed 1, unchanged 2');
  assert.deepEqual(await labels(), ['a.jpg cat human', 'b.jpg cat human', 'c.jpg bird human']);
});

test('an image of very many classes is told: another column may have the class', async (t) => {
  const dir = await scratch(t);
  await withMachineBoxes(dir);
  const rows = Array.from({ length: 50 }, (_, i) => `a.jpg,id ${i}`);
  await writeFile(join(dir, 'many.csv'), ['file,class', ...rows, 'b.jpg,cat', ''].join('\n'));
  const { reckoning } = await runJson<Imported>(['import', 'csv', 'many.csv'], { cwd: dir });
  assert.deepEqual(
    reckoning.problems.map(({ reason, count }) => [reason, count]),
    [['many-classes', 1]],
  );
});

/** Attributes of CVAT's shapes, which a project that does not declare them drops. */
const ATTRIBUTE = /\s*<attribute name="[^"]*">[^<]*<\/attribute>/g;

test("boxes and outlines of CVAT's that lost the mark which ties them together are one region each", async (t) => {
  const dir = await scratch(t);
  await mkdir(join(dir, 'photos'));
  await writeFile(join(dir, 'photos', 'a.jpg'), await jpegScene(160, 120, 1));
  await runJson(['add', 'photos'], { cwd: dir });
  const labels = [{ class: 'cat', confidence: 0.9, origin: 'detector', task: 'objects' }];
  const square = (x: number, y: number) => [x, y, x + 10, y, x + 10, y + 10, x, y + 10];
  const regions = [
    { box: [10, 10, 40, 50], labels, polygons: [square(12, 14), square(28, 38)] },
    { box: [60, 10, 90, 50], labels, polygons: [[60, 10, 90, 10, 90, 50]] },
    { box: [100, 10, 130, 50], labels, polygons: [[100, 10, 130, 10, 130, 50]] },
    { box: [10, 70, 40, 110], labels },
  ];
  await writeFile(join(dir, 'machine.jsonl'), JSON.stringify({ file: 'a.jpg', regions }));
  await runJson(['import', 'jsonl', 'machine.jsonl'], { cwd: dir });
  await runJson(['export', 'cvat', 'out'], { cwd: dir });
  const path = join(dir, 'out', 'annotations.xml');
  const bare = (await readFile(path, 'utf8')).replace(ATTRIBUTE, '');
  const again = async (xml: string) => {
    await writeFile(path, xml);
    return countsOf(
      (await runJson<Imported>(['import', 'cvat', 'out', '--as', 'human'], { cwd: dir })).corrections?.objects,
    );
  };
  assert.equal(await again(bare), 'unchanged 4');
  // One box is moved over its outline, and another's outline is drawn anew.
  const drawn = bare.replace('xtl="60"', 'xtl="64"').replace('100,10;130,10;130,50', '100,10;130,12;130,50');
  assert.notEqual(drawn, bare);
  assert.equal(await again(drawn), 'changed 2, unchanged 2');
  await runJson(['export', 'jsonl', 'after.jsonl'], { cwd: dir });
  const rows = (await readFile(join(dir, 'after.jsonl'), 'utf8'))
    .split('\n')
    .filter((line) => line.includes('"regions"'));
  const after: { box: number[]; polygons?: number[][] }[] = JSON.parse(rows[0]).regions;
  assert.deepEqual(
    after.map(({ box, polygons = [] }) => [...box, polygons.flat().length]).sort((a, b) => a[0] - b[0] || a[1] - b[1]),
    [
      [10, 10, 40, 50, 16],
      [10, 70, 40, 110, 0],
      [64, 10, 90, 50, 6],
      [100, 10, 130, 50, 6],
    ],
  );
});

test('predictions of Label Studio stay what a model said, with its score, whoever gives the file', async (t) => {
  const dir = await scratch(t);
  await mkdir(join(dir, 'photos'));
  await writeFile(join(dir, 'photos', 'a.jpg'), await jpegScene(160, 120, 1));
  await runJson(['add', 'photos'], { cwd: dir });
  const box = (id: string, name: string, x: number) => {
    const value = { x, y: 10, width: 20, height: 20, rectanglelabels: [name] };
    return { id, type: 'rectanglelabels', original_width: 160, original_height: 120, value };
  };
  const annotations = [{ id: 1, completed_by: 1, result: [box('a', 'cat', 10)] }];
  const predictions = [{ id: 2, model_version: 'yolo-7', score: 0.75, result: [box('b', 'dog', 60)] }];
  await writeFile(join(dir, 'tasks.json'), JSON.stringify([{ data: { image: 'a.jpg' }, annotations, predictions }]));
  for (const more of [[], ['--replace']]) {
    await runJson(['import', 'label-studio', 'tasks.json', '--as', 'human', ...more], { cwd: dir });
    await runJson(['export', 'jsonl', 'after.jsonl', '--replace'], { cwd: dir });
    const rows = (await readFile(join(dir, 'after.jsonl'), 'utf8')).split('\n');
    const { regions } = JSON.parse(rows.find((line) => line.includes('"regions"')) ?? '{}');
    const said = regions.map(
      (region: { touched?: boolean; labels: Record<string, unknown>[]; attributes?: Record<string, unknown> }) => {
        const [{ class: name, origin, confidence }] = region.labels;
        return [name, origin, confidence, region.touched ?? false];
      },
    );
    assert.deepEqual(said.sort(), [
      ['cat', 'human', 1, true],
      ['dog', 'model', 0.75, false],
    ]);
    assert.ok(JSON.stringify(regions).includes('"model_version":"yolo-7"'));
  }
});

test("an image's class that was changed in a task of boxes is told, since it follows from the boxes", async (t) => {
  const dir = await scratch(t);
  await mkdir(join(dir, 'photos'));
  for (const [i, name] of ['a.jpg', 'b.jpg'].entries())
    await writeFile(join(dir, 'photos', name), await jpegScene(160, 120, 1 + i));
  await runJson(['add', 'photos'], { cwd: dir });
  const said = (name: string) => [{ class: name, confidence: 0.7, origin: 'detector', task: 'objects' }];
  const row = (file: string) => ({
    file,
    labels: [...said('laptop'), ...said('mouse')],
    regions: [{ box: [10, 10, 40, 50], labels: said('mouse') }],
  });
  await writeFile(
    join(dir, 'machine.jsonl'),
    [row('a.jpg'), row('b.jpg')].map((one) => JSON.stringify(one)).join('\n'),
  );
  await runJson(['import', 'jsonl', 'machine.jsonl'], { cwd: dir });
  await runJson(['export', 'cvat', 'out'], { cwd: dir });
  const path = join(dir, 'out', 'annotations.xml');
  const text = await readFile(path, 'utf8');
  assert.equal(text.split('<tag label="laptop"').length, 3);
  // The first image's laptop is called a keyboard; and its mouse, box and tag, a rat, which its box brings about.
  const [before, ofA, ...rest] = text.split('<image ');
  const changed = ofA.replace('tag label="laptop"', 'tag label="keyboard"').replaceAll('label="mouse"', 'label="rat"');
  await writeFile(path, [before, changed, ...rest].join('<image '));
  const { corrections, reckoning } = await runJson<Imported>(['import', 'cvat', 'out', '--as', 'human'], { cwd: dir });
  assert.equal(countsOf(corrections?.objects), 'changed 1, unchanged 1');
  const told = reckoning.problems.filter(({ reason }) => reason === 'class-of-boxes');
  assert.deepEqual(
    told.map(({ count, examples }) => [count, ...examples.map(({ what }) => what)]),
    [[2, 'a.jpg: "keyboard"', 'a.jpg: removed "laptop"']],
  );
});
