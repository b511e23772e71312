/** When work on vectors is begun again: where the record has other files than before, five times at most, and else not. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { scratch } from '../../test/contracts/store/fixtures.ts';
import { addEmbedded } from '../../test/fixtures/embedded.ts';
import { sha256Hex } from '../core/ids.ts';
import { LabelsmithError } from '../errors.ts';
import { workspaceOf } from '../jobs/workspace.ts';
import { openStore } from '../store/open.ts';
import { beginningAgain } from './begin-again.ts';
import { forget } from './forget/forget.ts';

const IDS = Array.from({ length: 10 }, (_, n) => sha256Hex(`item ${n}`));
const GONE = new LabelsmithError('NOT_FOUND', 'a file of vectors is gone');

async function prepare(t: TestContext) {
  const dir = scratch(t);
  const store = await openStore(dir);
  t.after(() => store.close());
  const items = IDS.map((id, n) => ({ id, path: `/photos/${n}.jpg`, vector: [1, n] }));
  await addEmbedded(store, dir, items);
  const workspace = workspaceOf(dir, store);
  let told = 0;
  return {
    /** Forgets one more image at each attempt, then does `work`. @returns attempts */
    async beside(work: (attempt: number) => Promise<void>, signal?: AbortSignal) {
      let attempts = 0;
      const trying = beginningAgain(store, 'images', { signal, onAgain: () => told++ }, async () => {
        await forget(workspace, [IDS[attempts++]], { seed: 0, threads: 1 });
        await work(attempts);
      });
      return {
        attempts: () => attempts,
        ended: await trying.then(
          () => 'done',
          (error: unknown) => error,
        ),
      };
    },
    store,
    told: () => told,
  };
}

test('files went while it read them: once more, and it is told', async (t) => {
  const { beside, told } = await prepare(t);
  const { attempts, ended } = await beside(async (attempt) => {
    if (attempt < 3) throw GONE;
  });
  assert.deepEqual([ended, attempts(), told()], ['done', 3, 2]);
});

test('a pile that never stands still is given up after five times', async (t) => {
  const { beside, told } = await prepare(t);
  const { attempts, ended } = await beside(() => Promise.reject(GONE));
  assert.deepEqual([ended, attempts(), told()], [GONE, 5, 4]);
});

test('another error, one with the same files as before, and one after an interruption are thrown at once', async (t) => {
  const { beside, store, told } = await prepare(t);
  const other = new LabelsmithError('NETWORK', 'no answer');
  assert.equal((await beside(() => Promise.reject(other))).ended, other);
  await assert.rejects(
    beginningAgain(store, 'images', {}, () => Promise.reject(GONE)),
    GONE,
  );
  assert.equal((await beside(() => Promise.reject(GONE), AbortSignal.abort())).ended, GONE);
  assert.equal(told(), 0);
});
