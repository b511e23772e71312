/** What kind of archive a file is, by how it begins; and whether a tar holds label files or is a shard of WebDataset. Writes nothing. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { textOfHead } from '../../formats/encodings.ts';
import type { ReaderName } from '../../formats/format.ts';
import { isImageName } from '../../formats/walk.ts';

export type ArchiveKind = 'zip' | 'tar' | 'tar.gz' | 'gz';

/** Null for what is no archive, and for a tar that the reader of WebDataset reads. */
export async function archiveKindOf(path: string, format: ReaderName | 'auto'): Promise<ArchiveKind | null> {
  const head = await headOf(path);
  if (head[0] === 0x50 && head[1] === 0x4b && head[2] < 8) return 'zip';
  if (head[0] === 0x1f && head[1] === 0x8b) return isTar(await unpackedHead(path)) ? 'tar.gz' : 'gz';
  if (!isTar(head) || format === 'webdataset') return null;
  return format !== 'auto' || (await holdsLabelFiles(path)) ? 'tar' : null;
}

const HEAD_BYTES = 512;

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The first bytes of what was packed; fewer where it is damaged. */
async function unpackedHead(path: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const source = createReadStream(path);
  const plain = source.pipe(createGunzip());
  source.on('error', (error) => plain.destroy(error));
  try {
    for await (const piece of plain as AsyncIterable<Buffer>) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes >= HEAD_BYTES) break;
    }
  } catch {
    // Who unpacks it tells what is wrong with it.
  } finally {
    source.destroy();
  }
  return Buffer.concat(pieces).subarray(0, HEAD_BYTES);
}

/** By the mark of POSIX's and GNU's headers, or of an empty archive: a block of zeros. */
function isTar(head: Buffer): boolean {
  return (
    head.toString('latin1', 257, 262) === 'ustar' || (head.length === HEAD_BYTES && head.every((byte) => byte === 0))
  );
}

/** Members that are looked at to tell what a tar is. */
const MAX_LOOKED_AT = 2000;
const MAX_PEEKED_BYTES = 1 << 16;

/**
 * Whether a tar holds what other formats are made of, and is no shard of WebDataset, whose samples are members with one
 * name before the first dot: by a class (`.cls`), a name that no sample has, or what the first JSON or text of a sample is.
 */
async function holdsLabelFiles(path: string): Promise<boolean> {
  const members = extract();
  const source = createReadStream(path);
  source.on('error', (error) => members.destroy(error));
  source.pipe(members);
  const pictures = new Set<string>();
  const json = new Set<string>();
  let looked = 0;
  try {
    for await (const member of members) {
      const name = member.header.name.replace(/^(?:\.\/)+/, '');
      const [, key, extension] = /^((?:.*\/)?[^./]+)(\.[^/]*)$/.exec(name) ?? [];
      const kind = extension?.toLowerCase();
      if (kind === '.cls') return false;
      if (isMark(name)) return true;
      if (key !== undefined && isImageName(name)) pictures.add(key);
      if (key !== undefined && (kind === '.json' || kind === '.txt')) {
        json.add(key);
        const begins = await beginningOf(member as AsyncIterable<Buffer>);
        if (kind === '.json' ? /"shapes"\s*:/.test(begins) : /^\d+(?:[ \t]+[-+.\de]+){4,}\s*$/m.test(begins))
          return true;
      } else member.resume();
      if (++looked >= MAX_LOOKED_AT) break;
    }
  } catch {
    // A damaged one is told by its reader.
    return false;
  } finally {
    source.destroy();
  }
  // JSON without a picture is a file of many; pictures alone are those of folders.
  if (json.size > 0) return [...json].some((key) => !pictures.has(key));
  return [...pictures].some((key) => key.includes('/'));
}

function isMark(name: string): boolean {
  return (
    /\.(?:xml|csv|tsv|parquet|jsonl|ya?ml|names|data)$/i.test(name) ||
    /(?:^|\/)(?:classes\.txt|labelmap\.txt|_darknet\.labels)$/i.test(name)
  );
}

async function beginningOf(member: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of member) {
    if (bytes < MAX_PEEKED_BYTES) pieces.push(piece);
    bytes += piece.length;
  }
  return textOfHead(Buffer.concat(pieces).subarray(0, MAX_PEEKED_BYTES));
}
