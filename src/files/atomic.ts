/**
 * Files of our own (caches, models, vectors) that appear whole under their name or not at all: a name beside it, flushed,
 * renamed. What killed processes left beside a file goes with the next write in its folder.
 *
 * Not for what a person asked for by name: that is output.ts.
 */
import { randomBytes } from 'node:crypto';
import { open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { flushFolder } from './flush.ts';
import { makeFolder } from './make-folder.ts';
import { renameOver } from './rename.ts';
import { isAbandoned, keepAlive, WRITER_PATTERN, writerName } from './unfinished.ts';

/** `NAME.a1b2c3-4711-0123abcd.tmp`; 0.1.0 wrote `NAME.4711-0123abcd.tmp`, and `NAME.a1b2c3d4-4711-0123456789ab.tmp` for vectors. */
const TEMPORARY = new RegExp(`\\.(?:(${WRITER_PATTERN})|[0-9a-f]{8}-\\d+|\\d+)-(?:[0-9a-f]{8}|[0-9a-f]{12})\\.tmp$`);

/** Whether this is the name of a file that is, or was, being written here. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

/** Writes the file, its folder where there is none. Errors are the file system's own; nothing is left then. */
export async function writeFileAtomically(path: string, content: Uint8Array | string): Promise<void> {
  await makeAtomically(path, async (target) => {
    const file = await open(target, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  });
}

/** The same in a workspace: what goes wrong is said in its words. */
export async function writeWorkspaceFile(path: string, content: Uint8Array): Promise<void> {
  try {
    await writeFileAtomically(path, content);
  } catch (cause) {
    const code = systemCodeOf(cause);
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    throw new LabelsmithError(full ? 'DISK_FULL' : 'WORKSPACE', `cannot write ${path} (${code})`, {
      cause,
      hint: full
        ? `${content.length} bytes are needed. Make room and run the same command again: it goes on where it stopped.`
        : 'Choose a folder that you may write to with --workspace DIR.',
    });
  }
}

/** The same of whatever `write` puts at the path that it is given; flushing is its own. */
export async function makeAtomically(path: string, write: (target: string) => Promise<void>): Promise<void> {
  const folder = dirname(path);
  const target = join(folder, `${basename(path)}.${writerName()}-${randomBytes(4).toString('hex')}.tmp`);
  await makeFolder(folder);
  await sweepOnce(folder);
  const alive = keepAlive(target);
  try {
    await write(target);
    await renameOver(target, path);
    await flushFolder(folder);
  } catch (error) {
    await rm(target, { recursive: true, force: true }).catch(() => {});
    throw error;
  } finally {
    alive.stop();
  }
}

const swept = new Set<string>();

/** At a process's first write in a folder: folders of vectors have thousands of files. */
async function sweepOnce(folder: string): Promise<void> {
  if (swept.has(folder)) return;
  swept.add(folder);
  for (const name of await readdir(folder).catch(() => [])) {
    const found = TEMPORARY.exec(name);
    if (found === null) continue;
    const path = join(folder, name);
    // Another process may be quicker, and a cache that may only be read stays as it is.
    if (await isAbandoned(path, found[1]).catch(() => false)) await rm(path, { force: true }).catch(() => {});
  }
}
