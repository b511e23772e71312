/**
 * Outputs that are there as a whole or not at all. An export is written beside OUT under a hidden name and swapped in by
 * rename when it is complete, so that whoever looks at OUT sees the old one or the new one.
 *
 * For a file the swap is one rename. For a folder it is two, OUT to `.OUT.….old` and the new one to OUT, since no
 * portable call exchanges two folders; a process killed in the microseconds between them leaves both beside OUT, and
 * the next export to OUT first puts the old one back. That export also deletes what killed ones left.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, lstat, mkdir, open, readdir, realpath, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { renameOver } from './rename.ts';

export interface ProtectedPath {
  /** Absolute path of a folder or file that an export must stay out of. */
  readonly path: string;
  /** What it is, for the message: `the workspace`, `a source`. */
  readonly what: string;
  /** An output may lie in it, but neither be it nor hold it. */
  readonly insideAllowed?: boolean;
}

export interface OutputOptions {
  readonly kind: 'folder' | 'file';
  /** Swap what is there; else a non-empty OUT is refused. */
  readonly replace: boolean;
  readonly protectedPaths: readonly ProtectedPath[];
}

/** Outputs this process is writing: what a leftover of our own process id is told apart by. */
const active = new Set<string>();

/**
 * Runs `write` on a fresh place (an empty folder that exists, or the path of a file that does not) and swaps the result
 * in. When `write` fails, OUT stays as it was and nothing is left beside it.
 * @returns the absolute path of the output
 */
export async function writeOutput(
  out: string,
  options: OutputOptions,
  write: (target: string) => Promise<void>,
): Promise<string> {
  const { path, parent } = await settle(out);
  await refuseProtected(path, options.protectedPaths);
  await mkdir(parent, { recursive: true });
  const names = temporaryNames(path);
  if (active.has(path)) throw new LabelsmithError('BUSY', `another export to ${path} is under way`);
  active.add(path);
  try {
    await cleanLeftovers(path);
    await refuseOccupied(path, options);
    await rm(names.next, { recursive: true, force: true });
    if (options.kind === 'folder') await mkdir(names.next);
    await write(names.next);
    if (options.kind === 'file') await flush(names.next, 'file');
    await refuseOccupied(path, options);
    await swap(path, names, options.kind);
    await flush(parent, 'folder');
    return path;
  } catch (error) {
    await rm(names.next, { recursive: true, force: true });
    throw asDiskError(error, path);
  } finally {
    active.delete(path);
  }
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

/** Refuses, before anything is made for it, an OUT that {@link writeOutput} would refuse. */
export async function checkOutput(out: string, options: OutputOptions): Promise<void> {
  const { path } = await settle(out);
  await refuseProtected(path, options.protectedPaths);
  await refuseOccupied(path, options);
}

/** OUT's true place: links in it are followed, so that a link to a folder is not itself swapped for one. */
async function settle(out: string): Promise<{ path: string; parent: string }> {
  const path = await trueLocation(resolve(out));
  if (dirname(path) === path) throw new LabelsmithError('USAGE', `an export cannot replace ${path}`);
  return { path, parent: dirname(path) };
}

/** The real path of something whose last components need not exist yet. */
async function trueLocation(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    if (systemCodeOf(error) !== 'ENOENT' || parent === path) throw error;
    return join(await trueLocation(parent), basename(path));
  }
}

async function refuseProtected(path: string, protectedPaths: readonly ProtectedPath[]): Promise<void> {
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

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && resolve(folder, way) === path;
}

async function refuseOccupied(path: string, { kind, replace }: OutputOptions): Promise<void> {
  const stats = await lstat(path).catch((error) => {
    if (systemCodeOf(error) === 'ENOENT') return null;
    throw error;
  });
  if (stats === null) return;
  if (kind === 'folder' && !stats.isDirectory())
    throw new LabelsmithError('REFUSED', `the output ${path} is a file; this format writes a folder`, {
      hint: 'Name a folder that does not exist yet.',
    });
  if (kind === 'file' && stats.isDirectory())
    throw new LabelsmithError('REFUSED', `the output ${path} is a folder; this format writes one file`, {
      hint: 'Name a file.',
    });
  if (replace) return;
  const empty = kind === 'file' ? stats.size === 0 : (await readdir(path)).length === 0;
  if (!empty)
    throw new LabelsmithError('REFUSED', `the output ${path} is there already and not empty`, {
      hint: 'Choose another place, or replace it as a whole with --replace.',
    });
}

interface TemporaryNames {
  readonly next: string;
  readonly old: string;
}

/** `.OUT.labelsmith-HOST-PID.new` and `.old`: who made it can be asked whether it still runs. */
function temporaryNames(path: string): TemporaryNames {
  const stem = join(dirname(path), `${prefixOf(path)}${hostTag()}-${process.pid}`);
  return { next: `${stem}.new`, old: `${stem}.old` };
}

function prefixOf(path: string): string {
  return `.${basename(path).slice(0, 100)}.labelsmith-`;
}

function hostTag(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 6);
}

/** Puts back an OUT that a kill left between the two renames, then deletes what dead processes left beside it. */
async function cleanLeftovers(path: string): Promise<void> {
  const prefix = prefixOf(path);
  const parent = dirname(path);
  for (const entry of (await readdir(parent)).sort()) {
    if (!entry.startsWith(prefix)) continue;
    const made = /^([0-9a-f]{6})-(\d+)\.(new|old)$/.exec(entry.slice(prefix.length));
    if (made === null || made[1] !== hostTag() || isRunning(Number(made[2]))) continue;
    const leftover = join(parent, entry);
    if (made[3] === 'old' && !(await exists(path))) await renameOver(leftover, path);
    else await rm(leftover, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  // Our own id on a leftover is a former process's, as in containers where every run is process 1.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}

async function swap(path: string, names: TemporaryNames, kind: 'folder' | 'file'): Promise<void> {
  if (kind === 'file' || !(await exists(path))) {
    await renameOver(names.next, path);
    return;
  }
  await rm(names.old, { recursive: true, force: true });
  await renameOver(path, names.old);
  try {
    await renameOver(names.next, path);
  } catch (error) {
    await renameOver(names.old, path);
    throw error;
  }
  await rm(names.old, { recursive: true, force: true });
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** A file is opened for writing, without which Windows does not flush it. */
/** Has the system write out what it holds of a file, or the names in a folder. */
export async function flush(path: string, kind: 'folder' | 'file'): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, kind === 'file' ? 'r+' : 'r');
    await handle.sync();
  } catch (error) {
    // Some file systems cannot sync a folder, Windows cannot open one; the rename is done all the same.
    if (!['EINVAL', 'EPERM', 'EACCES', 'EISDIR', 'ENOTSUP'].includes(systemCodeOf(error) ?? '')) throw error;
  } finally {
    await handle?.close();
  }
}

function asDiskError(error: unknown, path: string): unknown {
  const code = systemCodeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new LabelsmithError('DISK_FULL', `no room left while writing ${path}; it is as it was before`, {
      hint: 'Free some space, or write to another disk; an export with --images hardlink or none takes less.',
      cause: error,
    });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new LabelsmithError('REFUSED', `may not write ${path}: ${code}`, {
      hint: 'Choose a place you may write to.',
      cause: error,
    });
  return error;
}
