/**
 * Outputs that a person asked for by name, there as a whole or not at all. An output is written beside OUT under a hidden
 * name and swapped in by rename when it is complete, so that whoever looks at OUT sees the old one or the new one. What
 * is at OUT is replaced only where this program wrote it (own.ts), and what others put there since is refused or moved aside.
 *
 * For a file the swap is one rename. For a folder it is two, OUT to `.OUT.….old` and the new one to OUT, since no
 * portable call exchanges two folders; a process killed in the microseconds between them leaves both beside OUT, and
 * the next output to OUT first puts the old one back. What is told beside a file is written before the swap and gets its name
 * after it; killed between, the next output gives it that, also one that is refused. An output also deletes what killed ones left.
 */
import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, rm, utimes } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { checkBeside, type Facts, placeBeside, prepareBeside, recoverBeside, removeBeside } from './beside.ts';
import { flushFile, flushFolder } from './flush.ts';
import { makeFolder } from './make-folder.ts';
import { hasSignature, ownershipOfFolder, type Signature, writeMarker } from './own.ts';
import { type ProtectedPath, refuseProtected, trueLocation } from './place.ts';
import { renameOver } from './rename.ts';
import { isAbandoned, keepAlive, WRITER_PATTERN, writerName } from './unfinished.ts';

interface Replacing {
  /** Swap what is there, where it is ours; else a non-empty OUT is refused. */
  readonly replace: boolean;
  readonly protectedPaths: readonly ProtectedPath[];
}

export type OutputOptions = Replacing &
  (
    | {
        readonly kind: 'folder';
        /** What it is, for its marker: `export to coco`. */
        readonly what: string;
        /** What else the marker tells, by name, once the folder is written. Default: nothing. */
        readonly facts?: () => Readonly<Record<string, unknown>>;
        /**
         * What was written when it ended early, by an error or a kill, stays beside OUT, and the next output to OUT that goes on
         * finds it in its place. Default: it is deleted.
         */
        readonly goesOn?: boolean;
        /**
         * What others put into a folder of ours is moved to a new folder beside OUT before that is replaced, and this is told. Default:
         * such a folder is not replaced.
         */
        readonly onMovedAside?: (names: readonly string[], to: string) => void;
      }
    | {
        readonly kind: 'file';
        /** What it is, for messages: `report`. */
        readonly what: string;
        readonly signature: Signature;
        /** What a file beside it tells of it (beside.ts). Default: there is none. */
        readonly beside?: Facts | null;
      }
  );

/** Outputs this process is writing. */
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
  await makeFolder(parent).catch((error) => {
    throw asDiskError(error, path);
  });
  const goesOn = options.kind === 'folder' && (options.goesOn ?? false);
  const names = temporaryNames(path, goesOn);
  if (active.has(path)) throw new LabelsmithError('BUSY', `another export to ${path} is under way`);
  active.add(path);
  const alive = keepAlive(names.next);
  try {
    await cleanLeftovers(path);
    await refuseOccupied(path, options);
    if (goesOn) await adoptUnfinished(path, names.next);
    else {
      await rm(names.next, { recursive: true, force: true });
      if (options.kind === 'folder') await mkdir(names.next);
    }
    await write(names.next);
    if (options.kind === 'folder') await writeMarker(names.next, options.what, options.facts?.());
    else await flushFile(names.next);
    await refuseOccupied(path, options);
    const beside = options.kind === 'file' ? (options.beside ?? null) : null;
    if (beside !== null) await prepareBeside(names.beside, path, options.what, beside);
    if (options.kind === 'file') await removeBeside(path);
    else await moveAside(path, options.onMovedAside);
    await swap(path, names, options.kind);
    if (beside !== null) await placeBeside(names.beside, path);
    await flushFolder(parent);
    return path;
  } catch (error) {
    // An empty folder is nothing to go on with.
    const kept = goesOn && (await readdir(names.next).catch(() => [])).length > 0;
    for (const name of kept ? [names.beside] : [names.next, names.beside])
      await rm(name, { recursive: true, force: true });
    throw asDiskError(error, path);
  } finally {
    alive.stop();
    active.delete(path);
  }
}

