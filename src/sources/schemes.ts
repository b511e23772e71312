/**
 * Which texts mean which source: a table of schemes, asked in order. A scheme is named before a colon (`glob:photos/*`),
 * or meant by how the text looks. A new kind of place (object storage, a camera) is a row more.
 */
import { resolve } from 'node:path';
import { isDynamicPattern } from 'tinyglobby';
import { objectSource } from './cloud/object-source.ts';
import { OBJECT_SCHEMES } from './cloud/object-stores.ts';
import { globSource } from './glob-source.ts';
import { listFileSource, stdinSource } from './list-source.ts';
import type { SourceOptions } from './listing.ts';
import { type MemberPath, splitMember, statOf } from './member-path.ts';
import { memberSource, pathSource } from './path-source.ts';
import type { Source } from './source.ts';
import { pathOfFileUri } from './uri.ts';

export interface Scheme {
  /** The word before the colon. */
  readonly name: string;
  /** How it is written, for messages and documents. */
  readonly written: readonly string[];
  /**
   * Opens what the text means, or says that it means nothing of this kind. `named` is the text behind `name:` where the
   * user wrote that; else `spec` alone is to go by. Fails where it is surely of this kind and cannot be opened.
   */
  open(spec: string, named: string | undefined, options: SourceOptions): Promise<Source | undefined>;
}

export const SCHEMES: readonly Scheme[] = [
  {
    name: 'stdin',
    written: ['-', 'stdin:'],
    open: async (spec, named, options) => (spec === '-' || named === '' ? stdinSource(spec, options) : undefined),
  },
  ...OBJECT_SCHEMES.map(({ name, written }) => ({
    name,
    written: [written],
    open: async (spec: string, named: string | undefined, { archiveCache }: SourceOptions) =>
      named === undefined ? undefined : objectSource(spec, archiveCache),
  })),
  {
    name: 'file',
    written: ['FOLDER', 'FILE', 'ARCHIVE', 'ARCHIVE!/MEMBER', 'file:///PATH'],
    async open(spec, named, options) {
      // A name that exists is taken as it is, even with an @, a colon or brackets in it.
      const literal = await placeAt(Buffer.from(resolve(options.cwd, spec)));
      const place = literal ?? (named === undefined ? undefined : await placeAt(filePath(spec, named, options)));
      if (place === undefined) return undefined;
      return 'archive' in place ? memberSource(spec, place, options) : pathSource(spec, place.path, options);
    },
  },
  {
    name: 'list',
    written: ['@LIST', 'list:LIST'],
    async open(spec, named, options) {
      const file = named ?? (spec.startsWith('@') ? spec.slice(1) : '');
      return file === '' ? undefined : listFileSource(spec, resolve(options.cwd, file), options);
    },
  },
  {
    name: 'glob',
    written: ["'PATTERN'", 'glob:PATTERN'],
    async open(spec, named, options) {
      const isPattern = named !== undefined || (isDynamicPattern(spec) && !/^[a-z][a-z0-9+.-]*:\/\//i.test(spec));
      return isPattern ? globSource(spec, named ?? spec, options) : undefined;
    },
  },
];

/** What is at a path: something of the file system, or a member of an archive that is there. */
async function placeAt(path: Buffer): Promise<{ readonly path: Buffer } | MemberPath | undefined> {
  if ((await statOf(path)) !== undefined) return { path };
  const member = await splitMember(path);
  return member?.found === undefined ? undefined : member;
}

/** `file:///a` is an address, percent-encoded; `file:a` is short for a path. */
function filePath(spec: string, named: string, { cwd }: SourceOptions): Buffer {
  return named.startsWith('/') ? pathOfFileUri(spec) : Buffer.from(resolve(cwd, named));
}
