/**
 * Objects that were read, on the disk, up to a limit: what was read last stays. The record keeps which bytes an image has, so
 * an object that was replaced in the store is noticed by whoever reads it from here. May be deleted at any time.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../files/atomic.ts';

export interface ObjectCacheOptions {
  readonly folder: string;
  /** Default 4 GB. Less makes later stages load objects again; more takes disk. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 4e9;

/** About 150 bytes of memory an object. Several processes may use one folder. */
export class ObjectCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  /** Sizes by name, what was used last at the end. */
  #sizes: Promise<Map<string, number>> | undefined;
  #bytes = 0;

  constructor({ folder, maxBytes = MAX_BYTES }: ObjectCacheOptions) {
    [this.#folder, this.#maxBytes] = [folder, maxBytes];
  }

  /** Undefined where it is not here. */
  async get(uri: string): Promise<Uint8Array | undefined> {
    const name = nameOf(uri);
    const path = join(this.#folder, name);
    try {
      const bytes = await readFile(path);
      const now = new Date();
      utimes(path, now, now).catch(() => {});
      const sizes = await this.#known();
      if (sizes.delete(name)) sizes.set(name, bytes.length);
      return bytes;
    } catch {
      return undefined;
    }
  }

  /** A disk that has no room is no reason to fail: the bytes are there. */
  async put(uri: string, bytes: Uint8Array): Promise<void> {
    const name = nameOf(uri);
    const sizes = await this.#known();
    if (bytes.length > this.#maxBytes / 4) return;
    try {
      await writeFileAtomically(join(this.#folder, name), bytes);
    } catch {
      return;
    }
    this.#bytes += bytes.length - (sizes.get(name) ?? 0);
    sizes.delete(name);
    sizes.set(name, bytes.length);
    for (const [oldest, size] of sizes) {
      if (this.#bytes <= this.#maxBytes) break;
      sizes.delete(oldest);
      this.#bytes -= size;
      await rm(join(this.#folder, oldest), { force: true });
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

function nameOf(uri: string): string {
  return createHash('sha256').update(uri).digest('hex').slice(0, 40);
}
