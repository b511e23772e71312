/** The stage with a made-up embedder that sees colours: whose the references are, what is labelled, what is told. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { addEmbedded } from '../../../test/fixtures/embedded.ts';
import { memoryEntry } from '../../../test/fixtures/memory-entry.ts';
import { sha256Hex } from '../../core/ids.ts';
import { change } from '../../corpus/corpus.ts';
import { localEngine } from '../../jobs/local-engine.ts';
import { workspaceOf } from '../../jobs/workspace.ts';
import type { Embedder } from '../../models/embedder.ts';
import { createModels } from '../../models/models.ts';
import { openSource } from '../../sources/open.ts';
import type { Source, SourceItem } from '../../sources/source.ts';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { arrowVectorStore } from '../../vectors/folder-vectors.ts';
import { fitMean, requireRecipe } from '../embed/recipe.ts';
import { forget } from '../forget/forget.ts';
import { openPredictions } from '../predictions.ts';
import { type MatchOptions, matchIn } from './match.ts';

const COLOURS = { red: [1, 0, 0], green: [0, 1, 0], blue: [0, 0, 1] } as const;
type Colour = keyof typeof COLOURS;

/** The first pixel. */
const firstPixel = (pixels: Uint8Array) => Float32Array.from(pixels.subarray(0, 3), (value) => value / 255);

const embedder: Embedder = {
  key: 'made-up@1',
  id: 'made-up',
  dimensions: 3,
  blocks: [{ columns: 3, weight: 1 }],
  input: { width: 4, height: 4, fit: 'cover', pad: [0, 0, 0], kernel: 'linear' },
  batch: 1,
  gathered: 1,
  capacity: 1,
  votes: null,
  embed: async (pixels) => firstPixel(pixels),
  look: async (pixels) => ({ embeddings: firstPixel(pixels), votes: null }),
  close: async () => {},
};

const OPTIONS: MatchOptions = {
  seed: 0,
  threads: 1,
  task: 'class',
  replace: false,
};

/** A picture that is nearly of the colour, another one for each number. */
async function picture(colour: Colour, n: number): Promise<Uint8Array> {
  const [r, g, b] = COLOURS[colour].map((value) => (value === 1 ? 255 - n : n)) as [number, number, number];
  return sharp({ create: { width: 8, height: 8, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer();
}

/** Files at these paths below /refs. */
function sourceOf(files: ReadonlyMap<string, Uint8Array>): Source {
  async function* list(): AsyncGenerator<SourceItem> {
    for (const [path, bytes] of files) {
      yield { kind: 'entry', entry: memoryEntry(`/refs/${path}`, '/refs', bytes) };
    }
  }
  return { spec: 'refs', root: '/refs', list };
}

/** Two references of each colour in a folder of its name. */
async function references(...colours: readonly Colour[]): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const colour of colours) for (const n of [1, 2]) files.set(`${colour}/${n}.png`, await picture(colour, n));
  return files;
}

/** So many embedded images of each colour. */
async function prepare(t: TestContext, each = 10) {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-match-'));
  const store = await openStore(dir);
  t.after(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });
  const items = Object.entries(COLOURS).flatMap(([colour, vector]) =>
    Array.from({ length: each }, (_, n) => ({
      id: sha256Hex(`${colour} ${n}`),
      path: `/photos/${colour}-${n}.jpg`,
      vector: vector.map((value) => Math.abs(value - 0.02 * n)),
    })),
  );
  await addEmbedded(store, dir, items);
  const recipe = await requireRecipe(store, 'images');
  await fitMean(store, arrowVectorStore(dir), recipe, await store.vectorShards(recipe.space, 'images'));
  const models = { ...createModels(), openEmbedder: async () => embedder };
  const workspace = workspaceOf(dir, store, { models });
  const labels = async () => {
    const found = await store.labelsOf(
      items.map(({ id }) => id),
      'class',
    );
    return items.flatMap(({ id, path }) => (found.get(id) ?? []).map(({ className }) => [path, className] as const));
  };
  return { store, workspace, items, labels };
}

test('of a few pictures too, a process that opens the record gives what the one that gathered the references gives', async (t) => {
  const { store, workspace, items } = await prepare(t, 3);
  const source = sourceOf(await references('red', 'green'));
  const matched = async (through: typeof workspace) => {
    await matchIn(through, source, OPTIONS);
    const found = await store.labelsOf(
      items.map(({ id }) => id),
      'class',
    );
    return items.map(({ id }) => found.get(id)?.map(({ className, confidence }) => [className, confidence]));
  };
  const here = await matched(workspace);
  assert.ok(here.some((labels) => labels !== undefined));
  const engine = localEngine();
  // As a worker: with no context of the command's.
  const apart = { ...engine, run: ((stage, job) => engine.run(stage, job)) satisfies typeof engine.run };
  assert.deepEqual(await matched({ ...workspace, engine: apart }), here);
});

test('references follow classes that were renamed and merged, and come apart again', async (t) => {
  const { store, workspace } = await prepare(t);
  const source = sourceOf(await references('red', 'green', 'blue'));
  const counts = async () =>
    (await matchIn(workspace, source, OPTIONS)).classes.map(({ name, references: all, images }) => [name, all, images]);
  const before = await counts();
  assert.deepEqual(before, [
    ['blue', 2, 10],
    ['green', 2, 10],
    ['red', 2, 10],
  ]);

  await change(store, { kind: 'rename', from: 'red', to: 'scarlet' });
  assert.deepEqual((await counts()).at(-1), ['scarlet', 2, 10]);

  await change(store, { kind: 'merge', names: ['scarlet'], into: 'green' });
  const merged = await matchIn(workspace, sourceOf(new Map()), OPTIONS);
  assert.deepEqual(
    merged.classes.map(({ name, references: all, confusedWith }) => [name, all, confusedWith]),
    [
      ['blue', 2, 'green'],
      ['green', 4, 'blue'],
    ],
  );
  assert.deepEqual((await openPredictions(workspace, 'class'))?.classNames, ['blue', 'green']);

  await store.undoCorpusChange();
  await store.undoCorpusChange();
  assert.deepEqual(await counts(), before);
});

