/** `add --sync`: what a whole listing did not meet any more, and folders that have another name. Labels are never dropped. */
import { stat } from 'node:fs/promises';
import type { ImagePath } from '../../core/image.ts';
import { systemCodeOf } from '../../errors.ts';
import { isObjectPath } from '../../sources/cloud/object-reader.ts';
import type { PathReader } from '../../sources/reader.ts';
import { SOURCE_PROBLEMS, type Source } from '../../sources/source.ts';
import type { Store } from '../../store/store.ts';

/**
 * After a whole listing: recorded paths under the sources' roots whose file is not there any more. Such a path is moved
 * when the same bytes are at another path by now, else missing; either way the image and its labels stay.
 */
export async function noticeMissing(
  store: Store,
  sources: readonly Source[],
  reader: Pick<PathReader, 'exists'>,
): Promise<{ readonly missing: number; readonly moved: number }> {
  let missing = 0;
  let moved = 0;
  for (const root of new Set(sources.map((source) => source.root))) {
    for await (const page of store.pathsOf(root)) {
      const there = await Promise.all(page.map(({ path, pathBytes }) => reader.exists(path, pathBytes)));
      const gone = page.filter((path, i) => !there[i] && !path.missing);
      if (gone.length === 0) continue;
      await store.markMissing(
        gone.map(({ path }) => path),
        true,
      );
      const others = await store.pathsOfImages(gone.map(({ imageId }) => imageId));
      for (const { imageId } of gone) {
        if (others.get(imageId)?.some((other) => !other.missing)) moved++;
        else missing++;
      }
    }
  }
  return { missing, moved };
}

/**
 * After a whole listing: rows of quarantine under the sources' roots whose cause is gone. A file in quarantine is there as
 * long as it exists; what could not be opened (a broken link, say) as long as the listing meets it.
 */
export async function liftWhatIsGone(
  store: Store,
  sources: readonly Source[],
  reader: Pick<PathReader, 'exists'>,
  problems: ReadonlySet<string>,
): Promise<void> {
  const roots = new Set(sources.map((source) => source.root));
  const lifted: string[] = [];
  for await (const page of store.quarantine()) {
    for (const { path, sourceRoot, reason } of page) {
      if (!roots.has(sourceRoot) || problems.has(path)) continue;
      // Names that are no UTF-8 are written with escapes here, and cannot be looked up.
      const escaped = path.includes('\\x');
      const wasProblem = reason in SOURCE_PROBLEMS && reason !== 'unreadable';
      if (wasProblem || (!escaped && !(await reader.exists(path, null)))) lifted.push(path);
    }
  }
  if (lifted.length > 0) await store.liftQuarantine(lifted);
}

/**
 * After a whole listing: paths under folders that are not there any more, of images that the sources have under another
 * name. The new name takes the old one's place, so that a folder that was renamed is one source and not two.
 */
export async function relinkMovedFolders(
  store: Pick<Store, 'sourceRoots' | 'pathsOf' | 'pathsOfImages' | 'movePaths'>,
  sources: readonly Source[],
  reader: Pick<PathReader, 'exists'>,
): Promise<number> {
  const roots = new Set(sources.map(({ root }) => root));
  let moved = 0;
  for (const root of await store.sourceRoots()) {
    if (roots.has(root) || (await isThere(root))) continue;
    for await (const page of store.pathsOf(root)) {
      const there = await Promise.all(page.map(({ path, pathBytes }) => reader.exists(path, pathBytes)));
      const gone = page.filter((_, i) => !there[i]);
      const paths = await store.pathsOfImages(gone.map(({ imageId }) => imageId));
      const moves = gone.flatMap(({ path, imageId }) => {
        const to = paths.get(imageId)?.find((other) => !other.missing && roots.has(other.sourceRoot));
        return to === undefined ? [] : [{ from: path, to }];
      });
      if (moves.length > 0) await store.movePaths(moves);
      moved += moves.length;
    }
  }
  return moved;
}

/** Folders of the record that are not there any more, with files that nobody said anything about yet; sorted. */
export async function goneFolders(
  store: Pick<Store, 'sourceRoots' | 'pathsOf'>,
  reader: Pick<PathReader, 'exists'>,
): Promise<string[]> {
  const gone: string[] = [];
  for (const root of await store.sourceRoots()) {
    if (await isThere(root)) continue;
    // A list or a pipe is no folder: its files may be there without it. A few of them tell.
    const sample: ImagePath[] = [];
    for await (const page of store.pathsOf(root)) {
      sample.push(...page.filter(({ missing }) => !missing).slice(0, GONE_SAMPLE - sample.length));
      if (sample.length >= GONE_SAMPLE) break;
    }
    const there = await Promise.all(sample.map(({ path, pathBytes }) => reader.exists(path, pathBytes)));
    if (sample.length > 0 && !there.includes(true)) gone.push(root);
  }
  return gone;
}

const GONE_SAMPLE = 16;

/** Whether there is anything of that name; what may not be looked at counts as there. */
async function isThere(path: string): Promise<boolean> {
  // A cloud is not looked through for what another folder has.
  if (isObjectPath(path)) return true;
  return stat(path).then(
    () => true,
    (error) => systemCodeOf(error) !== 'ENOENT' && systemCodeOf(error) !== 'ENOTDIR',
  );
}
