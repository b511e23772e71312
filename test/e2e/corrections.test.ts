/** Corrections of people come back as what they are: an export, changed as a person would, imported again. */
import assert from 'node:assert/strict';
import { copyFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli, runJson, scratch } from '../cli.ts';
import { countsOf, type Imported, withMachineBoxes } from '../corrections.ts';
import { inSlowRuns } from '../thorough.ts';

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
  await withMachineBoxes(dir);
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
  assert.equal(countsOf(corrections?.objects), 'added 1, changed 2, removed 1, unchanged 1');
  const corrected = [
    'a.jpg,cat,human,14,10,44,50',
    'a.jpg,dog,human,60,70,80,90',
    'a.jpg,jug,human,100,10,130,50',
    'b.jpg,cat,detector,10,10,40,50',
  ];
  assert.deepEqual(await boxes(dir), corrected);
  // The same again changes nothing.
  const again = await runJson<Imported>(['import', 'coco', 'out', '--as', 'human'], { cwd: dir });
  assert.equal(countsOf(again.corrections?.objects), 'unchanged 4');
  assert.deepEqual(await boxes(dir), corrected);
  // What the person left is their word where it is said to be.
  const all = await runJson<Imported>(['import', 'coco', 'out', '--as', 'human', '--confirm-all'], { cwd: dir });
  assert.equal(countsOf(all.corrections?.objects), 'confirmed 1, unchanged 3');
  assert.deepEqual(
    await boxes(dir),
    corrected.map((row) => row.replace('detector', 'human')),
  );
});

test('tables and JSON Lines that we wrote are compared with what they showed as well', async (t) => {
  const dir = await scratch(t);
  await withMachineBoxes(dir);
  const edits: Record<string, (text: string) => string> = {
    csv: (text) =>
      text
        .split('\n')
        .filter((row) => !row.startsWith('a.jpg,dog'))
        .map((row) => row.replace('a.jpg,vase', 'a.jpg,jug').replace(/^(a\.jpg,cat.*),10,10,40,50$/, '$1,14,10,44,50'))
        .join('\n'),
    jsonl: (text) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => {
          const row = JSON.parse(line) as { file: string; regions: { box: number[]; labels: { class: string }[] }[] };
          if (row.file !== 'a.jpg') return line;
          const regions = row.regions
            .filter(({ labels }) => labels[0].class !== 'dog')
            .map(({ box, labels: [label], ...rest }) => ({
              ...rest,
              box: label.class === 'cat' ? [14, 10, 44, 50] : box,
              labels: [{ ...label, class: label.class === 'vase' ? 'jug' : label.class }],
            }));
          return JSON.stringify({ ...row, regions });
        })
        .join('\n'),
    parquet: (text) => text,
  };
  for (const [format, edited] of Object.entries(edits)) {
    await rm(join(dir, '.labelsmith'), { recursive: true });
    await runJson(['add', 'photos'], { cwd: dir });
    await runJson(['import', 'jsonl', 'machine.jsonl'], { cwd: dir });
    const path = join(dir, `out.${format}`);
    await runJson(['export', format, path, '--task', 'objects', '--replace'], { cwd: dir });
    const before = await readFile(path, 'latin1');
    await writeFile(path, edited(before), 'latin1');
    const { corrections } = await runJson<Imported>(['import', format, path, '--as', 'human'], { cwd: dir });
    const isSame = format === 'parquet';
    assert.equal(countsOf(corrections?.objects), isSame ? 'unchanged 4' : 'changed 2, removed 1, unchanged 1', format);
    if (isSame) continue;
    assert.deepEqual(
      await boxes(dir),
      ['a.jpg,cat,human,14,10,44,50', 'a.jpg,jug,human,100,10,130,50', 'b.jpg,cat,detector,10,10,40,50'],
      format,
    );
  }
});

