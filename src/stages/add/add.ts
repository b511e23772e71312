/**
 * `add`: from sources to images in the record.
 *
 * A shard is a fixed run of a source's listing. Each entry is read once, hashed, and looked at through one shrunken
 * decode, which also proves that the file is whole. A path whose size and time have not changed is not read again.
 */
import { type ImageId, sha256Hex } from '../../core/ids.ts';
import type { ImagePath, ImageRecord } from '../../core/image.ts';
import { LabelsmithError } from '../../errors.ts';
import { DEFAULT_MAX_BYTES } from '../../images/decode.ts';
import { computeGroups, GroupTable } from '../../images/groups.ts';
import { inspect } from '../../images/inspect.ts';
import { archiveCacheOf } from '../../jobs/image-reader.ts';
import { type RunOptions, type RunResult, recordRun, runOnThisMachine } from '../../jobs/run.ts';
import type { Shard, Stage } from '../../jobs/stage.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { SourceOptions } from '../../sources/listing.ts';
import { openSource } from '../../sources/open.ts';
import { createReader } from '../../sources/reader.ts';
import {
  SOURCE_PROBLEMS,
  type Source,
  type SourceEntry,
  type SourceItem,
  type SourceProblem,
} from '../../sources/source.ts';
import type { KnownPath, QuarantineRow, Store } from '../../store/store.ts';

/** Entries of a shard: a second or two of work, and some 100 kB of records. */
const DEFAULT_SHARD_SIZE = 256;

export interface AddOptions extends RunOptions {
  /** Also notices files that are gone, moved or changed since they were added. Labels are never dropped. */
  readonly sync: boolean;
}

export interface AddResult extends RunResult {
  readonly counts: {
    /** Entries read in this run. */
    readonly files: number;
    /** Images new to the record. */
    readonly images: number;
    /** Paths whose bytes were known already. */
    readonly duplicates: number;
    /** Paths known and unchanged, not read again. */
    readonly unchanged: number;
    /** Of `images`: more than 8 bits, scaled by what the file holds; and those with more bands than are shown. */
    readonly rescaled: number;
    readonly bands: number;
    /** Put aside in this run. */
    readonly quarantined: number;
    /** Of `unchanged`: put aside by an earlier run. */
    readonly stillQuarantined: number;
    /** Paths found gone or moved (`sync`). */
    readonly missing: number;
    readonly moved: number;
    readonly similarPairs: number;
    readonly groups: number;
    /** Places with so many pictures alike that near-duplicates may have been overlooked; nearly always 0. */
    readonly overfullBuckets: number;
    readonly shards: number;
  };
}

export type PathExists = (path: Pick<ImagePath, 'path' | 'pathBytes'>) => Promise<boolean>;

export interface AddEffects {
  readonly store: Store;
  /** Whether a recorded path is still there; needed with `sync`. */
  readonly exists: PathExists;
}

type Looked =
  | { readonly kind: 'image'; readonly image: ImageRecord; readonly path: ImagePath }
  | { readonly kind: 'known'; readonly path: ImagePath }
  | { readonly kind: 'bad'; readonly row: QuarantineRow };

/** The sources of a workspace, as the user wrote them. The workspace itself is never one, wherever it lies. */
export function openSources(
  { dir }: Pick<Workspace, 'dir'>,
  specs: readonly string[],
  from: Pick<SourceOptions, 'cwd' | 'stdin'> = { cwd: process.cwd() },
): Promise<Source[]> {
  const options = { ...from, archiveCache: archiveCacheOf(dir), skipFolders: [dir] };
  return Promise.all(specs.map((spec) => openSource(spec, options)));
}

/** Takes in everything the sources list, see {@link add}. */
export function addTo(workspace: Workspace, sources: readonly Source[], options: AddOptions): Promise<AddResult> {
  const reader = createReader({ archiveCache: archiveCacheOf(workspace.dir) });
  const exists: PathExists = ({ path, pathBytes }) => reader.exists(path, pathBytes);
  return add({ store: workspace.store, exists }, sources, options);
}

/** Takes in everything the sources list, then groups what belongs together, and records the run. */
export async function add(effects: AddEffects, sources: readonly Source[], options: AddOptions): Promise<AddResult> {
  const { store } = effects;
  const settings = { sources: sources.map(({ spec }) => spec), sync: options.sync };
  return recordRun(store, { stage: 'add', settings }, options, async (runId) => {
    const tally = new Tally();
    const { interrupted, shards } = await runOnThisMachine(ingestStage(store, sources, options, runId, tally), options);
    const sync = options.sync && !interrupted && options.limit === undefined;
    const { missing, moved } = sync ? await noticeMissing(store, sources, effects.exists) : { missing: 0, moved: 0 };
    if (sync) await liftWhatIsGone(store, sources, effects.exists, tally.problems);
    // Groups cost one pass over all hashes, so they are made once at the end and not a shard at a time.
    const grouped = await group(store);
    const { files, images, duplicates, unchanged, rescaled, bands, quarantined, stillQuarantined } = tally;
    return {
      interrupted,
      counts: {
        files,
        images,
        duplicates,
        unchanged,
        rescaled,
        bands,
        quarantined,
        stillQuarantined,
        missing,
        moved,
        ...grouped,
        shards,
      },
    };
  });
}

