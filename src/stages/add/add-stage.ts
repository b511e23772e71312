/**
 * The stage `add`: from a source's listing to images in the record.
 *
 * A shard is a fixed run of the listing without what is known and unchanged. Each entry is read once, hashed, and looked
 * at through one shrunken decode, which also proves that the file is whole.
 */
import { z } from 'zod';
import { chunksOfPages } from '../../core/chunks.ts';
import { type ImageId, sha256Hex } from '../../core/ids.ts';
import type { ImagePath, ImageRecord, QualityFlag } from '../../core/image.ts';
import { once } from '../../core/once.ts';
import { LabelsmithError } from '../../errors.ts';
import { DEFAULT_MAX_BYTES } from '../../images/decode.ts';
import { inspect } from '../../images/inspect.ts';
import { archiveCacheOf, holdingFile } from '../../jobs/image-reader.ts';
import type { Counts, StageDefinition, StageJob, Workspace } from '../../jobs/stage.ts';
import { createReader, type PathReader } from '../../sources/reader.ts';
import type { Source, SourceEntry, SourceItem } from '../../sources/source.ts';
import type { KnownPath, QuarantineRow, Store } from '../../store/store.ts';
import { asListed, LISTED, type Listed, type ListedEntry, pathBytesOf } from '../listed.ts';
import { halvesOf, poisonous } from '../poison.ts';
import { kinshipOf, shareWithSuccessors } from './kinship.ts';
import { openSources } from './open-sources.ts';
import { PassedOverTally } from './passed-over.ts';

/** Entries of a shard: a second or two of work, and some 100 kB of records. */
const DEFAULT_SHARD_SIZE = 256;

export const ADD_SETTINGS = z.object({
  /** As the user wrote them. */
  sources: z.array(z.string()),
  /** Where relative ones start. */
  cwd: z.string(),
  sync: z.boolean(),
});
export type AddSettings = z.infer<typeof ADD_SETTINGS>;

const ADD_SHARD = z.object({
  items: z.array(LISTED),
  /** Paths listed since the shard before that are known and unchanged. */
  unchanged: z.number(),
  /** Of these: put aside by an earlier run. */
  stillQuarantined: z.number(),
});
type Shard = z.infer<typeof ADD_SHARD>;

interface ShardResult {
  /** Not in the record when they were looked at. */
  readonly images: readonly ImageRecord[];
  readonly paths: readonly ImagePath[];
  readonly quarantine: readonly QuarantineRow[];
  readonly counts: Counts;
}

export interface AddContext {
  readonly job: Pick<StageJob<AddSettings>, 'runId' | 'settings' | 'shardSize' | 'limit'>;
  readonly store: Store;
  readonly reader: PathReader;
  readonly sources: () => Promise<readonly Source[]>;
  /** Images that were looked at last, so that the same bytes in shards that are under way are looked at once. */
  readonly recent: Map<ImageId, Promise<ImageRecord>>;
  /** Paths that this listing could not even open; the plan adds to it. */
  readonly problems: Set<string>;
  /** Files of this listing whose names are no images'; the plan adds to it. */
  readonly passedOver: PassedOverTally;
  /**
   * Entries of shards under way, by path, that this process listed itself: a source that a program brings need not be of
   * files. Another process reads the path.
   */
  readonly listed: Map<string, SourceEntry>;
}

/** More than are under way at once in any engine. */
const MAX_RECENT = 4096;

/** @param sources default: opened from the settings when they are needed. */
export function addContext(job: StageJob<AddSettings>, sources?: readonly Source[]): AddContext {
  const { workspace, settings } = job;
  return {
    job,
    store: workspace.store,
    reader: createReader({ archiveCache: archiveCacheOf(workspace.dir) }),
    sources: once(async () => sources ?? openSourcesOf(workspace, settings)),
    recent: new Map(),
    problems: new Set(),
    passedOver: new PassedOverTally(),
    listed: new Map(),
  };
}

async function openSourcesOf(workspace: Workspace, { sources, sync, ...from }: AddSettings): Promise<Source[]> {
  return openSources(workspace, sources, from, sync ? await workspace.store.sourceRoots() : []);
}

