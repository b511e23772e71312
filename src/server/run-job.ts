/** A job of the page as a call of its stage. What it gives back is small and can be written as JSON. */

import { homedir } from 'node:os';
import { formatCount, plural } from '../core/count-text.ts';
import { formatNamed } from '../formats/table.ts';
import { progressMeter } from '../jobs/progress.ts';
import type { RunOptions } from '../jobs/run.ts';
import type { Workspace } from '../jobs/workspace.ts';
import { addTo } from '../stages/add/add.ts';
import { openSources } from '../stages/add/open-sources.ts';
import { drawAudit } from '../stages/audit/audit.ts';
import { type AutoPart, MIN_TO_CLUSTER } from '../stages/auto/auto.ts';
import { DEFAULT_DETECTOR, type DetectRequest, detectWith } from '../stages/detect/detect-with.ts';
import { discoverWith } from '../stages/discover/discover-with.ts';
import { splitClassIn } from '../stages/discover/split-class.ts';
import { embedWith } from '../stages/embed/embed-with.ts';
import { exportIn } from '../stages/export/export-in.ts';
import { selectIn } from '../stages/teach/select-stage.ts';
import { DEFAULT_THRESHOLD } from '../stages/teach/teach.ts';
import { teachWith } from '../stages/teach/teach-with.ts';
import type { JobRequest } from './job-request.ts';
import { saveQueue } from './queue.ts';

export interface JobRun extends RunOptions {
  readonly onLine: (text: string) => void;
}

const DETECT: DetectRequest = {
  model: DEFAULT_DETECTOR,
  pose: null,
  segment: false,
  force: false,
  task: 'objects',
  tiles: false,
  keepDoubtful: false,
};

export async function runJob(workspace: Workspace, request: JobRequest, run: JobRun): Promise<unknown> {
  const { seed, threads, signal } = run;
  switch (request.kind) {
    case 'auto':
      return fromFolder(workspace, request, run);
    case 'add':
      return addFolder(workspace, request.folder, run);
    case 'detect':
      return (await detectWith(workspace, DETECT, run)).counts;
    case 'embed':
      return (await embedWith(workspace, { items: 'images' }, run)).counts;
    case 'discover':
      return discover(workspace, request.clusters, run);
    case 'teach':
      return teach(workspace, request.task, run);
    case 'split': {
      const { className, into, task } = request;
      const { parts, kept } = await splitClassIn(workspace, { className, into, task }, run);
      const told = parts.map(({ name, items }) => `${name} (${formatCount(items)})`);
      const stay = kept > 0 ? `; ${plural(kept, 'item stays', 'items stay')} ${className}, as people said` : '';
      run.onLine(`${className} is ${told.join(', ')} now${stay}.`);
      return { parts, kept };
    }
    case 'select': {
      const { questions, counts } = await selectIn(workspace, { ...request, seed, threads, signal });
      await saveQueue(workspace.store, request.task, questions);
      run.onLine(`${plural(questions.length, 'item is', 'items are')} chosen.`);
      return counts;
    }
    case 'audit': {
      const { task, count: size } = request;
      const { items } = await drawAudit(workspace.store, { task, origin: null, size, seed, atMs: Date.now() });
      run.onLine(`${plural(items, 'label is', 'labels are')} drawn to be checked.`);
      return { items };
    }
    case 'export':
      return exportTo(workspace, request, run);
    default:
      throw new Error(`unknown job ${JSON.stringify(request satisfies never)}`);
  }
}

async function addFolder(workspace: Workspace, folder: string, run: JobRun) {
  const sources = await openSources(workspace, [folder], { cwd: homedir(), stdin: process.stdin });
  return (await addTo(workspace, sources, { ...run, sync: false })).counts;
}

async function discover(workspace: Workspace, clusters: number | null, run: JobRun) {
  await embedWith(workspace, { items: 'images' }, run);
  if (run.signal?.aborted) return null;
  const k = clusters ?? undefined;
  const { counts } = await discoverWith(workspace, { items: 'images', task: 'class', k }, run);
  if (!run.signal?.aborted) run.onLine(`There are ${plural(counts.clusters ?? 0, 'cluster')}.`);
  return counts;
}

/** As `auto` does it, told part by part. */
async function fromFolder(
  workspace: Workspace,
  { folder, detect }: Extract<JobRequest, { kind: 'auto' }>,
  run: JobRun,
): Promise<Partial<Record<AutoPart['kind'], unknown>>> {
  const added = await addFolder(workspace, folder, run);
  const images = await workspace.store.countImages();
  run.onLine(`${plural(images, 'image is', 'images are')} here.`);
  const stopped = () => run.signal?.aborted ?? false;
  if (detect && images > 0 && !stopped()) {
    const { counts } = await detectWith(workspace, DETECT, run);
    run.onLine(`${plural(counts.regions ?? 0, 'object was', 'objects were')} found.`);
  }
  if (images > 0 && images < MIN_TO_CLUSTER) {
    run.onLine(`They are too few for clusters that say anything: whole images are grouped from ${MIN_TO_CLUSTER} on.`);
  }
  if (images < MIN_TO_CLUSTER || stopped()) return { added };
  const discovered = await discover(workspace, null, run);
  return { added, discovered };
}

async function teach(workspace: Workspace, task: string, run: JobRun) {
  const options = { task, search: 'quick', views: 0, labelRest: true, threshold: DEFAULT_THRESHOLD } as const;
  const taught = await teachWith(workspace, options, {
    ...run,
    onStep: ({ method, accuracy }) => run.onLine(`${method}: ${(100 * accuracy).toFixed(1)} % cross-validated`),
  });
  if (!taught) return null;
  for (const warning of taught.warnings) run.onLine(warning);
  return { counts: taught.counts, accuracy: taught.accuracy };
}

async function exportTo(
  workspace: Workspace,
  { format, out, task }: Extract<JobRequest, { kind: 'export' }>,
  run: JobRun,
) {
  const meter = progressMeter('export', await workspace.store.countImages(), () => performance.now());
  const written = await exportIn(workspace, formatNamed(format).name, out, {
    seed: run.seed,
    signal: run.signal,
    task: task ?? undefined,
    replace: false,
    margin: 0,
    onProgress() {
      meter.add(1);
      run.onProgress?.(meter.snapshot(0));
    },
  });
  for (const problem of written.problems) run.onLine(problem);
  const { images, labels, unlabelledSkipped } = written;
  const left =
    unlabelledSkipped > 0 ? `; ${unlabelledSkipped.toLocaleString('en')} images without a label are not in it` : '';
  run.onLine(
    `${images.toLocaleString('en')} images with ${labels.toLocaleString('en')} labels are in ${written.out}${left}.`,
  );
  return written;
}