/** Refuses, before anything is made for it, an OUT that {@link writeOutput} would refuse. */
export async function checkOutput(out: string, options: OutputOptions): Promise<void> {
  const { path } = await settle(out);
  await refuseProtected(path, options.protectedPaths);
  await refuseOccupied(path, options);
}

/** OUT's true place: links in it are followed, so that a link to a folder is not itself swapped for one. */
async function settle(out: string): Promise<{ path: string; parent: string }> {
  const path = await trueLocation(resolve(out)).catch((error) => {
    throw asDiskError(error, out);
  });
  if (dirname(path) === path) throw new LabelsmithError('USAGE', `an export cannot replace ${path}`);
  return { path, parent: dirname(path) };
}

async function refuseOccupied(path: string, options: OutputOptions): Promise<void> {
  const stats = await lstat(path).catch((error) => {
    if (systemCodeOf(error) === 'ENOENT') return null;
    throw error;
  });
  if (options.kind === 'file') await checkBeside(path, options.beside ?? null);
  if (stats === null) return;
  const { kind, replace, what } = options;
  if (kind === 'folder' && !stats.isDirectory())
    throw new LabelsmithError('REFUSED', `the output ${path} is a file; this format writes a folder`, {
      hint: 'Name a folder that does not exist yet.',
    });
  if (kind === 'file' && !stats.isFile())
    throw new LabelsmithError(
      'REFUSED',
      `the output ${path} is ${stats.isDirectory() ? 'a folder' : 'no plain file'}; this format writes one file`,
      { hint: 'Name a file.' },
    );
  const empty = kind === 'file' ? stats.size === 0 : (await readdir(path)).length === 0;
  if (empty) return;
  const foreign = await foreignAt(path, options);
  if (replace && (foreign === null || (kind === 'folder' && options.onMovedAside && (await othersIn(path)).length > 0)))
    return;
  if (replace) {
    throw new LabelsmithError('REFUSED', `${path} is not replaced: ${foreign}`, {
      hint: 'Choose another place, or move away what is there.',
    });
  }
  throw new LabelsmithError('REFUSED', `the output ${path} is there already and not empty`, {
    hint:
      foreign === null
        ? `Choose another place, or replace the ${what} as a whole with --replace.`
        : `Choose another place (--replace would refuse it too: ${foreign}).`,
  });
}

const NAMED = 3;

/** Why what is at `path` is not ours to replace; null where it is. */
async function foreignAt(path: string, options: OutputOptions): Promise<string | null> {
  if (options.kind === 'file') {
    return (await hasSignature(path, options.signature)) ? null : `it is no ${options.what} of labelsmith`;
  }
  const ownership = await ownershipOfFolder(path);
  switch (ownership.kind) {
    case 'own':
      return null;
    case 'foreign':
      return 'labelsmith did not write this folder';
    case 'mixed': {
      const { names } = ownership;
      if (names.length === 0) return 'there is more in it than labelsmith wrote';
      const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
      return `labelsmith did not write ${names.slice(0, NAMED).join(', ')}${more} in it`;
    }
    default:
      throw new Error(`Unknown ownership ${ownership satisfies never}`);
  }
}

/** Names in a folder of ours that are not; none where it is no folder of ours, or lists no names. */
async function othersIn(path: string): Promise<readonly string[]> {
  const ownership = await ownershipOfFolder(path);
  return ownership.kind === 'mixed' ? ownership.names : [];
}

/** Before the swap, since what is left of the old folder is deleted, by the next process where this one is killed. */
async function moveAside(path: string, told?: (names: readonly string[], to: string) => void): Promise<void> {
  const names = told && (await exists(path)) ? await othersIn(path) : [];
  if (told === undefined || names.length === 0) return;
  let to = `${path}-kept`;
  for (let number = 2; await exists(to); number++) to = `${path}-kept-${number}`;
  await mkdir(to);
  for (const name of names) await renameOver(join(path, name), join(to, name));
  await flushFolder(to);
  told(names, to);
}

