/** `discover` while `forget` takes images away: it is of those that are left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scratch } from '../../../test/contracts/store/fixtures.ts';
import { addEmbedded } from '../../../test/fixtures/embedded.ts';
import { sha256Hex } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { LabelsmithError } from '../../errors.ts';
import { type Workspace, workspaceOf } from '../../jobs/workspace.ts';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { requireRecipe } from '../embed/recipe.ts';
import { forget } from '../forget/forget.ts';
import { discoverIn } from './discover.ts';

const OPTIONS = { seed: 0, threads: 1 };
const COLUMNS = 8;
const IMAGES = 40;
const GONE = 10;

const discover = (workspace: Workspace, recluster: boolean, onAgain?: () => void) =>
  discoverIn(workspace, { ...OPTIONS, k: 4, recluster, onAgain }, () =>
    Promise.reject(new LabelsmithError('NOT_FOUND', 'there are no files')),
  );

test('files that forget wrote anew: it begins again; files that are gone for no such reason are told', async (t) => {
  const dir = scratch(t);
  const store = await openStore(dir);
  t.after(() => store.close());
  const random = seededRandom(1);
  const items = Array.from({ length: IMAGES }, (_, n) => ({
    id: sha256Hex(`item ${n}`),
    path: `/photos/${n}.jpg`,
    vector: Array.from({ length: COLUMNS }, (_, j) => (j === n % 4 ? 1 : 0) + 0.3 * random()),
  }));
  await addEmbedded(store, dir, items);
  const workspace = workspaceOf(dir, store);
  const ids = items.map(({ id }) => id);
  let hasForgotten = false;
  /** When `discover` knows the files and has read none. */
  const beside: Store = {
    ...store,
    async ensureTask(task) {
      if (!hasForgotten) await forget(workspace, ids.slice(0, GONE), OPTIONS);
      hasForgotten = true;
      return store.ensureTask(task);
    },
  };
  let again = 0;
  const { counts } = await discover({ ...workspace, store: beside }, false, () => again++);
  assert.ok(hasForgotten);
  assert.equal(again, 1, 'it says so');
  assert.deepEqual([counts.items, counts.assigned], [IMAGES - GONE, IMAGES - GONE]);
  const labels = await store.labelsOf(ids, 'class');
  assert.deepEqual([...labels.keys()].sort(), ids.slice(GONE).sort());

  await workspace.vectors.remove(await store.vectorShards((await requireRecipe(store, 'images')).space, 'images'));
  await assert.rejects(
    discover(workspace, true, () => again++),
    { code: 'NOT_FOUND' },
  );
  assert.equal(again, 1);
});
