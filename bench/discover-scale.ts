/**
 * `discover` alone on 100,000 images that are none (records and vectors made here, of as many numbers as EfficientNet-Lite's), on
 * SQLite with two threads: time by the clock and of the processor, and the peak memory of the process. `LABELSMITH_BENCH_IMAGES`
 * takes fewer.
 */
import { loadavg } from 'node:os';
import { LabelsmithError } from '../src/errors.ts';
import { openWorkspace, type Workspace } from '../src/jobs/workspace.ts';
import { discoverIn } from '../src/stages/discover/discover.ts';
import { image, imageId, path, startRun } from '../test/contracts/store/fixtures.ts';
import { writeMadeUpVectors } from './made-up-vectors.ts';
import { inScratch, rounded } from './process.ts';

const IMAGES = Number(process.env.LABELSMITH_BENCH_IMAGES ?? 100_000);
const COLUMNS = 1728;
const KINDS = 100;
const A_FILE = 2000;
const THREADS = 2;
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

async function fill(workspace: Workspace): Promise<void> {
  const { store } = workspace;
  const runId = await startRun(store);
  const numbers = Array.from({ length: IMAGES }, (_, n) => n);
  for (let from = 0; from < IMAGES; from += A_FILE) {
    const some = numbers.slice(from, from + A_FILE);
    await store.commitIngest({
      runId,
      images: some.map((n) => image(n)),
      paths: some.map((n) => path(n)),
      quarantine: [],
    });
  }
  const ids = numbers.map((n) => imageId(n));
  await writeMadeUpVectors(workspace, ids, { columns: COLUMNS, kinds: KINDS, spread: SPREAD, imagesAFile: A_FILE });
}
