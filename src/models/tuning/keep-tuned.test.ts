/** Which names an embedder that was fine-tuned can be kept under: the cache is shared by all workspaces. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EmbedderEntry } from '../bundle.ts';
import { keepImported } from '../registry.ts';
import { refuseTunedName } from './keep-tuned.ts';

const PATH = '/one/.labelsmith/models/mine.embedder.onnx';

const ENTRY: EmbedderEntry = {
  id: 'mine',
  role: 'embedder',
  licence: 'MIT',
  description: 'kept',
  source: { files: [{ reference: `file:${PATH}` }], converter: 'onnx' },
  input: {
    name: 'input',
    width: 8,
    height: 8,
    fit: 'cover',
    pad: [0, 0, 0],
    kernel: 'linear',
    layout: 'NCHW',
    scale: 1,
  },
  output: 'features',
  dimensions: 4,
  tuned: { of: 'small', task: 'class' },
};

test('one of the same workspace and task gives way; any other model keeps its name', async (t) => {
  const cache = await mkdtemp(join(tmpdir(), 'keep-tuned-'));
  t.after(() => rm(cache, { recursive: true }));
  const refuse = (name: string, path = PATH, task = 'class') => refuseTunedName(name, { path, task }, cache);
  await refuse('mine');
  await keepImported(ENTRY, cache);
  await refuse('mine');
  await assert.rejects(
    refuse('mine', PATH.replace('one', 'two')),
    /mine is an embedder that was kept from another workspace/,
  );
  await assert.rejects(refuse('mine', PATH, 'other'), /mine is an embedder that was kept from the task class/);
  await keepImported({ ...ENTRY, tuned: undefined }, cache);
  await assert.rejects(refuse('mine'), /mine is an imported model/);
  for (const name of ['a b', 'm'.repeat(300), 'mobilenetv3-small']) {
    await assert.rejects(
      refuse(name),
      (error: unknown) => /--keep-embedder/.test((error as { hint?: string }).hint ?? ''),
      name,
    );
  }
});
