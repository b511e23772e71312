/**
 * A folder of one process for what it makes for a target, beside the workspace: several processes of one machine may write shards
 * of one export. What killed ones left goes with the next that is made.
 */
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from '../../files/make-folder.ts';
import { isAbandoned, keepAlive, WRITER_PATTERN, writerName } from '../../files/unfinished.ts';
import { outgoingPath } from '../push/to-target.ts';

export interface OwnFolder {
  readonly folder: string;
  remove(): Promise<void>;
}

let made = 0;

/** @param workspaceDir absolute. @param target of the export */
export async function openOwnFolder(workspaceDir: string, target: string): Promise<OwnFolder> {
  const path = outgoingPath(workspaceDir, target);
  const [parent, prefix] = [dirname(path), `${basename(path)}-`];
  const ofWriter = new RegExp(`^(${WRITER_PATTERN})-\\d+$`);
  for (const name of await readdir(parent).catch(() => [])) {
    const writer = name.startsWith(prefix) ? ofWriter.exec(name.slice(prefix.length))?.[1] : undefined;
    if (writer === undefined) continue;
    const left = join(parent, name);
    if (await isAbandoned(left, writer)) await rm(left, { recursive: true, force: true });
  }
  const folder = join(parent, `${prefix}${writerName()}-${made++}`);
  await makeFolder(folder);
  const alive = keepAlive(folder);
  return {
    folder,
    async remove() {
      alive.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
