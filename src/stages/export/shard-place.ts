/**
 * Where the shards of an export go: a folder that is written beside OUT, or a target. A file is there under its name as a whole
 * or not at all, and what is there already with the same bytes is not written again.
 *
 * At a target the index is put first as one that is not complete: that says whose the place is, and that an export to it may
 * go on. What else is there is not ours to write over.
 */
import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { retry } from '../../core/retry.ts';
import { LabelsmithError, systemCodeOf } from '../../errors.ts';
import { sha256OfFile } from '../../fetch/cache.ts';
import { flushFile } from '../../files/flush.ts';
import { renameOver } from '../../files/rename.ts';
import { INDEX_FILE, indexOf, isShardName } from '../../formats/shard-index.ts';
import { filePieces } from '../../sources/file.ts';
import type { Sink, SinkFile } from '../../sources/sink.ts';

/** A file that was made, and what it is. */
export interface MadeFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ShardPlace {
  /** A folder of this machine for the file that is being made. */
  readonly work: string;
  /** Takes a file from `work` to its name, where it has not the same bytes already. */
  put(name: string, file: MadeFile): Promise<'written' | 'there'>;
  /** Nothing but these is there any more; before the index is put. */
  settle(names: ReadonlySet<string>): Promise<void>;
}

export async function madeFile(path: string): Promise<MadeFile> {
  return { path, bytes: (await stat(path)).size, sha256: await sha256OfFile(path) };
}

/** @param folder that nobody else writes to */
export function folderPlace(folder: string): ShardPlace {
  return {
    work: folder,
    async put(name, { path, sha256 }) {
      const target = join(folder, name);
      const there = await sha256OfFile(target).catch((error) => {
        if (systemCodeOf(error) === 'ENOENT') return null;
        throw error;
      });
      if (there === sha256) {
        await rm(path);
        return 'there';
      }
      await flushFile(path);
      await renameOver(path, target);
      return 'written';
    },
    async settle(names) {
      for (const name of await readdir(folder))
        if (!names.has(name)) await rm(join(folder, name), { recursive: true, force: true });
    },
  };
}

export interface SinkPlaceOptions {
  /** A folder of this machine. */
  readonly work: string;
  /** An index that says that the export is not complete. */
  readonly begun: string;
  /** Writes over a finished export. */
  readonly replace: boolean;
  readonly signal?: AbortSignal;
}

const BACKOFF = { baseMs: 200, maxMs: 20_000, patienceMs: 120_000 };

export async function sinkPlace(sink: Sink, options: SinkPlaceOptions): Promise<ShardPlace> {
  const { work, begun, replace, signal } = options;
  const waiting = <T>(job: () => Promise<T>) =>
    retry(job, {
      ...BACKOFF,
      isTransient: (error) => error instanceof LabelsmithError && error.code === 'NETWORK' && !signal?.aborted,
      sleep: (ms) => sleep(ms, undefined, { signal }).catch(() => undefined),
      now: () => performance.now(),
      random: Math.random,
    });
  const digestAt = (key: string) =>
    waiting(async () => {
      const hash = createHash('sha256');
      for await (const piece of sink.open(key)) hash.update(piece);
      return hash.digest('hex');
    });
  const isThere = async (found: SinkFile | undefined, { bytes, sha256 }: MadeFile) =>
    found?.byteSize === bytes && (found.sha256 ?? (await digestAt(found.key))) === sha256;
  const state = await stateOf(sink, () => waiting(() => sink.find(INDEX_FILE)));
  const mayWrite = state !== 'complete' || replace;
  if (mayWrite && state !== 'begun') await putText(sink, begun, waiting);
  return {
    work,
    async put(name, file) {
      const { path, bytes: byteSize, sha256 } = file;
      if (await isThere(await waiting(() => sink.find(name)), file)) return 'there';
      if (!mayWrite) throw occupied(sink, name);
      const put = await waiting(() => sink.put(name, filePieces(path, name), { byteSize, sha256, signal }));
      const verified = put.kind === 'written' && put.verified;
      if (verified || (await digestAt(name)) === sha256) return 'written';
      throw new LabelsmithError('NETWORK', `${sink.uri}/${name} is not what was written there`, {
        hint: 'The store, or what lies between, changes bytes. Run the same export again.',
      });
    },
    async settle(names) {
      for await (const { key, uri } of sink.list?.('') ?? []) {
        if (names.has(key) || key === INDEX_FILE) continue;
        if (!mayWrite) throw occupied(sink, key);
        throw new LabelsmithError('REFUSED', `${uri} is there of an earlier export, and would be none of this one`, {
          hint: 'Delete it and run the same export again, or choose another prefix.',
        });
      }
    },
  };
}

function occupied(sink: Sink, name: string): LabelsmithError {
  return new LabelsmithError('REFUSED', `the output ${sink.uri} has another export in it, first ${name}`, {
    hint: 'Choose another prefix, or write over what is there with --replace.',
  });
}

/** What is at a target, where nothing that is not ours may be. */
async function stateOf(
  sink: Sink,
  findIndex: () => Promise<SinkFile | undefined>,
): Promise<'empty' | 'begun' | 'complete'> {
  const found = await findIndex();
  const index = found === undefined ? null : indexOf(await textAt(sink, INDEX_FILE));
  for await (const { key, uri } of sink.list?.('') ?? []) {
    if (index !== null && (key === INDEX_FILE || isShardName(key))) continue;
    throw new LabelsmithError('REFUSED', `the output ${sink.uri} is not empty: ${uri}`, {
      hint: 'Choose another prefix; what is in a cloud is not replaced as a whole.',
    });
  }
  if (found !== undefined && index === null) throw occupied(sink, INDEX_FILE);
  if (index === null) return 'empty';
  return index.complete ? 'complete' : 'begun';
}

async function textAt(sink: Sink, key: string): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of sink.open(key)) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

async function putText(sink: Sink, text: string, waiting: <T>(job: () => Promise<T>) => Promise<T>): Promise<void> {
  const bytes = Buffer.from(text);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await waiting(() => sink.put(INDEX_FILE, piecesOf(bytes), { byteSize: bytes.length, sha256 }));
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
