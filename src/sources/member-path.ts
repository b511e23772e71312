/** Paths that lead into an archive: `ARCHIVE!/MEMBER`, and which paths with such a mark do not. */
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { systemCodeOf } from '../errors.ts';
import { archiveKindOf } from './names.ts';

/** The separator of an archive's path and a member's. */
export const MEMBER_MARK = '!/';

export interface MemberPath {
  readonly archive: Buffer;
  readonly member: Buffer;
  /** Undefined when the archive is not there, `hidden` when it may not be looked at. */
  readonly found: Stats | 'hidden' | undefined;
}

/** A name that is too long for the file system is nobody's. */
const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);

/** Undefined when there is nothing of that name; an entry that may not be looked at counts as there. */
export async function statOf(path: Buffer): Promise<Stats | 'hidden' | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    const code = systemCodeOf(error);
    return code !== undefined && NOT_THERE.has(code) ? undefined : 'hidden';
  }
}

/** Where a path goes into an archive: at the first `!/` after an archive's name, unless a folder has that name. */
export async function splitMember(path: Buffer): Promise<MemberPath | undefined> {
  for (let at = path.indexOf(MEMBER_MARK); at >= 0; at = path.indexOf(MEMBER_MARK, at + 1)) {
    const archive = path.subarray(0, at);
    if (archiveKindOf(archive.toString('latin1')) === undefined) continue;
    const found = await statOf(archive);
    if (typeof found === 'object' && found.isDirectory()) continue;
    const member = path.subarray(at + MEMBER_MARK.length);
    // A folder named `x.zip!` is a folder.
    if (found === undefined && typeof (await statOf(path)) === 'object') return undefined;
    return { archive, member, found };
  }
  return undefined;
}
