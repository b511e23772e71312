/**
 * A folder as a sink: a local disk, or one of another machine that is mounted here.
 *
 * A file is written under a name of its own in a hidden folder of the sink and gets its place by a link (`absent`) or a
 * rename. A condition on a version is checked and acted on under a lock that all processes of this code respect, on every
 * machine that has the folder mounted; another program that writes to the same key in that instant is not seen.
 */
import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, link, open, readdir, realpath, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { flushFolder } from '../files/flush.ts';
import { withFolderLock } from '../files/folder-lock.ts';
import { makeFolder } from '../files/make-folder.ts';
import { renameOver } from '../files/rename.ts';
import { filePieces } from './file.ts';
import {
  brokenPromise,
  interruptedPut,
  isMet,
  type PutCondition,
  type PutOptions,
  type PutResult,
  requireKey,
  type Sink,
  type SinkFile,
} from './sink.ts';
import { fileUriOf } from './uri.ts';

/** Holds what is not whole yet, and the locks; hidden, so that no key leads into it. */
export const WORK_FOLDER = '.labelsmith-sink';
/** Nobody writes for so long; what is older was left by a process that was killed. */
const LEFT_OVER_AFTER_MS = 24 * 3_600_000;

/** Fails with `NOT_FOUND` where there is no such folder: it is not made, since a disk that is not mounted looks like that. */
export async function folderSink(folder: string): Promise<Sink> {
  const root = resolve(folder);
  await requireRoot(root);
  await removeLeftovers(join(root, WORK_FOLDER));
  return {
    uri: fileUriOf(Buffer.from(root)),
    async find(key) {
      return fileAt(key, pathOf(root, key));
    },
    open(key) {
      return Readable.from(filePieces(pathOf(root, key), key), { objectMode: false });
    },
    async put(key, pieces, options) {
      const path = pathOf(root, key);
      const condition = options.condition ?? { kind: 'any' };
      await requireRoot(root);
      // Before anything is read: most files that are pushed again are there already.
      const found = await fileAt(key, path);
      if (!isMet(condition, found)) return { kind: 'not-met', found };
      try {
        await makeFolder(dirname(path));
        await makeFolder(join(root, WORK_FOLDER));
        await refuseOutside(root, path);
        return await writeAndSwap({ key, path, work: join(root, WORK_FOLDER) }, pieces, options, condition);
      } catch (error) {
        throw sinkError(error, path);
      }
    },
    async close() {},
  };
}

async function requireRoot(root: string): Promise<void> {
  const found = await stat(root).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw new LabelsmithError('NOT_FOUND', `the folder ${root} is not there`, {
    hint: 'Make it first, or mount the disk that it is on.',
    details: { scope: 'target' },
  });
}

function pathOf(root: string, key: string): string {
  requireKey(key);
  return join(root, ...key.split('/'));
}

/** A folder of the key may be a link; what it leads to has to lie in the sink too. */
async function refuseOutside(root: string, path: string): Promise<void> {
  const [inside, parent] = await Promise.all([realpath(root), realpath(dirname(path))]);
  if (parent === inside || parent.startsWith(inside.endsWith(sep) ? inside : inside + sep)) return;
  throw new LabelsmithError('REFUSED', `${path} leads out of ${root} by a link`);
}

async function fileAt(key: string, path: string): Promise<SinkFile | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    const version = `${found.mtimeNs}-${found.size}-${found.ino}`;
    return { key, uri: fileUriOf(Buffer.from(path)), byteSize: Number(found.size), version };
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw sinkError(error, path);
  }
}

interface Place {
  readonly key: string;
  readonly path: string;
  /** The sink's folder for what is under way. */
  readonly work: string;
}

async function writeAndSwap(
  place: Place,
  pieces: AsyncIterable<Uint8Array>,
  options: PutOptions,
  condition: PutCondition,
): Promise<PutResult> {
  const partial = join(place.work, `${randomUUID()}.partial`);
  try {
    await writeVerified(partial, pieces, options);
    const written = await swap(partial, place, condition);
    await flushFolder(dirname(place.path));
    const file = await fileAt(place.key, place.path);
    if (!written || file === undefined) return { kind: 'not-met', found: file };
    return { kind: 'written', file, verified: false };
  } finally {
    await rm(partial, { force: true });
  }
}

async function writeVerified(partial: string, pieces: AsyncIterable<Uint8Array>, options: PutOptions): Promise<void> {
  const { byteSize, sha256, signal } = options;
  const hash = createHash('sha256');
  let length = 0;
  let file: FileHandle | undefined;
  try {
    file = await open(partial, 'wx');
    for await (const piece of pieces) {
      if (signal?.aborted) throw interruptedPut();
      length += piece.length;
      if (length > byteSize) break;
      hash.update(piece);
      await file.writeFile(piece);
    }
    const digest = hash.digest('hex');
    if (length !== byteSize || digest !== sha256.toLowerCase()) {
      throw brokenPromise(length, options);
    }
    await file.sync();
  } finally {
    await file?.close();
  }
}

/** Gives the file its name, unless the condition does not hold any more. */
async function swap(partial: string, { key, path, work }: Place, condition: PutCondition): Promise<boolean> {
  if (condition.kind === 'any') {
    await renameOver(partial, path);
    return true;
  }
  if (condition.kind === 'absent') {
    try {
      await link(partial, path);
      return true;
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === 'EEXIST') return false;
      // File systems without links of this kind (FAT, some network drives) go by the lock.
      if (code === undefined || !['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code)) throw error;
    }
  }
  const name = createHash('sha256').update(key).digest('hex').slice(0, 32);
  return withFolderLock(join(work, `${name}.lock`), async () => {
    if (!isMet(condition, await fileAt(key, path))) return false;
    await renameOver(partial, path);
    return true;
  });
}

async function removeLeftovers(work: string): Promise<void> {
  for (const name of await readdir(work).catch(() => [])) {
    const path = join(work, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > LEFT_OVER_AFTER_MS)
      await rm(path, { recursive: true, force: true });
  }
}

function sinkError(error: unknown, path: string): unknown {
  if (error instanceof LabelsmithError) return error;
  const code = systemCodeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new LabelsmithError('DISK_FULL', `no room left to push ${path}`, {
      hint: 'Free some space and push again: what is there already is not sent twice.',
      cause: error,
    });
  }
  if (code !== undefined && ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG'].includes(code)) {
    return new LabelsmithError('REFUSED', `${path} cannot be written (${code})`, { cause: error });
  }
  return error;
}
