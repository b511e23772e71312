/**
 * Whether two paths lead to one file, or one into the other's folder, under whatever name: by links, or where a folder is
 * mounted twice. Files are told apart by device and number, as names do not tell. What is not there is the same as nothing.
 */
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

export async function isSameFile(path: string, other: string): Promise<boolean> {
  const [one, two] = await Promise.all([identityOf(path), identityOf(other)]);
  return one !== undefined && one === two;
}

/** Whether the path is the folder, or lies in it. */
export async function liesIn(path: string, folder: string): Promise<boolean> {
  const whole = await identityOf(folder);
  if (whole === undefined) return false;
  for (let at = resolve(path); ; at = dirname(at)) {
    if ((await identityOf(at)) === whole) return true;
    if (dirname(at) === at) return false;
  }
}

async function identityOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found && `${found.dev}:${found.ino}`;
}
