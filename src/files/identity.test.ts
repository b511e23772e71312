/** Files and links of a temporary folder; what is expected is what the links were made to lead to. */
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isSameFile, liesIn } from './identity.ts';

test('a file and a folder are known under any name', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'identity-'));
  t.after(() => rmSync(root, { recursive: true }));
  const at = (...parts: string[]) => join(root, ...parts);
  mkdirSync(at('folder', 'sub'), { recursive: true });
  mkdirSync(at('folder-2'));
  writeFileSync(at('folder', 'a'), 'same bytes');
  writeFileSync(at('folder', 'b'), 'same bytes');
  linkSync(at('folder', 'a'), at('hard'));
  symlinkSync(at('folder'), at('link'));
  assert.equal(await isSameFile(at('link', 'a'), at('folder', 'a')), true);
  assert.equal(await isSameFile(at('hard'), at('folder', 'a')), true);
  assert.equal(await isSameFile(at('folder', 'a'), at('folder', 'b')), false);
  assert.equal(await isSameFile(at('gone'), at('gone')), false);
  for (const inside of [at('folder'), at('link'), at('link', 'sub'), at('folder', 'sub', 'not', 'yet')]) {
    assert.equal(await liesIn(inside, at('folder')), true, inside);
    assert.equal(await liesIn(inside, at('link')), true, inside);
  }
  for (const outside of [root, at('folder-2'), at('hard')]) {
    assert.equal(await liesIn(outside, at('folder')), false, outside);
  }
  assert.equal(await liesIn(at('gone', 'a'), at('gone')), false);
});
