/** How SQLite goes about pages of items: by an index that has them in their order, whatever is asked. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { DATABASE_FILE, storeOver } from '../open.ts';
import type { Query } from '../sql/driver.ts';
import type { ItemFilter, ItemOrder } from '../store.ts';
import { openSqlite } from './driver.ts';

const IN_TASK: ItemFilter = { task: 'class' };
const OF_CLASS: ItemFilter = { task: 'class', className: 'dog' };

/** What is walked: the first table that a page looks at, and by which index, behind a cursor. */
const WALKED: readonly (readonly [ItemFilter, ItemOrder, string])[] = [
  [{}, 'id', 'image USING PRIMARY KEY (id>?)'],
  [{ path: 'x' }, 'id', 'named USING COVERING INDEX image_path_by_image (image_id>?)'],
  [{ flag: 'dark' }, 'id', 'image USING PRIMARY KEY (id=?)'],
  [{ groupId: '0'.repeat(64) }, 'id', 'image USING PRIMARY KEY (id=?)'],
  [{ ...IN_TASK, state: 'unlabelled' }, 'id', 'image USING PRIMARY KEY (id>?)'],
  [{ task: 'objects' }, 'id', 'region USING PRIMARY KEY ((image_id,id)>(?,?))'],
  [{ ...IN_TASK, state: 'labelled' }, 'id', 'asked USING PRIMARY KEY (image_id>?)'],
  [{ ...IN_TASK, minConfidence: 0.5 }, 'id', 'asked USING PRIMARY KEY (image_id>?)'],
  [{ ...IN_TASK, origins: ['human'] }, 'id', 'asked USING COVERING INDEX label_human (image_id>?)'],
  [OF_CLASS, 'id', 'asked USING INDEX label_by_class (class_id=? AND task_id=? AND origin=? AND image_id>?)'],
  [
    { ...IN_TASK, cluster: 'dog' },
    'id',
    'of_cluster USING COVERING INDEX label_by_class (class_id=? AND task_id=? AND origin=? AND image_id>?)',
  ],
  [IN_TASK, 'confidence', 'asked USING INDEX label_by_confidence (task_id=? AND (confidence,image_id)<(?,?))'],
  [IN_TASK, 'uncertainty', 'asked USING INDEX label_by_confidence (task_id=? AND (confidence,image_id)>(?,?))'],
  [
    { task: 'objects', maxConfidence: 0.6 },
    'confidence',
    'asked USING INDEX label_by_confidence (task_id=? AND (confidence,image_id,region_id)<(?,?,?))',
  ],
  [
    OF_CLASS,
    'uncertainty',
    'asked USING INDEX label_of_class_by_confidence (class_id=? AND task_id=? AND (confidence,image_id)>(?,?))',
  ],
  [{}, 'newest', 'image USING COVERING INDEX image_by_time (<expr><?)'],
  [{ task: 'objects' }, 'oldest', 'image USING COVERING INDEX image_by_time (<expr>>?)'],
];

test('a page goes by an index that has its items in order, and never through a whole table', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-store-'));
  const file = join(dir, DATABASE_FILE);
  const driver = await openSqlite({ file, busyTimeoutMs: 1000 });
  const asked: { sql: string; parameters: readonly unknown[] }[] = [];
  const analyse: typeof driver.analyse = (query: Query<never>) => {
    asked.push(query.compile());
    return driver.analyse(query);
  };
  const store = await storeOver({ ...driver, analyse }, { pageSize: 3, leaseMs: 1000, actor: '' });
  const db = new DatabaseSync(file);
  t.after(async () => {
    db.close();
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  await store.ensureClasses(['dog']);
  // Every index there may be is there, so that none is taken in another's place.
  for (const [filter, order] of WALKED) await store.page({ filter, order, limit: 1 });

  for (const [filter, order, walked] of WALKED) {
    asked.length = 0;
    const cursor = Buffer.from(JSON.stringify([order, 0.5, 'a'.repeat(64), ''])).toString('base64url');
    await store.page({ filter, order, limit: 10, after: cursor });
    const [query] = asked;
    const parameters = query.parameters.map((value) => (value instanceof Uint8Array ? value : Number(value)));
    const steps = db
      .prepare(`EXPLAIN QUERY PLAN ${query.sql}`)
      .all(...parameters)
      .map(({ detail }) => String(detail));
    const name = `${JSON.stringify(filter)} ${order}\n${steps.join('\n')}`;
    assert.equal(
      steps.find((step) => step.startsWith('SEARCH')),
      `SEARCH ${walked}`,
      name,
    );
    assert.doesNotMatch(steps.join('\n'), /SCAN (?!part_\d|flagged USING COVERING INDEX image_flagged)/, name);
    // Parts of a class are each in order, and what is merged is a page of each.
    const sorts = steps.filter((step) => step === 'USE TEMP B-TREE FOR ORDER BY').length;
    const parts = steps.filter((step) => step.startsWith('SCAN part_')).length;
    assert.equal(sorts, parts, name);
  }
});
