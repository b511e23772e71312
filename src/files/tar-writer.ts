/**
 * A tar, or a tar.gz, that is written member by member. Members carry no owners and one time, so the same members give
 * the same bytes. An error of the disk, whenever it comes, is the error of the member being added, of the next one or of
 * `finish`, and never one that ends the process. Resident: the member being added.
 */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Pack, pack } from 'tar-stream';

export interface TarMember {
  /** In the tar, `/` between parts. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly mode?: number;
}

export class TarWriter {
  readonly #tar: Pack = pack();
  readonly #written: Promise<void>;

  /** @param flags `wx` refuses a file that is there already */
  constructor(path: string, { gzip = false, flags = 'w' }: { gzip?: boolean; flags?: 'w' | 'wx' } = {}) {
    const file = createWriteStream(path, { flags });
    this.#written = gzip ? pipeline(this.#tar, createGzip({ level: 6 }), file) : pipeline(this.#tar, file);
    // Told by the next `add` or by `finish`.
    this.#written.catch(() => undefined);
    this.#tar.on('error', () => undefined);
  }

  async add({ name, bytes, mode = 0o644 }: TarMember): Promise<void> {
    if (this.#tar.destroyed) await this.#written;
    const header = { name, size: bytes.length, mode, mtime: new Date(0), uid: 0, gid: 0 };
    const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    await new Promise<void>((done, fail) => {
      const member = this.#tar.entry(header, content, (error) => (error ? fail(error) : done()));
      // A tar that is destroyed destroys the member under way, which says so by an event of its own.
      member.on('error', fail);
    });
  }

  async finish(): Promise<void> {
    this.#tar.finalize();
    await this.#written;
  }

  /** For the way out of an error; harmless after `finish`. */
  abandon(): void {
    this.#tar.destroy();
  }
}
