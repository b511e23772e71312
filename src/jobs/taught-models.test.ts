import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../../test/contracts/store/fixtures.ts';
import { describeShared } from '../../test/fleet/shared-place.ts';
import { randomTensor } from '../../test/random-tensor.ts';
import { createModels } from '../models/models.ts';
import { Graph } from '../onnx/ops.ts';
import { copyWorkspace } from './copy.ts';
import { shareTaught, taughtPath } from './taught-files.ts';
import { entryAt } from './taught-models.ts';
import { openWorkspace } from './workspace.ts';

/** Eight channels of a picture of 16 by 16, by weights of chance. @param name other weights by another */
function network(name: string): Uint8Array {
  const g = new Graph(name);
  const weights = g.constant(randomTensor([8, 3, 3, 3], name, 0.5), 'weights');
  const bias = g.constant(randomTensor([8], `${name}/b`, 0.1), 'bias');
  const x = g.conv(g.input('input', 'float32', ['n', 3, 16, 16]), weights, bias, { pads: [1, 1, 1, 1] });
  g.output(g.op('Flatten', [g.globalAveragePool(g.relu(x))], { axis: 1 }, 'features'));
  return g.toModel();
}

describeShared('models that were taught in a workspace of many machines', (place) => {
  test('are opened by name elsewhere, anew when they were taught anew, and go along with a copy', async (t) => {
    const machine = async (folder: string) => {
      const cacheDir = join(folder, 'cache');
      const models = createModels({ cacheDir, offline: true });
      const address = `${place.url}?schema=models`;
      const opened = await openWorkspace(address, { create: true, blobsAt: join(place.dir, 'models'), models });
      t.after(() => opened.close());
      // The folders of two machines.
      const workspace = { ...opened, dir: join(folder, 'here') };
      const { withTaughtModels } = await import('./taught-models.ts');
      return { models, workspace: { ...workspace, models: withTaughtModels(models, workspace) } };
    };
    const [a, b] = [await machine(scratch(t)), await machine(scratch(t))];
    const teach = async (name: string) => {
      const path = taughtPath(a.workspace, 'mine.embedder.onnx');
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, network(name));
      await a.models.importFile(path, { name: 'mine', role: 'embedder', replace: true });
      const entry = await a.models.imported('mine');
      assert.ok(entry);
      await a.models.adopt(entryAt(entry, path));
      await shareTaught(a.workspace, 'mine.embedder.onnx', await readFile(path), entryAt(entry, path));
      return (await a.models.prepareEmbedder('mine')).key;
    };
    await assert.rejects(b.workspace.models.prepareEmbedder('mine'), { code: 'USAGE' });
    const key = await teach('first');
    assert.equal((await b.workspace.models.prepareEmbedder('mine')).key, key);
    const anew = await teach('second');
    assert.notEqual(anew, key);
    assert.equal((await b.workspace.models.prepareEmbedder('mine')).key, anew);

    const [folder, third] = [scratch(t), createModels({ cacheDir: join(scratch(t), 'cache'), offline: true })];
    const to = join(folder, 'back');
    await copyWorkspace({ from: `${place.url}?schema=models`, to, models: third });
    assert.equal((await third.prepareEmbedder('mine')).key, anew);
    const again = `${place.url}?schema=again`;
    await copyWorkspace({ from: to, to: again, blobsAt: join(folder, 'blobs'), models: third });
    const fourth = createModels({ cacheDir: join(scratch(t), 'cache'), offline: true });
    const last = await openWorkspace(again, { create: false, models: fourth });
    t.after(() => last.close());
    assert.equal((await last.models.prepareEmbedder('mine')).key, anew);
  });
});
