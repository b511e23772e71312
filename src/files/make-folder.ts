import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCodeOf } from '../errors.ts';

/**
 * Makes a folder and those above it; one that is there is fine. Node's own way (`recursive: true`) runs for ever where a file
 * system answers ENOENT for a name that it refuses: `/proc`, and names with a colon on Windows (nodejs/node#31177).
 * @throws the system's error of the folder that could not be made
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' && dirname(path) !== path) {
      await makeFolder(dirname(path));
      // Another process may have made it meanwhile.
      await mkdir(path).catch((failed) => unlessThere(path, failed));
    } else await unlessThere(path, error);
  }
}

async function unlessThere(path: string, error: unknown): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (!there?.isDirectory()) throw error;
}
