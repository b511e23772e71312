/** Where something may be written or deleted: outputs keep out of images and workspaces, workspaces stay within themselves. */
import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { LabelsmithError, systemCodeOf } from '../errors.ts';

export interface ProtectedPath {
  /** Absolute path of a folder or file that an output must stay out of. */
  readonly path: string;
  /** What it is, for the message: `the workspace`, `a source`. */
  readonly what: string;
  /** An output may lie in it, but neither be it nor hold it. */
  readonly insideAllowed?: boolean;
}

/** Where nothing of a workspace's may be written over: itself, and its sources, in which an output that adds no image may lie. */
export async function placesToKeepOut(
  { dir, store }: { readonly dir: string; readonly store: { sourceRoots(): Promise<string[]> } },
  { insideSources }: { readonly insideSources: boolean },
): Promise<ProtectedPath[]> {
  const sources = await store.sourceRoots();
  return [
    { path: dir, what: 'the workspace' },
    ...sources.map((path) => ({ path, what: 'a source', insideAllowed: insideSources })),
  ];
}

/** Refuses a true path that is, holds or lies in one of these. */
export async function refuseProtected(path: string, protectedPaths: readonly ProtectedPath[]): Promise<void> {
  for (const guarded of protectedPaths) {
    const other = await trueLocation(resolve(guarded.path));
    const how = path === other ? 'is' : isInside(path, other) ? 'is inside' : isInside(other, path) ? 'contains' : null;
    if (how === null || (how === 'is inside' && guarded.insideAllowed)) continue;
    throw new LabelsmithError('REFUSED', `the output ${path} ${how} ${guarded.what} (${other})`, {
      hint: 'Choose an output outside the images and the workspace.',
      details: { out: path, protected: other },
    });
  }
}

/** The real path of something whose last components need not exist yet. */
export async function trueLocation(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    if (systemCodeOf(error) !== 'ENOENT' || parent === path) throw error;
    return join(await trueLocation(parent), basename(path));
  }
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  // From one drive of Windows to another there is no way, and the path itself comes back.
  const leadsOut = way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
  return !leadsOut && resolve(folder, way) === path;
}

/**
 * The path of a file that a record names, below the folder that the record belongs to. A record may come from anybody:
 * a name that leads out of the folder, by `..` or by a link, is refused.
 * @param name parts with `/` between them
 */
export async function pathBelow(folder: string, name: string): Promise<string> {
  const path = join(folder, ...name.split('/'));
  const root = await trueLocation(resolve(folder));
  // The last part may be a link of ours to a file elsewhere: deleting or replacing it leaves that file alone.
  const holder = await trueLocation(dirname(resolve(path)));
  if (name.split(/[/\\]/).includes('..') || (holder !== root && !isInside(holder, root))) {
    throw new LabelsmithError('WORKSPACE', `${folder} leads to a file outside of itself: ${JSON.stringify(name)}`, {
      hint: 'It was damaged, or made by somebody to reach your files. Nothing outside of it is touched.',
    });
  }
  return path;
}
