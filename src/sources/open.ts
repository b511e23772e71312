/** From what the user wrote to a {@link Source}, by the table of `schemes.ts`. */
import { resolve } from 'node:path';
import { LabelsmithError } from '../errors.ts';
import type { SourceOptions } from './listing.ts';
import { SCHEMES } from './schemes.ts';
import type { Source } from './source.ts';

/** Fails with `NOT_FOUND` when there is nothing of that name, `UNSUPPORTED` for schemes that are not in the table. */
export async function openSource(spec: string, options: SourceOptions): Promise<Source> {
  if (spec === '') {
    throw new LabelsmithError('USAGE', 'an empty source', { hint: 'Name a folder, file, glob or list.' });
  }
  for (const scheme of SCHEMES) {
    const prefix = `${scheme.name}:`;
    const named = spec.toLowerCase().startsWith(prefix) ? spec.slice(prefix.length) : undefined;
    const source = await scheme.open(spec, named, options);
    if (source !== undefined) return source;
  }
  const other = /^([a-z][a-z0-9+.-]*):\/\//i.exec(spec)?.[1];
  if (other !== undefined && other.toLowerCase() !== 'file') {
    throw new LabelsmithError('UNSUPPORTED', `${spec}: ${other} addresses are not read by this version`, {
      hint: 'Copy the images to a folder first.',
    });
  }
  const literal = resolve(options.cwd, spec);
  throw new LabelsmithError('NOT_FOUND', `${other === undefined ? literal : spec} does not exist`, {
    hint: 'Name a folder, file, archive or quoted glob that is there, @FILE for a list of paths, or - for standard input.',
    details: { path: literal },
  });
}
