/** Lists of paths: a file (`@list.txt`, `list:list.txt`) or standard input (`-`). What a line is says `list.ts`. */
import { close, constants, createReadStream, fstat, open, read } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';
import { listedPaths } from './list.ts';
import { type Listing, problemOf, type SourceOptions, sourceOf } from './listing.ts';
import { statOf } from './member-path.ts';
import { listPath } from './path-source.ts';
import type { Source, SourceItem } from './source.ts';
import { pathOfFileUri } from './uri.ts';

// Plain descriptors, since a stream or a socket takes them over.
const [openFile, statFile] = [promisify(open), promisify(fstat)];
const [readFile, closeFile] = [promisify(read), promisify(close)];

/** Fails with `NOT_FOUND` where there is no list. */
export async function listFileSource(spec: string, path: string, options: SourceOptions): Promise<Source> {
  if ((await statOf(Buffer.from(path))) === undefined) {
    throw new LabelsmithError('NOT_FOUND', `the list ${path} does not exist`, {
      hint: 'A list is a text file with one path a line.',
    });
  }
  return sourceOf({ spec, root: path }, options, async function* (listing) {
    yield* listLines(await listStream(path), [options.cwd, join(path, '..')], listing);
  });
}

/** Standard input can be listed once: what came through a pipe is gone. */
export function stdinSource(spec: string, options: SourceOptions): Source {
  const { stdin } = options;
  if (stdin === undefined) throw new LabelsmithError('USAGE', 'standard input cannot be read here');
  let used = false;
  return sourceOf({ spec, root: resolve(options.cwd, '-') }, options, async function* (listing) {
    if (used) throw new LabelsmithError('USAGE', 'standard input can be listed only once');
    used = true;
    yield* listLines(stdin, [options.cwd], listing);
  });
}

/** A list may be a pipe (`@<(find …)`), but not a device that never ends. */
async function listStream(path: string): Promise<Readable> {
  let file: number | undefined;
  try {
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    file = await openFile(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const found = await statFile(file);
    if (found.isFile()) return createReadStream(path, { fd: file });
    if (found.isFIFO()) return Readable.from(pipePieces(file), { objectMode: false });
    throw new Error(found.isDirectory() ? 'it is a folder' : 'it is a device, not a file');
  } catch (error) {
    if (file !== undefined) await closeFile(file);
    const code = systemCodeOf(error) === 'ENOENT' ? 'NOT_FOUND' : 'BAD_FILE';
    throw new LabelsmithError(code, `the list ${path} cannot be read: ${messageOf(error)}`, {
      hint: 'Name a text file with one path a line, or - for standard input.',
      cause: error,
    });
  }
}

/** Whoever makes a pipe and writes to it gets so long to begin. */
const WRITER_WITHIN_MS = 2000;

/** The bytes that somebody writes to a pipe; a pipe that nobody has open for writing is an empty list. */
async function* pipePieces(pipe: number): AsyncGenerator<Buffer> {
  const piece = Buffer.alloc(2 ** 16);
  const givenUpAt = Date.now() + WRITER_WITHIN_MS;
  try {
    for (let some = false; ; ) {
      const length = await readPipe(pipe, piece);
      if (length === 0 && (some || Date.now() > givenUpAt)) return;
      if (length === 'nothing yet' || length === 0) {
        await delay(PIPE_POLL_MS);
        // Somebody has it open, so its end is the list's end.
        some ||= length !== 0;
        continue;
      }
      some = true;
      yield Buffer.from(piece.subarray(0, length));
    }
  } finally {
    await closeFile(pipe);
  }
}

/** A blocking read would hold one of the few threads of libuv, and a socket is not told of a pipe with no writer. */
const PIPE_POLL_MS = 20;

async function readPipe(pipe: number, into: Buffer): Promise<number | 'nothing yet'> {
  try {
    return (await readFile(pipe, into, 0, into.length, null)).bytesRead;
  } catch (error) {
    if (systemCodeOf(error) === 'EAGAIN') return 'nothing yet';
    throw error;
  }
}

/** Relative lines start at the first of `bases` where they are found: the current folder, then the list's own. */
async function* listLines(lines: Readable, bases: readonly string[], listing: Listing): AsyncGenerator<SourceItem> {
  for await (const line of listedPaths(lines)) {
    if (line.kind === 'too-long') {
      yield problemOf(line.start, listing, 'too-long', `line ${line.number} of the list is longer than any path`);
      continue;
    }
    yield* listPath(await placeOf(line.path, bases), listing);
  }
}

async function placeOf(line: Buffer, bases: readonly string[]): Promise<Buffer> {
  // Latin-1: what makes a path absolute is ASCII, whatever follows it.
  const absolute = isAbsolute(line.toString('latin1'));
  const candidates = absolute ? [line] : bases.map((base) => Buffer.concat([Buffer.from(`${base}/`), line]));
  for (const candidate of candidates) {
    if ((await statOf(candidate)) !== undefined) return withoutDots(candidate);
  }
  const uri = line.toString();
  if (/^file:\/\//i.test(uri)) {
    try {
      return pathOfFileUri(uri);
    } catch (error) {
      // An address of another machine is a name that is not there.
      if (!(error instanceof LabelsmithError)) throw error;
    }
  }
  return withoutDots(candidates[0]);
}

/** `a/./b` and `a/x/../b` as `a/b`, where the bytes are text that `resolve` can take. */
function withoutDots(path: Buffer): Buffer {
  return Buffer.from(resolve(path.toString('latin1')), 'latin1');
}