class Tally {
  /** Paths that could not even be opened in this listing. */
  readonly problems = new Set<string>();
  files = 0;
  images = 0;
  duplicates = 0;
  unchanged = 0;
  rescaled = 0;
  bands = 0;
  quarantined = 0;
  stillQuarantined = 0;
}

function ingestStage(
  store: Store,
  sources: readonly Source[],
  options: AddOptions,
  runId: string,
  tally: Tally,
): Stage<SourceItem, Looked> {
  /** Images of shards not yet committed, so that the same bytes twice in a shard are looked at once. */
  const underWay = new Map<ImageId, Promise<ImageRecord>>();

  return {
    name: 'add',
    shards: () => unknownShards(store, sources, options, tally),
    async process(item) {
      if (item.kind === 'problem') return { kind: 'bad', row: problemRow(item.problem) };
      const { entry } = item;
      try {
        const bytes = await entry.read(DEFAULT_MAX_BYTES);
        const id = sha256Hex(bytes);
        const path = pathOf(entry, id, bytes.byteLength);
        const earlier = underWay.get(id);
        if (earlier || (await store.image(id))) {
          await earlier;
          return { kind: 'known', path };
        }
        const looking = inspect(bytes, { id }).then((inspection) => ({
          ...inspection,
          id,
          byteSize: bytes.byteLength,
          groupId: id,
        }));
        underWay.set(id, looking);
        return { kind: 'image', image: await looking, path };
      } catch (error) {
        if (!(error instanceof LabelsmithError)) throw error;
        return { kind: 'bad', row: errorRow(entry, error) };
      }
    },
    async commit(shard, results) {
      const images = results.flatMap((result) => (result.kind === 'image' ? [result.image] : []));
      const paths = results.flatMap((result) => (result.kind === 'bad' ? [] : [result.path]));
      const quarantine = results.flatMap((result) => (result.kind === 'bad' ? [result.row] : []));
      await store.commitIngest({ runId, images, paths, quarantine });
      for (const { id } of images) underWay.delete(id);
      tally.files += shard.items.length;
      tally.images += images.length;
      tally.rescaled += images.filter(({ flags }) => flags.includes('rescaled')).length;
      tally.bands += images.filter(({ flags }) => flags.includes('bands')).length;
      tally.duplicates += paths.length - images.length;
      tally.quarantined += quarantine.length;
    },
  };
}

/** The listing in runs of `shardSize`, without what is known and unchanged; a run with nothing left is no shard. */
async function* unknownShards(
  store: Store,
  sources: readonly Source[],
  options: AddOptions,
  tally: Tally,
): AsyncIterable<Shard<SourceItem>> {
  const { shardSize = DEFAULT_SHARD_SIZE } = options;
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  let index = 0;
  for (const source of sources) {
    for await (const run of runsOf(source.list(), shardSize)) {
      const known = await store.lookupPaths(run.map(itemPath));
      for (const item of run) if (item.kind === 'problem') tally.problems.add(item.problem.path);
      const unknown: SourceItem[] = [];
      for (const item of run) {
        if (!isUnchanged(item, known)) unknown.push(item);
        else if (known.get(itemPath(item))?.imageId === null) tally.stillQuarantined++;
      }
      tally.unchanged += run.length - unknown.length;
      const items = unknown.slice(0, left);
      left -= items.length;
      if (items.length > 0) yield { index: index++, items };
      if (left <= 0) return;
    }
  }
}

async function* runsOf<T>(items: AsyncIterable<T>, size: number): AsyncIterable<readonly T[]> {
  let run: T[] = [];
  for await (const item of items) {
    run.push(item);
    if (run.length === size) {
      yield run;
      run = [];
    }
  }
  if (run.length > 0) yield run;
}

function itemPath(item: SourceItem): string {
  return item.kind === 'entry' ? item.entry.path : item.problem.path;
}

/** What cannot even be opened is looked at every time: it costs nothing and may have been mended. */
function isUnchanged(item: SourceItem, known: ReadonlyMap<string, KnownPath>): boolean {
  if (item.kind === 'problem') return false;
  const { path, byteSize, modifiedAtMs } = item.entry;
  const before = known.get(path);
  return (
    before !== undefined && !before.missing && before.byteSize === byteSize && before.modifiedAtMs === modifiedAtMs
  );
}

/**
 * After a whole listing: recorded paths under the sources' roots whose file is not there any more. Such a path is moved
 * when the same bytes are at another path by now, else missing; either way the image and its labels stay.
 */
async function noticeMissing(store: Store, sources: readonly Source[], exists: PathExists) {
  let missing = 0;
  let moved = 0;
  for (const root of new Set(sources.map((source) => source.root))) {
    for await (const page of store.pathsOf(root)) {
      const there = await Promise.all(page.map((path) => exists(path)));
      const gone = page.filter((path, i) => !there[i] && !path.missing);
      if (gone.length === 0) continue;
      await store.markMissing(
        gone.map(({ path }) => path),
        true,
      );
      const others = await store.pathsOfImages(gone.map(({ imageId }) => imageId));
      for (const { imageId } of gone) {
        if (others.get(imageId)?.some((other) => !other.missing)) moved++;
        else missing++;
      }
    }
  }
  return { missing, moved };
}

