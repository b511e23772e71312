/** The sources of a workspace, as the user wrote them. */
import { resolve } from 'node:path';
import { LabelsmithError } from '../../errors.ts';
import { archiveCacheOf } from '../../jobs/image-reader.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { SourceOptions } from '../../sources/listing.ts';
import { withSlashes } from '../../sources/names.ts';
import { openSource } from '../../sources/open.ts';
import type { Source } from '../../sources/source.ts';

/**
 * The workspace itself is never a source, wherever it lies.
 *
 * @param knownRoots folders of the record; one of them that is not there any more is a source with nothing in it, so that
 * `add --sync` can say so of its files. Others that are not there are errors.
 */
export function openSources(
  { dir }: Pick<Workspace, 'dir'>,
  specs: readonly string[],
  from: Pick<SourceOptions, 'cwd' | 'stdin'> = { cwd: process.cwd() },
  knownRoots: readonly string[] = [],
): Promise<Source[]> {
  const options = { ...from, archiveCache: archiveCacheOf(dir), skipFolders: [dir] };
  return Promise.all(
    specs.map(async (spec) => {
      try {
        return await openSource(spec, options);
      } catch (error) {
        const root = withSlashes(resolve(from.cwd, spec));
        const isGone = error instanceof LabelsmithError && error.code === 'NOT_FOUND' && knownRoots.includes(root);
        if (!isGone) throw error;
        return { spec, root, async *list() {} };
      }
    }),
  );
}
