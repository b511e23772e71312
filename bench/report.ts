/**
 * The report of a large workspace: images, regions, candidates, groups, labels and vectors written straight through the
 * store, then gathered and drawn as `labelsmith report` does it. Only the bytes of the pictures that are shown are made
 * on the spot, since a hundred thousand files would say nothing more. `npm run bench -- report`; about three minutes.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Box, Detections } from '../src/core/boxes.ts';
import { COCO_CLASSES } from '../src/core/coco-classes.ts';
import { sha256Hex } from '../src/core/ids.ts';
import type { ImageRecord } from '../src/core/image.ts';
import { type Random, seededRandom } from '../src/core/random.ts';
import { accept, acceptKeyOf, DEFAULT_ACCEPT_RULES } from '../src/corpus/accept.ts';
import { thumbnailOf } from '../src/images/crops.ts';
import { openWorkspace, type Workspace } from '../src/jobs/workspace.ts';
import { matrix } from '../src/math/matrix.ts';
import { collectReport } from '../src/report/collect.ts';
import { gatherSections } from '../src/report/gather.ts';
import { renderReport } from '../src/report/html.ts';
import { fitMean, recipeOf, saveRecipe } from '../src/stages/embed/recipe.ts';
import { arrowVectorStore } from '../src/vectors/folder-vectors.ts';
import { jpegScene } from '../test/fixtures/images.ts';
import { rounded } from './process.ts';

const SHARD = 2000;
const NAMES = COCO_CLASSES.map(([, name]) => name);
const COLUMNS = 576;
const CLUSTERS = 40;
const PICTURES = 24;

export async function run(images = 100_000): Promise<unknown> {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-report-'));
  const workspace = await openWorkspace(join(dir, '.labelsmith'), { create: true });
  try {
    const pictures = await Promise.all(Array.from({ length: PICTURES }, (_, i) => jpegScene(640, 480, i)));
    const written = performance.now();
    const pictureOf = await fill(workspace, images, pictures.length);
    const filled = performance.now();
    const gathered = await gatherSections(workspace, { seed: 0, threads: 2 });
    const sections = performance.now();
    const read = async (id: string) => {
      const { bytes } = await thumbnailOf(pictures[pictureOf(id)], { longest: 320, format: 'webp' });
      return { bytes, mediaType: 'image/webp' as const };
    };
    const data = await collectReport(workspace.store, read, { title: 'bench', version: '0', nowMs: 0, gathered });
    const collected = performance.now();
    const page = renderReport(data);
    const rendered = performance.now();
    const out = process.env.LABELSMITH_BENCH_REPORT;
    if (out) await writeFile(out, page);
    const seconds = (from: number, to: number) => rounded((to - from) / 1000, 1);
    return {
      images,
      regions: data.totals.regions,
      classes: data.classes.length,
      shownPictures: data.pictures.size,
      fillSeconds: seconds(written, filled),
      gatherSeconds: seconds(filled, sections),
      collectSeconds: seconds(sections, collected),
      renderSeconds: seconds(collected, rendered),
      reportSeconds: seconds(filled, rendered),
      megabytes: rounded(Buffer.byteLength(page) / 1e6, 1),
      peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    };
  } finally {
    await workspace.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Gives which picture an image shows. */
async function fill({ dir, store }: Workspace, count: number, pictures: number): Promise<(id: string) => number> {
  const random = seededRandom(1, 'report');
  const runId = await store.startRun({ stage: 'add', settings: {}, modelKey: null, seed: 0, threads: 1, versions: {} });
  const recipe = recipeOf({ id: 'bench', key: 'bench', blocks: [{ columns: COLUMNS, weight: 1 }] }, 'images');
  const vectors = arrowVectorStore(dir);
  const centres = Array.from({ length: CLUSTERS }, () => noise(random));
  await store.ensureTask({ name: 'class', rule: 'single', items: 'images' });
  for (let start = 0; start < count; start += SHARD) {
    const ids = Array.from({ length: Math.min(SHARD, count - start) }, (_, i) => sha256Hex(`image ${start + i}`));
    await ingest(store, runId, ids, start, random);
    const sorted = [...ids].sort();
    const cluster = sorted.map((id) => Number.parseInt(id.slice(0, 6), 16) % CLUSTERS);
    const data = new Float32Array(sorted.length * COLUMNS);
    for (const [row, c] of cluster.entries()) {
      const own = noise(random);
      for (let j = 0; j < COLUMNS; j++) data[row * COLUMNS + j] = centres[c]?.[j] + own[j];
    }
    await store.putVectorShard(
      await vectors.write({
        space: recipe.space,
        items: 'images',
        shard: String(start),
        runId,
        ids: sorted,
        vectors: matrix(data, sorted.length, COLUMNS),
      }),
    );
    await store.putLabels(
      sorted.map((itemId, i) => ({
        itemId,
        task: 'class',
        className: `cluster ${cluster[i]}`,
        present: true,
        origin: 'cluster' as const,
        confidence: 0.3 + 0.7 * random(),
        runId,
      })),
    );
  }
  await saveRecipe(store, recipe);
  await fitMean(store, vectors, recipe, await store.vectorShards(recipe.space, 'images'));
  return (id) => Number.parseInt(id.slice(0, 6), 16) % pictures;
}

