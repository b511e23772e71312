/**
 * `discover` alone on 100,000 images that are none (records and vectors made here, of as many numbers as EfficientNet-Lite's), on
 * SQLite with two threads: time by the clock and of the processor, and the peak memory of the process. `LABELSMITH_BENCH_IMAGES`
 * takes fewer.
 */
import { loadavg } from 'node:os';
import { seededRandom } from '../src/core/random.ts';
import { LabelsmithError } from '../src/errors.ts';
import { openWorkspace, type Workspace } from '../src/jobs/workspace.ts';
import { matrix } from '../src/math/matrix.ts';
import { discoverIn } from '../src/stages/discover/discover.ts';
import { recipeOf, saveRecipe } from '../src/stages/embed/recipe.ts';
import { image, imageId, path, startRun } from '../test/contracts/store/fixtures.ts';
import { inScratch, rounded } from './process.ts';

const IMAGES = Number(process.env.LABELSMITH_BENCH_IMAGES ?? 100_000);
const COLUMNS = 1728;
const KINDS = 100;
const A_FILE = 2000;
const THREADS = 2;
/** Of a coordinate, over that of its kind. */
const SPREAD = 1.5;

export function run(): Promise<unknown> {
  return inScratch(async (dir) => {
    const workspace = await openWorkspace(`${dir}/.labelsmith`, { create: true });
    try {
      await fill(workspace);
      process.stderr.write(`${IMAGES} vectors written\n`);
      const filledPeakMiB = peakMiB();
      const [began, processor] = [performance.now(), process.cpuUsage()];
      const noFiles = () => Promise.reject(new LabelsmithError('NOT_FOUND', 'there are no files'));
      const { counts } = await discoverIn(workspace, { seed: 0, threads: THREADS }, noFiles);
      const seconds = (performance.now() - began) / 1000;
      const { user, system } = process.cpuUsage(processor);
      return {
        images: IMAGES,
        columns: COLUMNS,
        threads: THREADS,
        load: rounded(loadavg()[0], 1),
        kinds: KINDS,
        counts,
        seconds: rounded(seconds, 1),
        processorSeconds: rounded((user + system) / 1e6, 1),
        filledPeakMiB,
        peakMiB: peakMiB(),
      };
    } finally {
      await workspace.close();
    }
  });
}

const peakMiB = () => Math.round(process.resourceUsage().maxRSS / 1024);

/** Each near the point of its kind. */
async function fill({ store, vectors }: Workspace): Promise<void> {
  const random = seededRandom(1, 'discover-scale');
  const runId = await startRun(store);
  const kinds = Float32Array.from({ length: KINDS * COLUMNS }, () => random() - 0.5);
  const recipe = recipeOf({ id: 'made-up', key: 'made-up', blocks: [{ columns: COLUMNS, weight: 1 }] }, 'images');
  await saveRecipe(store, recipe);
  for (let from = 0; from < IMAGES; from += A_FILE) {
    const numbers = Array.from({ length: Math.min(A_FILE, IMAGES - from) }, (_, i) => from + i);
    await store.commitIngest({
      runId,
      images: numbers.map((n) => image(n)),
      paths: numbers.map((n) => path(n)),
      quarantine: [],
    });
    const ids = numbers.map(imageId).sort();
    const data = new Float32Array(ids.length * COLUMNS);
    for (const [i, id] of ids.entries()) {
      const kind = Number.parseInt(id.slice(0, 8), 16) % KINDS;
      for (let j = 0; j < COLUMNS; j++) data[i * COLUMNS + j] = kinds[kind * COLUMNS + j] + SPREAD * (random() - 0.5);
    }
    const shard = { space: recipe.space, items: 'images' as const, shard: String(from), runId: null, ids };
    await store.putVectorShard(await vectors.write({ ...shard, vectors: matrix(data, ids.length, COLUMNS) }));
  }
}
