import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withFolderLock } from './folder-lock.ts';

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'labelsmith-lock-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('one holder at a time, whatever fails, and nothing is left', async (t) => {
  const folder = scratch(t);
  let inside = 0;
  let done = 0;
  const results = await Promise.allSettled(
    Array.from({ length: 12 }, (_, i) =>
      withFolderLock(join(folder, 'a.lock'), async () => {
        assert.equal(++inside, 1);
        await sleep(3);
        inside--;
        if (i % 3 === 0) throw new Error('failed');
        done++;
      }),
    ),
  );
  assert.equal(results.filter(({ status }) => status === 'rejected').length, 4);
  assert.equal(done, 8);
  assert.deepEqual(readdirSync(folder), []);
});

test('a lock whose holder was killed is taken over by one of those that wait', async (t) => {
  const folder = scratch(t);
  const lock = join(folder, 'a.lock');
  mkdirSync(lock);
  writeFileSync(join(lock, 'killed'), '');
  const startedAt = performance.now();
  let inside = 0;
  await Promise.all(
    Array.from({ length: 6 }, () =>
      withFolderLock(
        lock,
        async () => {
          assert.equal(++inside, 1);
          await sleep(5);
          inside--;
        },
        { abandonedAfterMs: 200 },
      ),
    ),
  );
  assert.ok(performance.now() - startedAt >= 200);
  assert.deepEqual(readdirSync(folder), []);
});

test('a holder whose lock was taken over gives nobody else’s back', async (t) => {
  const folder = scratch(t);
  const lock = join(folder, 'a.lock');
  const slow = withFolderLock(lock, () => sleep(200));
  await sleep(20);
  await withFolderLock(
    lock,
    async () => {
      await slow;
      assert.equal(readdirSync(lock).length, 1, 'still held');
    },
    { abandonedAfterMs: 30 },
  );
  assert.deepEqual(readdirSync(folder), []);
});
