import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabelsmithError } from '../errors.ts';
import { cacheDirectory, isIntact, sha256OfFile, withLock, writeAtomically } from './cache.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'labelsmith-cache-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('the folder is the one asked for, else the platform’s', () => {
  const home = join('/', 'home', 'ann');
  assert.equal(cacheDirectory({ LABELSMITH_CACHE: '/models', XDG_CACHE_HOME: '/x' }, 'linux', home), '/models');
  assert.equal(cacheDirectory({ XDG_CACHE_HOME: '/x' }, 'darwin', home), join('/x', 'labelsmith'));
  assert.equal(cacheDirectory({}, 'linux', home), join(home, '.cache', 'labelsmith'));
  assert.equal(cacheDirectory({}, 'darwin', home), join(home, 'Library', 'Caches', 'labelsmith'));
  assert.equal(cacheDirectory({ LOCALAPPDATA: 'L' }, 'win32', home), join('L', 'labelsmith', 'Cache'));
  assert.equal(cacheDirectory({}, 'win32', home), join(home, 'AppData', 'Local', 'labelsmith', 'Cache'));
});

test('a written file is whole, and no temporary one stays', async () => {
  const path = join(folder, 'deep', 'file.json');
  await writeAtomically(path, 'one');
  await writeAtomically(path, 'two');
  assert.equal(await readFile(path, 'utf8'), 'two');
  assert.deepEqual(await readdir(join(folder, 'deep')), ['file.json']);
});

test('an intact file stays, another content is put aside', async () => {
  const path = join(folder, 'model');
  await writeFile(path, 'abc');
  // FIPS 180-2, appendix B.1.
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  assert.equal(await sha256OfFile(path), abc);
  assert.equal(await isIntact(folder, path, abc), true);
  await writeFile(path, 'abd');
  let movedTo = '';
  assert.equal(await isIntact(folder, path, abc, (to) => (movedTo = to)), false);
  assert.equal(await readFile(movedTo, 'utf8'), 'abd');
  assert.equal(await isIntact(folder, path, abc), false, 'an absent file is not intact');
});

test('a cache that cannot be written says which variable to set', async () => {
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  // Linux answers ENOENT to whoever makes a folder in `/proc`.
  const places = [file, ...(process.platform === 'linux' ? ['/proc/labelsmith'] : [])];
  for (const place of places) {
    await assert.rejects(writeAtomically(join(place, 'below'), ''), (error: unknown) => {
      assert.ok(error instanceof LabelsmithError && error.code === 'BAD_FILE', `${place}: ${error}`);
      return /LABELSMITH_CACHE/.test(error.hint ?? '');
    });
  }
});

test('work under one lock does not overlap, and a failure frees it', async () => {
  const lock = join(folder, 'busy.lock');
  let inside = 0;
  let waits = 0;
  const work = (fails: boolean) =>
    withLock(
      lock,
      async () => {
        inside++;
        assert.equal(inside, 1);
        await sleep(30);
        inside--;
        if (fails) throw new Error('as asked');
      },
      { onWait: () => waits++ },
    );
  const results = await Promise.allSettled([work(true), work(false), work(true), work(false)]);
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'fulfilled', 'rejected', 'rejected']);
  assert.equal(waits, 3);
  await assert.rejects(stat(lock), { code: 'ENOENT' });
});

const TIMING = { heartbeatMs: 40, staleMs: 2000 };
/** No process has it: Linux gives numbers up to 2^22. */
const NOBODY = 2 ** 22 + 1;

for (const [what, holder, silentMs] of [
  ['a dead process of this machine', { pid: NOBODY, host: hostname() }, 250],
  ['a process that has been silent for long', { pid: process.pid, host: 'elsewhere' }, 2500],
] as const) {
  test(`the lock of ${what} is taken over`, async () => {
    const lock = join(folder, 'stale.lock');
    await mkdir(folder, { recursive: true });
    await writeFile(lock, JSON.stringify(holder));
    const at = new Date(Date.now() - silentMs);
    await utimes(lock, at, at);
    assert.equal(await withLock(lock, async () => 'mine', { timing: TIMING }), 'mine');
  });
}

test('a lock with a time in the future is taken over when it stays silent, and its process is gone', async () => {
  const lock = join(folder, 'future.lock');
  await writeFile(lock, JSON.stringify({ pid: NOBODY, host: hostname() }));
  const at = new Date(Date.now() + 86_400_000);
  await utimes(lock, at, at);
  const begunMs = performance.now();
  assert.equal(await withLock(lock, async () => 'mine', { timing: TIMING }), 'mine');
  assert.ok(performance.now() - begunMs >= 5 * TIMING.heartbeatMs);
});

test('a lock with a time in the future whose holder touches it is waited for', async () => {
  const lock = join(folder, 'ahead.lock');
  await writeFile(lock, JSON.stringify({ pid: NOBODY, host: 'ahead' }));
  const touch = async () => {
    const at = new Date(Date.now() + 86_400_000);
    await utimes(lock, at, at);
  };
  await touch();
  const heartbeat = setInterval(touch, 50);
  const timing = { heartbeatMs: 40, staleMs: 300 };
  try {
    await assert.rejects(
      withLock(lock, async () => 'mine', { timing, signal: AbortSignal.timeout(700) }),
      { name: /Abort|Timeout/ },
    );
  } finally {
    clearInterval(heartbeat);
  }
});

test('the lock of a living process is waited for', async () => {
  const lock = join(folder, 'living.lock');
  await writeFile(lock, JSON.stringify({ pid: NOBODY, host: 'elsewhere' }));
  const at = new Date(Date.now() - 1000);
  await utimes(lock, at, at);
  const signal = AbortSignal.timeout(400);
  await assert.rejects(
    withLock(lock, async () => 'mine', { timing: TIMING, signal }),
    { name: /Abort|Timeout/ },
  );
});
