/**
 * A folder of another machine as a sink, over ssh: a Jetson, a NAS, any machine with an SFTP server.
 *
 * A file is written under a name of its own in a hidden folder of the sink, its digest there is compared (by `sha256sum`
 * on that machine, else by reading it back), and it gets its place by a rename under a lock that all processes of this code
 * respect. SFTP tells times in seconds: each write gets a later one than the file before it, so
 * versions differ. A large file that was cut off goes on at its end; the digest at the end covers the part from before.
 */
import { createHash, randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Stats } from 'ssh2';
import { shellWord } from '../../core/shell-word.ts';
import { LabelsmithError } from '../../errors.ts';
import { isRunning, writerName } from '../../files/unfinished.ts';
import {
  brokenPromise,
  interruptedPut,
  isMet,
  type PutCondition,
  type PutOptions,
  type PutResult,
  requireKey,
  type Sink,
  type SinkFile,
} from '../sink.ts';
import { isPlainFailure, SftpConnection, type SftpOptions } from './sftp-connection.ts';
import { sftpAddress } from './ssh-account.ts';

const WORK_FOLDER = '.labelsmith-sink';
/** Smaller files begin again: asking costs as much. */
const RESUMED_FROM_BYTES = 2 ** 20;
/** Nobody holds a lock for so long, in ms: one rename is done under it. */
const LOCK_ABANDONED_MS = 30_000;
const LOCK_POLL_MS = 25;

export async function sftpSink(spec: string, options: SftpOptions = {}): Promise<Sink> {
  const address = sftpAddress(spec);
  const uri = spec.replace(/\/+$/, '');
  const sink = new SftpSink(new SftpConnection(uri, address, options), address.path.replace(/^~\/?/, './'));
  try {
    await sink.requireRoot();
  } catch (error) {
    // An open connection keeps the process alive.
    await sink.close();
    throw error;
  }
  return sink;
}

class SftpSink implements Sink {
  readonly uri: string;
  readonly #connection: SftpConnection;
  readonly #root: string;
  /** Folders that are known to be there. */
  readonly #folders = new Map<string, Promise<void>>();

  constructor(connection: SftpConnection, root: string) {
    this.uri = connection.uri;
    this.#connection = connection;
    this.#root = root;
  }

  async requireRoot(): Promise<void> {
    const found = await this.#stat(this.#root);
    if (found?.isDirectory()) return;
    throw new LabelsmithError('NOT_FOUND', `the folder of ${this.uri} is not there`, {
      hint: 'Make it first, or mount the disk that it is on.',
      details: { scope: 'target' },
    });
  }

  async find(key: string): Promise<SinkFile | undefined> {
    const found = await this.#stat(this.#pathOf(key));
    return found && this.#fileOf(key, found);
  }

  open(key: string): Readable {
    const path = this.#pathOf(key);
    return Readable.from(this.#pieces(path, key), { objectMode: false });
  }

  async put(key: string, pieces: AsyncIterable<Uint8Array>, options: PutOptions): Promise<PutResult> {
    const path = this.#pathOf(key);
    if (options.signal?.aborted) throw interruptedPut();
    const condition = options.condition ?? { kind: 'any' };
    const found = await this.find(key);
    if (!isMet(condition, found)) return { kind: 'not-met', found };
    await this.#makeFolder(posix.join(this.#root, WORK_FOLDER));
    await this.#makeFolder(posix.dirname(path));
    const partial = await this.#partialFor(options);
    try {
      await this.#write(partial, pieces, options);
      const written = await this.#swap(partial.path, { key, path }, condition);
      const file = await this.find(key);
      if (!written || file === undefined) return { kind: 'not-met', found: file };
      return { kind: 'written', file, verified: true };
    } catch (error) {
      // What may be gone on with stays.
      const isKept = partial.isKept && error instanceof LabelsmithError && error.code === 'NETWORK';
      if (!isKept) await this.#remove(partial.path).catch(() => {});
      throw error;
    }
  }

  async abandon(_key: string, token: string): Promise<void> {
    const { name } = partialOf(token);
    if (name !== undefined) await this.#remove(posix.join(this.#root, WORK_FOLDER, name));
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  #pathOf(key: string): string {
    requireKey(key);
    return posix.join(this.#root, key);
  }

  #fileOf(key: string, { size, mtime }: Stats): SinkFile {
    return { key, uri: `${this.uri}/${key}`, byteSize: size, version: `${mtime}-${size}` };
  }

  #stat(path: string): Promise<Stats | undefined> {
    return this.#connection.askIfThere((sftp) => call<Stats>((done) => sftp.stat(path, done)));
  }

