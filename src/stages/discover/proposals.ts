/** Classes that a namer proposed, as a file for `match --classes` and `detect --classes`: a name a line, its definition before it. */
import { writeFile } from 'node:fs/promises';
import { writeOutput } from '../../files/output.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { ProposedClass } from './namer.ts';
import type { NamerOptions } from './namer-request.ts';

const BEGINS = '# Classes proposed by ';

/** A file that is there is replaced if it is one of these. Gives its path. */
export function writeProposals(
  { dir }: Pick<Workspace, 'dir'>,
  file: string,
  { classes, namer }: { readonly classes: readonly ProposedClass[]; readonly namer: NamerOptions },
): Promise<string> {
  const lines = classes.flatMap(({ name, definition }) => [...(definition === '' ? [] : [`# ${definition}`]), name]);
  const head = `${BEGINS}${namer.model}: take out what is wrong, add what is missing`;
  const protectedPaths = [{ path: dir, what: 'the workspace' }];
  const signature = { begins: BEGINS };
  return writeOutput(
    file,
    { kind: 'file', what: 'list of classes', signature, replace: true, protectedPaths },
    (target) => writeFile(target, [head, ...lines, ''].join('\n')),
  );
}
