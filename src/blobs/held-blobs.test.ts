import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { holdingBlobs, readHeld } from './held-blobs.ts';

/** Blobs of a test that anybody may delete. */
function plainBlobs() {
  const there = new Map<string, string>();
  let asked = 0;
  return {
    there,
    asked: () => asked,
    async stat(key: string) {
      asked++;
      const found = there.get(key);
      return found === undefined ? undefined : { key, byteSize: found.length };
    },
  };
}

test('what somebody deletes is put again as long as it is held, and no longer', async () => {
  const blobs = plainBlobs();
  const read = async () => blobs.there.get('a.bin');
  const put = async () => void blobs.there.set('a.bin', 'bytes');
  const found = await holdingBlobs(
    blobs,
    async (hold) => {
      await hold('a.bin', put);
      assert.equal(await read(), 'bytes', 'there at once');
      const seen: unknown[] = [];
      for (let n = 0; n < 3; n++) {
        blobs.there.delete('a.bin');
        seen.push(await readHeld(read));
      }
      return seen;
    },
    { everyMs: 10 },
  );
  assert.deepEqual(found, ['bytes', 'bytes', 'bytes']);
  blobs.there.delete('a.bin');
  const asked = blobs.asked();
  await sleep(50);
  assert.equal(blobs.asked(), asked, 'nobody looks any more');
  assert.equal(await readHeld(read, 20), undefined);
});

test('a store that does not answer is asked again, and what the work throws comes out', async () => {
  const blobs = plainBlobs();
  let failures = 0;
  const flaky = {
    async stat(key: string) {
      if (failures++ < 2) throw new Error('503');
      return blobs.stat(key);
    },
  };
  const work = holdingBlobs(
    flaky,
    async (hold) => {
      await hold('a.bin', async () => void blobs.there.set('a.bin', 'bytes'));
      blobs.there.delete('a.bin');
      assert.equal(await readHeld(async () => blobs.there.get('a.bin')), 'bytes');
      throw new Error('of the work');
    },
    { everyMs: 10 },
  );
  await assert.rejects(work, /of the work/);
  assert.ok(failures >= 3);
});
