import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { addImages, imageId, said, scratch, startRun } from '../../../test/contracts/store/fixtures.ts';
import { openStore } from '../../store/open.ts';
import { importLabels } from './import.ts';
import { newTaskText } from './new-tasks.ts';

async function imported(t: TestContext, csv: string, options: { readonly task?: string; readonly strict?: boolean }) {
  const dir = scratch(t);
  const store = await openStore(join(dir, '.labelsmith'));
  t.after(() => store.close());
  await addImages(store, 1);
  await store.ensureTask({ name: 'weather', rule: 'single', items: 'images' });
  await store.putLabels([said(imageId(0), 'Tabby Cat')]);
  await writeFile(join(dir, 'labels.csv'), csv);
  const before = await store.tasks();
  const told = importLabels(store, 'csv', join(dir, 'labels.csv'), options, await startRun(store, 'import'));
  return { told: told.then(({ newTasks }) => newTasks.map(newTaskText)), before, tasks: () => store.tasks() };
}

const ONE = 'file,class\n0000.jpg,sun\n';

for (const [task, text] of [
  ['weathr', '"weathr" is a new task (the workspace has class, objects, weather); did you mean "weather"?'],
  ['shape', '"shape" is a new task (the workspace has class, objects, weather)'],
  [
    'tabby  cat',
    '"tabby cat" is a new task (the workspace has class, objects, weather), and the name of a class: a task is a set of classes',
  ],
] as const) {
  it(`tells of the new task ${task}, and makes none with --strict`, async (t) => {
    assert.deepEqual(await (await imported(t, ONE, { task })).told, [text]);
    const { told, before, tasks } = await imported(t, ONE, { task, strict: true });
    await assert.rejects(told, { code: 'REFUSED', message: `Nothing was imported, as --strict asks: ${text}` });
    assert.deepEqual(await tasks(), before);
  });
}

it('says nothing of a task that is there, and takes one that the file names', async (t) => {
  assert.deepEqual(await (await imported(t, ONE, { task: 'weather', strict: true })).told, []);
  const named = await imported(t, 'file,class,task\n0000.jpg,sun,sky\n', { strict: true });
  assert.deepEqual(await named.told, ['"sky" is a new task (the workspace has class, objects, weather)']);
  assert.ok((await named.tasks()).some(({ name }) => name === 'sky'));
});