/**
 * After a whole listing: rows of quarantine under the sources' roots whose cause is gone. A file in quarantine is there as
 * long as it exists; what could not be opened (a broken link, say) as long as the listing meets it.
 */
async function liftWhatIsGone(
  store: Store,
  sources: readonly Source[],
  exists: PathExists,
  problems: ReadonlySet<string>,
): Promise<void> {
  const roots = new Set(sources.map((source) => source.root));
  const lifted: string[] = [];
  for await (const page of store.quarantine()) {
    for (const { path, sourceRoot, reason } of page) {
      if (!roots.has(sourceRoot) || problems.has(path)) continue;
      // Names that are no UTF-8 are written with escapes here, and cannot be looked up.
      const escaped = path.includes('\\x');
      const wasProblem = reason in SOURCE_PROBLEMS && reason !== 'unreadable';
      if (wasProblem || (!escaped && !(await exists({ path, pathBytes: null })))) lifted.push(path);
    }
  }
  if (lifted.length > 0) await store.liftQuarantine(lifted);
}

/** Groups over all images of the record; only changes are written. Resident: see `groups.ts`. */
async function group(store: Store): Promise<{ similarPairs: number; groups: number; overfullBuckets: number }> {
  const table = new GroupTable();
  for await (const page of store.groupFacts()) for (const facts of page) table.add(facts);
  const groups = computeGroups(table);
  for (const pairs of inRuns(groups.pairs(), ROWS_A_WRITE)) await store.putSimilarPairs(pairs);
  for (const changes of inRuns(groups.changes(), ROWS_A_WRITE)) await store.putGroups(new Map(changes));
  const { pairCount, groupedImages, groupCount, overfullBuckets } = groups;
  return { similarPairs: pairCount, groups: table.count - groupedImages + groupCount, overfullBuckets };
}

const ROWS_A_WRITE = 1000;

function* inRuns<T>(items: Iterable<T>, size: number): Generator<readonly T[]> {
  let run: T[] = [];
  for (const item of items) {
    run.push(item);
    if (run.length < size) continue;
    yield run;
    run = [];
  }
  if (run.length > 0) yield run;
}

function pathOf(entry: SourceEntry, imageId: ImageId, byteSize: number): ImagePath {
  const { path, pathBytes, sourceRoot, modifiedAtMs } = entry;
  return { imageId, path, pathBytes, sourceRoot, byteSize, modifiedAtMs, missing: false };
}

function problemRow({ path, sourceRoot, reason, message }: SourceProblem): QuarantineRow {
  return { path, sourceRoot, reason, message, byteSize: 0, modifiedAtMs: 0, stage: 'add' };
}

/** What was wrong with the contents stays so until the file changes; what could not be read is tried at every run. */
function errorRow(entry: SourceEntry, error: LabelsmithError): QuarantineRow {
  const { path, sourceRoot } = entry;
  const reason = typeof error.details.reason === 'string' ? error.details.reason : error.code.toLowerCase();
  const { byteSize, modifiedAtMs } = error.code === 'BAD_IMAGE' ? entry : { byteSize: 0, modifiedAtMs: 0 };
  return { path, sourceRoot, reason, message: error.message, byteSize, modifiedAtMs, stage: 'add' };
}

export interface AddEstimate {
  readonly files: number;
  readonly bytes: number;
  readonly estimatedMs: number;
  readonly recordBytes: number;
}

/** Files that are read and decoded to time them. */
const TIMED_FILES = 12;
/** Rows and index entries of an image and a path, measured on photographs with ordinary names. */
const RECORD_BYTES_PER_FILE = 700;

/** Lists everything, times a few files spread over the listing, and multiplies. Writes nothing. */
export async function estimateAdd(sources: readonly Source[], threads: number): Promise<AddEstimate> {
  let files = 0;
  let bytes = 0;
  let stride = 1;
  let timed: SourceEntry[] = [];
  for (const source of sources) {
    for await (const item of source.list()) {
      if (item.kind === 'problem') continue;
      if (files % stride === 0) timed.push(item.entry);
      if (timed.length === 2 * TIMED_FILES) {
        timed = timed.filter((_, i) => i % 2 === 0);
        stride *= 2;
      }
      files++;
      bytes += item.entry.byteSize;
    }
  }
  const startedAt = performance.now();
  for (const entry of timed) {
    await entry
      .read(DEFAULT_MAX_BYTES)
      .then((content) => inspect(content))
      .catch(() => {}); // a bad file takes its time too, and is not the estimate's business
  }
  const perFileMs = timed.length > 0 ? (performance.now() - startedAt) / timed.length : 0;
  const estimatedMs = Math.round((files * perFileMs) / threads);
  return { files, bytes, estimatedMs, recordBytes: files * RECORD_BYTES_PER_FILE };
}
