/**
 * All files of a folder, whatever they are, under the keys that a sink has for them, in order of the keys' bytes. Hidden
 * files are left out, as everywhere, and so is what this program is still writing; links to folders are not followed, since the same files would be pushed twice.
 */
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { isTemporaryName } from '../files/atomic.ts';
import { readDirectory } from './directory.ts';
import { isHiddenName, pathTextOf } from './names.ts';
import { keyProblem } from './sink.ts';

export type TreeItem =
  | { readonly kind: 'file'; readonly key: string; readonly path: string }
  /** Something that has no key, or cannot be read. */
  | { readonly kind: 'problem'; readonly path: string; readonly message: string };

/** @param folder absolute */
export async function* filesIn(folder: string, below = ''): AsyncGenerator<TreeItem> {
  const at = join(folder, below);
  try {
    for await (const { name, kind, viaLink } of readDirectory(Buffer.from(at))) {
      const plain = name.toString('latin1');
      if (isHiddenName(plain) || isTemporaryName(plain)) continue;
      const { path: text, pathBytes } = pathTextOf(name);
      const key = below === '' ? text : `${below}/${text}`;
      const path = join(folder, key);
      const problem = pathBytes === null ? keyProblem(key) : 'its name is not Unicode text';
      if (problem !== undefined) yield { kind: 'problem', path, message: problem };
      else if (kind === 'file') yield { kind: 'file', key, path };
      else if (kind === 'folder' && !viaLink) yield* filesIn(folder, key);
      else yield { kind: 'problem', path, message: OTHER[kind] };
    }
  } catch (error) {
    yield { kind: 'problem', path: at, message: `the folder cannot be read: ${messageOf(error)}` };
  }
}

const OTHER = {
  file: 'it is a file',
  folder: 'it is a link to a folder, which is not followed',
  link: 'it is a link that leads to nothing',
  special: 'it is a pipe, socket or device',
} as const;
