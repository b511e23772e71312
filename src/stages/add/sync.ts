/** `add --sync`: what a whole listing did not meet any more. Labels are never dropped. */
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
