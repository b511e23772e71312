/** Files that are on this machine already: in a folder of the user's, or in a cache of the hub's own tools. */
import { stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { sha256OfFile } from './cache.ts';
import type { FetchOptions, SourceFile } from './cached-files.ts';
import { hubSettings, isCommit, pathsInHubCaches } from './hub.ts';
import { baseNameOf, parseReference } from './reference.ts';

/**
 * A file with the content that is asked for, or undefined. What the content must be decides, not the name: a file of the
 * right name and another content is told and passed by.
 *
 * A file whose content is not known is taken from the hub's caches alone, by its revision: one that never changes, or
 * any where the hub is not to be asked (`offline`).
 */
export async function findNearby(
  file: SourceFile,
  options: Pick<FetchOptions, 'folders' | 'onNotice' | 'offline'>,
): Promise<string | undefined> {
  const folders =
    options.folders ?? (process.env.LABELSMITH_MODELS ?? '').split(delimiter).filter((path) => path !== '');
  for (const folder of folders) {
    if ((await stat(folder).catch(() => undefined))?.isDirectory()) continue;
    options.onNotice?.(`${folder} is no folder that is there; nothing is looked for in it`);
  }
  if (file.sha256 !== undefined) {
    for (const path of folders.flatMap((folder) => pathsIn(folder, file))) {
      if (await holds(path, file, options)) return path;
    }
  }
  for (const place of [file.reference, ...(file.otherPlaces ?? [])]) {
    const reference = parseReference(place);
    if (reference.kind !== 'hf') continue;
    const hub = await hubSettings();
    if (file.sha256 === undefined && !isCommit(reference.revision) && !hub.offline && !options.offline) continue;
    for (const path of await pathsInHubCaches(reference, hub, file.sha256 !== undefined)) {
      if (await holds(path, file, options)) return path;
    }
  }
  return undefined;
}

/** By its path at the publisher's with or without the first folders, by its name, by its hash. */
function pathsIn(folder: string, { reference, sha256 = '' }: SourceFile): string[] {
  const parts = pathOf(reference).split('/');
  return [...parts.map((_, i) => join(folder, ...parts.slice(i))), join(folder, sha256)];
}

function pathOf(reference: string): string {
  const parsed = parseReference(reference);
  return 'file' in parsed ? parsed.file : baseNameOf(reference);
}

async function holds(
  path: string,
  { sha256, byteSize }: SourceFile,
  options: Pick<FetchOptions, 'onNotice'>,
): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return false;
  if (sha256 === undefined) return true;
  const same =
    (byteSize === undefined || byteSize === found.size) && (await sha256OfFile(path).catch(() => '')) === sha256;
  if (!same) options.onNotice?.(`${path} has another content than the one that is pinned; it is not used`);
  return same;
}
