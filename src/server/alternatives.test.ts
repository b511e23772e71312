/** What the page proposes instead of a class comes from the predictions, less what a person refused. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../../test/cli.ts';
import { addEmbedded } from '../../test/fixtures/embedded.ts';
import { sha256Hex } from '../core/ids.ts';
import { openWorkspace } from '../jobs/workspace.ts';
import { matrix } from '../math/matrix.ts';
import { putPredictions } from '../stages/predictions.ts';
import { alternativesTo } from './alternatives.ts';

const ids = ['a', 'b', 'c'].map((name) => sha256Hex(name)).sort();
const [a = '', b = '', c = ''] = ids;
const TASK = 'class';
const ROWS = [
  [0.5, 0.3, 0.19, 0.01],
  [0.6, 0.1, 0.3, 0],
  [0.9, 0.05, 0.05, 0],
];

test('the likeliest other classes, but for those refused and those held out', async (t) => {
  const workspace = await openWorkspace(join(await scratch(t), '.labelsmith'), { create: true });
  t.after(() => workspace.close());
  const { store, dir } = workspace;
  await addEmbedded(
    store,
    dir,
    ids.map((id, n) => ({ id, path: `/photos/${n}.jpg`, vector: [1, n] })),
  );
  const asked = { task: TASK, className: 'cat', itemIds: ids };
  assert.deepEqual(await alternativesTo(workspace, asked), [], 'no model has looked');

  const classNames = ['cat', 'cow', 'dog', 'owl'];
  const set = { task: TASK, items: 'images', origin: 'model', classNames, runId: null, key: 'k' } as const;
  await putPredictions(workspace, set, ids, matrix(Float32Array.from(ROWS.flat()), ids.length, classNames.length));
  const refused = { task: TASK, present: false, origin: 'human', confidence: 1, runId: null } as const;
  await store.putLabels([{ ...refused, itemId: b, className: 'dog' }]);
  await store.holdOut({ task: TASK, atMs: 0, seed: 0, items: [c] });
  const names = (await alternativesTo(workspace, asked)).map(({ itemId, classes }) => [
    itemId,
    classes.map(({ className }) => className),
  ]);
  assert.deepEqual(names, [
    [a, ['cow', 'dog']],
    [b, ['cow']],
  ]);
});
