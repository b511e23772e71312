/**
 * From what the user wrote to a {@link Source}: a folder, a file, an archive, a glob (`'photos/**\/*.jpg'`, quoted so that
 * the shell leaves it alone), a list of paths (`@list.txt`, `list:list.txt`, or `-` for standard input).
 */
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { glob, isDynamicPattern } from 'tinyglobby';
import { LabelsmithError, messageOf } from '../errors.ts';
import { listArchive } from './archive.ts';
import { candidateItems, fileItem, listFolder } from './folder.ts';
import { listedPaths } from './list.ts';
import { type Listing, problemOf } from './listing.ts';
import { archiveKindOf } from './names.ts';
import type { ListOptions, Source, SourceItem } from './source.ts';

export interface OpenSourceOptions {
  /** Where relative paths start (the current folder). */
  readonly cwd: string;
  /** What `-` reads. Default: none, and `-` is refused. */
  readonly stdin?: Readable;
  /**
   * Where compressed tar archives are unpacked, as large as their contents: a folder of the workspace. Default: a
   * temporary folder that goes away with the process, so that every process unpacks them again.
   */
  readonly archiveCache?: string;
  /** Folders that are left out wherever they turn up, absolute: the workspace, say. */
  readonly skipFolders?: readonly string[];
}

/** Fails with `NOT_FOUND` when there is nothing of that name, `UNSUPPORTED` for addresses of a network. */
export async function openSource(spec: string, options: OpenSourceOptions): Promise<Source> {
  if (spec === '')
    throw new LabelsmithError('USAGE', 'an empty source', { hint: 'Name a folder, file, glob or list.' });
  if (spec === '-') return stdinSource(spec, options);
  const listFile = /^(?:@|list:)(.+)$/s.exec(spec)?.[1];
  const literal = resolve(options.cwd, spec);
  // A name that exists is taken as it is, even with an @ or brackets in it.
  if (await exists(literal)) return pathSource(spec, literal, options);
  if (listFile !== undefined) return listFileSource(spec, resolve(options.cwd, listFile), options);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(spec)?.[1];
  if (scheme !== undefined) {
    throw new LabelsmithError('UNSUPPORTED', `${spec}: ${scheme} addresses are not read by this version`, {
      hint: 'Copy the images to a folder first.',
    });
  }
  if (isDynamicPattern(spec)) return globSource(spec, options);
  throw new LabelsmithError('NOT_FOUND', `${literal} does not exist`, {
    hint: 'Name a folder, file, archive or quoted glob that is there, @FILE for a list of paths, or - for standard input.',
    details: { path: literal },
  });
}

function source(
  spec: string,
  root: string,
  options: OpenSourceOptions,
  list: (listing: Listing) => AsyncIterable<SourceItem>,
): Source {
  const skip = new Set((options.skipFolders ?? []).map((folder) => resolve(options.cwd, folder)));
  return {
    spec,
    root,
    list: (more: ListOptions = {}) => list({ ...more, sourceRoot: root, archiveCache: options.archiveCache, skip }),
  };
}

function pathSource(spec: string, path: string, options: OpenSourceOptions): Source {
  return source(spec, path, options, (listing) => listPath(Buffer.from(path), listing));
}

/** Whatever is at a path: a folder as a whole, an archive's members, or a file: of any name where the user wrote it. */
async function* listPath(
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
  else if (how === 'written') yield await fileItem(path, listing);
  else yield* await candidateItems([path], listing);
}

/**
 * As if the shell had expanded it: matched folders come as a whole. The matched names are held, in order of their bytes
 * (a folder's with a slash at its end).
 */
