/**
 * `discover` and `match` by real worker processes on a PostgreSQL, while `forget` takes files of vectors away that their shards are of.
 * Whoever ran the command is told by the workers that they are gone, and begins again with those that are left.
 */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { addEmbedded } from '../../../test/fixtures/embedded.ts';
import { describeShared } from '../../../test/fleet/shared-place.ts';
import { withWorkers } from '../../../test/fleet/workers.ts';
import { sha256Hex } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Engine, StageDefinition } from '../../jobs/stage.ts';
import { openWorkspace, type Workspace } from '../../jobs/workspace.ts';
import type { Embedder } from '../../models/embedder.ts';
import { openSource } from '../../sources/open.ts';
import { discoverIn } from '../discover/discover.ts';
import { fitMean, requireRecipe } from '../embed/recipe.ts';
import { forget } from '../forget/forget.ts';
import { matchIn } from '../match/match.ts';

const OPTIONS = { seed: 0, threads: 1 };
/** By a file of vectors for each twenty. */
const IMAGES = 120;
const CLASSES = 3;

const items = (() => {
  const random = seededRandom(1);
  return Array.from({ length: IMAGES }, (_, n) => ({
    id: sha256Hex(`item ${n}`),
    path: `/photos/${n}.jpg`,
    vector: Array.from({ length: CLASSES }, (_, j) => (j === n % CLASSES ? 1 : 0) + 0.1 * random()),
  }));
})();
/** One of each file but for a few. */
const gone = items.filter((_, n) => n % 5 === 0).map(({ id }) => id);
const left = items.map(({ id }) => id).filter((id) => !gone.includes(id));

/** Sees the colour of a picture. */
const embedder: Embedder = {
  key: 'made-up@1',
  id: 'made-up',
  dimensions: CLASSES,
  blocks: [{ columns: CLASSES, weight: 1 }],
  input: { width: 4, height: 4, fit: 'cover', pad: [0, 0, 0], kernel: 'linear' },
  batch: 1,
  gathered: 1,
  capacity: 1,
  votes: null,
  embed: async (pixels) => Float32Array.from(pixels.subarray(0, CLASSES), (value) => value / 255),
  look: async () => assert.fail('nothing is looked at'),
  close: async () => {},
};

/** Does what the engine does; when the shards of a stage are planned, and no worker has one, `work` is done once. */
function afterPlanOf(name: string, engine: Engine, work: () => Promise<unknown>): Engine {
  let isDone = false;
  return {
    ...engine,
    run<Settings, Context, Shard, Result>(
      stage: StageDefinition<Settings, Context, Shard, Result>,
      ...given: [Parameters<Engine['run']>[1] & { settings: Settings }, Context?]
    ) {
      if (stage.name !== name) return engine.run(stage, ...given);
      const planned: typeof stage = {
        ...stage,
        async *plan(context) {
          const shards: Shard[] = [];
          for await (const shard of stage.plan(context)) shards.push(shard);
          if (!isDone) await work();
          isDone = true;
          yield* shards;
        },
      };
      return engine.run(planned, ...given);
    },
  };
}

describeShared('a forget beside workers', (place) => {
  /** Embedded images in a schema of their own, and two workers. @returns labels of those that are left, and how often it was begun again */
  async function beside(
    schema: string,
    stage: string,
    run: (workspace: Workspace, onAgain: () => void) => Promise<unknown>,
  ): Promise<void> {
    const location = `${place.url}?schema=${schema}`;
    const workspace = await openWorkspace(location, { create: true, blobsAt: join(place.dir, schema) });
    try {
      const { store, vectors } = workspace;
      await addEmbedded(store, workspace.dir, items, vectors);
      const recipe = await requireRecipe(store, 'images');
      await fitMean(store, vectors, recipe, await store.vectorShards(recipe.space, 'images'));
      let again = 0;
      const { shards } = await withWorkers(location, { count: 2, cacheDir: place.dir }, (engine) => {
        const forgetting = afterPlanOf(stage, engine, () => forget(workspace, gone, OPTIONS));
        const models = { ...workspace.models, openEmbedder: async () => embedder };
        return run({ ...workspace, models, engine: forgetting }, () => again++);
      });
      assert.equal(again, 1, 'it says that it begins again');
      assert.ok(shards >= left.length / 20, `workers did ${shards} shards`);
      const labels = await store.labelsOf(
        items.map(({ id }) => id),
        'class',
      );
      assert.deepEqual([...labels.keys()].sort(), [...left].sort());
    } finally {
      await workspace.close();
    }
  }

  test('discover', async () => {
    await beside('discover', 'discover', async (workspace, onAgain) => {
      const noFiles = () => Promise.reject(new LabelsmithError('NOT_FOUND', 'there are no files'));
      const { counts } = await discoverIn(workspace, { ...OPTIONS, k: CLASSES, onAgain }, noFiles);
      assert.deepEqual([counts.items, counts.assigned], [left.length, left.length]);
    });
  });

  test('match', async () => {
    const refs = join(place.dir, 'refs');
    for (const [name, background] of Object.entries({ red: '#f00', green: '#0f0', blue: '#00f' })) {
      await mkdir(join(refs, name), { recursive: true });
      const picture = sharp({ create: { width: 8, height: 8, channels: 3, background } });
      await writeFile(join(refs, name, '1.png'), await picture.png().toBuffer());
    }
    const source = await openSource(refs, { cwd: '/' });
    await beside('match', 'match', async (workspace, onAgain) => {
      const { counts } = await matchIn(workspace, source, { ...OPTIONS, task: 'class', replace: false, onAgain });
      assert.deepEqual([counts.images, counts.labelled], [left.length, left.length]);
    });
  });
});
