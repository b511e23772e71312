import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type OpenBlobs, openBlobs } from '../blobs/open.ts';
import { OWNER_BLOB, ownBlobs, refuseOwned } from './blobs-owner.ts';

function scratchBlobs(t: TestContext): OpenBlobs {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-owner-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return openBlobs(join(dir, 'blobs'));
}

function settings() {
  const values = new Map<string, string>();
  return {
    getSetting: async (key: string) => values.get(key),
    async swapSetting(key: string, from: string | undefined, to: string | undefined) {
      if (values.get(key) !== from) return false;
      if (to === undefined) values.delete(key);
      else values.set(key, to);
      return true;
    },
  };
}

test('blobs are of the workspace that comes first; another is refused, and takes them once the mark is away', async (t) => {
  const place = scratchBlobs(t);
  const [first, second] = [settings(), settings()];
  const own = (store: typeof first, name: string) => ownBlobs({ ...place, store, name });
  await refuseOwned({ ...place, name: 'not there yet' });
  await own(first, 'one');
  await own(first, 'one');
  await assert.rejects(
    refuseOwned({ ...place, name: 'new' }),
    /has the blobs of the workspace one, and would lose them to new\./,
  );
  await own(first, 'one by another address');
  await assert.rejects(own(second, 'two'), /has the blobs of the workspace one, and would lose them to two\./);
  await own(first, 'one');
  await place.blobs.delete(OWNER_BLOB);
  await own(second, 'two');
  await assert.rejects(own(first, 'one'), /has the blobs of the workspace two/);
});

test('of two that come at once one stays, and a mark that cannot be read is nobody of ours', async (t) => {
  const place = scratchBlobs(t);
  const stores = [settings(), settings()];
  const own = (i: number) => ownBlobs({ ...place, store: stores[i], name: `${i}` });
  await Promise.allSettled([own(0), own(1)]);
  const again = await Promise.allSettled([own(0), own(1)]);
  assert.deepEqual(again.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  await place.blobs.put(OWNER_BLOB, Buffer.from('{'));
  await assert.rejects(own(0), /something else, of which the mark cannot be read/);
});
