/**
 * Where ONNX Runtime is, and how it gets there.
 *
 * Its npm package cannot be a plain dependency: an install script of its own asks another registry for GPU libraries, and
 * takes the whole installation with it where that does not answer. So a copy that is installed beside this package is
 * used where it has the tested version; otherwise the files that this platform needs are fetched from the npm registry
 * once, each pinned by its SHA-256, and put together in the cache as npm would have. A folder under its final name there
 * is whole. The package's install script never runs.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, link, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { cacheDirectory, cacheError } from '../fetch/cache.ts';
import type { FetchOptions, SourceFile } from '../fetch/fetch.ts';
import { makeFolder } from '../files/make-folder.ts';
import { renameOver } from '../files/rename.ts';
import { COMMON_FILES, NATIVE_FILES, NODE_FILES, ONNX_RUNTIME_VERSION } from './runtime-files.ts';

/** How files are fetched, and who is told; where to is fixed. */
export type FetchRuntimeOptions = Pick<FetchOptions, 'offline' | 'folders' | 'onProgress' | 'onNotice' | 'signal'> & {
  /** Default: the user's. */
  readonly cacheDir?: string;
};

export interface RuntimePlace {
  /** The folder of the package `onnxruntime-node`. */
  readonly folder: string;
  /** `installed`: a package beside this one, with whatever GPU libraries it brought; `cache`: fetched by us, for the CPU. */
  readonly from: 'installed' | 'cache';
}

/** The runtime where it is now, or undefined; uses no network. */
export function findRuntime(cacheDir?: string): RuntimePlace | undefined {
  const installed = installedRuntime();
  if (installed?.version === ONNX_RUNTIME_VERSION) return { folder: installed.folder, from: 'installed' };
  const folder = join(runtimeFolder(cacheDir ?? cacheDirectory()), 'node_modules', 'onnxruntime-node');
  return existsSync(folder) ? { folder, from: 'cache' } : undefined;
}

/** The package `onnxruntime-node` that is installed where this package finds it, whatever its version is. */
export function installedRuntime(): { readonly folder: string; readonly version: string } | undefined {
  const require = createRequire(import.meta.url);
  try {
    const manifest = require.resolve('onnxruntime-node/package.json');
    const { version } = require(manifest) as { version: string };
    return { folder: dirname(manifest), version };
  } catch {
    // Not installed, or hidden from this package, which comes to the same.
    return undefined;
  }
}

/** Fetches the runtime into the cache where it is not there yet. */
export async function fetchRuntime(options: FetchRuntimeOptions = {}): Promise<RuntimePlace> {
  const cacheDir = options.cacheDir ?? cacheDirectory();
  const to = runtimeFolder(cacheDir);
  const folder = join(to, 'node_modules', 'onnxruntime-node');
  if (existsSync(folder)) return { folder, from: 'cache' };
  const files = neededFiles();
  const { fetchFiles } = await import('../fetch/fetch.ts');
  const fetched = await fetchFiles(
    files.map(({ source }) => source),
    { ...options, cacheDir, modelName: 'onnxruntime' },
  );
  const temporary = `${to}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  try {
    for (const [i, { path }] of files.entries()) await place(fetched[i]!.path, join(temporary, path));
    await renameOver(temporary, to);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // Another process was quicker: what it made is the same.
    if (!existsSync(folder)) throw cacheError(error, `cannot make ${to}`);
  }
  return { folder, from: 'cache' };
}

function runtimeFolder(cacheDir: string): string {
  return join(cacheDir, 'onnxruntime', `${ONNX_RUNTIME_VERSION}-${platform()}`);
}

function platform(): string {
  return `${process.platform}-${process.arch}`;
}

/** What makes up the two packages on this platform: from where, and where to. */
function neededFiles(): { readonly source: SourceFile; readonly path: string }[] {
  const native = NATIVE_FILES[platform()];
  if (!native) {
    throw new LabelsmithError('UNSUPPORTED', `ONNX Runtime ${ONNX_RUNTIME_VERSION} has no build for ${platform()}`, {
      hint: `It has builds for ${Object.keys(NATIVE_FILES).join(', ')}.`,
    });
  }
  // Whoever looks for the runtime looks for the folder of onnxruntime-node.
  return [
    ...ofPackage(COMMON_FILES, 'onnxruntime-common'),
    ...ofPackage({ ...NODE_FILES, ...native }, 'onnxruntime-node'),
  ];
}

function ofPackage(files: Readonly<Record<string, string>>, name: string) {
  return Object.entries(files).map(([file, sha256]) => ({
    source: { reference: `npm:${name}@${ONNX_RUNTIME_VERSION}#${file}`, sha256 },
    path: join('node_modules', name, ...file.split('/')),
  }));
}

/** The file of the cache under another name too, which costs no space where the file system has links. */
async function place(from: string, to: string): Promise<void> {
  await makeFolder(dirname(to));
  try {
    await link(from, to);
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return;
    await copyFile(from, to);
  }
}
