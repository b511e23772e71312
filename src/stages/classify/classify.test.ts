/** One classifier after another, with made-up classifiers: wherever a run ends, no label of another one is left in the end. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { addPlainImages } from '../../../test/fixtures/plain-images.ts';
import { sha256Hex } from '../../core/ids.ts';
import { workspaceOf } from '../../jobs/workspace.ts';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { arrowVectorStore } from '../../vectors/folder-vectors.ts';
import { forget } from '../forget/forget.ts';
import { openPredictions } from '../predictions.ts';
import { classifyIn } from './classify.ts';

const OPTIONS = { seed: 0, threads: 1, shardSize: 3 };
const IMAGES = 11;
const SIDE = 4;

/** Of each classifier: from which red on an image is dark or light, how sure it is of it, and what it is unsure of. */
const CLASSIFIERS = {
  a: { key: 'class@aaaaaaaaaaaaaaaa', light: 100, sure: 0.9, unsure: 3 },
  b: { key: 'class@bbbbbbbbbbbbbbbb', light: 160, sure: 0.97, unsure: 4 },
} as const;
type Name = keyof typeof CLASSIFIERS;

function classifier(name: Name): Parameters<typeof classifyIn>[1] {
  const { key, light, sure, unsure } = CLASSIFIERS[name];
  return {
    key,
    info: {
      version: 1,
      task: 'class',
      items: 'images',
      classNames: ['dark', 'light'],
      input: { width: SIDE, height: SIDE, fit: 'cover', pad: [0, 0, 0], kernel: 'linear' },
      margin: null,
      embedder: 'red@1',
      space: 'red@1',
      temperature: 1,
      threshold: 0.8,
      training: {},
    },
    classify: async ([red = 0]) => {
      const most = red % 5 === unsure ? 0.6 : sure;
      return red >= light ? Float32Array.of(1 - most, most) : Float32Array.of(most, 1 - most);
    },
  };
}

async function prepare(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-classify-'));
  const store = await openStore(dir);
  t.after(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });
  const files = new Map<string, Uint8Array>();
  for (let n = 0; n < IMAGES; n++) {
    const background = { r: 23 * n, g: 50, b: 50 };
    const picture = sharp({ create: { width: 8, height: 8, channels: 3, background } });
    files.set(`/photos/${n}.png`, await picture.png().toBuffer());
  }
  const ids = [...files.values()].map((bytes) => sha256Hex(bytes));
  await addPlainImages(
    store,
    [...files.keys()].map((path, i) => ({ path, id: ids[i] })),
    { format: 'png', width: 8, height: 8 },
  );
  const vectors = arrowVectorStore(dir);
  const readBytes = async ({ path }: { path: string }) => Uint8Array.from(files.get(path) as Uint8Array);

  const workspace = (of: Store) => workspaceOf(dir, of, { vectors });

  /** Ends with an error at that one of its writes, counted from 0; default: not at all. */
  const run = async (name: Name, endsAt = Number.POSITIVE_INFINITY) => {
    let left = endsAt;
    const counted = <Args extends unknown[], T>(write: (...args: Args) => Promise<T>) => {
      return async (...args: Args) => {
        if (left-- <= 0) throw new Error('killed');
        return write(...args);
      };
    };
    const ending = {
      ...store,
      clearVectorShards: counted(store.clearVectorShards),
      putArtifact: counted(store.putArtifact),
      clearMachineLabels: counted(store.clearMachineLabels),
      putLabels: counted(store.putLabels),
      putVectorShard: counted(store.putVectorShard),
    };
    return classifyIn(workspace(ending), classifier(name), OPTIONS, readBytes);
  };

  /** Labels and guesses of every image. */
  const outcome = async () => {
    const labels = await store.labelsOf(ids, 'class');
    const guesses = await openPredictions({ store, vectors }, 'class');
    const best = await guesses?.best(ids);
    return ids.map((id) => {
      const said = labels.get(id)?.map(({ className, confidence, origin }) => ({ className, confidence, origin }));
      return { labels: said ?? [], guess: best?.get(id) };
    });
  };
  return { run, outcome, store, ids, workspace, readBytes };
}

test('a classifier after another one that was killed, or after itself: the labels are those of an undisturbed run', async (t) => {
  const expected = new Map<Name, unknown>();
  for (const name of ['a', 'b'] as const) {
    const { run, outcome } = await prepare(t);
    await run(name);
    const undisturbed = await outcome();
    const labelled = undisturbed.filter(({ labels }) => labels.length > 0).length;
    assert.ok(labelled > 0 && labelled < IMAGES, 'some it is unsure of');
    expected.set(name, undisturbed);
  }
  assert.notDeepEqual(expected.get('a'), expected.get('b'));

  // Two writes, three a shard of four, and two.
  for (const endsAt of [0, 1, 2, 4, 8, 12, 14, 15]) {
    for (const last of ['a', 'b'] as const) {
      const { run, outcome } = await prepare(t);
      await run('a');
      await assert.rejects(run('b', endsAt), /killed/);
      const { counts } = await run(last);
      assert.deepEqual(await outcome(), expected.get(last), `a, b ended at write ${endsAt}, ${last}`);
      if (endsAt === 8 && last === 'b') assert.equal(counts.classified, IMAGES - 6, 'it goes on where it was');
      await assert.rejects(run(last === 'a' ? 'b' : 'a', endsAt), /killed/);
      await run(last);
      assert.deepEqual(await outcome(), expected.get(last), `and the other ended at ${endsAt}, ${last} again`);
    }
  }
});

test('images that forget takes away meanwhile: it goes on with those that are left, and says so', async (t) => {
  const undisturbed = await prepare(t);
  await undisturbed.run('a');
  const { store, ids, workspace, readBytes, outcome } = await prepare(t);
  const gone = ids.filter((_, i) => i % 3 === 0);
  let commits = 0;
  const beside = {
    ...store,
    /** When the first shard is in the record, and the second was looked at. */
    async clearMachineLabels(...given: Parameters<typeof store.clearMachineLabels>) {
      if (commits++ === 1) await forget(workspace(store), gone, OPTIONS);
      return store.clearMachineLabels(...given);
    },
  };
  let again = 0;
  await classifyIn(workspace(beside), classifier('a'), { ...OPTIONS, onAgain: () => again++ }, readBytes);
  assert.equal(again, 1);
  const expected = (await undisturbed.outcome()).filter((_, i) => i % 3 !== 0);
  assert.deepEqual(
    (await outcome()).filter((_, i) => i % 3 !== 0),
    expected,
  );
  assert.equal(await store.countImages(), IMAGES - gone.length);
});
