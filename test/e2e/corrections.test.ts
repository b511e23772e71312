/** Corrections of people come back as what they are: an export, changed as a person would, imported again. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli, runJson, scratch } from '../cli.ts';
import { jpegScene } from '../fixtures/images.ts';

interface Imported {
  readonly corrections: Readonly<Record<string, number>> | null;
  readonly reckoning: { readonly problems: readonly { readonly reason: string; readonly count: number }[] };
}

async function workspace(dir: string): Promise<void> {
  await mkdir(join(dir, 'photos'));
  await writeFile(join(dir, 'photos', 'a.jpg'), await jpegScene(160, 120, 1));
  await writeFile(join(dir, 'photos', 'b.jpg'), await jpegScene(160, 120, 2));
  await runJson(['add', 'photos'], { cwd: dir });
  const box = (x: number, name: string) => ({
    box: [x, 10, x + 30, 50],
    labels: [{ class: name, confidence: 0.9, origin: 'detector', task: 'objects' }],
  });
  const rows = [
    { file: 'a.jpg', regions: [box(10, 'cat'), box(50, 'dog'), box(100, 'vase')] },
    { file: 'b.jpg', regions: [box(10, 'cat')] },
  ];
  await writeFile(join(dir, 'machine.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  await runJson(['import', 'jsonl', 'machine.jsonl'], { cwd: dir });
}

async function boxes(dir: string): Promise<string[]> {
  await runJson(['export', 'csv', 'out.csv', '--task', 'objects', '--replace'], { cwd: dir });
  const rows = (await readFile(join(dir, 'out.csv'), 'utf8')).trimEnd().split('\n').slice(1);
  return rows
    .filter((row) => !row.endsWith(',,,,'))
    .map((row) =>
      row
        .split(',')
        .filter((_, i) => i !== 2 && i !== 4)
        .join(','),
    )
    .sort();
}

test('moved, renamed, deleted, added and left boxes of our own export', async (t) => {
  const dir = await scratch(t);
  await workspace(dir);
  await runJson(['export', 'coco', 'out'], { cwd: dir });
  const path = join(dir, 'out', 'annotations.json');
  const file = JSON.parse(await readFile(path, 'utf8'));
  const nameOf = new Map(file.categories.map((row: { id: number; name: string }) => [row.name, row.id]));
  file.categories.push({ id: 500, name: 'jug', supercategory: '' });
  const inA = file.images.find((row: { file_name: string }) => row.file_name === 'a.jpg').id;
  file.annotations = file.annotations.flatMap((row: { image_id: number; category_id: number; bbox: number[] }) => {
    if (row.image_id !== inA) return [row];
    if (row.category_id === nameOf.get('dog')) return [];
    if (row.category_id === nameOf.get('vase')) return [{ ...row, category_id: 500 }];
    return [{ ...row, bbox: [14, 10, 30, 40] }];
  });
  file.annotations.push({
    id: 99,
    image_id: inA,
    category_id: nameOf.get('dog'),
    bbox: [60, 70, 20, 20],
    iscrowd: 0,
    area: 400,
  });
  await writeFile(path, JSON.stringify(file));

  const { corrections } = await runJson<Imported>(['import', 'coco', 'out', '--as', 'human'], { cwd: dir });
  assert.deepEqual(corrections, { added: 1, changed: 2, removed: 1, confirmed: 1 });
  const corrected = [
    'a.jpg,cat,human,14,10,44,50',
    'a.jpg,dog,human,60,70,80,90',
    'a.jpg,jug,human,100,10,130,50',
    'b.jpg,cat,human,10,10,40,50',
  ];
  assert.deepEqual(await boxes(dir), corrected);
  // The same again changes nothing.
  const again = await runJson<Imported>(['import', 'coco', 'out', '--as', 'human'], { cwd: dir });
  assert.deepEqual(again.corrections, { added: 0, changed: 0, removed: 0, confirmed: 4 });
  assert.deepEqual(await boxes(dir), corrected);
});

test("a second person's file: the newer word holds, and the contradiction is told", async (t) => {
  const dir = await scratch(t);
  await workspace(dir);
  const rows = (name: string) => `file,class,x1,y1,x2,y2\na.jpg,${name},10,10,40,50\n`;
  await writeFile(join(dir, 'one.csv'), rows('lion'));
  await writeFile(join(dir, 'two.csv'), rows('tiger'));
  const first = await runJson<Imported>(['import', 'csv', 'one.csv', '--as', 'human', '--replace'], { cwd: dir });
  assert.deepEqual(first.corrections, { added: 0, changed: 1, removed: 2, confirmed: 0 });
  const second = await runJson<Imported>(['import', 'csv', 'two.csv', '--as', 'human', '--replace'], { cwd: dir });
  assert.deepEqual(second.corrections, { added: 0, changed: 1, removed: 0, confirmed: 0 });
  assert.deepEqual(
    second.reckoning.problems.map(({ reason, count }) => [reason, count]),
    [['person-contradicted', 1]],
  );
  // b.jpg is not in the files: it stays as it was.
  const left = await boxes(dir);
  assert.deepEqual(
    left.map((row) => row.split(',').slice(0, 2).join(',')),
    ['a.jpg,tiger', 'b.jpg,cat'],
  );
});

test('without a mark and without --replace a file only adds; --replace needs a person', async (t) => {
  const dir = await scratch(t);
  await workspace(dir);
  await writeFile(join(dir, 'one.csv'), 'file,class,x1,y1,x2,y2\na.jpg,lion,10,60,40,100\n');
  const { corrections } = await runJson<Imported>(['import', 'csv', 'one.csv', '--as', 'human'], { cwd: dir });
  assert.equal(corrections, null);
  assert.equal((await boxes(dir)).length, 5);
  assert.equal((await runCli(['import', 'csv', 'one.csv', '--replace'], { cwd: dir })).code, 2);
});

test('what somebody else said after the export stays, and is told; of two exports too', async (t) => {
  const dir = await scratch(t);
  await workspace(dir);
  const line = (x: number, name: string) =>
    JSON.stringify({
      file: 'a.jpg',
      regions: [{ box: [x, 60, x + 20, 90], labels: [{ class: name, origin: 'human', task: 'objects' }] }],
    });
  await runJson(['export', 'coco', 'first'], { cwd: dir });
  await writeFile(join(dir, 'b.jsonl'), line(20, 'lamp'));
  await runJson(['import', 'jsonl', 'b.jsonl', '--as', 'human'], { cwd: dir });
  await runJson(['export', 'coco', 'second'], { cwd: dir });
  const corrected = async (name: string) => {
    const path = join(dir, name, 'annotations.json');
    const file = JSON.parse(await readFile(path, 'utf8'));
    const dog = file.categories.find((row: { name: string }) => row.name === 'dog').id;
    const annotations = file.annotations.filter((row: { category_id: number }) => row.category_id !== dog);
    await writeFile(path, JSON.stringify({ ...file, annotations }));
    return runJson<Imported>(['import', 'coco', path, '--as', 'human'], { cwd: dir });
  };
  const first = await corrected('first');
  assert.deepEqual(first.corrections, { added: 0, changed: 0, removed: 1, confirmed: 3 });
  const told = first.reckoning.problems.find(({ reason }) => reason === 'newer-than-export');
  assert.equal(told?.count, 1);
  assert.ok((await boxes(dir)).some((row) => row.includes('lamp')));

  // The second one held the lamp, too, and shows that it does: whoever takes the vase out has removed it, and not the sock.
  await writeFile(join(dir, 'c.jsonl'), line(60, 'sock'));
  await runJson(['import', 'jsonl', 'c.jsonl', '--as', 'human'], { cwd: dir });
  const path = join(dir, 'second', 'annotations.json');
  const file = JSON.parse(await readFile(path, 'utf8'));
  const named = new Map(file.categories.map((row: { id: number; name: string }) => [row.id, row.name]));
  const annotations = file.annotations.filter((row: { category_id: number }) => named.get(row.category_id) !== 'vase');
  await writeFile(path, JSON.stringify({ ...file, annotations }));
  await runJson(['import', 'coco', path, '--as', 'human'], { cwd: dir });
  const left = (await boxes(dir)).map((row) => row.split(',')[1]);
  assert.deepEqual(left.sort(), ['cat', 'cat', 'dog', 'lamp', 'sock'], 'the dog is in this file');
});
