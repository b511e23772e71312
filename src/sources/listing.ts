/** What a listing carries with it, and how it says that something it came to cannot be opened. */
import { pathTextOf } from './names.ts';
import type { ListOptions, SourceItem, SourceProblemReason } from './source.ts';

/** What every listing needs to know. */
export interface Listing extends ListOptions {
  /** The root that entries say they came in by, absolute. */
  readonly sourceRoot: string;
  /** Where compressed archives are unpacked as a whole, see `archive.ts`. */
  readonly archiveCache: string | undefined;
  /** Absolute folders that are left out: a workspace, an export. */
  readonly skip: ReadonlySet<string>;
}

export function problemOf(
  path: Buffer,
  listing: Listing,
  reason: SourceProblemReason,
  message: string,
): SourceItem & { readonly kind: 'problem' } {
  return { kind: 'problem', problem: { path: pathTextOf(path).path, sourceRoot: listing.sourceRoot, reason, message } };
}
