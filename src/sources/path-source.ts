/** Whatever is at one path: a folder as a whole, an archive's members, a file. Other sources are made of these. */
import { stat } from 'node:fs/promises';
import { LabelsmithError, messageOf } from '../errors.ts';
import { listArchive } from './archive.ts';
import { candidateItems, fileItem, listFolder } from './folder.ts';
import { type Listing, problemOf, type SourceOptions, sourceOf } from './listing.ts';
import { MEMBER_MARK, type MemberPath } from './member-path.ts';
import { archiveKindOf, pathTextOf } from './names.ts';
import type { Source, SourceItem } from './source.ts';

export function pathSource(spec: string, path: Buffer, options: SourceOptions): Source {
  return sourceOf({ spec, root: pathTextOf(path).path }, options, (listing) => listPath(path, listing));
}

/** One member of an archive, or those below a folder in it. Fails with `NOT_FOUND` where the archive has none of that name. */
export async function memberSource(
  spec: string,
  { archive, member }: Pick<MemberPath, 'archive' | 'member'>,
  options: SourceOptions,
): Promise<Source> {
  const name = member[member.length - 1] === 0x2f ? member.subarray(0, -1) : member;
  const path = Buffer.concat([archive, Buffer.from(MEMBER_MARK), name]);
  const root = pathTextOf(path).path;
  const below = `${root}/`;
  const source = sourceOf({ spec, root }, options, async function* (listing) {
    for await (const item of listArchive(archive, listing)) {
      const found = item.kind === 'entry' ? item.entry.path : item.problem.path;
      // What is wrong with the archive as a whole is said whatever is asked of it.
      if (found === root || found.startsWith(below) || !found.includes(MEMBER_MARK, archive.length)) yield item;
    }
  });
  for await (const _ of source.list()) return source;
  throw new LabelsmithError('NOT_FOUND', `${pathTextOf(archive).path} has no image ${pathTextOf(name).path}`, {
    hint: 'Name a member or a folder of the archive as it is stored, or the archive alone.',
  });
}

/** Whatever is at a path: a folder as a whole, an archive's members, or a file: of any name where the user wrote it. */
export async function* listPath(
  path: Buffer,
  listing: Listing,
  how: 'written' | 'matched' = 'written',
): AsyncGenerator<SourceItem> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (error) {
    const lost = path.includes('\ufffd')
      ? '; a glob cannot match names that are not UTF-8, name the folder instead'
      : '';
    yield problemOf(path, listing, 'missing', `not there: ${messageOf(error)}${lost}`);
    return;
  }
  if (isFolder) yield* listFolder(path, listing);
  else if (archiveKindOf(path.toString('latin1')) !== undefined) yield* listArchive(path, listing);
  else if (how === 'matched') yield* await candidateItems([path], listing);
  else {
    const item = await fileItem(path, listing);
    if (item !== undefined) yield item;
  }
}
