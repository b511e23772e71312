/** What every blob store must do: bytes come back as they were put, whole, under valid keys and no others. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { BlobInfo, BlobStore } from '../../src/blobs/blob-store.ts';

/** @param create makes a store over a folder; it may be called again for the same folder. */
export function blobStoreContract(name: string, create: (folder: string) => BlobStore): void {
  function fresh(t: TestContext): { folder: string; blobs: BlobStore } {
    const folder = mkdtempSync(join(tmpdir(), 'labelsmith-blobs-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    return { folder, blobs: create(join(folder, 'blobs')) };
  }
  async function listed(blobs: BlobStore, prefix?: string): Promise<BlobInfo[]> {
    const found: BlobInfo[] = [];
    for await (const info of blobs.list(prefix)) found.push(info);
    return found;
  }
  const bytes = (...values: number[]) => Uint8Array.from(values);

  describe(`blob store: ${name}`, () => {
    test('what is put comes back, replaced by the next, gone when deleted', async (t) => {
      const { folder, blobs } = fresh(t);
      assert.equal(await blobs.get('a/b.bin'), undefined);
      assert.equal(await blobs.stat('a/b.bin'), undefined);
      await blobs.delete('a/b.bin');
      await blobs.put('a/b.bin', bytes(1, 2, 3));
      await blobs.put('a/b.bin', bytes(0, 255));
      await blobs.put('a/empty.bin', bytes());
      assert.deepEqual([...((await blobs.get('a/b.bin')) ?? [])], [0, 255]);
      assert.deepEqual([...((await create(join(folder, 'blobs')).get('a/b.bin')) ?? [])], [0, 255]);
      assert.deepEqual(await blobs.stat('a/b.bin'), { key: 'a/b.bin', byteSize: 2 });
      assert.deepEqual(await blobs.stat('a/empty.bin'), { key: 'a/empty.bin', byteSize: 0 });
      await blobs.delete('a/b.bin');
      assert.equal(await blobs.get('a/b.bin'), undefined);
      assert.deepEqual(await listed(blobs), [{ key: 'a/empty.bin', byteSize: 0 }]);
    });

    test('blobs are listed in order of key, by the beginning of it', async (t) => {
      const { blobs } = fresh(t);
      assert.deepEqual(await listed(blobs), []);
      const keys = ['z.bin', 'a/1.bin', 'a/10.bin', 'a-b/2.bin', 'a/b/3.bin', 'a/b.bin', 'ab.bin'];
      for (const key of keys) await blobs.put(key, bytes(7));
      const names = async (prefix?: string) => (await listed(blobs, prefix)).map(({ key }) => key);
      assert.deepEqual(await names(), keys.toSorted());
      assert.deepEqual(await names('a/'), keys.filter((key) => key.startsWith('a/')).sort());
      assert.deepEqual(await names('a'), keys.filter((key) => key.startsWith('a')).sort());
      assert.deepEqual(await names('a/1'), ['a/1.bin', 'a/10.bin']);
      assert.deepEqual(await names('a/1.bin'), ['a/1.bin']);
      assert.deepEqual(await names('none/'), []);
    });

    test('keys that would lead elsewhere, or be others on another system, are refused', async (t) => {
      const { blobs } = fresh(t);
      const bad = [
        '',
        '/a.bin',
        'a',
        'a/',
        '../a.bin',
        'a/../b.bin',
        './a.bin',
        'a//b.bin',
        '.a',
        'a.',
        'A.bin',
        'ä.bin',
        'a b.bin',
        'a\\b.bin',
        'a.bin/b.bin',
        'con.bin',
        'a/nul.bin',
        'a\0.bin',
        `${'a'.repeat(200)}.bin`,
      ];
      for (const key of bad) {
        for (const work of [
          () => blobs.put(key, bytes(1)),
          () => blobs.get(key),
          () => blobs.stat(key),
          () => blobs.delete(key),
        ]) {
          await assert.rejects(
            async () => work(),
            { code: 'USAGE', message: /is no key of a blob/ },
            JSON.stringify(key),
          );
        }
      }
      for (const prefix of ['../', '/', 'a//', 'A', 'a\\'])
        await assert.rejects(listed(blobs, prefix), { code: 'USAGE' });
      assert.deepEqual(await listed(blobs), []);
    });

    test('a reader sees one whole blob or another, never a part, and no unfinished one is listed', async (t) => {
      const { blobs } = fresh(t);
      const size = 1 << 20;
      await blobs.put('big.bin', new Uint8Array(size).fill(1));
      let isWriting = true;
      const writing = (async () => {
        for (let n = 2; n < 12; n++) await blobs.put('big.bin', new Uint8Array(size).fill(n));
        isWriting = false;
      })();
      let reads = 0;
      do {
        const found = await blobs.get('big.bin');
        assert.equal(found?.length, size);
        assert.ok(
          found.every((value) => value === found[0]),
          'of one put',
        );
        assert.deepEqual(await listed(blobs), [{ key: 'big.bin', byteSize: size }]);
        reads += 1;
      } while (isWriting);
      await writing;
      assert.ok(reads > 1);
      assert.equal((await blobs.get('big.bin'))?.[0], 11);
    });
  });
}
