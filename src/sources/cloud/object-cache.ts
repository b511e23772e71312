/**
 * Objects that were read, on the disk, up to a limit: what was read last stays. The record keeps which bytes an image has, so
 * an object that was replaced in the store is noticed by whoever reads it from here. May be deleted at any time.
 *
 * A file ends with its length and checksum. So it is neither flushed nor renamed, which takes longer than to load the object:
 * what a power cut, or another process in the middle of writing, leaves of it is not there.
 */
import { hash } from 'node:crypto';
import { close, open, readFile, writev } from 'node:fs';
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { makeFolder } from '../../files/make-folder.ts';

export interface ObjectCacheOptions {
  readonly folder: string;
  /** Default 4 GB. Less makes later stages load objects again; more takes disk. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 4e9;
const SEAL_BYTES = 12;

/** Without the handles of `node:fs/promises`, which cost as much as the rest. */
const plain = {
  open: promisify(open),
  readFile: promisify(readFile),
  writev: promisify(writev),
  close: promisify(close),
};

/** One a folder and process: what one reader has replaced is not read from the disk by another. */
const caches = new Map<string, ObjectCache>();

export function objectCacheAt(folder: string): ObjectCache {
  const known = caches.get(folder) ?? new ObjectCache({ folder });
  caches.set(folder, known);
  return known;
}

/** Objects at most that are held while they are written. */
const MAX_KEEPING = 16;

/** About 150 bytes of memory an object. Several processes may use one folder. */
export class ObjectCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  /** Sizes by name, what was used last at the end. */
  #sizes: Promise<Map<string, number>> | undefined;
  #bytes = 0;
  /** What is being written, by address. */
  readonly #keeping = new Map<string, Uint8Array>();

  constructor({ folder, maxBytes = MAX_BYTES }: ObjectCacheOptions) {
    [this.#folder, this.#maxBytes] = [folder, maxBytes];
  }

  /** Undefined where it is not here. */
  async get(uri: string): Promise<Uint8Array | undefined> {
    const held = this.#keeping.get(uri);
    if (held !== undefined) return held;
    const name = nameOf(uri);
    const path = join(this.#folder, name);
    try {
      const file = await plain.readFile(path);
      const bytes = file.subarray(0, -SEAL_BYTES);
      if (!sealOf(bytes).equals(file.subarray(-SEAL_BYTES))) return undefined;
      const now = new Date();
      utimes(path, now, now).catch(() => {});
      const sizes = await this.#known();
      if (sizes.delete(name)) sizes.set(name, file.length);
      return bytes;
    } catch {
      return undefined;
    }
  }

  /** As {@link put}, but waits for the disk only where too much is under way. */
  async keep(uri: string, bytes: Uint8Array): Promise<void> {
    this.#keeping.set(uri, bytes);
    const kept = this.put(uri, bytes).finally(() => {
      if (this.#keeping.get(uri) === bytes) this.#keeping.delete(uri);
    });
    if (this.#keeping.size > MAX_KEEPING) await kept;
  }

  /** A disk that has no room is no reason to fail: the bytes are there. */
  async put(uri: string, bytes: Uint8Array): Promise<void> {
    const name = nameOf(uri);
    const sizes = await this.#known();
    if (bytes.length > this.#maxBytes / 4) return;
    const size = bytes.length + SEAL_BYTES;
    const path = join(this.#folder, name);
    try {
      const file = await this.#opened(path);
      try {
        await plain.writev(file, [bytes, sealOf(bytes)]);
      } finally {
        await plain.close(file);
      }
    } catch {
      await removed(path);
      return;
    }
    this.#bytes += size - (sizes.get(name) ?? 0);
    sizes.delete(name);
    sizes.set(name, size);
    for (const [oldest, size] of sizes) {
      if (this.#bytes <= this.#maxBytes) break;
      sizes.delete(oldest);
      this.#bytes -= size;
      await removed(join(this.#folder, oldest));
    }
  }

  /** The folder is made where it is not there, which may be at any time. */
  async #opened(path: string): Promise<number> {
    try {
      return await plain.open(path, 'w');
    } catch {
      await makeFolder(this.#folder);
      return plain.open(path, 'w');
    }
  }

  #known(): Promise<Map<string, number>> {
    this.#sizes ??= this.#list();
    return this.#sizes;
  }

  async #list(): Promise<Map<string, number>> {
    const files: { name: string; size: number; usedAtMs: number }[] = [];
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const found = await stat(join(this.#folder, name)).catch(() => undefined);
      if (found?.isFile()) files.push({ name, size: found.size, usedAtMs: found.mtimeMs });
    }
    files.sort((a, b) => a.usedAtMs - b.usedAtMs);
    this.#bytes = files.reduce((sum, { size }) => sum + size, 0);
    return new Map(files.map(({ name, size }) => [name, size]));
  }
}

/** Length (8 bytes) and CRC-32 (4). */
function sealOf(bytes: Uint8Array): Buffer {
  const seal = Buffer.alloc(SEAL_BYTES);
  seal.writeBigUInt64LE(BigInt(bytes.length));
  seal.writeUInt32LE(crc32(bytes), 8);
  return seal;
}

async function removed(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => {});
}

function nameOf(uri: string): string {
  return hash('sha256', uri).slice(0, 40);
}
