/** The stage with a made-up detector and no image files: what is done again, what is left alone, what goes aside. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { addPlainImages } from '../../../test/fixtures/plain-images.ts';
import type { Detections } from '../../core/boxes.ts';
import { sha256Hex } from '../../core/ids.ts';
import { DEFAULT_ACCEPT_RULES } from '../../corpus/accept.ts';
import { LabelsmithError } from '../../errors.ts';
import { workspaceOf } from '../../jobs/workspace.ts';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { type DetectOptions, detectIn } from './detect.ts';
import { afterBoth } from './detect-in-doubt.ts';
import type { DetectContext } from './detect-stage.ts';
import type { DetectDecoding } from './find-in-image.ts';

const bytesOf = (i: number) => new TextEncoder().encode(`image ${i}`);
const IDS = Array.from({ length: 5 }, (_, i) => sha256Hex(bytesOf(i)));

/** A dog at .9 and a cat at .4 in every image. */
const FOUND: Detections = {
  count: 2,
  boxes: Float32Array.from([10, 10, 50, 50, 0, 0, 20, 20]),
  scores: Float32Array.from([0.9, 0.4]),
  classes: Int32Array.from([0, 1]),
};

const OPTIONS: DetectOptions = {
  seed: 0,
  threads: 1,
  shardSize: 2,
  rules: DEFAULT_ACCEPT_RULES,
  force: false,
  task: 'objects',
};

async function prepare(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-detect-'));
  const store = await openStore(dir);
  t.after(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });
  await addImages(store);
  let calls = 0;
  const detector: Parameters<typeof detectIn>[1] = {
    id: 'made-up',
    key: 'made-up@1',
    classNames: ['dog', 'cat'],
    input: { width: 8, height: 8, pad: [0, 0, 0], kernel: 'linear' },
    detect: async () => {
      calls++;
      return FOUND;
    },
  };
  const decoding: DetectDecoding = {
    readBytes: async ({ path }) => bytesOf(Number(/\d+/.exec(path)?.[0])),
    decode: async () => ({ pixels: new Uint8Array(192), width: 100, height: 100, scaleX: 0.08, scaleY: 0.08 }),
    decodeWithin: async (_bytes, longest) => ({
      pixels: new Uint8Array(3 * longest * longest),
      width: longest,
      height: longest,
    }),
  };
  const workspace = workspaceOf(dir, store);
  const detect = (options: DetectOptions, other: Partial<DetectDecoding & Pick<DetectContext, 'detector'>> = {}) =>
    detectIn(workspace, { ...detector, ...other.detector }, options, { ...decoding, ...other });
  return { store, detector, decoding, detect, calls: () => calls };
}

const addImages = (store: Store): Promise<string> =>
  addPlainImages(
    store,
    IDS.map((id, i) => ({ id, path: `/photos/${i}.jpg` })),
  );

async function boxCount(store: Store): Promise<number> {
  const regions = await store.regionsOf(IDS);
  return [...regions.values()].flat().filter(({ deleted }) => !deleted).length;
}

test('a second run does nothing, another threshold does not run the model, force does', async (t) => {
  const { store, detect, calls } = await prepare(t);
  const first = await detect(OPTIONS);
  assert.deepEqual(first.counts, {
    images: 5,
    detected: 5,
    regions: 10,
    byOthers: 0,
    shards: 3,
    quarantined: 0,
    away: 0,
  });
  assert.equal((await detect(OPTIONS)).counts.images, 0);

  const rules = { ...DEFAULT_ACCEPT_RULES, threshold: 0.5 };
  const stricter = await detect({ ...OPTIONS, rules });
  assert.deepEqual([stricter.counts.images, stricter.counts.detected], [5, 0]);
  assert.equal(await boxCount(store), 5);
  assert.equal(calls(), 5);

  assert.equal((await detect({ ...OPTIONS, rules, force: true })).counts.detected, 5);
  assert.equal(calls(), 10);
});

test('two runs side by side: each counts its own part', async (t) => {
  const { store, detect } = await prepare(t);
  const both = await Promise.all([detect(OPTIONS), detect(OPTIONS)]);
  const sum = (what: 'images' | 'detected' | 'regions') => both[0].counts[what] + both[1].counts[what];
  assert.deepEqual([sum('images'), sum('detected'), sum('regions')], [5, 5, 10]);
  // What one of them had done before the other was planned, that one never sees.
  for (const { counts } of both) assert.ok(counts.images + counts.byOthers <= 5);
  assert.equal(await boxCount(store), 10);
});

