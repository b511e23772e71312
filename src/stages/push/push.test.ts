/** `push` against S3 (`test/contracts/push.ts` says what is expected), and against a folder. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertAllThere, pushContract, QUICK, writeFiles } from '../../../test/contracts/push.ts';
import { inTemporaryFolder, isError } from '../../../test/contracts/source.ts';
import { S3 } from '../../../test/fixtures/clouds.ts';
import { folderSink } from '../../sources/folder-sink.ts';
import { push } from './push.ts';

pushContract(S3);

test('a mounted folder: pushed, read back, gone on with; a link to a folder is named, and a lost mount ends it', () =>
  inTemporaryFolder(async (folder) => {
    const [from, to] = [join(folder, 'from'), join(folder, 'to')];
    mkdirSync(to);
    writeFiles(from, 5);
    symlinkSync('d0', join(from, 'link'));
    const sink = await folderSink(to);
    const { counts, problems } = await push(from, sink, QUICK);
    assert.deepEqual([counts.pushed, counts.leftOut], [5, 1]);
    assert.match(problems[0]!.message, /link to a folder/);
    await assertAllThere(sink, from);
    writeFiles(from, 7);
    rmSync(to, { recursive: true });
    await assert.rejects(push(from, sink, QUICK), isError('NOT_FOUND'));
    mkdirSync(to);
    assert.equal((await push(from, sink, QUICK)).counts.pushed, 7);
    rmSync(join(to, 'd1'), { recursive: true });
    assert.equal((await push(from, sink, QUICK)).counts.unchanged, 7, 'the ledger is believed');
    const checked = await push(from, sink, { ...QUICK, check: true });
    assert.deepEqual([checked.counts.unchanged, checked.counts.pushed], [5, 2]);
    await assertAllThere(sink, from);
  }));

test('a target that is the folder itself is refused under any name, and its only copy is never deleted', () =>
  inTemporaryFolder(async (parent) => {
    const [folder, link, target] = [join(parent, 'folder'), join(parent, 'link'), join(parent, 'target')];
    writeFiles(folder, 3);
    symlinkSync(folder, link);
    const options = { ...QUICK, deleteAfterVerified: true };
    for (const own of [folder, link, join(folder, 'd0'), join(link, 'd1')]) {
      await assert.rejects(push(folder, await folderSink(own), options), isError('REFUSED'), own);
    }
    await assert.rejects(push(link, await folderSink(folder), options), isError('REFUSED'));
    mkdirSync(join(target, 'shared'), { recursive: true });
    writeFileSync(join(target, 'shared', 'only.jpg'), 'the only copy');
    symlinkSync(join(target, 'shared'), join(folder, 'shared'));
    const { counts } = await push(folder, await folderSink(target), options);
    assert.equal(readFileSync(join(target, 'shared', 'only.jpg'), 'utf8'), 'the only copy');
    assert.equal(counts.deleted, 3);
  }));
