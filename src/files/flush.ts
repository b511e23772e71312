/** What was written is on the disk before its name says that it is. */
import { type FileHandle, open } from 'node:fs/promises';
import { systemCodeOf } from '../errors.ts';

/** Some file systems cannot flush a folder; the rename in it is done all the same. */
const CANNOT = new Set(['EINVAL', 'EPERM', 'EACCES', 'EISDIR', 'ENOTSUP']);

/** Opened for writing, without which Windows does not flush it. */
export async function flushFile(path: string): Promise<void> {
  await flush(path, 'r+');
}

/** A folder's names. */
export async function flushFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // a folder cannot be opened there, and renames are in its journal
  await flush(path, 'r');
}

async function flush(path: string, flags: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, flags);
    await handle.sync();
  } catch (error) {
    if (!CANNOT.has(systemCodeOf(error) ?? '')) throw error;
  } finally {
    await handle?.close();
  }
}
