/** Globs: `'photos/**\/*.jpg'`, quoted so that the shell leaves them alone. */
import { realpath } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { LabelsmithError } from '../errors.ts';
import { problemOf, type SourceOptions, sourceOf } from './listing.ts';
import { isLeftBehind, withSlashes } from './names.ts';
import { listPath } from './path-source.ts';
import type { Source } from './source.ts';

/**
 * As if the shell had expanded it: matched folders come as a whole. The matched names are held, in order of their bytes
 * (a folder's with a slash at its end).
 */
export async function globSource(spec: string, written: string, options: SourceOptions): Promise<Source> {
  // A backslash escapes in a pattern, but on Windows people write it between folders.
  const pattern = withSlashes(written);
  const matches = await glob(pattern, {
    cwd: options.cwd,
    absolute: true,
    onlyFiles: false,
    expandDirectories: false,
    followSymbolicLinks: true,
  });
  if (matches.length === 0) {
    throw new LabelsmithError('NOT_FOUND', `nothing matches ${pattern} in ${options.cwd}`, {
      hint: 'Check the pattern; ** stands for any number of folders, and hidden files are left out.',
    });
  }
  const root = globBase(pattern, options.cwd);
  const named = new Set(pattern.split('/'));
  // As in a folder; the library leaves out names with a dot before them, unless the pattern has it.
  const isRubbish = (match: string) =>
    relative(root, match)
      .split(sep)
      .some((part) => isLeftBehind(part) && !named.has(part));
  const paths = matches
    .filter((match) => !isRubbish(match))
    .map((match) => Buffer.from(match))
    .sort(Buffer.compare);
  return sourceOf({ spec, root }, options, async function* (listing) {
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
