import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../../test/contracts/store/fixtures.ts';
import { describeShared } from '../../test/fleet/shared-place.ts';
import {
  classifierFile,
  fileNameOf,
  keepTaught,
  shareTaught,
  TAUGHT_BLOBS,
  taughtFile,
  taughtVersion,
} from './taught-files.ts';
import { openWorkspace } from './workspace.ts';

test('names of tasks become names of files that cannot leave their folder or meet', () => {
  assert.equal(fileNameOf('class'), 'class');
  assert.doesNotMatch(fileNameOf('../a b/Ü'), /[/\s.]/);
  assert.notEqual(fileNameOf('A'), fileNameOf('a'));
  assert.notEqual(classifierFile('a.base'), classifierFile('a', { base: true }));
});

test('in a folder a name means the file that has it', async (t) => {
  const workspace = await openWorkspace(join(scratch(t), 'w'), { create: true });
  t.after(() => workspace.close());
  assert.equal(await taughtFile(workspace, 'class.onnx'), undefined);
  const path = await keepTaught(workspace, 'class.onnx', Uint8Array.of(1));
  assert.equal(path, join(workspace.dir, 'models', 'class.onnx'));
  assert.equal(await taughtFile(workspace, 'class.onnx'), path);
});

describeShared('what was taught in a workspace of many machines', (place) => {
  /** Each machine has a cache of its own. */
  async function machine(t: Parameters<typeof scratch>[0], schema: string) {
    const before = process.env.LABELSMITH_CACHE;
    process.env.LABELSMITH_CACHE = scratch(t);
    try {
      const address = `${place.url}?schema=${schema}`;
      const workspace = await openWorkspace(address, { create: true, blobsAt: join(place.dir, schema) });
      t.after(() => workspace.close());
      return workspace;
    } finally {
      if (before === undefined) delete process.env.LABELSMITH_CACHE;
      else process.env.LABELSMITH_CACHE = before;
    }
  }

  test('is found by another machine, and by all when it is taught anew', async (t) => {
    const [a, b] = [await machine(t, 'taught'), await machine(t, 'taught')];
    assert.notEqual(a.dir, b.dir);
    assert.equal(await taughtFile(b, 'class.onnx'), undefined);
    await keepTaught(a, 'class.onnx', Uint8Array.of(1, 2));
    const path = (await taughtFile(b, 'class.onnx')) ?? '';
    assert.deepEqual(await readFile(path), Buffer.of(1, 2));
    assert.equal(path, join(b.dir, 'models', 'class.onnx'));
    const version = await taughtVersion(b, 'class.onnx');
    // A copy that somebody damaged is made again.
    await writeFile(path, 'x');
    await taughtFile(b, 'class.onnx');
    assert.deepEqual(await readFile(path), Buffer.of(1, 2));

    await keepTaught(b, 'class.onnx', Uint8Array.of(3));
    assert.deepEqual(await readFile((await taughtFile(a, 'class.onnx')) ?? ''), Buffer.of(3));
    assert.notEqual(await taughtVersion(a, 'class.onnx'), version);
    // What nobody names any more is not kept.
    const kept: string[] = [];
    for await (const { key } of a.blobs.list(TAUGHT_BLOBS)) kept.push(key);
    assert.equal(kept.length, 1);
  });

  test('is not there before its record is, and is told where its blob is gone', async (t) => {
    const [a, b] = [await machine(t, 'half'), await machine(t, 'half')];
    const dies = new Error('killed');
    const store = { ...a.store, swapSetting: () => Promise.reject(dies) };
    await assert.rejects(shareTaught({ ...a, store }, 'class.onnx', Uint8Array.of(7)), dies);
    assert.equal(await taughtFile(b, 'class.onnx'), undefined);
    await shareTaught(a, 'class.onnx', Uint8Array.of(7));
    for await (const { key } of a.blobs.list(TAUGHT_BLOBS)) await a.blobs.delete(key);
    await assert.rejects(taughtFile(b, 'class.onnx'), {
      code: 'NOT_FOUND',
      message: /class\.onnx is gone from the blobs/,
    });
  });
});
