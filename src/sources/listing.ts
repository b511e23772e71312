/** What a listing carries with it, and how it says that something it came to cannot be opened. */
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pathTextOf, withSlashes } from './names.ts';
import type { ListOptions, Source, SourceItem, SourceProblemReason } from './source.ts';

export interface SourceOptions {
  /** Where relative paths start (the current folder). */
  readonly cwd: string;
  /** What `-` reads. Default: none, and `-` is refused. */
  readonly stdin?: Readable;
  /**
   * Where compressed tar archives are unpacked, as large as their contents: a folder of the workspace. Default: a
   * temporary folder that goes away with the process, so that every process unpacks them again.
   */
  readonly archiveCache?: string;
  /** Folders that are left out wherever they turn up, absolute: the workspace, say. */
  readonly skipFolders?: readonly string[];
}

/** What every listing needs to know. */
export interface Listing extends ListOptions {
  /** The root that entries say they came in by, absolute. */
  readonly sourceRoot: string;
  /** Where compressed archives are unpacked as a whole, see `open-archive.ts`. */
  readonly archiveCache: string | undefined;
  /** Absolute folders that are left out: a workspace, an export. */
  readonly skip: ReadonlySet<string>;
}

/** A source whose items `list` gives. */
export function sourceOf(
  given: Pick<Source, 'spec' | 'root'>,
  options: SourceOptions,
  list: (listing: Listing) => AsyncIterable<SourceItem>,
): Source {
  const { spec } = given;
  const root = withSlashes(given.root);
  const skip = new Set((options.skipFolders ?? []).map((folder) => withSlashes(resolve(options.cwd, folder))));
  const { archiveCache } = options;
  return { spec, root, list: (more: ListOptions = {}) => list({ ...more, sourceRoot: root, archiveCache, skip }) };
}

export function problemOf(
  path: Buffer,
  listing: Listing,
  reason: SourceProblemReason,
  message: string,
): SourceItem & { readonly kind: 'problem' } {
  return { kind: 'problem', problem: { path: pathTextOf(path).path, sourceRoot: listing.sourceRoot, reason, message } };
}
