/**
 * Files of a folder that are read piece by piece, one after the other. One that is damaged is told and leaves the others; what
 * was read of it before the damage stays, and how much that is stands beside the reason.
 */
import type { Reckoning } from './reckoning.ts';

/**
 * What `read` gives of each file.
 * @param files paths below the folder, or what has one as its name
 */
export async function* filesInTurn<F extends string | { readonly name: string }, T>(
  files: Iterable<F> | AsyncIterable<F>,
  reckoning: Reckoning,
  read: (file: F) => AsyncIterable<T>,
): AsyncGenerator<T> {
  for await (const file of files) {
    let given = 0;
    try {
      for await (const one of read(file)) {
        yield one;
        given++;
      }
    } catch (error) {
      const after = given > 0 ? `${given} before that were read` : undefined;
      reckoning.tellFault('file-unreadable', error, { file: typeof file === 'string' ? file : file.name, after });
      continue;
    }
    reckoning.take('files');
  }
}
