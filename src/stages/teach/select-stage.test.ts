/** What is asked, and how large an audit set is advised. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../../../test/contracts/store/fixtures.ts';
import { addEmbedded } from '../../../test/fixtures/embedded.ts';
import { sha256Hex } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { localEngine } from '../../jobs/local-engine.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import { newSharedMatrix, rowsOf } from '../../math/matrix.ts';
import { putPredictions } from '../predictions.ts';
import { everyItem, type TaskItems, taskVectors } from './items.ts';
import { selectItems } from './select.ts';
import { auditToAdvise, selectIn } from './select-stage.ts';

type Items = Parameters<typeof auditToAdvise>[0];

/** Items of which the first so many have a label, and so many others are audited. @param size of a group */
function itemsOf(count: number, labelled: number, audited = 0, size = 1): Items {
  const ids = Array.from({ length: count }, (_, i) => `item-${i}` as TaskItems['ids'][number]);
  return {
    ids,
    groups: ids.map((_, i) => `${Math.floor(i / size)}`),
    annotations: ids.map((_, i) => (i < labelled ? { kind: 'class', className: 'a' } : { kind: 'nothing' })),
    audit: new Set(ids.slice(labelled, labelled + audited)),
  } as Items;
}

test('a hundred, or so many that a quarter of all items stays outside, and none that is labelled', () => {
  assert.equal(auditToAdvise(itemsOf(400, 40)), 100);
  assert.equal(auditToAdvise(itemsOf(80, 10)), 60);
  assert.equal(auditToAdvise(itemsOf(80, 50)), 30);
  assert.equal(auditToAdvise(itemsOf(80, 10, 20)), 40);
  assert.equal(auditToAdvise(itemsOf(80, 8, 0, 4)), 15, 'each takes its group of four along');
  assert.equal(auditToAdvise(itemsOf(8, 8)), 0);
});

const IDS = Array.from({ length: 200 }, (_, n) => sha256Hex(`item ${n}`));
const KINDS = 4;
const SET = { task: 'class', items: 'images', origin: 'model', classNames: ['a', 'b'], runId: null, key: 'k' } as const;

/** Near the axis of one of some kinds; a tenth has a label, some are audited, and some pairs are of one group. */
async function pileIn({ store, dir, vectors }: Workspace): Promise<void> {
  const random = seededRandom(4);
  const items = IDS.map((id, n) => ({
    id,
    path: `/photos/${n}.jpg`,
    vector: Array.from({ length: 8 }, (_, j) => Number(j === n % KINDS) + 1.2 * random()),
  }));
  await addEmbedded(store, dir, items, vectors);
  await store.putGroups(new Map(IDS.flatMap((id, n) => (n % 10 === 3 ? [[IDS[n - 3], id] as const] : []))));
  await store.ensureTask({ name: 'class', rule: 'single', items: 'images' });
  const said = (n: number, className: string) =>
    ({ itemId: IDS[n], task: 'class', className, present: true, origin: 'human', confidence: 1, runId: null }) as const;
  await store.putLabels(IDS.flatMap((_, n) => (n % 10 === 0 ? [said(n, n % 20 === 0 ? 'a' : 'b')] : [])));
  await store.holdOut({ task: 'class', atMs: 0, seed: 0, items: IDS.slice(150, 160) });
}

test('of many items some are read alone, and what is asked is what is chosen with every vector in memory', async (t) => {
  const workspace = await openWorkspace(join(scratch(t), 'workspace'), { create: true, engine: localEngine() });
  t.after(() => workspace.close());
  await pileIn(workspace);
  const items = await everyItem(workspace, await taskVectors(workspace, 'class'));
  const taken = new Set<string>();
  const labelled = new Set<number>();
  const excluded = new Set<number>();
  for (const [row, id] of items.ids.entries()) if (items.audit.has(id)) taken.add(items.groups[row]);
  for (const [row, { kind }] of items.annotations.entries()) {
    if (taken.has(items.groups[row])) excluded.add(row);
    else if (kind === 'class') labelled.add(row);
  }
  const random = seededRandom(5);
  const probabilities = newSharedMatrix(IDS.length, 2);
  for (let row = 0; row < IDS.length; row++) {
    const share = Math.fround(random());
    probabilities.data.set([share, Math.fround(1 - share)], 2 * row);
  }
  const run = { seed: 3, threads: 1 };
  for (const model of ['none', 'some', 'all'] as const) {
    // A model that has not seen every item asks nothing.
    const seen = model === 'none' ? 0 : IDS.length - Number(model === 'some');
    if (seen > 0) await putPredictions(workspace, SET, items.ids.slice(0, seen), rowsOf(probabilities, 0, seen));
    const { features, groups } = items;
    const whole = {
      features,
      groups,
      labelled,
      excluded,
      classes: 2,
      probabilities: model === 'all' ? probabilities : null,
    };
    for (const most of [60, 1000]) {
      const expected = await workspace.engine.withInference(run, (pool) =>
        selectItems(pool, whole, { seed: run.seed, count: 12, most }),
      );
      const { questions, counts } = await selectIn(workspace, { ...run, task: 'class', audit: 0, count: 12, most });
      assert.deepEqual(
        questions.map(({ itemId, why }) => [itemId, why]),
        expected.map(({ row, why }) => [items.ids[row], why]),
        `${model}, ${most}`,
      );
      assert.deepEqual([counts.items, counts.selected, counts.labelled], [IDS.length, 12, labelled.size]);
      assert.ok(questions.every(({ why }) => why === (model === 'all' ? 'unsure' : 'typical')));
    }
  }
});
