/** What is told beside a file goes with the file, and takes nobody's place. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inTemporaryFolder } from '../../test/contracts/format.ts';
import { writeKilledAt } from '../../test/kill-at-rename.ts';
import { type Facts, prepareBeside, recoverBeside } from './beside.ts';
import { writeOutput } from './output.ts';

const write = (folder: string, beside: Facts | null) =>
  writeOutput(
    join(folder, 'labels.csv'),
    {
      kind: 'file',
      what: 'export to csv',
      signature: { begins: 'file,class' },
      beside,
      replace: true,
      protectedPaths: [],
    },
    (target) => writeFile(target, `file,class\n${JSON.stringify(beside)}`),
  );

test('it is there where there is something to tell, and goes with the file that it tells of', () =>
  inTemporaryFolder(async (folder) => {
    const beside = join(folder, 'labels.csv.accuracy.json');
    await write(folder, null);
    assert.ok(!existsSync(beside));
    await write(folder, { accuracy: 0.9 });
    const told = { madeBy: 'labelsmith', what: 'export to csv', file: 'labels.csv', accuracy: 0.9 };
    assert.deepEqual(JSON.parse(await readFile(beside, 'utf8')), told);
    await write(folder, { accuracy: 0.8 });
    assert.equal(JSON.parse(await readFile(beside, 'utf8')).accuracy, 0.8);
    await write(folder, null);
    assert.ok(!existsSync(beside), 'of the labels of today nothing is known');
  }));

test('a name that has no room for it is refused while nothing is written', () =>
  inTemporaryFolder(async (folder) => {
    // Names have at most 255 bytes.
    const path = join(folder, 'n'.repeat(240));
    const signature = { begins: 'file,class' };
    const options = { kind: 'file', what: 'export to csv', signature, replace: false, protectedPaths: [] } as const;
    const write = (target: string) => writeFile(target, 'file,class\n');
    await assert.rejects(writeOutput(path, { ...options, beside: { accuracy: 0.9 } }, write), {
      code: 'REFUSED',
      message: /no room for/,
    });
    assert.deepEqual(await readdir(folder), []);
    await writeOutput(path, options, write);
    assert.ok(existsSync(path));
  }));

test("somebody's file of that name stays as it is, and so does the output", () =>
  inTemporaryFolder(async (folder) => {
    const beside = join(folder, 'labels.csv.accuracy.json');
    await write(folder, null);
    const before = await readFile(join(folder, 'labels.csv'), 'utf8');
    await writeFile(beside, '{"mine": 1}');
    await assert.rejects(write(folder, { accuracy: 0.9 }), { code: 'REFUSED', message: /did not write it/ });
    assert.equal(await readFile(join(folder, 'labels.csv'), 'utf8'), before);
    await write(folder, null);
    assert.equal(await readFile(beside, 'utf8'), '{"mine": 1}');
  }));

test('killed between the two, it is there after the next output to that place, even one that is refused', async () => {
  const signature = { begins: 'file,class' };
  const options = { kind: 'file', what: 'export to csv', signature, replace: false, protectedPaths: [] } as const;
  const told: (number | null)[] = [];
  // Before and after each of the two renames: the file's, and that of what stands beside it.
  for (const step of [0, 1, 2, 3])
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'labels.csv');
      await writeFile(path, 'file,class\nold');
      const killed = { ...options, beside: { accuracy: 0.9 }, replace: true };
      writeKilledAt(path, { options: killed, text: 'file,class\nnew', step });
      await assert.rejects(
        writeOutput(path, options, (target) => writeFile(target, '')),
        { code: 'REFUSED' },
      );
      const isNew = (await readFile(path, 'utf8')).endsWith('new');
      const beside = `${path}.accuracy.json`;
      told.push(existsSync(beside) ? JSON.parse(await readFile(beside, 'utf8')).accuracy : null);
      assert.equal(existsSync(beside), isNew);
      assert.deepEqual(await readdir(folder), isNew ? ['labels.csv', 'labels.csv.accuracy.json'] : ['labels.csv']);
    });
  assert.deepEqual(told, [null, 0.9, 0.9, 0.9]);
});

test('what was prepared for a file that somebody replaced since is not put beside that', () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, 'labels.csv');
    const pending = join(folder, 'pending');
    await prepareBeside(pending, path, 'export to csv', { accuracy: 0.9 });
    await writeFile(path, 'mine');
    const later = new Date(Date.now() + 60_000);
    await utimes(path, later, later);
    await recoverBeside(pending, path, true);
    assert.deepEqual(await readdir(folder), ['labels.csv']);
  }));