export const addStage: StageDefinition<AddSettings, AddContext, Shard, ShardResult> = {
  name: 'add',
  settings: ADD_SETTINGS,
  shard: ADD_SHARD,

  poison: {
    halves(shard) {
      const parts = halvesOf(shard.items);
      // What was seen on the way is counted once.
      return (
        parts && [
          { ...shard, items: parts[0] },
          { items: parts[1], unchanged: 0, stillQuarantined: 0 },
        ]
      );
    },
    async putAside({ store }, { items }, reason) {
      await store.putQuarantine(
        items.map(({ path, sourceRoot }) => ({ path, sourceRoot, ...poisonous('add', reason) })),
      );
      return { files: items.length, quarantined: items.length };
    },
  },

  open: async (job) => addContext(job),

  async *plan({ store, sources, problems, passedOver, listed, job }) {
    const { shardSize = DEFAULT_SHARD_SIZE, limit = Number.POSITIVE_INFINITY } = job;
    let left = limit;
    let [unchanged, stillQuarantined] = [0, 0];
    const onIgnored = (path: string) => passedOver.add(path);
    for (const source of await sources()) {
      for await (const run of chunksOfPages(oneByOne(source.list({ onIgnored })), shardSize)) {
        const known = await store.lookupPaths(run.map(pathOfItem));
        const unknown = run.filter((item) => !isUnchanged(item, known));
        for (const item of run) if (item.kind === 'problem') problems.add(item.problem.path);
        unchanged += run.length - unknown.length;
        stillQuarantined += run.filter((item) => isUnchanged(item, known) && isPutAside(item, known)).length;
        const taken = unknown.slice(0, left);
        left -= taken.length;
        if (taken.length === 0) continue;
        for (const item of taken) if (item.kind === 'entry') listed.set(item.entry.path, item.entry);
        yield { items: taken.map(asListed), unchanged, stillQuarantined };
        [unchanged, stillQuarantined] = [0, 0];
        if (left <= 0) return;
      }
    }
    if (unchanged > 0) yield { items: [], unchanged, stillQuarantined };
  },

  isIdle: ({ items }) => items.length === 0,

  async process(context, { items, unchanged, stillQuarantined }, eachItem) {
    const results = await eachItem(items, (item) => lookAt(context, item));
    const images = new Map<ImageId, ImageRecord>();
    for (const result of results) if (result.kind === 'image') images.set(result.image.id, result.image);
    const quarantine = results.flatMap((result) => (result.kind === 'bad' ? [result.row] : []));
    return {
      images: [...images.values()],
      paths: results.flatMap((result) => (result.kind === 'bad' ? [] : [result.path])),
      quarantine,
      counts: {
        shards: items.length > 0 ? 1 : 0,
        files: items.length,
        quarantined: quarantine.length,
        unchanged,
        stillQuarantined,
      },
    };
  },

  async commit({ store, recent, listed, job }, { items }, { images, paths, quarantine, counts }) {
    if (items.length === 0) return counts;
    for (const { path } of items) listed.delete(path);
    // Another shard may have brought the same bytes meanwhile.
    const known = await store.pathsOfImages(images.map(({ id }) => id));
    const followEdits = job.settings.sync;
    const { heirs, successors, edited, replaced } = await kinshipOf(store, { images, paths }, { followEdits });
    await store.commitIngest({ runId: job.runId, images, paths, quarantine, heirs });
    await shareWithSuccessors(store, successors);
    for (const { id } of images) recent.delete(id);
    const added = images.filter(({ id }) => !known.has(id));
    const flagged = (flag: QualityFlag) => added.filter(({ flags }) => flags.includes(flag)).length;
    return {
      ...counts,
      images: added.length,
      duplicates: paths.length - added.length,
      edited,
      replaced,
      rescaled: flagged('rescaled'),
      bands: flagged('bands'),
      gaps: flagged('gaps'),
    };
  },
};

async function* oneByOne<T>(items: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  for await (const item of items) yield [item];
}

function pathOfItem(item: SourceItem): string {
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

function isPutAside(item: SourceItem, known: ReadonlyMap<string, KnownPath>): boolean {
  return known.get(pathOfItem(item))?.imageId === null;
}

type Looked =
  | { readonly kind: 'image'; readonly image: ImageRecord; readonly path: ImagePath }
  | { readonly kind: 'known'; readonly path: ImagePath }
  | { readonly kind: 'bad'; readonly row: QuarantineRow };

async function lookAt(context: AddContext, item: Listed): Promise<Looked> {
  if (item.kind === 'problem') return { kind: 'bad', row: problemRow(item) };
  try {
    return await holdingFile(item.byteSize, () => lookAtEntry(context, item));
  } catch (error) {
    if (!(error instanceof LabelsmithError)) throw error;
    return { kind: 'bad', row: errorRow(item, error) };
  }
}

async function lookAtEntry({ store, reader, recent, listed }: AddContext, item: ListedEntry): Promise<Looked> {
  const pathBytes = pathBytesOf(item);
  const entry = listed.get(item.path);
  const bytes = await (entry ? entry.read(DEFAULT_MAX_BYTES) : reader.read(item.path, pathBytes, DEFAULT_MAX_BYTES));
  const id = sha256Hex(bytes);
  const { path, sourceRoot, modifiedAtMs } = item;
  const byteSize = bytes.byteLength;
  const place = { imageId: id, path, pathBytes, sourceRoot, byteSize, modifiedAtMs, missing: false };
  const underWay = recent.get(id);
  if (underWay) return { kind: 'image', image: await underWay, path: place };
  if (await store.image(id)) return { kind: 'known', path: place };
  const looking = recent.get(id) ?? inspect(bytes, { id }).then((facts) => ({ ...facts, id, byteSize, groupId: id }));
  keepRecent(recent, id, looking);
  return { kind: 'image', image: await looking, path: place };
}

function keepRecent(recent: AddContext['recent'], id: ImageId, looking: Promise<ImageRecord>): void {
  recent.set(id, looking);
  for (const oldest of recent.keys()) {
    if (recent.size <= MAX_RECENT) return;
    recent.delete(oldest);
  }
}

function problemRow({ path, sourceRoot, reason, message }: Extract<Listed, { kind: 'problem' }>): QuarantineRow {
  return { path, sourceRoot, reason, message, byteSize: 0, modifiedAtMs: 0, stage: 'add' };
}

/** What was wrong with the contents stays so until the file changes; what could not be read is tried at every run. */
function errorRow(entry: ListedEntry, error: LabelsmithError): QuarantineRow {
  const { path, sourceRoot } = entry;
  const reason = typeof error.details.reason === 'string' ? error.details.reason : error.code.toLowerCase();
  const { byteSize, modifiedAtMs } = error.code === 'BAD_IMAGE' ? entry : { byteSize: 0, modifiedAtMs: 0 };
  return { path, sourceRoot, reason, message: error.message, byteSize, modifiedAtMs, stage: 'add' };
}