test('one picture under two names of one class is no contradiction', async (t) => {
  const { store, workspace } = await prepare(t);
  const files = await references('red', 'green');
  files.set('scarlet/again.png', files.get('red/1.png') as Uint8Array);
  await assert.rejects(matchIn(workspace, sourceOf(files), OPTIONS), /is a reference of red and of scarlet/);
  await store.ensureClasses(['red']);
  await change(store, { kind: 'alias', name: 'red', synonym: 'scarlet' });
  const { classes } = await matchIn(workspace, sourceOf(files), OPTIONS);
  assert.deepEqual(
    classes.map(({ name, references: all }) => [name, all]),
    [
      ['green', 2],
      ['red', 2],
    ],
  );
});

test('one class alone is warned of, and its confidence says how near an image is', async (t) => {
  const { store, workspace, items } = await prepare(t);
  const { warnings, counts } = await matchIn(workspace, sourceOf(await references('red')), OPTIONS);
  assert.match(warnings.join('\n'), /^all references are of one class, "red"/);
  assert.equal(counts.labelled, 10);
  const ids = items.map(({ id }) => id);
  const labels = [...(await store.labelsOf(ids, 'class')).values()].flat();
  assert.ok(labels.every(({ confidence }) => confidence > 0.5 && confidence < 1));
  const best = await (await openPredictions(workspace, 'class'))?.best(ids);
  for (const { id, path } of items) {
    assert.equal((best?.get(id)?.confidence as number) > 0.5, path.includes('red'), path);
  }
});

test('a class whose folder holds nothing that can be read is named', async (t) => {
  const { workspace } = await prepare(t);
  const files = await references('red', 'green');
  assert.deepEqual((await matchIn(workspace, sourceOf(files), OPTIONS)).warnings, []);
  files.set('lamp/cut.png', (await picture('blue', 1)).slice(0, 40));
  const { warnings, problems } = await matchIn(workspace, sourceOf(files), OPTIONS);
  assert.deepEqual(warnings, ['no image can be of "lamp": no reference that can be read']);
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['/refs/lamp/cut.png'],
  );

  const root = mkdtempSync(join(tmpdir(), 'labelsmith-refs-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const folder of ['red', 'cup', '.hidden']) mkdirSync(join(root, folder));
  writeFileSync(join(root, 'red', '1.png'), files.get('red/1.png') as Uint8Array);
  const found = await matchIn(workspace, await openSource(root, { cwd: '/' }), OPTIONS);
  assert.deepEqual(found.warnings, ['no image can be of "cup": no reference that can be read']);
  await assert.rejects(
    matchIn(workspace, sourceOf(new Map([['lamp/cut.png', files.get('lamp/cut.png') as Uint8Array]])), {
      ...OPTIONS,
      replace: true,
    }),
    /no reference images in \/refs that can be used: \/refs\/lamp\/cut\.png/,
  );
});

test('a limit is a pilot: so many images get labels, all others keep theirs', async (t) => {
  const { workspace, labels } = await prepare(t);
  const source = sourceOf(await references('red', 'green', 'blue'));
  const pilot = await matchIn(workspace, source, { ...OPTIONS, limit: 5 });
  assert.deepEqual([pilot.pilot, pilot.counts.images, pilot.counts.labelled], [true, 5, 5]);
  const first = await labels();
  assert.equal(first.length, 5);
  assert.equal(await openPredictions(workspace, 'class'), undefined, 'a pilot says nothing of the whole');

  const whole = await matchIn(workspace, source, { ...OPTIONS, limit: 30 });
  assert.deepEqual([whole.pilot, whole.counts.images], [false, 30]);
  const all = await labels();
  assert.equal(all.length, 30);
  await matchIn(workspace, source, { ...OPTIONS, limit: 25 });
  assert.deepEqual(await labels(), all);
  assert.ok(await openPredictions(workspace, 'class'));
});

test('images that forget takes away meanwhile: it begins again with those that are left, and says so', async (t) => {
  const { store, workspace, items, labels } = await prepare(t);
  const source = sourceOf(await references('red', 'green', 'blue'));
  const gone = items.filter((_, i) => i % 3 === 0);
  let commits = 0;
  const beside: Store = {
    ...store,
    /** When the first file of vectors was compared, and the second not. */
    async clearMachineLabels(...given) {
      const ids = gone.map(({ id }) => id);
      if (commits++ === 0) await forget(workspace, ids, OPTIONS);
      return store.clearMachineLabels(...given);
    },
  };
  let again = 0;
  const { counts } = await matchIn({ ...workspace, store: beside }, source, { ...OPTIONS, onAgain: () => again++ });
  assert.equal(again, 1);
  assert.deepEqual([counts.images, counts.labelled], [20, 20]);
  const left = items.filter((item) => !gone.includes(item)).map(({ path }) => path);
  assert.deepEqual(
    (await labels()).map(([path, className]) => [path, path.includes(className)]),
    left.map((path) => [path, true]),
  );
});
