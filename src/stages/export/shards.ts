/**
 * An export in shards of N images, in the order of the export in one file, and one index at the end (formats/shard-index.ts).
 *
 * Guarantees: a shard is there as a whole or not at all; killed and run again, shards that are there with the bytes that they
 * are to have are not written again, and all bytes are those of an undisturbed run; nothing is complete before its index says
 * so. To a folder it appears under OUT when it is whole (files/output.ts); to a target the shards stream as they are made.
 *
 * Resident: what the format's writer holds, and the index, some 300 bytes a shard. On disk: to a target, one shard.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetImage } from '../../core/dataset.ts';
import { isInterruption, LabelsmithError } from '../../errors.ts';
import { writeOutput } from '../../files/output.ts';
import type { ExportSummary, FormatName, Tally } from '../../formats/format.ts';
import {
  INDEX_FILE,
  indexText,
  SHARD_FORMATS,
  type ShardEntry,
  type ShardFormat,
  type ShardIndex,
  shardName,
} from '../../formats/shard-index.ts';
import { isTargetAddress, openSink } from '../../sources/targets.ts';
import { withOutgoing } from '../push/to-target.ts';
import { folderPlace, madeFile, type ShardPlace, sinkPlace } from './shard-place.ts';
import { exportTo, type NotedContext, rehearsable, Writing } from './write.ts';

export interface ShardContext extends NotedContext {
  /** Images in a shard; the last has what is left. */
  readonly shardSize: number;
  /** Absolute. */
  readonly workspaceDir: string;
}

export function shardFormat(name: FormatName): ShardFormat {
  const found = SHARD_FORMATS.find((one) => one === name);
  if (found !== undefined) return found;
  throw new LabelsmithError('USAGE', `${name} is not written in shards, so --shard-size has no meaning for it`, {
    hint: `Formats that are: ${SHARD_FORMATS.join(', ')}, and webdataset, whose shards are its own.`,
  });
}

/** @param out a folder, or an address. @param images as `exportDataset` takes them */
export async function exportShards(
  name: ShardFormat,
  out: string,
  images: AsyncIterable<DatasetImage>,
  context: ShardContext,
): Promise<ExportSummary> {
  const writing = new Writing(name, images, context);
  if (isTargetAddress(out)) return exportToTarget(name, writing, out, context);
  const { replace, protectedPaths, dryRun } = context;
  const facts = () => writing.facts();
  const options = { kind: 'folder', what: exportTo(name), facts, replace, protectedPaths, goesOn: !dryRun } as const;
  let counts = NOTHING_WRITTEN;
  const path = await rehearsable(out, context, () =>
    writeOutput(out, options, async (target) => {
      counts = await writeShards(name, writing, folderPlace(target), context);
    }),
  );
  return { ...writing.summary(path), shards: { size: context.shardSize, ...counts } };
}

async function exportToTarget(
  name: ShardFormat,
  writing: Writing,
  out: string,
  context: ShardContext,
): Promise<ExportSummary> {
  const { replace, signal, dryRun } = context;
  if (dryRun) throw new LabelsmithError('USAGE', `What an export to ${out} would do cannot be said beforehand.`);
  const target = out.replace(/\/+$/, '');
  return withOutgoing(target, context, async (work) => {
    const sink = await openSink(target, { cwd: '/' });
    try {
      const begun = indexText(indexFor(name, writing, context, []));
      const place = await sinkPlace(sink, { work, begun, replace, signal });
      const counts = await writeShards(name, writing, place, context);
      return { ...writing.summary(target), shards: { size: context.shardSize, ...counts } };
    } finally {
      await sink.close();
    }
  });
}

interface ShardCounts {
  written: number;
  kept: number;
}

const NOTHING_WRITTEN: Readonly<ShardCounts> = { written: 0, kept: 0 };

