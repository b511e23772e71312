/**
 * `watch`: images of a folder are labelled as they arrive, for as long as it is wanted. Half-written files are waited for;
 * files that are gone or have another name are noticed every now and then, and their labels stay. What fits no class stays
 * without one and is counted.
 *
 * Memory: about 300 bytes a file that is there (the feed), one batch, the models, and what classes come from.
 */

import { archiveCacheOf } from '../../jobs/image-reader.ts';
import type { RunOptions, RunResult } from '../../jobs/run.ts';
import { recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/stage.ts';
import { openSource } from '../../sources/open.ts';
import { createReader } from '../../sources/reader.ts';
import { watchFolder } from '../../sources/watched-folder.ts';
import { groupImages } from '../add/group.ts';
import { liftWhatIsGone, noticeMissing } from '../add/sync.ts';
import { fitMean, requireRecipe, savedMean } from '../embed/recipe.ts';
import { type Arrival, arrivals } from './arrivals.ts';
import type { AssignedBy } from './assigner.ts';
import { type Drift, driftIn } from './drift.ts';
import { joinSmallFiles } from './small-files.ts';
import { Unfinished } from './unfinished.ts';
import { BatchWorker, type WorkerRequest } from './worker.ts';

export interface WatchRequest extends WorkerRequest {
  readonly folder: string;
  readonly cwd: string;
  /** How long a file must stay as it is, in ms (default 400). */
  readonly settleMs?: number;
  /** The newer images of the drift report, in ms (default 7 days). */
  readonly driftMs?: number;
  /** Ends when nothing has come for so long, in ms (default: never). */
  readonly untilIdleMs?: number;
}

export interface WatchProgress {
  /** In all so far. */
  readonly images: number;
  readonly batch: number;
  /** From the time of the file to its label, of this batch's slowest, in ms. */
  readonly latencyMs: number;
  readonly classes: readonly (readonly [className: string, images: number])[];
  readonly unfit: number;
}

export interface WatchOptions extends RunOptions {
  readonly onBatch?: (progress: WatchProgress) => void;
  readonly onNotice?: (text: string) => void;
  /** Told once a day. */
  readonly onDrift?: (drift: Drift) => void;
}

export interface WatchResult extends RunResult {
  readonly by: AssignedBy | null;
  readonly task: string;
  readonly counts: {
    readonly images: number;
    readonly labelled: number;
    /** Fit no class. */
    readonly unfit: number;
    /** Files of the folder that are put aside by now, whenever that was. */
    readonly quarantined: number;
    readonly missing: number;
    readonly moved: number;
    readonly batches: number;
  };
  /** From the time of a file, which is when it was closed, to its label, in ms; of the last 1,000 that came while it ran. */
  readonly latency: { readonly p50Ms: number; readonly p95Ms: number; readonly images: number };
  /** Null where there are no older images to compare with. */
  readonly drift: Drift | null;
}

const MAX_BATCH = 64;
const IDLE_MS = 1000;
/** So many that fit no class are enough for clusters of their own. */
export const ENOUGH_UNFIT = 20;
/** Files that are gone are looked for so often at most, and for no more than a twentieth of the time. */
const LOOK_FOR_GONE_EVERY_MS = 30_000;
const LATENCIES_KEPT = 1000;
const DAY_MS = 86_400_000;

export function watchIn(workspace: Workspace, request: WatchRequest, options: WatchOptions): Promise<WatchResult> {
  const { folder, task } = request;
  const recorded = { folder, task, detector: request.detector ?? null, classifier: request.classifier ?? null };
  return recordRun(workspace.store, { stage: 'watch', settings: recorded }, options, async (runId) => {
    const worker = await BatchWorker.open({ workspace, options, runId }, request);
    try {
      return await new Watch(workspace, worker, request, options, runId).run();
    } finally {
      await worker.close();
    }
  });
}

class Watch {
  readonly #workspace: Workspace;
  readonly #worker: BatchWorker;
  readonly #request: WatchRequest;
  readonly #options: WatchOptions;
  readonly #runId: string;
  readonly #counts = { images: 0, labelled: 0, unfit: 0, quarantined: 0, missing: 0, moved: 0, batches: 0 };
  readonly #latencies: number[] = [];
  readonly #startedAtMs = Date.now();
  #tellDriftAtMs = performance.now() + DAY_MS;
  #lookForGoneAtMs = performance.now() + LOOK_FOR_GONE_EVERY_MS;

  constructor(workspace: Workspace, worker: BatchWorker, request: WatchRequest, options: WatchOptions, runId: string) {
    [this.#workspace, this.#worker, this.#request, this.#options, this.#runId] = [
      workspace,
      worker,
      request,
      options,
      runId,
    ];
  }

  async run(): Promise<WatchResult> {
    const { signal } = this.#options;
    const { folder, cwd, settleMs = 400, untilIdleMs = Number.POSITIVE_INFINITY } = this.#request;
    const stop = new AbortController();
    const until = AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]);
    const { dir, store } = this.#workspace;
    const place = { cwd, archiveCache: archiveCacheOf(dir), skipFolders: [dir] };
    const feed = await watchFolder(folder, { ...place, settleMs, lookEveryMs: Math.min(150, settleMs) });
    const unfinished = await Unfinished.open(store, feed.root);
    const isKnown = async ({
      path,
      byteSize,
      modifiedAtMs,
    }: {
      path: string;
      byteSize: number;
      modifiedAtMs: number;
    }) => {
      if (unfinished.has(path)) return false;
      const known = (await store.lookupPaths([path])).get(path);
      return (
        known !== undefined && !known.missing && known.byteSize === byteSize && known.modifiedAtMs === modifiedAtMs
      );
    };
    // Nothing is idle before the first look has ended, or while files are being written.
    let cameAtMs = Number.POSITIVE_INFINITY;
    const onLook = (isWaiting: boolean) => {
      if (isWaiting || cameAtMs === Number.POSITIVE_INFINITY) cameAtMs = performance.now();
    };
    const items = feed.follow({ signal: until, isKnown, onLook });
    for await (const batch of arrivals(items, { max: MAX_BATCH, idleMs: IDLE_MS })) {
      if (batch.length > 0) {
        await this.#take(batch, unfinished);
        cameAtMs = performance.now();
      }
      if (!until.aborted) await this.#lookAfter();
      if (performance.now() - cameAtMs > untilIdleMs) stop.abort();
    }
    await this.#noticeGone();
    await this.#finish(unfinished);
    this.#counts.quarantined = await this.#putAside(feed.root);
    return this.#result(await this.#drift(), signal?.aborted ?? false);
  }

  async #take(batch: readonly Arrival[], unfinished: Unfinished): Promise<void> {
    const { onBatch = () => {}, onNotice = () => {} } = this.#options;
    const items = batch.map(({ item }) => item);
    const paths = items.flatMap((item) => (item.kind === 'entry' ? [item.entry.path] : []));
    const again = new Set(paths.filter((path) => unfinished.has(path)));
    const result = await unfinished.during(paths, () => this.#worker.take(items, again));
    const counts = this.#counts;
    const unfitBefore = counts.unfit;
    counts.batches++;
    counts.images += result.images.length;
    counts.labelled += result.classes.size;
    counts.unfit += result.images.length - result.classes.size;
    const classes = new Map<string, number>();
    for (const className of result.classes.values()) classes.set(className, (classes.get(className) ?? 0) + 1);
    const latencyMs = this.#measure(batch, result.copies);
    onBatch({
      images: counts.images,
      batch: result.images.length,
      latencyMs,
      unfit: result.images.length - result.classes.size,
      classes: [...classes].sort(([, a], [, b]) => b - a),
    });
    if (unfitBefore < ENOUGH_UNFIT && counts.unfit >= ENOUGH_UNFIT) onNotice(this.#proposal());
  }

  #proposal(): string {
    const { unfit } = this.#counts;
    return this.#worker.by === undefined
      ? `${unfit} images wait for classes: labelsmith discover finds some, match and teach take yours`
      : `${unfit} images fit no class: labelsmith discover --recluster looks for new ones among them`;
  }

  /** Of files that came while it ran; what was there before, or was renamed, has the time of something else. */
  #measure(batch: readonly Arrival[], copies: ReadonlySet<string>): number {
    const nowMs = Date.now();
    let slowest = 0;
    for (const { item } of batch) {
      if (item.kind === 'problem' || copies.has(item.entry.path)) continue;
      if (item.entry.modifiedAtMs < this.#startedAtMs) continue;
      const latencyMs = Math.max(0, nowMs - item.entry.modifiedAtMs);
      slowest = Math.max(slowest, latencyMs);
      this.#latencies.push(latencyMs);
      if (this.#latencies.length > LATENCIES_KEPT) this.#latencies.shift();
    }
    return slowest;
  }

  async #lookAfter(): Promise<void> {
    if (performance.now() < this.#lookForGoneAtMs) return;
    await this.#noticeGone();
    await this.#joinSmallFiles();
    if (performance.now() < this.#tellDriftAtMs) return;
    this.#tellDriftAtMs += DAY_MS;
    const drift = await this.#drift();
    if (drift !== undefined) this.#options.onDrift?.(drift);
  }

  #drift(): Promise<Drift | undefined> {
    const { driftMs = 7 * DAY_MS } = this.#request;
    return driftIn(this.#workspace.store, this.#worker.task, { lastMs: driftMs, nowMs: Date.now() });
  }

  async #noticeGone(): Promise<void> {
    const { store, dir } = this.#workspace;
    const startedAtMs = performance.now();
    const { folder, cwd } = this.#request;
    const archiveCache = archiveCacheOf(dir);
    // A folder that is away says nothing of what was in it.
    const source = await openSource(folder, { cwd, archiveCache }).catch(() => undefined);
    if (source !== undefined) {
      const reader = createReader({ archiveCache });
      const gone = await noticeMissing(store, [source], reader);
      await liftWhatIsGone(store, [source], reader, new Set());
      this.#counts.missing += gone.missing;
      this.#counts.moved += gone.moved;
    }
    const tookMs = performance.now() - startedAtMs;
    this.#lookForGoneAtMs = performance.now() + Math.max(LOOK_FOR_GONE_EVERY_MS, 20 * tookMs);
  }

  async #joinSmallFiles(): Promise<void> {
    for (const space of this.#worker.spaces) await joinSmallFiles(this.#workspace, space, this.#runId);
  }

  /** What the stages do at the end of a run, over the whole record. */
  async #finish(unfinished: Unfinished): Promise<void> {
    const { store, vectors } = this.#workspace;
    await this.#joinSmallFiles();
    const { seed, threads } = this.#options;
    // Told to end, it finishes what it has begun.
    if (unfinished.isOpen) await groupImages({ seed, threads, workspace: this.#workspace, runId: this.#runId });
    const recipe = await requireRecipe(store, 'images');
    const shards = await store.vectorShards(recipe.space, 'images');
    if (shards.length > 0 && (await savedMean(store, recipe.space)) === undefined) {
      await fitMean(store, vectors, recipe, shards);
    }
    await unfinished.close();
  }

  /** As `status` counts them: a file that came twice is one, and one that was mended is none. */
  async #putAside(root: string): Promise<number> {
    let files = 0;
    for await (const page of this.#workspace.store.quarantine())
      files += page.filter(({ sourceRoot }) => sourceRoot === root).length;
    return files;
  }

  #result(drift: Drift | undefined, interrupted: boolean): WatchResult {
    const sorted = this.#latencies.slice().sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return {
      by: this.#worker.by ?? null,
      task: this.#worker.task,
      counts: this.#counts,
      interrupted,
      latency: { p50Ms: at(0.5), p95Ms: at(0.95), images: sorted.length },
      drift: drift ?? null,
    };
  }
}
