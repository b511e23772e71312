/** Faults of the machine and not of the way: a clock that is wrong, a disk that is full. The same call finishes the work. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inTemporaryFolder } from '../../../test/contracts/source.ts';
import { startS3 } from '../../../test/fixtures/s3-server.ts';
import { LabelsmithError } from '../../errors.ts';
import { objectSink } from '../../sources/cloud/object-sink.ts';
import { s3Store } from '../../sources/cloud/s3-store.ts';
import { folderSink } from '../../sources/folder-sink.ts';
import { existingPushLedger } from '../../store/sqlite/push-ledger.ts';
import { push } from './push.ts';

const QUICK = { patienceMs: 4000, backoff: { baseMs: 5, maxMs: 50 }, settleMs: 0, parallel: 4 };

function writeFiles(folder: string, count: number, byteSize: number): void {
  for (let i = 0; i < count; i++) writeFileSync(join(folder, `${i}.jpg`), Buffer.alloc(byteSize, `image ${i} `));
}

/** What a push ends with. */
async function failureOf(pushing: Promise<unknown>): Promise<LabelsmithError> {
  const error: unknown = await pushing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof LabelsmithError, String(error));
  return error;
}

test('a clock that is wrong is told, and nothing is asked again for it; set right, the same push finishes', async () => {
  const server = await startS3();
  const before = { ...process.env };
  Object.assign(process.env, server.env);
  try {
    await inTemporaryFolder(async (folder) => {
      writeFiles(folder, 20, 100);
      const sink = objectSink(await s3Store({ scheme: 's3', bucket: 'bucket', prefix: 'clock' }));
      server.fault = () => ({ kind: 'status', status: 403, code: 'RequestTimeTooSkewed' });
      const { code, message, hint } = await failureOf(push(folder, sink, QUICK));
      assert.ok(code === 'REFUSED' && /clock is wrong/.test(message) && /Set the clock/.test(hint ?? ''), message);
      assert.ok(server.log.length <= 8, 'it does not ask for each file');
      server.fault = () => undefined;
      assert.equal((await push(folder, sink, QUICK)).counts.pushed, 20);
      // Files of the future, as a clock that was set back leaves them, are pushed and deleted like others.
      writeFileSync(join(folder, 'later.jpg'), 'later');
      const inAnHour = Date.now() / 1000 + 3600;
      utimesSync(join(folder, 'later.jpg'), inAnHour, inAnHour);
      const { counts } = await push(folder, sink, { ...QUICK, deleteAfterVerified: true });
      assert.deepEqual([counts.pushed, counts.deleted, counts.failed], [1, 21, 0]);
      await sink.close();
    });
  } finally {
    process.env = before;
    await server.close();
  }
});

test('a full disk at the target ends the push; with room again the same push finishes, and nothing half is there', (t) =>
  inTemporaryFolder(async (folder) => {
    const [files, disk] = [join(folder, 'files'), join(folder, 'disk')];
    for (const each of [files, disk]) mkdirSync(each);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk], { encoding: 'utf8' });
    if (mounted.status !== 0)
      return t.skip(`no small disk can be mounted here (${mounted.stderr ?? mounted.error?.message})`);
    try {
      writeFiles(files, 12, 100_000);
      const { code, hint } = await failureOf(
        push(files, await folderSink(disk), { ...QUICK, deleteAfterVerified: true }),
      );
      assert.ok(code === 'DISK_FULL' && hint !== undefined, code);
      const there = () => readdirSync(disk).filter((name) => name.endsWith('.jpg'));
      for (const name of there()) assert.equal(readFileSync(join(disk, name)).length, 100_000, `${name} is whole`);
      assert.ok(
        there().length + readdirSync(files).filter((name) => name.endsWith('.jpg')).length >= 12,
        'nothing is lost',
      );
      assert.equal(spawnSync('mount', ['-o', 'remount,size=8m', disk]).status, 0);
      const { counts } = await push(files, await folderSink(disk), QUICK);
      assert.deepEqual([there().length, counts.failed, counts.conflicts], [12, 0, 0]);
    } finally {
      spawnSync('umount', [disk]);
      rmSync(files, { recursive: true });
    }
  }));

test('from a full disk files are pushed and deleted, which makes room; the ledger is read there, and told to be not written', (t) =>
  inTemporaryFolder(async (folder) => {
    const [disk, target] = [join(folder, 'disk'), join(folder, 'target')];
    for (const each of [disk, target]) mkdirSync(each);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk], { encoding: 'utf8' });
    if (mounted.status !== 0)
      return t.skip(`no small disk can be mounted here (${mounted.stderr ?? mounted.error?.message})`);
    try {
      const files = join(disk, 'files');
      mkdirSync(files);
      writeFiles(files, 6, 100_000);
      await push(files, await folderSink(target), QUICK);
      writeFileSync(join(files, 'new.jpg'), Buffer.alloc(100_000, 'new'));
      spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'fill')}`, 'bs=1k']);
      assert.throws(() => writeFileSync(join(disk, 'more'), Buffer.alloc(5000)), { code: 'ENOSPC' });
      rmSync(join(disk, 'more'), { force: true });
      // By this, capture knows which frames it may delete.
      const ledger = existingPushLedger(files);
      const isPushed = (name: string) => {
        const { mtimeNs, size } = statSync(join(files, name), { bigint: true });
        return ledger?.isPushed(name, `${mtimeNs}-${size}`);
      };
      assert.deepEqual([isPushed('0.jpg'), isPushed('new.jpg')], [true, false]);
      ledger?.close();
      const moved = await push(files, await folderSink(target), { ...QUICK, deleteAfterVerified: true });
      assert.deepEqual([moved.counts.unchanged, moved.counts.pushed, moved.counts.deleted], [6, 1, 7]);
      assert.equal(moved.ledgerKept, false);
      assert.deepEqual(readFileSync(join(target, 'new.jpg')), Buffer.alloc(100_000, 'new'));
      rmSync(join(disk, 'fill'));
      assert.equal((await push(files, await folderSink(target), QUICK)).ledgerKept, true);
    } finally {
      spawnSync('umount', [disk]);
    }
  }));
