/**
 * Archives: zip, tar and tar.gz. Members are entries `ARCHIVE!/MEMBER`, read in any order without reading what lies
 * before them (how a tar.gz comes to that: `open-archive.ts`). No file is ever written under a member's name.
 */
import { open } from 'node:fs/promises';
import { messageOf, systemCodeOf } from '../errors.ts';
import { entryOf } from './entry.ts';
import type { SystemPath } from './file.ts';
import { type Listing, problemOf } from './listing.ts';
import { headOf, type MemberPlace, memberBytes } from './member.ts';
import { MEMBER_MARK } from './member-path.ts';
import { beginsLikeImage, isHiddenPath, kindOfName, pathTextOf } from './names.ts';
import { type OpenedArchive, openArchive } from './open-archive.ts';
import type { SourceItem, SourceProblemReason } from './source.ts';
import { tarMembers } from './tar.ts';
import { type ZipMember, type ZipPlace, zipMembers } from './zip.ts';

/** A member that is a file, or what is wrong with one. `name` is bytes with `/` between parts, no `./` before it. */
export type ArchiveItem =
  | { readonly kind: 'member'; readonly name: Buffer; readonly place: MemberPlace; readonly modifiedAtMs: number }
  | { readonly kind: 'ignored'; readonly name: Buffer }
  | { readonly kind: 'problem'; readonly name: Buffer; readonly reason: SourceProblemReason; readonly message: string };

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
        const { place, modifiedAtMs } = item;
        const listed = { path: full, sourceRoot: listing.sourceRoot, byteSize: place.byteSize, modifiedAtMs };
        yield { kind: 'entry', entry: entryOf(listed, memberBytes(opened.archive.file, place, pathTextOf(full).path)) };
        break;
      }
      default:
        item satisfies never;
    }
  }
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
    else if (member.refused !== undefined) {
      yield { kind: 'problem', name: judged.name, ...refusalOf(member.refused, member.place) };
    } else {
      yield await candidate(file, judged, { kind: 'zip', ...member.place }, member.modifiedAtMs);
    }
  }
}

function refusalOf(
  refused: NonNullable<ZipMember['refused']>,
  { method }: ZipPlace,
): { readonly reason: SourceProblemReason; readonly message: string } {
  switch (refused) {
    case 'encrypted':
      return {
        reason: 'encrypted-archive',
        message: 'the member is protected by a password; unpack the archive and add the folder',
      };
    case 'method':
      return {
        reason: 'unsupported-archive',
        message: `the member is packed by method ${method}; only stored and deflated are read`,
      };
    case 'overlap':
      return {
        reason: 'damaged-archive',
        message: 'the archive is damaged: the bytes of this member are those of another one too',
      };
    case 'growth':
      return {
        reason: 'archive-too-large',
        message: 'the members before this one unpack to more than is believed of an archive of this size',
      };
    default:
      return refused satisfies never;
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

/** Longest path that systems take; the formats allow a megabyte. */
const MAX_NAME_BYTES = 4096;
const SHOWN_NAME_BYTES = 60;

type JudgedName = Exclude<ArchiveItem, { kind: 'member' }> | NamedMember;
type NamedMember = { readonly kind: 'member'; readonly name: Buffer; readonly sniff: boolean };

/** By name alone: safe or not, an image, an archive, or nothing of ours. Links within archives are never followed. */
function judgeName(stored: Buffer, isLink: boolean): JudgedName {
  if (stored.length > MAX_NAME_BYTES) {
    const name = Buffer.concat([stored.subarray(0, SHOWN_NAME_BYTES), Buffer.from('…')]);
    return { kind: 'problem', name, reason: 'unsafe-name', message: 'the name is longer than any path; left out' };
  }
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
