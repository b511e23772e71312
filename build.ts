/**
 * Compiles `src` into `dist` and bundles `web` into `dist/web`, both from scratch, so that a deleted source never lives on
 * there. It is compiled beside the old `dist`, which stays as it is when that fails. Then ONNX Runtime is put into `node_modules`, from the user's cache or
 * the npm registry: a checkout works whatever cache it is given, and none of the package's install scripts runs.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf } from './src/errors.ts';
import { ONNX_RUNTIME_VERSION } from './src/onnx/runtime-files.ts';
import { fetchRuntime, installedRuntime } from './src/onnx/runtime-package.ts';
import { bundleCommand } from './tools/build/command.ts';
import { bundleVendors } from './tools/build/vendor.ts';

const NEW = 'dist.new';
const RUNTIME = 'node_modules/onnxruntime-node';

await compile();
bundleApp();
await installRuntime();

async function compile(): Promise<void> {
  rmSync(NEW, { recursive: true, force: true });
  const compiled = spawnSync('tsc', ['-p', 'tsconfig.build.json', '--outDir', NEW], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (compiled.error) throw compiled.error;
  if (compiled.status !== 0) {
    rmSync(NEW, { recursive: true, force: true });
    process.exit(compiled.status ?? 1);
  }
  await bundleVendors(NEW);
  await bundleCommand(NEW);
  // What is not compiled: learnt numbers beside the code that reads them.
  for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.bin')) cpSync(join('src', file), join(NEW, file));
  }
  chmodSync(`${NEW}/cli/main.js`, 0o755);
  rmSync('dist', { recursive: true, force: true });
  renameSync(NEW, 'dist');
}

function bundleApp(): void {
  const bundled = spawnSync('vite', ['build', '--config', 'web/vite.config.ts', '--logLevel', 'warn'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (bundled.error) throw bundled.error;
  if (bundled.status !== 0) process.exit(bundled.status ?? 1);
}

async function installRuntime(): Promise<void> {
  if (installedRuntime()?.version === ONNX_RUNTIME_VERSION) return;
  try {
    const { folder } = await fetchRuntime();
    rmSync(RUNTIME, { recursive: true, force: true });
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const from = join(entry.parentPath, entry.name);
      const to = join(RUNTIME, from.slice(folder.length));
      mkdirSync(dirname(to), { recursive: true });
      try {
        linkSync(from, to);
      } catch {
        // Another disk, or no links there.
        cpSync(from, to);
      }
    }
  } catch (error) {
    // It is fetched again when it is first needed.
    process.stderr.write(`ONNX Runtime could not be fetched now: ${messageOf(error)}\n`);
  }
}
