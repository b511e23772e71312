/** A pack as one tar.gz: the same files give the same bytes. Readers take single files out of it. */
import { createReadStream, createWriteStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { LabelsmithError, messageOf } from '../../errors.ts';

export interface PackFile {
  /** In the pack, `/` between parts. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export async function writeArchive(to: string, files: readonly PackFile[]): Promise<void> {
  const archive = pack();
  const writing = pipeline(archive, createGzip({ level: 6 }), createWriteStream(to));
  for (const { path, bytes } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const isProgram = path.endsWith('.node') || path.includes('/bin/');
    const header = { name: path, size: bytes.length, mode: isProgram ? 0o755 : 0o644, mtime: new Date(0) };
    await new Promise<void>((done, fail) => {
      archive.entry(header, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), (error) =>
        error ? fail(error) : done(),
      );
    });
  }
  archive.finalize();
  await writing;
}

/** The files of a pack that are wanted. @param isWanted by the path in the pack */
export async function readArchive(from: string, isWanted: (path: string) => boolean): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const members = extract();
  try {
    const reading = pipeline(createReadStream(from), createGunzip(), members);
    reading.catch(() => {});
    for await (const entry of members) {
      if (isWanted(entry.header.name)) found.set(entry.header.name, await buffer(entry));
      else entry.resume();
    }
    await reading;
  } catch (cause) {
    throw new LabelsmithError('BAD_FILE', `${from} is no edge pack: ${messageOf(cause)}`, {
      hint: 'Name an archive that labelsmith edge pack wrote.',
      cause,
    });
  }
  return found;
}
