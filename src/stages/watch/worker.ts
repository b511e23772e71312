/**
 * What happens to a batch of files that have arrived: added, detected, embedded, given a class. Models are opened once. Each
 * step does what the stage of its name does, on these images alone; what a kill leaves undone is taken again
 * (`unfinished.ts`), or done by the stages themselves when they are run.
 */
import { chunks } from '../../core/chunks.ts';
import type { ImageId } from '../../core/ids.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { StageJob, Workspace } from '../../jobs/stage.ts';
import type { Detector } from '../../models/detector.ts';
import type { Embedder } from '../../models/embedder.ts';
import type { SourceEntry, SourceItem } from '../../sources/source.ts';
import type { VectorShard } from '../../store/store.ts';
import { type AddSettings, addContext, addStage } from '../add/add-stage.ts';
import { rulesSoFar } from '../detect/detect-in-doubt.ts';
import { type DetectSettings, detectContext, detectStage } from '../detect/detect-stage.ts';
import { DEFAULT_DETECTOR } from '../detect/detect-with.ts';
import { type AskedRules, openDetectorFor, rulesFor } from '../detect/rules.ts';
import { embedContext, embedStage, shardName } from '../embed/embed-stage.ts';
import { openEmbedderFor } from '../embed/embed-with.ts';
import { recipeOf, saveRecipe } from '../embed/recipe.ts';
import { type Assigner, type AssignRequest, assignerVersion, openAssigner } from './assigner.ts';
import { withShards } from './given-shards.ts';
import type { KeptSpace } from './small-files.ts';

export interface WorkerRequest extends AssignRequest {
  /** Name of a detector; null for none. Default: the usual one. */
  readonly detector?: string | null;
  /** By which its finds are accepted. Default: as `detect` without options. */
  readonly rules?: AskedRules;
}

export interface BatchResult {
  /** Files that were read, those that were put aside among them. */
  readonly files: number;
  readonly images: readonly ImageId[];
  /** The class of each image that got one. */
  readonly classes: ReadonlyMap<ImageId, string>;
  /** Paths of images that were known under another name before. */
  readonly copies: ReadonlySet<string>;
}

/** So often it is looked whether what classes come from has changed, in ms. */
const LOOK_EVERY_MS = 10_000;

