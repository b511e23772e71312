/**
 * Archives: zip, tar and tar.gz. Members are entries `ARCHIVE!/MEMBER`, read in any order without reading what lies
 * before them. A tar.gz cannot be entered in the middle, so it is unpacked once as a whole into one plain tar file in the
 * archive cache (as large as its contents; derived, may be deleted at any time), and is a tar from then on. No file is
 * ever written under a member's name.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';
import { renameOver } from '../files/rename.ts';
import { readRange, refuseLarger, type SystemPath, withFile } from './file.ts';
import { type Listing, problemOf } from './listing.ts';
import { archiveKindOf, beginsLikeImage, isHiddenPath, kindOfName, pathTextOf, SNIFFED_BYTES } from './names.ts';
import type { SourceItem, SourceProblemReason } from './source.ts';
import { tarMembers } from './tar.ts';
import { readZipMember, type ZipPlace, zipMembers } from './zip.ts';

/** Where a member's bytes are: in a zip, or at a position of a plain tar file. */
export type MemberPlace =
  | ({ readonly kind: 'zip' } & ZipPlace)
  | { readonly kind: 'tar'; readonly offset: number; readonly byteSize: number };

/** A member that is a file, or what is wrong with one. `name` is bytes with `/` between parts, no `./` before it. */
export type ArchiveItem =
  | { readonly kind: 'member'; readonly name: Buffer; readonly place: MemberPlace; readonly modifiedAtMs: number }
  | { readonly kind: 'ignored'; readonly name: Buffer }
  | { readonly kind: 'problem'; readonly name: Buffer; readonly reason: SourceProblemReason; readonly message: string };

/** An archive that can be listed and read: the file itself, or the plain tar that was made of it. */
export interface OpenedArchive {
  readonly kind: 'zip' | 'tar';
  readonly file: SystemPath;
  /** What was wrong with it when it was unpacked; the members before that place are there. */
  readonly damage: { readonly reason: SourceProblemReason; readonly message: string } | undefined;
}

/** The separator of an archive's path and a member's. */
export const MEMBER_MARK = '!/';

/** The entries of one archive in its own order. */
export async function* listArchive(path: Buffer, listing: Listing): AsyncGenerator<SourceItem> {
  const text = pathTextOf(path);
  const opened = await openArchive(path, listing.archiveCache);
  if (opened.kind === 'problem') {
    yield problemOf(path, listing, opened.reason, opened.message);
    return;
  }
  for await (const item of archiveItems(opened.archive, text.path)) {
    const full = item.name.length === 0 ? path : Buffer.concat([path, Buffer.from(MEMBER_MARK), item.name]);
    switch (item.kind) {
      case 'problem':
        yield problemOf(full, listing, item.reason, item.message);
        break;
      case 'ignored':
        listing.onIgnored?.(pathTextOf(full).path);
        break;
      case 'member': {
        const { archive } = opened;
        const member = pathTextOf(full);
        const entry = {
          ...member,
          sourceRoot: listing.sourceRoot,
          byteSize: item.place.byteSize,
          modifiedAtMs: item.modifiedAtMs,
          read: (maxBytes: number) => readMember(archive.file, item.place, member.path, maxBytes),
        };
        yield { kind: 'entry', entry };
        break;
      }
      default:
        item satisfies never;
    }
  }
}

/** Reads one member where it lies. */
export async function readMember(
  file: SystemPath,
  place: MemberPlace,
  shown: string,
  maxBytes: number,
): Promise<Uint8Array> {
  if (place.kind === 'zip') return readZipMember(file, place, shown, maxBytes);
  refuseLarger(place.byteSize, maxBytes, shown);
  return withFile(file, shown, (handle) => readRange(handle, place.offset, place.byteSize, shown));
}

/** The member, or nothing of ours when it has no extension and does not begin like an image. */
async function candidate(
  file: SystemPath,
  { name, sniff }: NamedMember,
  place: MemberPlace,
  modifiedAtMs: number,
): Promise<ArchiveItem> {
  if (sniff && !beginsLikeImage(await headOf(file, place))) return { kind: 'ignored', name };
  return { kind: 'member', name, place, modifiedAtMs };
}

/** The first bytes of a tar's member; a zip's has to be unpacked as a whole, so one that is huge or damaged gives none. */
async function headOf(file: SystemPath, place: MemberPlace): Promise<Uint8Array> {
  if (place.kind === 'tar') {
    const head: MemberPlace = { ...place, byteSize: Math.min(place.byteSize, SNIFFED_BYTES) };
    return readMember(file, head, 'a member', SNIFFED_BYTES);
  }
  return readMember(file, place, 'a member', MAX_UNPACKED_TO_SNIFF).catch(() => new Uint8Array(0));
}