/** Images with their detections, every twentieth alike to the one before it. */
async function ingest(
  store: Workspace['store'],
  runId: string,
  ids: readonly string[],
  start: number,
  random: Random,
): Promise<void> {
  const rules = DEFAULT_ACCEPT_RULES;
  await store.commitIngest({
    runId,
    images: ids.map((id, i) => recordOf(id, start + i, random)),
    paths: ids.map((id, i) => ({
      imageId: id,
      path: `/photos/${Math.floor((start + i) / 1000)}/IMG_${start + i}.jpg`,
      pathBytes: null,
      sourceRoot: '/photos',
      byteSize: 100_000,
      modifiedAtMs: 0,
      missing: false,
    })),
    quarantine: [],
  });
  await store.commitDetections({
    runId,
    modelKey: 'bench-detector',
    acceptKey: acceptKeyOf(rules, 'objects'),
    task: 'objects',
    classNames: NAMES,
    frozenIou: 0.5,
    quarantine: [],
    images: ids.map((imageId) => {
      const candidates = someDetections(random);
      return { imageId, candidates, ...accept(imageId, 'bench-detector', candidates, NAMES, rules) };
    }),
  });
  const groups = ids.flatMap((id, i) => (i % 20 === 1 ? [[id, ids[i - 1]] as const] : []));
  const pairs = groups.map(([a, b]) => (a < b ? { a, b } : { a: b, b: a }));
  await store.putSimilarPairs(pairs.map((pair) => ({ ...pair, kind: 'near-duplicate', distance: 3 })));
  await store.putGroups(
    new Map(
      pairs.flatMap(
        ({ a, b }) =>
          [
            [a, a],
            [b, a],
          ] as const,
      ),
    ),
  );
}

/** Shape [COLUMNS], −0.5 to 0.5. */
function noise(random: Random): Float32Array {
  return Float32Array.from({ length: COLUMNS }, () => random() - 0.5);
}

function recordOf(id: string, index: number, random: Random): ImageRecord {
  return {
    id,
    byteSize: 100_000,
    format: 'jpeg',
    width: 640,
    height: 480,
    orientation: 1,
    frames: 1,
    perceptualHash: id.slice(0, 16),
    quality: { brightness: random(), sharpness: 500 * random(), entropy: 7 },
    flags: index % 50 === 0 ? ['dark'] : [],
    capturedAtMs: null,
    camera: null,
    groupId: id,
  };
}

/** Eight candidates, some over the threshold, some of two classes at one place; few classes are frequent. */
function someDetections(random: Random): Detections {
  const count = 8;
  const boxes = new Float32Array(4 * count);
  const classes = new Int32Array(count);
  const scores = Float32Array.from({ length: count }, () => 0.05 + 0.9 * random() ** 1.5)
    .sort()
    .reverse();
  for (let i = 0; i < count; i++) {
    const [x, y] = [500 * random(), 380 * random()];
    const box: Box = [x, y, x + 20 + 120 * random(), y + 20 + 80 * random()];
    // One in four lies where the one before it lies, as another class.
    boxes.set(i > 0 && random() < 0.25 ? boxes.subarray(4 * i - 4, 4 * i) : box, 4 * i);
    classes[i] = Math.floor(NAMES.length * random() ** 2);
  }
  return { count, boxes, scores, classes };
}