test('candidates that a run by other rules stored meanwhile are taken, the model does not run again', async (t) => {
  const { store, detect, calls, detector, decoding } = await prepare(t);
  let other: ReturnType<typeof detect> | undefined;
  const readBytes: DetectDecoding['readBytes'] = async (path) => {
    // A run of stricter rules does all images between the plan of this one and the last of its shards.
    other ??= detect({ ...OPTIONS, rules: { ...DEFAULT_ACCEPT_RULES, threshold: 0.5 } });
    await other;
    return decoding.readBytes(path);
  };
  const { counts } = await detect({ ...OPTIONS, shardSize: 1 }, { readBytes, detector });
  // What was under way was looked up before the other run had any.
  assert.ok(counts.detected < 5, `ran on ${counts.detected}`);
  assert.deepEqual([counts.images, counts.byOthers, calls()], [5, 0, 5 + counts.detected]);
  assert.equal(await boxCount(store), 10);
});

test('after two passes an image counts once: by this run, or by another', () => {
  const nothing = { detected: 8, regions: 0, shards: 1, quarantined: 0, away: 0 };
  const passOf = (images: number, byOthers: number, regions: number, interrupted = false) => ({
    counts: { ...nothing, images, byOthers, regions },
    interrupted,
  });
  const [mine, half] = [passOf(8, 8, 20), passOf(10, 2, 25)];
  const told = (again: ReturnType<typeof passOf>) => {
    const { images, byOthers, regions, detected } = afterBoth(mine, again);
    return { images, byOthers, regions, detected };
  };
  const detected = 8;
  assert.deepEqual(told(passOf(16, 0, 40)), { images: 16, byOthers: 0, regions: 40, detected });
  // Two were brought under the rules while this pass went on, four before it was planned.
  assert.deepEqual(told(half), { images: 10, byOthers: 6, regions: 25, detected });
  assert.deepEqual(told(passOf(0, 0, 0)), { images: 0, byOthers: 16, regions: 0, detected });
  // Images of runs before are gone over too.
  assert.deepEqual(told(passOf(116, 0, 300)), { images: 116, byOthers: 0, regions: 300, detected });
  assert.deepEqual(told(passOf(3, 0, 9, true)), { images: 8, byOthers: 8, regions: 20, detected });
});

test('a region that a person deleted does not come back, also with force', async (t) => {
  const { store, detect } = await prepare(t);
  await detect(OPTIONS);
  const id = IDS[0];
  const dog = (await store.regionsOf([id])).get(id)?.find(({ score }) => (score ?? 0) > 0.5);
  await store.deleteRegionsAsHuman([dog?.id as string]);
  await detect({ ...OPTIONS, force: true });
  const left = (await store.regionsOf([id])).get(id)?.filter(({ deleted }) => !deleted);
  assert.deepEqual(
    left?.map(({ score }) => Math.round((score ?? 0) * 10)),
    [4],
  );
});

test('a file that has changed or is gone is put aside and the rest goes on; a broken model stops the run', async (t) => {
  const { detect, detector, decoding } = await prepare(t);
  const readBytes: DetectDecoding['readBytes'] = async (path) => {
    if (path.path.includes('1')) return new TextEncoder().encode('something else');
    if (path.path.includes('2')) throw new LabelsmithError('NOT_FOUND', 'it is gone');
    return decoding.readBytes(path);
  };
  const { counts } = await detect(OPTIONS, { readBytes });
  assert.deepEqual([counts.images, counts.quarantined], [3, 2]);

  const broken = { ...detector, detect: () => Promise.reject(new LabelsmithError('BAD_MODEL', 'it broke')) };
  await assert.rejects(detect({ ...OPTIONS, force: true }, { detector: broken }), /it broke/);
  // The same code as of a file that cannot be decoded, but from the model: no image is put aside for it.
  const dead = { ...detector, detect: () => Promise.reject(new LabelsmithError('UNSUPPORTED', 'it died')) };
  await assert.rejects(detect({ ...OPTIONS, force: true }, { detector: dead }), {
    code: 'BAD_MODEL',
    message: /made-up@1 failed on image .*: it died/,
  });
});

test('limit does so many images and the next run goes on behind them', async (t) => {
  const { detect } = await prepare(t);
  assert.equal((await detect({ ...OPTIONS, limit: 3 })).counts.detected, 3);
  assert.equal((await detect(OPTIONS)).counts.detected, 2);
});