export class BatchWorker {
  readonly #workspace: Workspace;
  readonly #options: RunOptions;
  readonly #runId: string;
  readonly #request: WorkerRequest;
  readonly #embedder: Embedder;
  readonly #detect: ((images: readonly ImageId[]) => Promise<void>) | undefined;
  readonly #close: () => Promise<void>;
  #assigner: Assigner | undefined;
  #version = '';
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(
    place: { readonly workspace: Workspace; readonly options: RunOptions; readonly runId: string },
    request: WorkerRequest,
    embedder: Embedder,
    detector:
      | { readonly run: (images: readonly ImageId[]) => Promise<void>; readonly close: () => Promise<void> }
      | undefined,
  ) {
    [this.#workspace, this.#options, this.#runId] = [place.workspace, place.options, place.runId];
    [this.#request, this.#embedder, this.#detect] = [request, embedder, detector?.run];
    this.#close = async () => {
      await embedder.close();
      await detector?.close();
    };
  }

  static async open(
    place: { readonly workspace: Workspace; readonly options: RunOptions; readonly runId: string },
    request: WorkerRequest,
  ): Promise<BatchWorker> {
    const { workspace, options } = place;
    const { embedder, because } = await openEmbedderFor(workspace, { items: 'images' }, options.threads);
    const recipe = { ...recipeOf(embedder, 'images'), ...(because === undefined ? {} : { because }) };
    await saveRecipe(workspace.store, recipe);
    const { detector: name = DEFAULT_DETECTOR } = request;
    const detector = name === null ? undefined : await openDetection(place, name, request.rules);
    return new BatchWorker(place, request, embedder, detector);
  }

  /** How classes are given now; undefined where the workspace has none to give. */
  get by(): Assigner['by'] | undefined {
    return this.#assigner?.by;
  }

  get task(): string {
    return this.#assigner?.task ?? this.#request.task;
  }

  /** Where batches leave small files. */
  get spaces(): readonly KeptSpace[] {
    return [{ space: this.#space, precision: 'float16' }, ...(this.#assigner?.spaces ?? [])];
  }

  get #space(): string {
    return recipeOf(this.#embedder, 'images').space;
  }

  /** @param again paths that a killed command took: their images may have vectors already */
  async take(items: readonly SourceItem[], again: ReadonlySet<string> = new Set()): Promise<BatchResult> {
    const { store } = this.#workspace;
    await this.#add(items);
    const paths = items.flatMap((item) => (item.kind === 'entry' ? [item.entry.path] : []));
    const known = await store.lookupPaths(paths);
    const images = [...new Set(paths.flatMap((path) => known.get(path)?.imageId ?? []))].sort();
    const before = new Set(await this.#knownBefore(images));
    const taken = [...again].flatMap((path) => known.get(path)?.imageId ?? []);
    await this.#detect?.(images);
    const embedded = await this.#embed(images, new Set([...before, ...taken]));
    const classes = await this.#assign(images, embedded, taken);
    const copies = new Set(paths.filter((path) => before.has(known.get(path)?.imageId ?? '')));
    return { files: items.length, images, classes, copies };
  }

  async close(): Promise<void> {
    await this.#assigner?.close();
    await this.#close();
  }

  #job<S>(settings: S): StageJob<S> {
    return { ...this.#options, workspace: this.#workspace, settings, runId: this.#runId };
  }

  async #add(items: readonly SourceItem[]): Promise<void> {
    const settings: AddSettings = { sources: [], cwd: '/', sync: true };
    const job = this.#job(settings);
    const context = addContext(job, []);
    for (const item of items) if (item.kind === 'entry') context.listed.set(item.entry.path, item.entry);
    const shard = { items: items.map(listed), unchanged: 0, stillQuarantined: 0 };
    await this.#workspace.engine.run(withShards(addStage, [shard]), job, context);
  }

  /** Gives those that had no vector: they are one file of vectors now. */
  async #embed(images: readonly ImageId[], before: ReadonlySet<ImageId>): Promise<readonly ImageId[]> {
    const left = await this.#withoutVectors(images, before);
    if (left.length === 0) return left;
    const job = this.#job({ model: this.#embedder.id, items: 'images' as const, force: false });
    const shard = { images: left.map((id) => ({ id, regions: null })) };
    await this.#workspace.engine.run(withShards(embedStage, [shard]), job, await embedContext(job, this.#embedder));
    return left;
  }

  /** A file that comes again under another name has a vector; files of vectors tell by their first and last id. */
  async #withoutVectors(images: readonly ImageId[], before: ReadonlySet<ImageId>): Promise<readonly ImageId[]> {
    if (before.size === 0) return images;
    const { store, vectors } = this.#workspace;
    const shards = await store.vectorShards(this.#space, 'images');
    const may = shards.filter(({ firstId, lastId }) => [...before].some((id) => id >= firstId && id <= lastId));
    const found = await vectors.lookup(may, before);
    return images.filter((id) => !found.has(id));
  }

  /** Images that had another path already: only these can have vectors. */
  async #knownBefore(images: readonly ImageId[]): Promise<readonly ImageId[]> {
    const paths = await this.#workspace.store.pathsOfImages(images);
    return images.filter((id) => (paths.get(id)?.length ?? 0) > 1);
  }

  /** @param taken images of a killed command, which may have embedded them and not labelled, or not to the end */
  async #assign(
    images: readonly ImageId[],
    embedded: readonly ImageId[],
    taken: readonly ImageId[],
  ): Promise<ReadonlyMap<ImageId, string>> {
    await this.#lookAtClasses();
    if (this.#assigner === undefined) return new Map();
    const shards = await this.#workspace.store.vectorShards(this.#space, 'images');
    const name = embedded.length > 0 ? shardName(embedded) : undefined;
    await this.#assigner.assign(
      images,
      shards.find((one) => one.shard === name),
    );
    const left = new Set(taken);
    for (const id of embedded) left.delete(id);
    // A classifier looks at the images themselves, all of them.
    if (this.#assigner.by !== 'classifier') await this.#assignEarlier(left, shards, this.#assigner);
    return this.#classesOf(images, this.#assigner.task);
  }

  /** By the files of vectors that hold them; those of a killed command are small, so the small ones come first. */
  async #assignEarlier(left: Set<ImageId>, shards: readonly VectorShard[], assigner: Assigner): Promise<void> {
    for (const shard of [...shards].sort((a, b) => a.count - b.count)) {
      const may = [...left].filter((id) => id >= shard.firstId && id <= shard.lastId);
      if (may.length === 0) continue;
      const found = await this.#workspace.vectors.lookup([shard], new Set(may));
      const own = may.filter((id) => found.has(id));
      if (own.length === 0) continue;
      await assigner.assign(own, shard);
      for (const id of own) left.delete(id);
    }
  }

