/** `discover` while `forget` takes images away: it is of those that are left. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
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
import type { DiscoverOptions } from './options.ts';

const OPTIONS = { seed: 0, threads: 1 };
const COLUMNS = 8;
const IMAGES = 40;
const GONE = 10;

const discover = (workspace: Workspace, changes: Partial<DiscoverOptions> = {}) =>
  discoverIn(workspace, { ...OPTIONS, k: 4, ...changes }, () =>
    Promise.reject(new LabelsmithError('NOT_FOUND', 'there are no files')),
  );

/** The kind of item n is n % 4. */
async function fourKinds(t: TestContext) {
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
  return { dir, store, items };
}

test('files that forget wrote anew: it begins again; files that are gone for no such reason are told', async (t) => {
  const { dir, store, items } = await fourKinds(t);
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
  const { counts } = await discover({ ...workspace, store: beside }, { onAgain: () => again++ });
  assert.ok(hasForgotten);
  assert.equal(again, 1, 'it says so');
  assert.deepEqual([counts.items, counts.assigned], [IMAGES - GONE, IMAGES - GONE]);
  const labels = await store.labelsOf(ids, 'class');
  assert.deepEqual([...labels.keys()].sort(), ids.slice(GONE).sort());

  await workspace.vectors.remove(await store.vectorShards((await requireRecipe(store, 'images')).space, 'images'));
  await assert.rejects(discover(workspace, { recluster: true, onAgain: () => again++ }), { code: 'NOT_FOUND' });
  assert.equal(again, 1);
});

test('a cluster of which all images were forgotten is not counted, until there is a tree without it', async (t) => {
  const { dir, store, items } = await fourKinds(t);
  const workspace = workspaceOf(dir, store);
  const numbers = async (changes: Partial<DiscoverOptions> = {}) => {
    const { counts, emptied, clusters } = await discover(workspace, changes);
    return { counted: counts.clusters, shown: clusters.length, emptied };
  };
  assert.deepEqual(await numbers(), { counted: 4, shown: 4, emptied: 0 });
  const ofOneKind = items.filter((_, n) => n % 4 === 1).map(({ id }) => id);
  await forget(workspace, ofOneKind, OPTIONS);
  assert.deepEqual(await numbers(), { counted: 3, shown: 3, emptied: 1 });
  const { counted, shown, emptied } = await numbers({ k: 8 });
  assert.deepEqual([shown, counted + emptied], [counted, 8]);
  assert.ok(emptied >= 1, `${emptied}`);
  // Of the three kinds that are left one is parted, since four are asked for.
  assert.deepEqual(await numbers({ recluster: true }), { counted: 4, shown: 4, emptied: 0 });
});
