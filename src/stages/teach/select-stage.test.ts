/** How large an audit set is advised. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskItems } from './items.ts';
import { auditToAdvise } from './select-stage.ts';

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