async function writeShards(
  name: ShardFormat,
  writing: Writing,
  place: ShardPlace,
  context: ShardContext,
): Promise<ShardCounts> {
  const counts = { ...NOTHING_WRITTEN };
  const entries: ShardEntry[] = [];
  try {
    for await (const shard of shardsOf(writing.images, context.shardSize)) {
      const { entry, put } = await writeShard(name, entries.length, shard, writing, place);
      entries.push(entry);
      if (put === 'written') counts.written++;
      else counts.kept++;
    }
  } catch (error) {
    if (!isInterruption(error)) throw error;
    throw interruptedAfter(entries.length);
  }
  await putIndex(name, writing, entries, place, context);
  return counts;
}

export function interruptedAfter(shards: number): LabelsmithError {
  return new LabelsmithError('INTERRUPTED', `the export was interrupted; ${shards} shards of it are written`, {
    hint: 'Run it again: it goes on.',
  });
}

export interface WrittenShard {
  readonly entry: ShardEntry;
  readonly put: 'written' | 'there';
}

/** Writes one shard and takes it to its place. @param writing counts what is in it */
export async function writeShard(
  name: ShardFormat,
  number: number,
  shard: Shard,
  { format, job }: Pick<Writing, 'format' | 'job'>,
  place: Pick<ShardPlace, 'work' | 'put'>,
): Promise<WrittenShard> {
  const file = shardName(number, name);
  const path = join(place.work, `.${file}.unfinished`);
  await rm(path, { force: true });
  const before = countsOf(job.tally);
  await format.write(shard.images, path, job);
  const now = countsOf(job.tally);
  const made = await madeFile(path);
  const entry = {
    file,
    images: now.images - before.images,
    regions: now.regions - before.regions,
    labels: now.labels - before.labels,
    bytes: made.bytes,
    sha256: made.sha256,
    first: shard.first,
    last: shard.last(),
  };
  const put = await place.put(file, made);
  await rm(path, { force: true });
  return { entry, put };
}

/** The end of an export whose shards are at their place: what it says of itself. */
export async function putIndex(
  name: ShardFormat,
  writing: Writing,
  entries: readonly ShardEntry[],
  place: ShardPlace,
  context: ShardContext,
): Promise<void> {
  await writing.end();
  await place.settle(new Set(entries.map(({ file }) => file)));
  const path = join(place.work, `.${INDEX_FILE}.unfinished`);
  await writeFile(path, indexText({ ...indexFor(name, writing, context, entries), complete: true }));
  await place.put(INDEX_FILE, await madeFile(path));
}

function countsOf({ images, regions, labels }: Tally) {
  return { images, regions, labels };
}

/** Says that it is not complete. */
export function indexFor(
  format: ShardFormat,
  writing: Writing,
  { task, version, shardSize }: ShardContext,
  shards: readonly ShardEntry[],
): ShardIndex {
  const { images, regions, labels, splits, loses, lost } = writing.summary('');
  return {
    madeBy: 'labelsmith',
    version,
    complete: false,
    format,
    task: task?.name ?? null,
    rule: task?.rule ?? null,
    shardSize,
    images,
    regions,
    labels,
    splits,
    loses: [...loses],
    lost,
    ...writing.facts(),
    shards: [...shards],
  };
}

export interface Shard {
  readonly first: string;
  readonly images: AsyncIterable<DatasetImage>;
  /** Of those that were taken. */
  last(): string;
}

/** What comes of a stream in parts of `size`, each of which is taken whole before the next. */
export async function* shardsOf(images: AsyncGenerator<DatasetImage>, size: number): AsyncGenerator<Shard> {
  try {
    for (let next = await images.next(); !next.done; ) {
      const first = next.value.id;
      let last: string = first;
      const part = async function* () {
        for (let taken = 0; taken < size && !next.done; taken++) {
          last = next.value.id;
          yield next.value;
          next = await images.next();
        }
      };
      yield { first, images: part(), last: () => last };
    }
  } finally {
    await images.return(undefined);
  }
}
