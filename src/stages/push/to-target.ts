/**
 * What is written as a file or folder, written to an address instead (`s3://bucket/out`): made whole beside the workspace
 * first, then pushed. A push that is interrupted is gone on with by the same command, since the same is made again.
 *
 * A folder goes to a place where nothing else is: files of an earlier export beside those of a new one would be taken for
 * its own by whoever reads it, and no store can replace a whole folder at once.
 */
import { rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { sha256Hex } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import { makeFolder } from '../../files/make-folder.ts';
import type { Sink } from '../../sources/sink.ts';
import { isTargetAddress, openSink } from '../../sources/targets.ts';
import { filesIn } from '../../sources/tree.ts';
import { type PushResult, push } from './push.ts';

export interface ToTargetOptions {
  readonly workspaceDir: string;
  /** Writes over a file that is there. */
  readonly replace: boolean;
  readonly signal?: AbortSignal;
}

/** @param out a path, which is written as it is, or an address. @param make writes a file or folder at a path */
export async function writeTo<T>(
  out: string,
  options: ToTargetOptions,
  make: (path: string) => Promise<T>,
): Promise<T> {
  if (!isTargetAddress(out)) return make(out);
  const target = out.replace(/\/+$/, '');
  return withOutgoing(target, options, async (folder) => {
    const path = join(folder, basename(target));
    const made = await make(path);
    if ((await stat(path)).isFile()) await pushTo(target.slice(0, -basename(target).length - 1), folder, options);
    else await pushTo(target, path, options, requireFree);
    return made;
  });
}

/** Beside the workspace, into which nothing is exported. */
export function outgoingPath(workspaceDir: string, target: string): string {
  return `${workspaceDir}-outgoing-${sha256Hex(target).slice(0, 16)}`;
}

/** Gives an empty folder for what goes to a target, beside the workspace, into which nothing is exported; then it is gone. */
export async function withOutgoing<T>(
  target: string,
  { workspaceDir }: Pick<ToTargetOptions, 'workspaceDir'>,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = outgoingPath(workspaceDir, target);
  await rm(folder, { recursive: true, force: true });
  await makeFolder(folder);
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function pushTo(
  target: string,
  folder: string,
  { replace, signal }: ToTargetOptions,
  check: (sink: Sink, folder: string) => Promise<void> = async () => {},
): Promise<void> {
  const sink = await openSink(target, { cwd: '/' });
  try {
    await check(sink, folder);
    requireWhole(await push(folder, sink, { replace, signal }));
  } finally {
    await sink.close();
  }
}

/** Nothing but what is pushed may be there. */
async function requireFree(sink: Sink, folder: string): Promise<void> {
  if (sink.list === undefined) return;
  const ours = new Set<string>();
  for await (const item of filesIn(folder)) if (item.kind === 'file') ours.add(item.key);
  for await (const { key, uri } of sink.list('')) {
    if (ours.has(key)) continue;
    throw new LabelsmithError('REFUSED', `the output ${sink.uri} is not empty: ${uri}`, {
      hint: 'Choose another prefix; what is in a cloud is not replaced as a whole.',
    });
  }
}

function requireWhole({ target, counts, problems, interrupted }: PushResult): void {
  if (interrupted) throw new LabelsmithError('INTERRUPTED', 'interrupted', { hint: 'Run it again: it goes on.' });
  const wrong = counts.failed + counts.conflicts + counts.changed + counts.leftOut;
  if (wrong === 0) return;
  const [first] = problems;
  throw new LabelsmithError('REFUSED', `${wrong} files are not at ${target}, first ${first?.path}: ${first?.message}`, {
    hint: counts.conflicts > 0 ? 'Choose another place, or write over what is there with --replace.' : 'Run it again.',
  });
}