  async #classesOf(images: readonly ImageId[], task: string): Promise<ReadonlyMap<ImageId, string>> {
    const classes = new Map<ImageId, string>();
    for (const part of chunks(images, 256)) {
      const labels = await this.#workspace.store.labelsOf(part, task);
      for (const id of part) {
        const label = labels.get(id)?.find(({ present }) => present);
        if (label !== undefined) classes.set(id, label.className);
      }
    }
    return classes;
  }

  async #lookAtClasses(): Promise<void> {
    if (performance.now() - this.#lookedAtMs < LOOK_EVERY_MS) return;
    this.#lookedAtMs = performance.now();
    const place = {
      workspace: this.#workspace,
      options: this.#options,
      runId: this.#runId,
      request: this.#request,
      recipe: recipeOf(this.#embedder, 'images'),
    };
    const version = await assignerVersion(place);
    if (version === this.#version) return;
    await this.#assigner?.close();
    this.#assigner = await openAssigner(place);
    this.#version = version;
  }
}

async function openDetection(
  {
    workspace,
    options,
    runId,
  }: { readonly workspace: Workspace; readonly options: RunOptions; readonly runId: string },
  name: string,
  wanted: AskedRules = {},
) {
  const { store, models, engine } = workspace;
  const detector: Detector = await openDetectorFor(models, name, wanted, options);
  const { rules } = await rulesFor(store, wanted, detector);
  const asked = { rules, tiles: false };
  const settings: DetectSettings = {
    model: detector.id,
    task: 'objects',
    force: false,
    tiles: false,
    storedOnly: false,
    rules: await rulesSoFar(workspace, detector, asked, wanted),
    words: detector.vocabulary,
  };
  await store.ensureTask({ name: 'objects', rule: 'multi', items: 'regions' });
  const job = { ...options, workspace, settings, runId };
  return {
    async run(images: readonly ImageId[]) {
      const context = await detectContext(job, detector);
      const shard = { images: images.map((id) => ({ id, stored: false })) };
      await engine.run(withShards(detectStage, [shard]), job, context);
    },
    close: () => detector.close(),
  };
}

function listed(item: SourceItem) {
  if (item.kind === 'problem') return { kind: 'problem' as const, ...item.problem };
  const { path, pathBytes, sourceRoot, byteSize, modifiedAtMs }: SourceEntry = item.entry;
  const bytes = pathBytes && Buffer.from(pathBytes).toString('base64');
  return { kind: 'entry' as const, path, pathBytes: bytes, sourceRoot, byteSize, modifiedAtMs };
}
