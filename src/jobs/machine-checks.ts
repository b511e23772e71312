/** Is this machine fit: Node, the numeric engine, memory, disk, the model cache. Each check is a line with what to do. */
import { existsSync } from 'node:fs';
import { access, constants, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, tmpdir, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { formatBytes } from '../core/byte-size.ts';
import { LabelsmithError, messageOf } from '../errors.ts';
import { cacheDirectory } from '../fetch/cache.ts';
import { createModels } from '../models/models.ts';
import { type Device, listedDevices } from '../onnx/device.ts';
import { type PrepareRuntimeOptions, prepareRuntime } from '../onnx/runtime.ts';
import { ONNX_RUNTIME_VERSION } from '../onnx/runtime-files.ts';
import { findRuntime } from '../onnx/runtime-package.ts';
import { engineSelfTest } from '../onnx/self-test.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly what: string;
  readonly hint?: string;
}

const MIN_FREE_BYTES = 1e9;

/** @param workspace its folder, which need not be there */
export async function machineChecks(
  workspace: string,
  device: Device,
  fetching: PrepareRuntimeOptions,
): Promise<Check[]> {
  return [
    runtime(),
    await engine(device, fetching),
    memory(),
    await disk('workspace', resolve(workspace)),
    await modelCache(),
    await writable(),
    ...(await models().catch(() => [])),
  ];
}

function runtime(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return {
    name: 'Node',
    ok: major > 22 || (major === 22 && minor >= 13),
    what: `${process.version} on ${process.platform} ${process.arch}`,
    hint: 'Labelsmith needs Node 22.13 or newer.',
  };
}

/** One small graph, built, run and compared: the numeric engine as the stages use it. It is fetched where it is not there. */
async function engine(device: Device, fetching: PrepareRuntimeOptions): Promise<Check> {
  const name = 'ONNX Runtime';
  try {
    await prepareRuntime(fetching);
    await engineSelfTest(device);
    const from = findRuntime()?.from === 'cache' ? 'fetched' : 'installed beside labelsmith';
    const others = listedDevices().filter((other) => other !== device);
    return {
      name,
      ok: true,
      what:
        `${ONNX_RUNTIME_VERSION} (${from}); a test graph gives the right numbers on ${device}` +
        (others.length > 0 ? `; --device can also ask for ${others.join(', ')}` : ''),
    };
  } catch (error) {
    return {
      name,
      ok: false,
      what: messageOf(error),
      hint: (error instanceof LabelsmithError ? error.hint : undefined) ?? 'On Linux glibc 2.28 or newer is needed.',
    };
  }
}

function memory(): Check {
  const model = cpus()[0]?.model ?? 'unknown processor';
  return {
    name: 'machine',
    ok: totalmem() >= 2e9,
    what: `${availableParallelism()} cores (${model}), ${formatBytes(freemem())} of ${formatBytes(totalmem())} memory free`,
    hint: 'At least 2 GB of memory are needed.',
  };
}

async function modelCache(): Promise<Check> {
  const name = 'model cache';
  let path: string;
  try {
    path = cacheDirectory();
  } catch (error) {
    const hint = error instanceof LabelsmithError ? error.hint : undefined;
    return { name, ok: false, what: messageOf(error), hint };
  }
  const check = await disk(name, path);
  const readOnly = await access(existingPart(path), constants.W_OK).then(
    () => false,
    () => true,
  );
  if (!readOnly) return check;
  const hint =
    'Models that are not ready there cannot be prepared: set LABELSMITH_CACHE to a folder that you may write to.';
  return { ...check, what: `${check.what}, read only. ${hint}` };
}

/** The path as far as it is there. */
function existingPart(path: string): string {
  let existing = path;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  return existing;
}

async function disk(name: string, path: string): Promise<Check> {
  const { bavail, bsize } = await statfs(existingPart(path));
  const free = bavail * bsize;
  return {
    name,
    ok: free >= MIN_FREE_BYTES,
    what: `${path}, ${formatBytes(free)} free`,
    hint: 'Free at least 1 GB there.',
  };
}

async function writable(): Promise<Check> {
  const name = 'temporary files';
  try {
    const dir = await mkdtemp(join(tmpdir(), 'labelsmith-'));
    await writeFile(join(dir, 'test'), 'test');
    await rm(dir, { recursive: true });
    return { name, ok: true, what: tmpdir() };
  } catch (error) {
    return { name, ok: false, what: messageOf(error), hint: 'Set TMPDIR to a folder that you may write to.' };
  }
}

async function models(): Promise<Check[]> {
  const list = await createModels().list();
  const cached = list.filter((model) => model.cached);
  return [
    {
      name: 'models',
      ok: true,
      what: `${cached.length} of ${list.length} in the cache${cached.length ? ` (${cached.map(({ id }) => id).join(', ')})` : ', the rest is fetched on first use'}`,
    },
  ];
}