async function globSource(spec: string, options: OpenSourceOptions): Promise<Source> {
  const matches = await glob(spec, {
    cwd: options.cwd,
    absolute: true,
    onlyFiles: false,
    expandDirectories: false,
    followSymbolicLinks: true,
  });
  if (matches.length === 0) {
    throw new LabelsmithError('NOT_FOUND', `nothing matches ${spec} in ${options.cwd}`, {
      hint: 'Check the pattern; ** stands for any number of folders, and hidden files are left out.',
    });
  }
  const paths = matches.map((match) => Buffer.from(match)).sort(Buffer.compare);
  return source(spec, globBase(spec, options.cwd), options, async function* (listing) {
    const inLoop = loopFinder();
    let walked: Buffer | undefined;
    for (const match of paths) {
      // A folder's contents may match too (`**`); they came with the folder, which stands right before them.
      if (walked !== undefined && match.subarray(0, walked.length).equals(walked)) continue;
      const isFolder = match[match.length - 1] === 0x2f;
      const path = isFolder ? match.subarray(0, -1) : match;
      const loop = await inLoop(path.toString());
      if (loop !== undefined) {
        const link = Buffer.from(loop);
        walked = Buffer.concat([link, Buffer.from('/')]);
        yield problemOf(link, listing, 'link-loop', 'a symbolic link to a folder it stands in; not followed');
        continue;
      }
      if (isFolder) walked = match;
      // Nobody wrote each of these names, so what is no image by name is left out, as in a folder.
      yield* listPath(path, listing, 'matched');
    }
  });
}

/**
 * Tells the first folder on a path that is, links followed, one of the folders before it: the glob library goes round a
 * loop some times before it notices. Remembers one real path a folder.
 */
function loopFinder(): (path: string) => Promise<string | undefined> {
  const realPaths = new Map<string, string | undefined>();
  const realPathOf = async (folder: string) => {
    if (!realPaths.has(folder)) realPaths.set(folder, await realpath(folder).catch(() => undefined));
    return realPaths.get(folder);
  };
  return async (path) => {
    const seen = new Set<string>();
    for (let slash = path.indexOf('/', 1); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const folder = path.slice(0, slash);
      const real = await realPathOf(folder);
      if (real === undefined) continue;
      if (seen.has(real)) return folder;
      seen.add(real);
    }
    return undefined;
  };
}

/** The folder before the first part that has a pattern in it. */
function globBase(pattern: string, cwd: string): string {
  const parts = pattern.split('/');
  const first = parts.findIndex((part) => isDynamicPattern(part));
  return resolve(cwd, parts.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.'));
}

async function listFileSource(spec: string, path: string, options: OpenSourceOptions): Promise<Source> {
  if (!(await exists(path))) {
    throw new LabelsmithError('NOT_FOUND', `the list ${path} does not exist`, {
      hint: 'A list is a text file with one path a line.',
    });
  }
  return source(spec, path, options, (listing) =>
    listLines(createReadStream(path), [options.cwd, join(path, '..')], listing),
  );
}

function stdinSource(spec: string, options: OpenSourceOptions): Source {
  const { stdin } = options;
  if (stdin === undefined) throw new LabelsmithError('USAGE', 'standard input cannot be read here');
  let used = false;
  return source(spec, resolve(options.cwd, '-'), options, async function* (listing) {
    if (used) throw new LabelsmithError('USAGE', 'standard input can be listed only once');
    used = true;
    yield* listLines(stdin, [options.cwd], listing);
  });
}

/** Relative lines start at the first of `bases` where they are found: the current folder, then the list's own. */
async function* listLines(lines: Readable, bases: readonly string[], listing: Listing): AsyncGenerator<SourceItem> {
  for await (const line of listedPaths(lines)) {
    const candidates = line[0] === 0x2f ? [line] : bases.map((base) => Buffer.concat([Buffer.from(`${base}/`), line]));
    let found = candidates[0];
    for (const candidate of candidates) {
      if (await exists(candidate)) {
        found = candidate;
        break;
      }
    }
    yield* listPath(withoutDots(found), listing);
  }
}

/** `a/./b` and `a/x/../b` as `a/b`, where the bytes are text that `resolve` can take. */
function withoutDots(path: Buffer): Buffer {
  const text = path.toString('latin1');
  return Buffer.from(resolve(text), 'latin1');
}

async function exists(path: string | Buffer): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
