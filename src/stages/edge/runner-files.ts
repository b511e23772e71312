/**
 * The device's program as files: the runner with every module of ours that it imports, as they are here, and the packages
 * that those import. So a device decodes, labels and captures by the same code as the workspace.
 */

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import sharp from 'sharp';
import { LabelsmithError } from '../../errors.ts';
import { ONNX_RUNTIME_VERSION } from '../../onnx/runtime-files.ts';
import { findRuntime } from '../../onnx/runtime-package.ts';
import type { PackFile } from './pack-archive.ts';

/** Where the compiled modules of this project are, or its sources. */
const OWN_ROOT = resolve(import.meta.dirname, '../..');
const EXTENSION = import.meta.filename.endsWith('.ts') ? '.ts' : '.js';
const ENTRY = join(OWN_ROOT, `stages/edge/runner/main${EXTENSION}`);
const manifest = createRequire(import.meta.url)('../../../package.json') as {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly engines: Readonly<Record<string, string>>;
};

const IMPORT = /\b(?:from|import)\s*\(?\s*['"]([^'"\n]+)['"]/g;
const TYPES_ONLY = /^\s*(?:import|export) type [^;]*;$/gm;

export interface RunnerFiles {
  readonly files: readonly PackFile[];
  /** Of npm, by name: what the device has to have. */
  readonly packages: Readonly<Record<string, string>>;
}

export async function runnerFiles(): Promise<RunnerFiles> {
  const files = new Map<string, Buffer>();
  const packages = new Set<string>();
  const open = [ENTRY];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (files.has(path)) continue;
    const bytes = await readFile(path);
    files.set(path, bytes);
    for (const [, name = ''] of bytes.toString().replace(TYPES_ONLY, '').matchAll(IMPORT)) {
      if (name.startsWith('.')) {
        const next = resolve(dirname(path), name);
        if (existsSync(next)) open.push(next);
      } else if (manifest.dependencies[name] !== undefined) packages.add(name);
    }
  }
  const own = [...files].map(([path, bytes]) => ({
    path: `runner/${relative(OWN_ROOT, path).split(sep).join('/')}`,
    bytes,
  }));
  const versions = [...packages].sort().map((name) => [name, manifest.dependencies[name] ?? '*'] as const);
  return {
    files: [...own, { path: 'run.mjs', bytes: Buffer.from(startText()) }],
    // The same version decodes the same pixels; the other one computes the same numbers.
    packages: {
      ...Object.fromEntries(versions),
      sharp: sharp.versions.sharp ?? '*',
      'onnxruntime-node': ONNX_RUNTIME_VERSION,
    },
  };
}

function startText(): string {
  return `// Made by labelsmith ${manifest.version}.
import { runEdge } from './runner/stages/edge/runner/main${EXTENSION}';

process.exitCode = await runEdge(import.meta.dirname, process.argv.slice(2));
`;
}

export function packageText(packages: Readonly<Record<string, string>>): string {
  const { engines, version } = manifest;
  const content = {
    name: 'labelsmith-edge',
    version,
    private: true,
    type: 'module',
    scripts: { start: 'node run.mjs' },
    engines,
    dependencies: packages,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** The packages as they are installed here, for a device of the same platform that has no network. */
export async function carriedPackages(packages: Readonly<Record<string, string>>): Promise<PackFile[]> {
  const runtime = findRuntime();
  if (runtime === undefined) {
    throw new LabelsmithError('NOT_FOUND', 'ONNX Runtime is not on this machine yet', {
      hint: 'Fetch it once with `labelsmith models pull onnxruntime`.',
    });
  }
  const folders = new Map([
    ['onnxruntime-node', runtime.folder],
    ['onnxruntime-common', join(dirname(runtime.folder), 'onnxruntime-common')],
  ]);
  const open = Object.keys(packages).flatMap((name) =>
    folders.has(name) ? [] : [{ name, from: OWN_ROOT, isNeeded: true }],
  );
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { name, from, isNeeded } = next;
    if (folders.has(name)) continue;
    const folder = packageFolder(name, from);
    if (folder === undefined) {
      if (isNeeded) throw new LabelsmithError('NOT_FOUND', `the package ${name} is not installed here`);
      continue;
    }
    folders.set(name, folder);
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
      await readFile(join(folder, 'package.json'), 'utf8'),
    );
    open.push(
      ...Object.keys(dependencies).map((one) => ({
        name: one,
        from: folder,
        isNeeded: !(one in optionalDependencies),
      })),
    );
    open.push(...Object.keys(optionalDependencies).map((one) => ({ name: one, from: folder, isNeeded: false })));
  }
  const files: PackFile[] = [];
  for (const [name, folder] of [...folders].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.parentPath.slice(folder.length).includes(`${sep}node_modules`)) continue;
      const path = join(entry.parentPath, entry.name);
      files.push({
        path: `node_modules/${name}/${relative(folder, path).split(sep).join('/')}`,
        bytes: await readFile(path),
      });
    }
  }
  return files;
}

/** As Node looks for it. */
function packageFolder(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name);
    if (existsSync(join(found, 'package.json'))) return found;
    if (folder === dirname(folder)) return undefined;
  }
}
