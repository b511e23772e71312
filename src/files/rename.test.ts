import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renameOver } from './rename.ts';

/** A file system that refuses the first `times` renames with `code`. */
function refusing(times: number, code: string) {
  const calls: string[] = [];
  const rename = async (from: string, to: string) => {
    calls.push(`${from} → ${to}`);
    if (calls.length <= times) throw Object.assign(new Error(code), { code });
  };
  return { calls, rename };
}

test('on Windows a file that somebody has open is waited for', async () => {
  for (const code of ['EPERM', 'EACCES', 'EBUSY']) {
    const { calls, rename } = refusing(3, code);
    await renameOver('a', 'b', { platform: 'win32', rename });
    assert.deepEqual(calls, Array(4).fill('a → b'));
  }
});

test('not for ever', async () => {
  const { calls, rename } = refusing(Number.POSITIVE_INFINITY, 'EBUSY');
  await assert.rejects(renameOver('a', 'b', { platform: 'win32', patienceMs: 30, rename }), { code: 'EBUSY' });
  assert.ok(calls.length > 1);
});

test('what waiting cannot mend, and every refusal elsewhere, is told at once', async () => {
  for (const [platform, code] of [
    ['win32', 'ENOENT'],
    ['linux', 'EACCES'],
  ] as const) {
    const { calls, rename } = refusing(1, code);
    await assert.rejects(renameOver('a', 'b', { platform, rename }), { code });
    assert.equal(calls.length, 1);
  }
});
