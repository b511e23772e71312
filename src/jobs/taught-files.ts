/**
 * What was taught in a workspace, as files by name: classifiers, and the networks of detectors and embedders.
 *
 * In a folder they are in `models/`. Of a workspace in PostgreSQL they are among its blobs, under the name of their content, and its
 * record says which of them a name means: the blob first, then the record, so that what is half written is never found. There
 * `models/` in the folder of this machine holds copies, which are made when they are asked for.
 */
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256Hex } from '../core/ids.ts';
import { LabelsmithError } from '../errors.ts';
import { writeWorkspaceFile } from '../files/atomic.ts';
import { MODEL_ENTRY, type ModelEntry } from '../models/bundle.ts';
import { changeSetting, readSetting, type Setting } from '../store/typed.ts';
import type { Workspace } from './stage.ts';

/** Folder of a workspace's own models. */
export const MODELS_FOLDER = 'models';

/** Where they are among the blobs. */
export const TAUGHT_BLOBS = 'taught/';

const TAUGHT_FILE = z.object({
  sha256: z.string(),
  byteSize: z.int().min(0),
  /** What `--model` makes of it; classifiers have none. Its files' references are those of the machine that taught it. */
  entry: MODEL_ENTRY.optional(),
});
export type TaughtFile = Readonly<z.infer<typeof TAUGHT_FILE>>;

/** By name of the file. */
export const TAUGHT: Setting<Readonly<Record<string, TaughtFile>>> = {
  key: 'taught-files',
  version: 1,
  // A name is a file's in `models/`, and leads nowhere else.
  schema: z.record(z.string().regex(/^[\w%-][\w%.-]*\.onnx$/), TAUGHT_FILE),
  what: 'The list of what was taught',
  remedy: 'Run labelsmith teach rounds again, which makes the classifier.',
};

type Place = Pick<Workspace, 'dir' | 'location' | 'store' | 'blobs'>;

export const isShared = ({ dir, location }: Pick<Workspace, 'dir' | 'location'>) => location !== dir;

/** A task's name as a file's: other characters than these become their code, so different names stay different. */
export function fileNameOf(name: string): string {
  return name.replace(/[^a-z0-9_-]/g, (character) => `%${(character.codePointAt(0) as number).toString(16)}`);
}

/** The file of the classifier of a task. @param base that of `teach train` */
export function classifierFile(task: string, { base = false }: { readonly base?: boolean } = {}): string {
  return `${fileNameOf(task)}${base ? '.base' : ''}.onnx`;
}

/** The file of an embedder that is kept under this name. */
export function keptFile(name: string): string {
  return `${name}.embedder.onnx`;
}

/** Where the file of a name is on this machine, if it is there. */
export function taughtPath({ dir }: Pick<Workspace, 'dir'>, name: string): string {
  return join(dir, MODELS_FOLDER, name);
}

const blobOf = (sha256: string) => `${TAUGHT_BLOBS}${sha256}.onnx`;

/** Takes the place of what had the name. @returns the path on this machine */
export async function keepTaught(workspace: Place, name: string, bytes: Uint8Array): Promise<string> {
  const path = taughtPath(workspace, name);
  await writeWorkspaceFile(path, bytes);
  await shareTaught(workspace, name, bytes);
  return path;
}

/** Puts a file where all machines of a workspace in PostgreSQL find it; in a folder it is already. @param entry of a model */
export async function shareTaught(
  workspace: Place,
  name: string,
  bytes: Uint8Array,
  entry?: ModelEntry,
): Promise<void> {
  if (!isShared(workspace)) return;
  const { store, blobs } = workspace;
  const made: TaughtFile = { sha256: sha256Hex(bytes), byteSize: bytes.length, ...(entry && { entry }) };
  await blobs.put(blobOf(made.sha256), bytes);
  let before: TaughtFile | undefined;
  const now = await changeSetting(store, TAUGHT, (known = {}) => {
    before = known[name];
    return { ...known, [name]: made };
  });
  const isNamed = (sha256: string) => Object.values(now).some((one) => one.sha256 === sha256);
  // What cannot be deleted takes room and harms nobody.
  if (before && !isNamed(before.sha256)) await blobs.delete(blobOf(before.sha256)).catch(() => {});
}

/** The path of a file that was taught in the workspace, brought to this machine where it is not here; undefined where there is none. */
export async function taughtFile(workspace: Place, name: string): Promise<string | undefined> {
  const path = taughtPath(workspace, name);
  if (!isShared(workspace)) return existsSync(path) ? path : undefined;
  const { store, blobs } = workspace;
  const known = () => readSetting(store, TAUGHT).then((all) => all?.[name]);
  for (let one = await known(); one !== undefined; ) {
    if ((await digestOf(path)) === one.sha256) return path;
    const bytes = await blobs.get(blobOf(one.sha256));
    if (bytes !== undefined && sha256Hex(bytes) === one.sha256) {
      await writeWorkspaceFile(path, bytes);
      return path;
    }
    // Somebody may have taught it anew meanwhile.
    const now = await known();
    if (now?.sha256 === one.sha256) throw goneFrom(name);
    one = now;
  }
  return undefined;
}

function goneFrom(name: string): LabelsmithError {
  return new LabelsmithError('NOT_FOUND', `${name} is gone from the blobs of the workspace, or damaged there.`, {
    hint: 'Teach it again: the same labels make the same file.',
  });
}

/** Changes when the file of a name is another one; empty where there is none. */
export async function taughtVersion(workspace: Place, name: string): Promise<string> {
  if (isShared(workspace)) return (await readSetting(workspace.store, TAUGHT))?.[name]?.sha256 ?? '';
  const path = taughtPath(workspace, name);
  return existsSync(path) ? String(statSync(path).mtimeMs) : '';
}

async function digestOf(path: string): Promise<string | undefined> {
  if (!existsSync(path)) return undefined;
  return sha256Hex(await readFile(path).catch(() => new Uint8Array()));
}
