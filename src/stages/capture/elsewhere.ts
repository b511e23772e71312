/** Which captured files are somewhere else already: pushed, as the ledgers say, or in the workspace. */
import { existsSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import type { Workspace } from '../../jobs/workspace.ts';
import { withSlashes } from '../../sources/names.ts';
import { existingPushLedger } from '../../store/sqlite/push-ledger.ts';
import type { CapturedFile } from './rotation.ts';

/**
 * @param to the folder of captures; it, the cameras' folders in it, and the folder above it may have been pushed
 * @param workspace undefined where there is none
 */
export function knownElsewhere(to: string, workspace: Pick<Workspace, 'store'> | undefined) {
  return async (files: readonly CapturedFile[]): Promise<boolean[]> => {
    const safe = files.map(() => false);
    for (const folder of new Set(files.flatMap(({ path }) => [to, dirname(dirname(path)), dirname(to)]))) {
      const ledger = existsSync(folder) ? existingPushLedger(folder) : undefined;
      try {
        for (const [i, { path, localVersion }] of files.entries()) {
          const key = relative(folder, path).split(sep).join('/');
          if (!key.startsWith('..') && ledger?.isPushed(key, localVersion)) safe[i] = true;
        }
      } finally {
        ledger?.close();
      }
    }
    const known = await workspace?.store.lookupPaths(files.map(({ path }) => withSlashes(path)));
    for (const [i, { path, byteSize }] of files.entries()) {
      const before = known?.get(withSlashes(path));
      if (before !== undefined && before.imageId !== null && before.byteSize === byteSize) safe[i] = true;
    }
    return safe;
  };
}