test('a file of one task says nothing of the regions of others, also where an older build listed them without a class', async (t) => {
  const dir = await scratch(t);
  await withMachineBoxes(dir);
  await runJson(['import', 'jsonl', 'machine.jsonl', '--task', 'parts'], { cwd: dir });
  await writeFile(join(dir, 'class.csv'), 'path,class\nphotos/a.jpg,street\nphotos/b.jpg,yard\n');
  await runJson(['import', 'csv', 'class.csv', '--as', 'human'], { cwd: dir });
  const held = await boxes(dir);
  assert.equal(held.length, 4);
  await runJson(['export', 'jsonl', 'all.jsonl'], { cwd: dir });
  await runJson(['export', 'jsonl', 'out.jsonl', '--task', 'class'], { cwd: dir });
  const ofClass = await readFile(join(dir, 'out.jsonl'), 'utf8');
  assert.doesNotMatch(ofClass, /"box"/);
  const regions = new Map<string, object[]>();
  for (const line of (await readFile(join(dir, 'all.jsonl'), 'utf8')).trimEnd().split('\n')) {
    const row = JSON.parse(line) as { file: string; regions: object[] };
    regions.set(
      row.file,
      row.regions.map((region) => ({ ...region, labels: [] })),
    );
  }
  const older = ofClass
    .trimEnd()
    .split('\n')
    .map((line) => {
      const row = JSON.parse(line) as { file: string };
      return JSON.stringify({ ...row, regions: regions.get(row.file) });
    });
  for (const text of [ofClass, older.join('\n')]) {
    await writeFile(join(dir, 'out.jsonl'), text);
    const { corrections } = await runJson<Imported>(['import', 'jsonl', 'out.jsonl', '--as', 'human'], { cwd: dir });
    assert.doesNotMatch(countsOf(corrections?.objects), /\b(added|changed|removed)\b/);
    assert.deepEqual(await boxes(dir), held);
  }
});

test("a second person's file: the newer word holds, and the contradiction is told", async (t) => {
  const dir = await scratch(t);
  await withMachineBoxes(dir);
  const rows = (name: string) => `file,class,x1,y1,x2,y2\na.jpg,${name},10,10,40,50\n`;
  await writeFile(join(dir, 'one.csv'), rows('lion'));
  await writeFile(join(dir, 'two.csv'), rows('tiger'));
  const first = await runJson<Imported>(['import', 'csv', 'one.csv', '--as', 'human', '--replace'], { cwd: dir });
  assert.equal(countsOf(first.corrections?.objects), 'changed 1, removed 2');
  assert.equal(first.corrections?.comparedWith, 'state');
  const second = await runJson<Imported>(['import', 'csv', 'two.csv', '--as', 'human', '--replace'], { cwd: dir });
  assert.equal(countsOf(second.corrections?.objects), 'changed 1');
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
  await withMachineBoxes(dir);
  await writeFile(join(dir, 'one.csv'), 'file,class,x1,y1,x2,y2\na.jpg,lion,10,60,40,100\n');
  const { corrections } = await runJson<Imported>(['import', 'csv', 'one.csv', '--as', 'human'], { cwd: dir });
  assert.equal(corrections, null);
  assert.equal((await boxes(dir)).length, 5);
  assert.equal((await runCli(['import', 'csv', 'one.csv', '--replace'], { cwd: dir })).code, 2);
});

test('what somebody else said after the export stays, and is told; of two exports too', async (t) => {
  const dir = await scratch(t);
  await withMachineBoxes(dir);
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
  assert.equal(countsOf(first.corrections?.objects), 'removed 1, unchanged 3');
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
  assert.deepEqual(
    left.sort(),
    ['cat', 'cat', 'lamp', 'sock'],
    'nobody put the dog back: the file has it as it was exported',
  );
});