interface TemporaryNames {
  readonly next: string;
  readonly old: string;
  /** What is to stand beside a file. */
  readonly beside: string;
}

/** `.OUT.labelsmith-WRITER.new` (`.parts` for one that is gone on with), `.old` and `.beside`. */
function temporaryNames(path: string, goesOn: boolean): TemporaryNames {
  const stem = join(dirname(path), `${prefixOf(path)}${writerName()}`);
  return { next: `${stem}.${goesOn ? 'parts' : 'new'}`, old: `${stem}.old`, beside: `${stem}.beside` };
}

/** Longer names have no room for what is added to them. */
const MAX_NAME_LENGTH = 60;

function prefixOf(path: string): string {
  const name = basename(path);
  const short = name.length <= MAX_NAME_LENGTH ? name : createHash('sha256').update(name).digest('hex').slice(0, 32);
  return `.${short}.labelsmith-`;
}

const LEFTOVER = new RegExp(`^(${WRITER_PATTERN})\\.(beside|new|old)$`);

/**
 * Puts back an OUT that a kill left between the two renames, and what was to stand beside a file that is there, then deletes
 * what nobody writes any more. `.beside` comes before `.new`, by which it sees whether the file was swapped in.
 */
async function cleanLeftovers(path: string): Promise<void> {
  const prefix = prefixOf(path);
  const parent = dirname(path);
  for (const entry of (await readdir(parent)).sort()) {
    if (!entry.startsWith(prefix)) continue;
    const made = LEFTOVER.exec(entry.slice(prefix.length));
    const leftover = join(parent, entry);
    if (made === null || !(await isAbandoned(leftover, made[1]))) continue;
    if (made[2] === 'beside') await recoverBeside(leftover, path, !(await exists(leftover.replace(/beside$/, 'new'))));
    else if (made[2] === 'old' && !(await exists(path))) await renameOver(leftover, path);
    else await rm(leftover, { recursive: true, force: true });
  }
}

const UNFINISHED = new RegExp(`^(${WRITER_PATTERN})\\.parts$`);

/** Makes a folder, of what another process began and left where there is such; of several the last one that was written to. */
async function adoptUnfinished(path: string, folder: string): Promise<void> {
  const prefix = prefixOf(path);
  const parent = dirname(path);
  const left: { readonly at: string; readonly touchedMs: number }[] = [];
  for (const entry of await readdir(parent)) {
    const writer = entry.startsWith(prefix) ? UNFINISHED.exec(entry.slice(prefix.length))?.[1] : undefined;
    const at = join(parent, entry);
    // One of this process is not under way: it ended with an error.
    if (writer === undefined || (at !== folder && !(await isAbandoned(at, writer)))) continue;
    left.push({ at, touchedMs: (await lstat(at)).mtimeMs });
  }
  left.sort((a, b) => b.touchedMs - a.touchedMs);
  const [last, ...others] = left;
  for (const { at } of others) await rm(at, { recursive: true, force: true });
  if (last === undefined) await mkdir(folder);
  else if (last.at !== folder) await renameOver(last.at, folder);
}

async function swap(path: string, names: TemporaryNames, kind: 'folder' | 'file'): Promise<void> {
  if (kind === 'file' || !(await exists(path))) {
    await renameOver(names.next, path);
    return;
  }
  await rm(names.old, { recursive: true, force: true });
  // Others judge by its time whether anybody is still at it.
  const now = new Date();
  await utimes(path, now, now);
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
  if (code === 'ENOTDIR' || code === 'EEXIST' || code === 'ELOOP')
    return new LabelsmithError('REFUSED', `${path} cannot be written: a part of it is no folder`, {
      hint: 'Choose another place.',
      cause: error,
    });
  if (code === 'ENAMETOOLONG')
    return new LabelsmithError('REFUSED', `a name in ${path} is longer than the file system takes`, {
      hint: 'Choose a shorter place, or shorten the names of files and classes.',
      cause: error,
    });
  return error;
}
