/** Writes a text file in pieces of about 256 kB; whatever its length, one piece is resident. */
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../files/make-folder.ts';

const PIECE_CHARACTERS = 1 << 18;

export class TextWriter {
  readonly #file: FileHandle;
  #pending = '';

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Makes the file, which must not exist, and its folders. */
  static async create(path: string): Promise<TextWriter> {
    await makeFolder(dirname(path));
    return new TextWriter(await open(path, 'wx'));
  }

  async write(text: string): Promise<void> {
    this.#pending += text;
    if (this.#pending.length >= PIECE_CHARACTERS) await this.#flush();
  }

  /** Appends all bytes of an open file from its start. */
  async append(source: FileHandle): Promise<void> {
    await this.#flush();
    const piece = Buffer.allocUnsafe(1 << 18);
    for (let position = 0; ; ) {
      const { bytesRead } = await source.read(piece, 0, piece.length, position);
      if (bytesRead === 0) return;
      await this.#file.writeFile(piece.subarray(0, bytesRead));
      position += bytesRead;
    }
  }

  async close(): Promise<void> {
    try {
      await this.#flush();
    } finally {
      await this.#file.close();
    }
  }

  /** Closes without what is pending; for the way out of an error. Harmless after `close`. */
  async abandon(): Promise<void> {
    await this.#file.close().catch(() => undefined);
  }

  async #flush(): Promise<void> {
    const text = this.#pending;
    this.#pending = '';
    if (text !== '') await this.#file.writeFile(text);
  }
}
