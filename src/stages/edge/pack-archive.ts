/** A pack as one tar.gz: the same files give the same bytes. Readers take single files out of it. */
import { createReadStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { LabelsmithError, messageOf } from '../../errors.ts';
import { TarWriter } from '../../files/tar-writer.ts';

export interface PackFile {
  /** In the pack, `/` between parts. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export async function writeArchive(to: string, files: readonly PackFile[]): Promise<void> {
  const archive = new TarWriter(to, { gzip: true });
  try {
    for (const { path, bytes } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
      const isProgram = path.endsWith('.node') || path.includes('/bin/');
      await archive.add({ name: path, bytes, mode: isProgram ? 0o755 : 0o644 });
    }
    await archive.finish();
  } finally {
    archive.abandon();
  }
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
