/** `add`: takes in everything the sources list, then groups what belongs together, as one recorded run. */
import { resolve } from 'node:path';
import { type RunOptions, type RunResult, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Source } from '../../sources/source.ts';
import { addContext, addStage } from './add-stage.ts';
import { groupImages } from './group.ts';
import type { PassedOver } from './passed-over.ts';
import { goneFolders, liftWhatIsGone, noticeMissing, relinkMovedFolders } from './sync.ts';

export interface AddOptions extends RunOptions {
  /** Also notices files that are gone, moved or changed since they were added. Labels are never dropped. */
  readonly sync: boolean;
}

export interface AddResult extends RunResult {
  /** Folders that images came from and that are not there any more. */
  readonly goneSources: readonly string[];
  /** Files that were not looked at, since their names are no images', by the ends of these. */
  readonly passedOver: PassedOver;
  readonly counts: {
    /** Entries read in this run. */
    readonly files: number;
    /** Images new to the record. */
    readonly images: number;
    /** Paths whose bytes were known already. */
    readonly duplicates: number;
    /** Known paths whose bytes changed: the same picture, which keeps what was said of it, or another one. */
    readonly edited: number;
    readonly replaced: number;
    /** Paths known and unchanged, not read again. */
    readonly unchanged: number;
    /** Of `images`: more than 8 bits, scaled by what the file holds; and those with more bands than are shown. */
    readonly rescaled: number;
    /** Images with pixels that stand for no measurement. */
    readonly gaps: number;
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
    /** Added by a version that kept no prints: mirrored, turned and cropped copies of these are not found. */
    readonly withoutPrint: number;
    readonly shards: number;
  };
}

const NOTHING = {
  files: 0,
  images: 0,
  duplicates: 0,
  edited: 0,
  replaced: 0,
  unchanged: 0,
  rescaled: 0,
  gaps: 0,
  bands: 0,
  quarantined: 0,
  stillQuarantined: 0,
  shards: 0,
};

export async function addTo(workspace: Workspace, sources: readonly Source[], options: AddOptions): Promise<AddResult> {
  const { store, engine } = workspace;
  const specs = sources.map(({ spec }) => spec);
  const recorded = { sources: specs, sync: options.sync };
  return recordRun(store, { stage: 'add', settings: recorded }, options, async (runId) => {
    const settings = { sources: specs, cwd: resolve('.'), sync: options.sync };
    const job = { ...options, workspace, settings, runId };
    const context = addContext(job, sources);
    const { counts, interrupted } = await engine.run(addStage, job, context);
    const sync = options.sync && !interrupted && options.limit === undefined;
    const gone = sync ? await noticeMissing(store, sources, context.reader) : { missing: 0, moved: 0 };
    if (sync) await liftWhatIsGone(store, sources, context.reader, context.problems);
    const relinked = sync ? await relinkMovedFolders(store, sources, context.reader) : 0;
    const goneSources = await goneFolders(store, context.reader);
    // Groups cost one pass over all hashes, so they are made once at the end and not a shard at a time.
    const { interrupted: stopped, ...grouped } = await groupImages({ ...options, workspace, runId });
    const found = { missing: gone.missing, moved: gone.moved + relinked };
    return {
      interrupted: interrupted || stopped,
      goneSources,
      passedOver: context.passedOver.counts(),
      counts: { ...NOTHING, ...counts, ...found, ...grouped },
    };
  });
}