test('a copy of an older export removes nothing that a later run of the detector found', {
  skip: inSlowRuns,
}, async (t) => {
  const dir = await scratch(t);
  await withMachineBoxes(dir);
  await runJson(['export', 'coco', 'first'], { cwd: dir });
  // A later run: every label is written anew, and there are two boxes more.
  const machine = (await readFile(join(dir, 'machine.jsonl'), 'utf8')).split('\n').map((row) => JSON.parse(row));
  const label = { class: 'bird', confidence: 0.2, origin: 'detector', task: 'objects' };
  for (const row of machine) row.regions.push({ box: [10, 70, 40, 110], labels: [label] });
  const edit = async (path: string, change: (rows: CocoRow[]) => CocoRow[]) => {
    const file = JSON.parse(await readFile(join(dir, path), 'utf8'));
    await writeFile(join(dir, path), JSON.stringify({ ...file, annotations: change(file.annotations) }));
  };
  await cp(join(dir, 'first'), join(dir, 'corrected'), { recursive: true });
  const [x, gone] = [10, 50];
  await edit('corrected/annotations.json', (rows) =>
    rows
      .filter(({ bbox }) => bbox[0] !== gone)
      .map((row) => (row.bbox[0] === x ? { ...row, bbox: [x + 5, ...row.bbox.slice(1)] } : row)),
  );
  await copyFile(join(dir, 'corrected', 'annotations.json'), join(dir, 'alone.json'));
  await writeFile(join(dir, 'later.jsonl'), machine.map((row) => JSON.stringify(row)).join('\n'));
  await runJson(['import', 'jsonl', 'later.jsonl'], { cwd: dir });

  const once = await runJson<Imported>(['import', 'coco', 'corrected', '--as', 'human'], { cwd: dir });
  assert.equal(countsOf(once.corrections?.objects), 'changed 2, removed 1, unchanged 1');
  await runJson(['export', 'coco', 'third'], { cwd: dir });
  const after = await boxes(dir);
  assert.equal(after.filter((row) => row.includes(',bird,')).length, 2);
  // The same file again, and without the marker of its folder, changes nothing.
  for (const path of ['corrected', 'alone.json']) {
    const again = await runJson<Imported>(['import', 'coco', path, '--as', 'human'], { cwd: dir });
    assert.equal(countsOf(again.corrections?.objects), 'unchanged 3', path);
    assert.deepEqual(await boxes(dir), after, path);
    const told = new Map(again.reckoning.problems.map(({ reason, count }) => [reason, count]));
    assert.equal(told.get(path === 'corrected' ? 'newer-than-export' : 'maybe-newer'), 2);
  }
  // Who had the third one and took the birds out has removed them.
  await edit('third/annotations.json', (rows) => rows.filter(({ bbox }) => bbox[1] !== 70));
  const third = await runJson<Imported>(['import', 'coco', 'third', '--as', 'human'], { cwd: dir });
  assert.equal(countsOf(third.corrections?.objects), 'removed 2, unchanged 3');
});

interface CocoRow {
  readonly category_id: number;
  readonly bbox: readonly number[];
}

test('two people correct copies of one export: what one of them changed is taken, what both changed is told', async (t) => {
  const dir = await scratch(t);
  await withMachineBoxes(dir);
  await runJson(['export', 'coco', 'out'], { cwd: dir });
  const file = JSON.parse(await readFile(join(dir, 'out', 'annotations.json'), 'utf8'));
  file.categories.push({ id: 501, name: 'lion' }, { id: 502, name: 'tiger' });
  const said = async (name: string, change: (row: CocoRow) => CocoRow | null) => {
    const annotations = file.annotations.flatMap((row: CocoRow) => change(row) ?? []);
    await writeFile(join(dir, name), JSON.stringify({ ...file, annotations }));
    return runJson<Imported>(['import', 'coco', name, '--as', 'human', '--replace'], { cwd: dir });
  };
  const at = (row: CocoRow) => row.bbox[0];
  // One moves the vase, takes the dog out and calls the cats lions; the other moves the dog and calls the cats tigers.
  await said('one.json', (row) =>
    at(row) === 50 ? null : at(row) === 100 ? { ...row, bbox: [104, 10, 30, 40] } : { ...row, category_id: 501 },
  );
  const second = await said('two.json', (row) =>
    at(row) === 50 ? { ...row, bbox: [54, 10, 30, 40] } : at(row) === 100 ? row : { ...row, category_id: 502 },
  );
  assert.equal(second.corrections?.comparedWith, 'export');
  const told = new Map(second.reckoning.problems.map(({ reason, count }) => [reason, count]));
  assert.deepEqual(
    [...told],
    [
      ['class-unified', 0],
      ['person-contradicted', 3],
      ['changed-since-export', 1],
    ].filter(([, count]) => count !== 0),
  );
  assert.deepEqual(await boxes(dir), [
    'a.jpg,dog,human,54,10,84,50',
    'a.jpg,tiger,human,10,10,40,50',
    'a.jpg,vase,human,104,10,134,50',
    'b.jpg,tiger,human,10,10,40,50',
  ]);
  // What did not win stays with its region.
  await runJson(['export', 'jsonl', 'all.jsonl'], { cwd: dir });
  assert.equal((await readFile(join(dir, 'all.jsonl'), 'utf8')).split('\\"lion\\"').length, 3);
});
