/**
 * `models import`: takes an ONNX file into the cache, under a name, with what its input and output mean.
 *
 * The file may come from anywhere. It is read and tried in a process of its own with bounds of time and memory
 * (`import-analysis.ts` says what is looked at); nothing is kept of a model that is refused.
 */
import { stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { basename, extname, resolve } from 'node:path';
import { LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';
import { cacheDirectory } from '../fetch/cache.ts';
import { type FetchOptions, fetchFiles } from '../fetch/fetch.ts';
import { kindOf } from '../files/whole-file.ts';
import { prepareRuntime } from '../onnx/runtime.ts';
import { LimitExceeded, runLimited } from '../threads/limited-process.ts';
import { CATALOGUE } from './catalogue.ts';
import type { AnalysedModel, AnalysisTask, Declared } from './import-analysis.ts';
import { importedEntry, keepImported } from './registry.ts';

export interface ImportOptions extends Declared {
  readonly cacheDir?: string;
  /** What to call it (default: the file's name in lower case). */
  readonly name?: string;
  /** Takes the place of an imported model of that name (default false: refused). */
  readonly replace?: boolean;
  /** For reading it and its trial runs together, in ms (default 120,000). A large model on a slow machine needs more. */
  readonly timeoutMs?: number;
  /** For the same (default 8 GB, and no more than three quarters of the machine's memory). */
  readonly maxMemoryBytes?: number;
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 120_000;
const MAX_MEMORY_BYTES = Math.min(8e9, 0.75 * totalmem());

const PLACES =
  'Name an ONNX file of this machine, a folder with the files of a model of the hub, hf:OWNER/REPO, or https://HOST/FILE.onnx.';

/** `import.child.ts` in a checkout, `import.child.js` when compiled. */
const CHILD = new URL(`./import.child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

export async function importModel(file: string, options: ImportOptions = {}): Promise<AnalysedModel> {
  const cacheDir = options.cacheDir ?? cacheDirectory();
  const path = resolve(file);
  await requireFile(path);
  const id = options.name ?? nameOf(path);
  checkName(id);
  const { entry, inferred } = await analysed({ path, id, declared: declaredIn(options) }, options);
  await refuseOther(id, entry.source.files[0]?.sha256, cacheDir, options.replace ?? false);
  await fetchFiles(entry.source.files, { cacheDir });
  await keepImported(entry, cacheDir);
  return { entry, inferred };
}

/** A file of the hub or of another server, fetched; a path as it stands. What it is called comes from the reference. */
export async function fetchedForImport(
  file: string,
  options: Partial<FetchOptions>,
): Promise<{ readonly path: string; readonly named: Pick<ImportOptions, 'name'> }> {
  if (!/^(hf|https|npm):/.test(file)) return { path: file, named: {} };
  const cacheDir = options.cacheDir ?? cacheDirectory();
  const [fetched] = await fetchFiles([{ reference: file }], { ...options, cacheDir });
  return { path: fetched?.path ?? file, named: { name: nameOf(file.split('#').at(-1) ?? file) } };
}

async function analysed(task: AnalysisTask, options: ImportOptions): Promise<AnalysedModel> {
  const { timeoutMs = TIMEOUT_MS, maxMemoryBytes: maxBytes = MAX_MEMORY_BYTES, signal } = options;
  await prepareRuntime({ signal });
  try {
    return await runLimited<AnalysedModel>(CHILD, task, { timeoutMs, maxBytes, signal });
  } catch (error) {
    if (!(error instanceof LimitExceeded)) throw error;
    throw new LabelsmithError('BAD_MODEL', `${basename(task.path)} cannot be imported: ${error.message}`, {
      cause: error,
      hint: 'A model that never ends or fills the memory cannot be used. Export it anew, or for a smaller input.',
    });
  }
}

function declaredIn(options: ImportOptions): Declared {
  const { role, licence, description, width, height, input, classNames, output, outputKind } = options;
  return { role, licence, description, width, height, input, classNames, output, outputKind };
}

/** A pipe or a device under this name would be read for ever. */
async function requireFile(path: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    if (systemCodeOf(cause) === 'ENOENT') {
      throw new LabelsmithError('NOT_FOUND', `there is no file ${path}`, { cause, hint: PLACES });
    }
    throw new LabelsmithError('BAD_FILE', `cannot read ${path}: ${messageOf(cause)}`, {
      cause,
      hint: 'Check who may read it, or copy it to where you may.',
    });
  });
  if (found.isFile()) return;
  throw new LabelsmithError('BAD_FILE', `${path} is ${kindOf(found)} and no file`, {
    hint: 'Save the model as a file, and name that.',
  });
}

function nameOf(path: string): string {
  return basename(path, extname(path))
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

/** A file's name on any system, with an ending and more behind it. */
const MAX_NAME = 100;

/** @param option the name's, of the command that asks */
export function checkName(id: string, option = '--name'): void {
  if (!/^[a-z0-9_]+(-[a-z0-9_]+)*$/.test(id)) {
    throw new LabelsmithError('USAGE', `"${id}" cannot be a model's name`, {
      hint: `Give a name of lower-case letters, digits and "-" with ${option}.`,
    });
  }
  if (id.length > MAX_NAME) {
    throw new LabelsmithError('USAGE', `a model's name of ${id.length} letters is too long`, {
      hint: `Give one of ${MAX_NAME} at most with ${option}.`,
    });
  }
  if (CATALOGUE.some((entry) => entry.id === id)) {
    throw new LabelsmithError('REFUSED', `${id} is a model of the catalogue`, {
      hint: `Give another name with ${option}.`,
    });
  }
}

/** Another model of this name is replaced only when that is asked for. */
async function refuseOther(id: string, sha256: string | undefined, cacheDir: string, replace: boolean): Promise<void> {
  const there = replace ? undefined : await importedEntry(id, cacheDir);
  if (there && there.source.files[0]?.sha256 !== sha256) {
    throw new LabelsmithError('REFUSED', `another model was imported as ${id}`, {
      hint: 'Give another name with --name, or --replace it.',
    });
  }
}