const MAX_UNPACKED_TO_SNIFF = 64 * 1024 * 1024;

/** What the archive holds, as far as it concerns images; a broken archive ends in a problem with an empty name. */
export async function* archiveItems(archive: OpenedArchive, shown: string): AsyncGenerator<ArchiveItem> {
  const whole = Buffer.alloc(0);
  try {
    if (archive.kind === 'zip') yield* zipItems(archive.file);
    else yield* tarItems(archive.file, shown);
  } catch (error) {
    const code = systemCodeOf(error);
    const unreadable = code === 'EACCES' || code === 'EPERM' || code === 'EIO' || code === 'ENOENT';
    const reason = unreadable ? 'unreadable' : 'damaged-archive';
    const message = `the archive ${unreadable ? 'cannot be read' : 'is damaged'}: ${messageOf(error)}`;
    yield {
      kind: 'problem',
      name: whole,
      reason: archive.damage?.reason ?? reason,
      message: archive.damage?.message ?? message,
    };
    return;
  }
  if (archive.damage !== undefined) yield { kind: 'problem', name: whole, ...archive.damage };
}

async function* zipItems(file: SystemPath): AsyncGenerator<ArchiveItem> {
  for await (const member of zipMembers(file)) {
    if (member.kind === 'folder') continue;
    const judged = judgeName(member.name, member.kind === 'link');
    if (judged.kind !== 'member') yield judged;
    else if (member.refused === 'encrypted') {
      const message = 'the member is protected by a password; unpack the archive and add the folder';
      yield { kind: 'problem', name: judged.name, reason: 'encrypted-archive', message };
    } else if (member.refused === 'method') {
      const message = `the member is packed by method ${member.place.method}; only stored and deflated are read`;
      yield { kind: 'problem', name: judged.name, reason: 'unsupported-archive', message };
    } else {
      yield await candidate(file, judged, { kind: 'zip', ...member.place }, member.modifiedAtMs);
    }
  }
}

async function* tarItems(file: SystemPath, shown: string): AsyncGenerator<ArchiveItem> {
  // Not withFile: its translation of errors is for reading single files.
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    for await (const member of tarMembers(handle, size, shown)) {
      if (member.kind === 'folder') continue;
      const judged = judgeName(member.name, member.kind !== 'file');
      if (judged.kind !== 'member') {
        yield judged;
        continue;
      }
      const place: MemberPlace = { kind: 'tar', offset: member.offset, byteSize: member.byteSize };
      yield await candidate(file, judged, place, member.modifiedAtMs);
    }
  } finally {
    await handle.close();
  }
}

type JudgedName = Exclude<ArchiveItem, { kind: 'member' }> | NamedMember;
type NamedMember = { readonly kind: 'member'; readonly name: Buffer; readonly sniff: boolean };

/** By name alone: safe or not, an image, an archive, or nothing of ours. Links within archives are never followed. */
function judgeName(stored: Buffer, isLink: boolean): JudgedName {
  // Latin-1: one character a byte, so that the name comes back unchanged whatever its encoding.
  const name = stored.toString('latin1').replace(/^(\.\/+)+/, '');
  const bytes = Buffer.from(name, 'latin1');
  if (name.startsWith('/') || /^[A-Za-z]:[\\/]/.test(name) || name.split(/[\\/]/).includes('..')) {
    return {
      kind: 'problem',
      name: bytes,
      reason: 'unsafe-name',
      message: 'the name leads outside the archive; left out',
    };
  }
  if (isHiddenPath(name)) return { kind: 'ignored', name: bytes };
  const kind = kindOfName(name.slice(name.lastIndexOf('/') + 1));
  if (kind === 'archive') {
    const message = 'an archive inside an archive is not opened; unpack the outer one and add the folder';
    return { kind: 'problem', name: bytes, reason: 'nested-archive', message };
  }
  if (isLink || kind === 'other' || kind === 'hidden') return { kind: 'ignored', name: bytes };
  return { kind: 'member', name: bytes, sniff: kind === 'sniff' };
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
    if (error instanceof LabelsmithError) throw error;
    const reason = systemCodeOf(error) === 'ENOENT' ? 'missing' : 'unreadable';
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
  await mkdir(cache, { recursive: true });
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
    for await (const chunk of createReadStream(path)) {
      const taken = new Promise<void>((done) => gunzip.write(chunk, () => done()));
      await Promise.race([taken, failure]).finally(writeReady);
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
