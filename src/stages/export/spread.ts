/**
 * An export in shards to a target, by whatever engine the workspace has: cuts first, then shards as the stage `export`, then the
 * index. The bytes are those of one machine, for any number of workers or parts.
 */
import type { DatasetImage } from '../../core/dataset.ts';
import { isInterruption, LabelsmithError } from '../../errors.ts';
import type { ExportSummary } from '../../formats/format.ts';
import { indexText, type ShardEntry } from '../../formats/shard-index.ts';
import type { StageJob } from '../../jobs/stage.ts';
import { openSink } from '../../sources/targets.ts';
import { type ExportSettings, type ExportShard, exportStage, idsDigest } from './export-stage.ts';
import type { ExportNote } from './note-export.ts';
import { openOwnFolder } from './own-folder.ts';
import type { Selection } from './selection.ts';
import { sinkPlace } from './shard-place.ts';
import { indexFor, interruptedAfter, putIndex, type ShardContext, shardsOf } from './shards.ts';
import { Writing } from './write.ts';

export interface Spreading {
  readonly job: StageJob<ExportSettings>;
  /** As this process has them. */
  readonly names: string;
  readonly selection: () => Selection;
  readonly shards: () => AsyncIterable<ExportShard>;
  /** Whether nothing goes in. */
  readonly isEmpty: boolean;
  /** Called by the process that writes down. */
  readonly beginNote: () => Promise<ExportNote>;
}

/** What was written, and how many images it went over. */
export interface SpreadExport {
  readonly summary: ExportSummary;
  readonly seen: number;
  readonly notLookedAt: number;
}

export async function exportSpread(
  { job, names, selection, shards, isEmpty, beginNote }: Spreading,
  given: Omit<ShardContext, 'note'>,
): Promise<SpreadExport> {
  const { workspace, settings } = job;
  const { format: name, out, shardSize } = settings;
  const { replace, signal } = given;
  if (replace && workspace.engine.isPart) {
    throw new LabelsmithError('USAGE', 'A part cannot tell which shards another part has replaced already.', {
      hint: 'Leave --replace away and choose another prefix, or let one process or workers (--fleet) do all of it.',
    });
  }
  let begun: Promise<ExportNote> | undefined;
  const noted = () => {
    begun ??= beginNote();
    return begun;
  };
  const note = { add: async () => {}, finish: async () => (await noted()).finish() };
  const context: ShardContext = { ...given, note };
  const writing = new Writing(name, noImages(), context);
  const { folder: work, remove } = await openOwnFolder(given.workspaceDir, out);
  const sink = await openSink(out, { cwd: '/' });
  const entries: ShardEntry[] = [];
  const counts = { written: 0, kept: 0 };
  let seen = 0;
  let notLookedAt = 0;
  try {
    const start = indexText(indexFor(name, writing, context, []));
    const place = await sinkPlace(sink, { work, begun: start, replace, signal });
    if (!isEmpty) await place.begin();
    const { interrupted } = await workspace.engine.run(exportStage, job, {
      settings,
      names,
      place,
      selection,
      context: given,
      shards,
      async onWritten(shard) {
        const { entry, tally } = shard;
        const own = await noted();
        for (const [id, text] of shard.shown) await own.addText(id, text);
        writing.job.tally.merge(tally);
        seen += shard.seen;
        notLookedAt += shard.notLookedAt;
        if (entry === null) return;
        entries.push(entry);
        if (shard.put === 'written') counts.written++;
        else counts.kept++;
      },
    });
    if (interrupted) throw interruptedAfter(entries.length);
    await putIndex(name, writing, entries, place, context);
  } catch (error) {
    throw isInterruption(error) ? interruptedAfter(entries.length) : error;
  } finally {
    await sink.close();
    await remove();
  }
  const summary = { ...writing.summary(out), shards: { size: shardSize, ...counts } };
  return { summary, seen, notLookedAt };
}

/** Shards that end with these images; the last has what is left. */
export async function* shardsEndingAt(ends: readonly string[]): AsyncGenerator<ExportShard> {
  let after: string | null = null;
  for (const [number, upTo] of [...ends, null].entries()) {
    yield { number, after, upTo };
    after = upTo;
  }
}

/**
 * The same where a split was drawn: each image goes where the plan of all says, which other processes do not have.
 * @param images that go in, each with its split. @param names of the splits
 */
export async function* shardsWithSplits(
  images: AsyncGenerator<DatasetImage>,
  names: readonly string[],
  shardSize: number,
): AsyncGenerator<ExportShard> {
  let after: string | null = null;
  let held: ExportShard | undefined;
  let number = 0;
  for await (const shard of shardsOf(images, shardSize)) {
    const ids: string[] = [];
    const splits: number[] = [];
    for await (const { id, split } of shard.images) {
      ids.push(id);
      splits.push(names.indexOf(split ?? ''));
    }
    if (held !== undefined) yield held;
    held = { number: number++, after, upTo: shard.last(), drawn: { splits, ids: idsDigest(ids) } };
    after = shard.last();
  }
  // Those after the last image that goes in are gone over too.
  yield held === undefined ? { number, after, upTo: null } : { ...held, upTo: null };
}

async function* noImages(): AsyncGenerator<DatasetImage> {}
