/** The sources of a workspace, as the user wrote them. */
import { archiveCacheOf } from '../../jobs/image-reader.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { SourceOptions } from '../../sources/listing.ts';
import { openSource } from '../../sources/open.ts';
import type { Source } from '../../sources/source.ts';

/** The workspace itself is never a source, wherever it lies. */
export function openSources(
  { dir }: Pick<Workspace, 'dir'>,
  specs: readonly string[],
  from: Pick<SourceOptions, 'cwd' | 'stdin'> = { cwd: process.cwd() },
): Promise<Source[]> {
  const options = { ...from, archiveCache: archiveCacheOf(dir), skipFolders: [dir] };
  return Promise.all(specs.map((spec) => openSource(spec, options)));
}
