import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inTemporaryFolder } from '../../test/contracts/format.ts';
import { isTemporaryName, makeAtomically, writeFileAtomically, writeWorkspaceFile } from './atomic.ts';
import { LEASE_MS, writerName } from './unfinished.ts';

test('a file is the old or the new one', () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, 'new/folder/file');
    await writeFileAtomically(path, 'old');
    await assert.rejects(
      makeAtomically(path, async (target) => {
        await writeFile(target, 'half');
        throw new Error('no more');
      }),
      /no more/,
    );
    assert.equal(await readFile(path, 'utf8'), 'old');
    await writeFileAtomically(path, 'new');
    assert.equal(await readFile(path, 'utf8'), 'new');
    assert.deepEqual(await readdir(join(folder, 'new/folder')), ['file']);
  }));

test('what a killed process left goes with the next write in its folder', () =>
  inTemporaryFolder(async (folder) => {
    const script = `
      const { makeAtomically } = await import(${JSON.stringify(join(import.meta.dirname, 'atomic.ts'))});
      const { writeFile } = await import('node:fs/promises');
      await makeAtomically(process.argv[1], async (target) => {
        await writeFile(target, 'half');
        process.kill(process.pid, 'SIGKILL');
      });
    `;
    const path = join(folder, 'model.onnx');
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script, path]);
    assert.equal(run.signal, 'SIGKILL');
    const [left] = await readdir(folder);
    assert.ok(isTemporaryName(left), left);
    await writeFileAtomically(path, 'whole');
    assert.deepEqual(await readdir(folder), ['model.onnx']);
  }));

test('what another process or machine is writing stays, until nobody has touched it for long', () =>
  inTemporaryFolder(async (folder) => {
    const long = new Date(Date.now() - LEASE_MS - 60_000);
    const future = new Date(Date.now() + LEASE_MS + 60_000);
    const [machine] = writerName().split('-');
    const stays = [`a.${machine}-${process.ppid}-00000000.tmp`, 'b.000000-1-00000000.tmp', 'c.tmp', 'd.x-1-2.tmp'];
    const goes: readonly (readonly [string, Date])[] = [
      [`e.${machine}-${process.ppid}-00000000.tmp`, long],
      ['f.000000-1-00000000.tmp', long],
      ['g.000000-1-00000000.tmp', future],
      // As 0.1.0 named them.
      ['h.4711-00000000.tmp', long],
      [`i.arrow.01234567-4711-0123456789ab.tmp`, long],
      // Of a former process of this number.
      [`j.${writerName()}-00000000.tmp`, new Date(performance.timeOrigin - 60_000)],
    ];
    await mkdir(join(folder, 'x'));
    for (const name of stays) await writeFile(join(folder, 'x', name), '');
    for (const [name, at] of goes) {
      await writeFile(join(folder, 'x', name), '');
      await utimes(join(folder, 'x', name), at, at);
    }
    await writeFileAtomically(join(folder, 'x/y'), '');
    assert.deepEqual(
      stays.filter((name) => !existsSync(join(folder, 'x', name))),
      [],
    );
    assert.deepEqual(
      goes.map(([name]) => name).filter((name) => existsSync(join(folder, 'x', name))),
      [],
    );
  }));

test('in a workspace an error says what to do', () =>
  inTemporaryFolder(async (folder) => {
    await writeFile(join(folder, 'file'), '');
    await assert.rejects(writeWorkspaceFile(join(folder, 'file/x'), Buffer.from('x')), (error: Error) => {
      assert.match(error.message, /cannot write .*file\/x/);
      return 'hint' in error && 'code' in error && error.code === 'WORKSPACE';
    });
  }));
