import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KnownPath } from '../../store/store.ts';
import { Unfinished } from './unfinished.ts';

/** Settings in memory, and paths on record, of which some are there no more. */
function record(paths: Readonly<Record<string, { readonly missing: boolean }>>) {
  const kept = new Map<string, string>();
  return {
    kept,
    getSetting: async (key: string) => kept.get(key),
    putSetting: async (key: string, value: string) => {
      kept.set(key, value);
    },
    swapSetting: async (key: string, expected: string | undefined, value: string | undefined) => {
      if (kept.get(key) !== expected) return false;
      if (value === undefined) kept.delete(key);
      else kept.set(key, value);
      return true;
    },
    lookupPaths: async (asked: readonly string[]) =>
      new Map(
        asked.flatMap((path): [string, KnownPath][] => {
          const known = paths[path];
          return known ? [[path, { path, imageId: path, byteSize: 1, modifiedAtMs: 1, ...known }]] : [];
        }),
      ),
  };
}

/** A batch whose work ends with the process. */
async function killed(store: ReturnType<typeof record>, root: string, paths: readonly string[]): Promise<void> {
  const unfinished = await Unfinished.open(store, root);
  const death = new Error('killed');
  await assert.rejects(
    unfinished.during(paths, () => Promise.reject(death)),
    death,
  );
}

test('what a killed command worked on is left for the next one of that folder, until that has done it', async () => {
  const store = record({ '/a/1': { missing: false }, '/a/2': { missing: false } });
  await killed(store, '/a', ['/a/1', '/a/2']);
  assert.equal((await Unfinished.open(store, '/b')).isOpen, false, 'another folder has its own');
  // Killed again, in the middle of the rest, beside a new file.
  const second = await Unfinished.open(store, '/a');
  await second.during(['/a/1'], async () => {});
  assert.deepEqual([second.has('/a/1'), second.has('/a/2')], [false, true]);
  await killed(store, '/a', ['/a/3']);
  const third = await Unfinished.open(store, '/a');
  assert.deepEqual(
    ['/a/1', '/a/2', '/a/3'].map((path) => third.has(path)),
    [false, true, true],
  );
  assert.equal(await third.during(['/a/2', '/a/3'], async () => 'done'), 'done');
  assert.equal((await Unfinished.open(store, '/a')).isOpen, true, 'what follows the last batch is not done');
  await third.close();
  assert.deepEqual([...store.kept], []);
});

test('a file that is gone is not waited for, one that is there is', async () => {
  const store = record({ '/a/gone': { missing: true }, '/a/here': { missing: false } });
  await killed(store, '/a', ['/a/gone', '/a/here', '/a/never-added']);
  await (await Unfinished.open(store, '/a')).close();
  const next = await Unfinished.open(store, '/a');
  assert.deepEqual(
    ['/a/gone', '/a/here', '/a/never-added'].map((path) => next.has(path)),
    [false, true, false],
  );
});
