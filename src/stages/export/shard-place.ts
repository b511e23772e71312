/**
 * Where the shards of an export go: a folder that is written beside OUT, or a target. A file is there under its name as a whole
 * or not at all, and what is there already with the same bytes is not written again.
 *
 * At a target the index is put first as one that is not complete: that says whose the place is, and that an export to it may
 * go on. What else is there is not ours to write over; SFTP and folders do not list what they have, so that there only files
 * under the names of shards are noticed.
 */
import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { retry } from '../../core/retry.ts';
import { LabelsmithError, systemCodeOf } from '../../errors.ts';
import { sha256OfFile } from '../../fetch/cache.ts';
import { flushFile } from '../../files/flush.ts';
import { renameOver } from '../../files/rename.ts';
import { INDEX_FILE, indexOf, isShardName } from '../../formats/shard-index.ts';
import { digestsOfFile, filePieces } from '../../sources/file.ts';
import type { Sink, SinkFile } from '../../sources/sink.ts';

/** A file that was made, and what it is. */
export interface MadeFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly md5: string;
}

export interface ShardPlace {
  /** A folder of this machine for the file that is being made. */
  readonly work: string;
  /** Says that an export goes here, before other processes put its shards; not over one that is complete and stays. */
  begin(): Promise<void>;
  /** Takes a file from `work` to its name, where it has not the same bytes already. */
  put(name: string, file: MadeFile): Promise<'written' | 'there'>;
  /** Nothing but these is there any more, as far as the place lists what it has; before the index is put. */
  settle(names: ReadonlySet<string>): Promise<void>;
}

export async function madeFile(path: string): Promise<MadeFile> {
  return { path, ...(await digestsOfFile(path)) };
}

/** @param folder that nobody else writes to */
export function folderPlace(folder: string): ShardPlace {
  return {
    work: folder,
    async begin() {},
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
  /** An index that says that the export is not complete; null where another process has put it. */
  readonly begun: string | null;
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
  const digestAt = async (key: string) => {
    const hash = createHash('sha256');
    for await (const piece of sink.open(key)) hash.update(piece);
    return hash.digest('hex');
  };
  // What was promised of it when it was put comes after what the store says that it keeps.
  const isThere = async (found: SinkFile | undefined, { bytes, sha256, md5 }: MadeFile) => {
    if (found?.byteSize !== bytes) return false;
    if (found.md5 !== undefined) return found.md5 === md5;
    return (found.sha256 ?? (await digestAt(found.key))) === sha256;
  };
  const putVerified = async (name: string, { path, bytes: byteSize, sha256 }: MadeFile) => {
    const put = await sink.put(name, filePieces(path, name), { byteSize, sha256, signal });
    if ((put.kind === 'written' && put.verified) || (await digestAt(name)) === sha256) return;
    throw new LabelsmithError('NETWORK', `${sink.uri}/${name} is not what was written there`, {
      hint: 'The store, or what lies between, changes bytes. Run the same export again.',
    });
  };
  let state = await waiting(() => stateOf(sink));
  const wasEmpty = state === 'empty';
  const mayWrite = state !== 'complete' || replace;
  // Not before there is something to put: an export that is refused leaves nothing.
  const begin = async () => {
    if (state === 'begun') return;
    if (begun === null) {
      throw new LabelsmithError('REFUSED', `what the export to ${sink.uri} began with is not there any more`, {
        hint: 'Somebody deletes what is there, or it is another place for this machine. Run the same export again.',
      });
    }
    await waiting(() => putText(sink, begun));
    state = 'begun';
  };
  return {
    work,
    async begin() {
      if (mayWrite) await begin();
    },
    async put(name, file) {
      const found = await waiting(() => sink.find(name));
      if (await waiting(() => isThere(found, file))) return 'there';
      if (!mayWrite) throw occupied(sink, name);
      if (name !== INDEX_FILE) {
        // Somebody's, at a target that cannot list what it has.
        if (wasEmpty && found !== undefined) throw notEmpty(sink, found);
        await begin();
      }
      await waiting(() => putVerified(name, file));
      return 'written';
    },
    async settle(names) {
      const other = await waiting(() => firstBeside(sink, (key) => names.has(key) || key === INDEX_FILE));
      if (other === undefined) return;
      if (!mayWrite) throw occupied(sink, other.key);
      throw new LabelsmithError(
        'REFUSED',
        `${other.uri} is there of an earlier export, and would be none of this one`,
        {
          hint: 'Delete it and run the same export again, or choose another prefix.',
        },
      );
    },
  };
}

function occupied(sink: Sink, name: string): LabelsmithError {
  return new LabelsmithError('REFUSED', `the output ${sink.uri} has another export in it, first ${name}`, {
    hint: 'Choose another prefix, or write over what is there with --replace.',
  });
}

function notEmpty(sink: Sink, other: SinkFile): LabelsmithError {
  return new LabelsmithError('REFUSED', `the output ${sink.uri} is not empty: ${other.uri}`, {
    hint: 'Choose another prefix; what is in a cloud is not replaced as a whole.',
  });
}

const MAX_LOOKS = 5;

/** What is at a target, where nothing that is not ours may be. */
async function stateOf(sink: Sink, attempt = 1): Promise<'empty' | 'begun' | 'complete'> {
  const found = await sink.find(INDEX_FILE);
  const index = found === undefined ? null : indexOf(await textAt(sink, INDEX_FILE));
  const other = await firstBeside(sink, (key) => index !== null && (key === INDEX_FILE || isShardName(key)));
  // Another part of the same export began between the two questions.
  if (other?.key === INDEX_FILE && found === undefined && attempt < MAX_LOOKS) return stateOf(sink, attempt + 1);
  if (other !== undefined) throw notEmpty(sink, other);
  if (found !== undefined && index === null) throw occupied(sink, INDEX_FILE);
  if (index === null) return 'empty';
  return index.complete ? 'complete' : 'begun';
}

/** The first file that is none of these; undefined where the target cannot list what it has. */
async function firstBeside(sink: Sink, isKnown: (key: string) => boolean): Promise<SinkFile | undefined> {
  for await (const file of sink.list?.('') ?? []) if (!isKnown(file.key)) return file;
  return undefined;
}

async function textAt(sink: Sink, key: string): Promise<string> {
  return (await buffer(sink.open(key))).toString('utf8');
}

async function putText(sink: Sink, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const pieces = (async function* () {
    yield bytes;
  })();
  await sink.put(INDEX_FILE, pieces, { byteSize: bytes.length, sha256 });
}
