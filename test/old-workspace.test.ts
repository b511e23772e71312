/** A workspace that version 0.1.0 made (`fixtures/workspace-0.1.0/make.ts`) is opened by this one, and nothing is lost. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ORIGINS } from '../src/core/labels.ts';
import { openWorkspace, type Workspace } from '../src/jobs/workspace.ts';
import { savedModel } from '../src/stages/discover/cluster-model.ts';
import { savedMap } from '../src/stages/discover/map-record.ts';
import { requireMean, savedRecipe } from '../src/stages/embed/recipe.ts';
import { exportWorkspace } from '../src/stages/export/export.ts';
import { DATABASE_FILE } from '../src/store/open.ts';
import { all } from './contracts/store/fixtures.ts';

const FIXTURE = join(import.meta.dirname, 'fixtures', 'workspace-0.1.0');

async function opened(t: TestContext): Promise<Workspace> {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-old-'));
  writeFileSync(join(dir, DATABASE_FILE), gunzipSync(readFileSync(join(FIXTURE, 'labelsmith.sqlite.gz'))));
  const workspace = await openWorkspace(dir, { create: false });
  t.after(async () => {
    await workspace.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return workspace;
}

test('its exports are those that 0.1.0 made, but for a file that is gone', async (t) => {
  const { store, dir } = await opened(t);
  assert.deepEqual(await store.check(), []);
  const refused = () => Promise.reject(new Error('no pixels are needed'));
  for (const format of ['csv', 'jsonl'] as const) {
    const out = join(dir, `out.${format}`);
    const effects = { store, workspaceDir: join(dir, 'w'), read: refused, crop: refused };
    // All origins by name: where a model labels a task, labels of clusters stay out today unless they are asked for.
    await exportWorkspace(effects, format, out, { seed: 0, margin: 0, replace: false, origins: ORIGINS });
    const before = readFileSync(join(FIXTURE, `export.${format}`), 'utf8').split('\n');
    const kept = before.filter((line) => !line.includes('more/gone.png'));
    assert.ok(kept.length < before.length);
    assert.equal(readFileSync(out, 'utf8'), kept.join('\n'));
  }
});

test('what the record holds is counted as before', async (t) => {
  const { store } = await opened(t);
  const summary = await store.summary();
  assert.deepEqual(
    [summary.images, summary.goneImages, summary.paths, summary.missingPaths, summary.similarPairs],
    [24, 1, 26, 1, 7],
  );
  assert.equal((await all(store.images({ gone: true }))).length, 25);
  assert.deepEqual(
    (await store.runs()).map(({ stage }) => stage),
    ['detect', 'teach rounds', 'embed', 'import', 'teach select', 'embed', 'match', 'discover', 'embed', 'add', 'add'],
  );
  const dog = (await store.classes()).find(({ name }) => name === 'dog');
  assert.deepEqual([dog?.parent, dog?.synonyms], ['animal', ['grey wolf', 'wolf']]);
  assert.deepEqual(
    (await store.corpusHistory()).map(({ operation }) => operation),
    ['nest', 'merge', 'rename'],
  );
  assert.equal((await store.undoCorpusChange())?.operation, 'nest');
  assert.equal((await store.undoCorpusChange())?.operation, 'merge');
  assert.deepEqual(await store.check(), []);
  const [audit] = await store.audits('objects');
  assert.equal(audit?.items, 4);
});

test('what was kept in settings is found where it is kept now', async (t) => {
  const { store, dir } = await opened(t);
  const settings = settingsOfFixture(t);
  const parsed = (key: string) => JSON.parse(settings.get(key) ?? assert.fail(key));

  const held: string[] = parsed('audit:class');
  assert.equal(held.length, 4);
  assert.deepEqual(await store.heldOutItems('class'), new Set(held));
  assert.deepEqual(await store.auditedItems('class'), new Set(held));
  assert.deepEqual(
    (await store.audits()).map(({ task }) => task),
    ['objects'],
  );

  const clusters = await savedModel(store, 'class');
  const { k, members, clusters: named, space } = parsed('clusters:class');
  assert.deepEqual([clusters?.k, clusters?.space, clusters?.clusters], [k, space, named]);
  assert.equal(Buffer.from(clusters?.sample.join('') ?? '', 'hex').toString('base64'), members);
  assert.deepEqual(await savedMap(store, 'class'), parsed('map:class'));
  for (const task of ['class', 'kind']) {
    assert.deepEqual(JSON.parse((await store.artifact('predictions', task))?.data ?? ''), parsed(`guesses:${task}`));
  }

  const recipe = await savedRecipe(store, 'images');
  assert.deepEqual(recipe, parsed('embedding:images'));
  assert.ok(recipe !== undefined);
  const { count, mean } = parsed(`statistics:${space}`);
  const saved = await requireMean(store, recipe);
  assert.equal(saved.count, count);
  assert.deepEqual(saved.values, numbersOf(mean));
  const references: { id: string; className: string; vector: string }[] = parsed(`references:kind:${space}`);
  assert.equal(references.length, 2);
  assert.deepEqual(
    await store.references('kind', recipe.space),
    references.map(({ vector, ...reference }) => ({ ...reference, vector: numbersOf(vector) })),
  );

  const left = settingsIn(t, join(dir, DATABASE_FILE));
  assert.deepEqual([...left.keys()].sort(), ['embedding:images', `statistics:${space}`]);
});

const numbersOf = (base64: string) => new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);

function settingsOfFixture(t: TestContext): Map<string, string> {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-old-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, DATABASE_FILE);
  writeFileSync(file, gunzipSync(readFileSync(join(FIXTURE, 'labelsmith.sqlite.gz'))));
  return settingsIn(t, file);
}

function settingsIn(t: TestContext, file: string): Map<string, string> {
  const database = new DatabaseSync(file, { readOnly: true });
  t.after(() => database.close());
  return new Map(
    database
      .prepare('SELECT key, value FROM setting')
      .all()
      .map(({ key, value }) => [String(key), String(value)]),
  );
}
