/**
 * Archives made readable by position. A zip and a plain tar are already; a tar.gz cannot be entered in the middle, so it is
 * unpacked once as a whole into one plain tar file in the archive cache (as large as its contents; derived, may be deleted
 * at any time). Never throws for what is wrong with an archive.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';
import { makeFolder } from '../files/make-folder.ts';
import { renameOver } from '../files/rename.ts';
import { filePieces, type SystemPath } from './file.ts';
import { archiveKindOf, pathTextOf } from './names.ts';
import type { SourceProblemReason } from './source.ts';

/** An archive that can be listed and read: the file itself, or the plain tar that was made of it. */
export interface OpenedArchive {
  readonly kind: 'zip' | 'tar';
  readonly file: SystemPath;
  /** What was wrong with it when it was unpacked; the members before that place are there. */
  readonly damage: { readonly reason: SourceProblemReason; readonly message: string } | undefined;
}

type Opening =
  | { readonly kind: 'opened'; readonly archive: OpenedArchive }
  | { readonly kind: 'problem'; readonly reason: SourceProblemReason; readonly message: string };

/** Makes an archive readable by position. Never throws for what is wrong with the archive. */
export async function openArchive(path: Buffer, archiveCache: string | undefined): Promise<Opening> {
  const text = pathTextOf(path);
  const system: SystemPath = text.pathBytes === null ? text.path : path;
  const kind = archiveKindOf(text.path);
  if (kind === undefined || kind === 'unsupported') {
    const message = 'only zip, tar and tar.gz archives are opened; unpack it and add the folder';
    return { kind: 'problem', reason: 'unsupported-archive', message };
  }
  try {
    const found = await stat(system);
    if (!found.isFile()) return { kind: 'problem', reason: 'not-a-file', message: 'not a regular file' };
    if (kind !== 'tar.gz') return { kind: 'opened', archive: { kind, file: system, damage: undefined } };
    const key = createHash('sha256')
      .update(path)
      .update(`\n${found.size}\n${found.mtimeMs}`)
      .digest('hex')
      .slice(0, 32);
    return await unpacked(system, found.size, archiveCache ?? temporaryCache(), key);
  } catch (error) {
    if (error instanceof LabelsmithError && error.code === 'DISK_FULL') throw error;
    const code = systemCodeOf(error);
    const reason = code === 'ENOENT' || code === 'NOT_FOUND' ? 'missing' : 'unreadable';
    return { kind: 'problem', reason, message: `the archive cannot be read: ${messageOf(error)}` };
  }
}

/** Deflate cannot make more than 1032 of 1 byte; photographs make about 1. */
const MAX_GROWTH = 200;
const ALWAYS_ALLOWED_BYTES = 1 << 30;

/** The plain tar made of a tar.gz. A name is only ever given to a whole file, so two processes may do this at once. */
async function unpacked(path: SystemPath, packedSize: number, cache: string, key: string): Promise<Opening> {
  const file = join(cache, `${key}.tar`);
  if (await exists(file)) return opened(file);
  await makeFolder(cache);
  await removeAbandoned(cache);
  const partial = join(cache, `${key}.${process.pid}.partial`);
  const most = Math.max(ALWAYS_ALLOWED_BYTES, packedSize * MAX_GROWTH);
  try {
    await gunzipTo(path, partial, most);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      await rm(partial, { force: true });
      throw new LabelsmithError('DISK_FULL', `no room in ${cache} to unpack ${String(path)}`, {
        hint: 'Free some space, or unpack the archive elsewhere and add the folder.',
        cause: error,
      });
    }
    if (error instanceof RangeError) {
      await rm(partial, { force: true });
      return { kind: 'problem', reason: 'archive-too-large', message: `the archive is refused: ${error.message}` };
    }
    if (code !== undefined && !code.startsWith('Z_')) throw error;
    // What was unpacked before the damage is used in this process; it is not cached under the whole file's name.
    leftovers.add(partial);
    return opened(partial, { reason: 'damaged-archive', message: `the archive is damaged: ${messageOf(error)}` });
  }
  await renameOver(partial, file);
  return opened(file);
}

/** What this many bytes unpack to is held before it is written: 17 MB at most, since deflate makes 1032 of 1. */
const PACKED_AT_ONCE_BYTES = 2 ** 14;

/** Nobody writes for so long without adding to the file; a process that did was killed. */
const ABANDONED_AFTER_MS = 3_600_000;

async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.endsWith('.partial')) continue;
    const path = join(cache, name);
    // One that is gone by now was somebody else's to remove.
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true });
  }
}

/**
 * Unpacks to a file as far as it goes: before it fails, all that came out of the whole part is written, so a cut archive
 * always gives the same members. (A pipeline of streams throws away what is still on its way when one of them fails.)
 */
async function gunzipTo(path: SystemPath, out: string, most: number): Promise<void> {
  const gunzip = createGunzip();
  const ready: Buffer[] = [];
  gunzip.on('data', (chunk: Buffer) => ready.push(chunk));
  const failure = new Promise<never>((_, reject) => gunzip.once('error', reject));
  failure.catch(() => {}); // it is looked at below
  const file = await open(out, 'w');
  try {
    let total = 0;
    const writeReady = async () => {
      for (const chunk of ready.splice(0)) {
        total += chunk.length;
        if (total > most) throw new RangeError(`it unpacks to more than ${most} bytes`);
        await file.appendFile(chunk);
      }
    };
    for await (const piece of filePieces(path, String(path))) {
      for (let at = 0; at < piece.length; at += PACKED_AT_ONCE_BYTES) {
        const chunk = piece.subarray(at, at + PACKED_AT_ONCE_BYTES);
        const taken = new Promise<void>((done) => gunzip.write(chunk, () => done()));
        await Promise.race([taken, failure]).finally(writeReady);
      }
    }
    const ended = once(gunzip, 'end');
    gunzip.end();
    await Promise.race([ended, failure]).finally(writeReady);
  } finally {
    gunzip.destroy();
    await file.close();
  }
}

function opened(file: string, damage?: OpenedArchive['damage']): Opening {
  return { kind: 'opened', archive: { kind: 'tar', file, damage } };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Files and folders of this process that nobody else knows of; removed when it ends. */
const leftovers = new Set<string>();
let temporary: string | undefined;

function temporaryCache(): string {
  if (temporary === undefined) {
    temporary = mkdtempSync(join(tmpdir(), 'labelsmith-archives-'));
    leftovers.add(temporary);
  }
  return temporary;
}

process.on('exit', () => {
  for (const path of leftovers) rmSync(path, { recursive: true, force: true });
});