  async *#pieces(path: string, key: string): AsyncGenerator<Buffer> {
    if ((await this.#stat(path)) === undefined) {
      throw new LabelsmithError('NOT_FOUND', `${this.uri}/${key} is not there`, { details: { reason: 'missing' } });
    }
    try {
      const stream = await this.#connection.ask(async (sftp) => sftp.createReadStream(path));
      stream.on('error', afterTheEnd);
      for await (const piece of stream) yield piece;
    } catch (error) {
      throw this.#connection.error(error);
    }
  }

  /** Where a file is written; one that an earlier put left goes on, unless whoever began it is still at it. */
  async #partialFor({ byteSize, resume }: PutOptions): Promise<Partial> {
    const isKept = resume !== undefined && byteSize >= RESUMED_FROM_BYTES;
    const { name, writer } = partialOf(resume?.token ?? '');
    const isFree = writer === process.pid || writer === undefined || !isRunning(writer);
    if (isKept && name !== undefined && isFree) {
      const path = posix.join(this.#root, WORK_FOLDER, name);
      const there = await this.#stat(path);
      resume.save(`${writerName()}/${name}`);
      return { path, isKept, byteSize: there !== undefined && there.size <= byteSize ? there.size : 0 };
    }
    const own = `${randomUUID()}.partial`;
    if (isKept) resume.save(`${writerName()}/${own}`);
    return { path: posix.join(this.#root, WORK_FOLDER, own), isKept, byteSize: 0 };
  }

  async #write(partial: Partial, pieces: AsyncIterable<Uint8Array>, options: PutOptions): Promise<void> {
    const { byteSize, sha256, signal } = options;
    const hash = createHash('sha256');
    let length = 0;
    const rest = async function* () {
      for await (const piece of pieces) {
        if (signal?.aborted) throw interruptedPut();
        const before = length;
        length += piece.length;
        if (length > byteSize) throw brokenPromise(length, options);
        hash.update(piece);
        if (length > partial.byteSize) yield piece.subarray(Math.max(0, partial.byteSize - before));
      }
      if (length !== byteSize || hash.digest('hex') !== sha256.toLowerCase()) throw brokenPromise(length, options);
    };
    await this.#connection.ask(async (sftp, signal) => {
      const stream = sftp.createWriteStream(partial.path, { flags: partial.byteSize > 0 ? 'a' : 'w' });
      stream.on('error', afterTheEnd);
      await pipeline(rest(), stream, { signal });
    });
    if ((await this.#digestOf(partial.path, byteSize)) === sha256.toLowerCase()) return;
    await this.#remove(partial.path);
    throw new LabelsmithError('NETWORK', `${this.uri}: what arrived there is not what was sent; it is sent again`);
  }

  /** Of a large file by the machine itself, where it may run a program: that sends nothing back. */
  async #digestOf(path: string, byteSize: number): Promise<string> {
    const isLarge = byteSize >= RESUMED_FROM_BYTES;
    const printed = isLarge && (await this.#connection.run(`sha256sum < ${shellWord(path)}`));
    const digest = /^([0-9a-f]{64})\b/.exec(printed || '')?.[1];
    if (digest !== undefined) return digest;
    const hash = createHash('sha256');
    for await (const piece of this.#pieces(path, WORK_FOLDER)) hash.update(piece);
    return hash.digest('hex');
  }

  async #swap(partial: string, { key, path }: Place, condition: PutCondition): Promise<boolean> {
    const name = createHash('sha256').update(key).digest('hex').slice(0, 32);
    const lock = posix.join(this.#root, WORK_FOLDER, `${name}.lock`);
    return this.#locked(lock, async () => {
      const found = await this.#stat(path);
      if (!isMet(condition, found && this.#fileOf(key, found))) {
        await this.#remove(partial);
        return false;
      }
      const seconds = Math.max(Math.floor(Date.now() / 1000), (found?.mtime ?? 0) + 1);
      await this.#connection.ask(async (sftp) => {
        await call((done) => sftp.utimes(partial, seconds, seconds, done));
        await call((done) => sftp.ext_openssh_rename(partial, path, done));
      });
      return true;
    });
  }

  async #locked<T>(lock: string, work: () => Promise<T>): Promise<T> {
    let seen: number | undefined;
    let sinceMs = performance.now();
    while (!(await this.#make(lock))) {
      const now = (await this.#stat(lock))?.mtime;
      if (now !== seen) [seen, sinceMs] = [now, performance.now()];
      // Its holder was killed, or lost the connection.
      if (performance.now() - sinceMs > LOCK_ABANDONED_MS) await this.#removeFolder(lock);
      await sleep(LOCK_POLL_MS);
    }
    try {
      return await work();
    } finally {
      await this.#removeFolder(lock).catch(() => {});
    }
  }

  /** False where it is there already. */
  async #make(folder: string): Promise<boolean> {
    try {
      await this.#connection.ask((sftp) => call((done) => sftp.mkdir(folder, done)));
      return true;
    } catch (error) {
      if (isPlainFailure(error)) return false;
      throw error;
    }
  }

  #makeFolder(folder: string): Promise<void> {
    const known = this.#folders.get(folder);
    if (known !== undefined) return known;
    const making = this.#makeFolders(folder);
    this.#folders.set(folder, making);
    making.catch(() => this.#folders.delete(folder));
    return making;
  }

  async #makeFolders(folder: string): Promise<void> {
    const found = await this.#stat(folder);
    if (found?.isDirectory()) return;
    if (found !== undefined) throw new LabelsmithError('REFUSED', `${this.uri}: a part of the key is a file there`);
    if (folder !== this.#root) await this.#makeFolder(posix.dirname(folder));
    await this.#make(folder);
  }

  async #remove(path: string): Promise<void> {
    await this.#connection.askIfThere((sftp) => call((done) => sftp.unlink(path, done)));
  }

  async #removeFolder(path: string): Promise<void> {
    await this.#connection.askIfThere((sftp) => call((done) => sftp.rmdir(path, done)));
  }
}

interface Place {
  readonly key: string;
  readonly path: string;
}

interface Partial {
  readonly path: string;
  /** Somebody may go on with it. */
  readonly isKept: boolean;
  /** So much of it is there. */
  readonly byteSize: number;
}

/** `a1b2c3-4711/UUID.partial`: who writes it, and its name. */
function partialOf(token: string): { readonly writer?: number; readonly name?: string } {
  const [, pid, name] = /^[0-9a-f]{6}-(\d+)\/([\w-]+\.partial)$/.exec(token) ?? [];
  return pid === undefined ? {} : { writer: Number(pid), name };
}

/** A connection that ends may fail the closing of a file that was read or written already; before that, whoever waits is told. */
function afterTheEnd(): void {}

type Callback<T> = (error: Error | null | undefined, value: T) => void;

function call<T = void>(ask: (done: Callback<T>) => void): Promise<T> {
  return promisify<T>((done) => ask((error, value) => done(error ?? null, value)))();
}
