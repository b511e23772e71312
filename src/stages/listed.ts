/** What a listing of a source came to, as JSON, for processes that did not list it. */
import { z } from 'zod';
import type { SourceItem } from '../sources/source.ts';

export const LISTED = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('entry'),
    path: z.string(),
    /** The path's bytes where they are no UTF-8, in base64. */
    pathBytes: z.string().nullable(),
    sourceRoot: z.string(),
    byteSize: z.number(),
    modifiedAtMs: z.number(),
  }),
  z.object({
    kind: z.literal('problem'),
    path: z.string(),
    sourceRoot: z.string(),
    reason: z.string(),
    message: z.string(),
  }),
]);
export type Listed = z.infer<typeof LISTED>;
export type ListedEntry = Extract<Listed, { kind: 'entry' }>;

export function asListed(item: SourceItem): Listed {
  if (item.kind === 'problem') return { kind: 'problem', ...item.problem };
  const { path, pathBytes, sourceRoot, byteSize, modifiedAtMs } = item.entry;
  const bytes = pathBytes && Buffer.from(pathBytes).toString('base64');
  return { kind: 'entry', path, pathBytes: bytes, sourceRoot, byteSize, modifiedAtMs };
}

/** What a path is read by where its text is not all of it. */
export function pathBytesOf({ pathBytes }: Pick<ListedEntry, 'pathBytes'>): Uint8Array | null {
  return pathBytes === null ? null : Uint8Array.from(Buffer.from(pathBytes, 'base64'));
}
