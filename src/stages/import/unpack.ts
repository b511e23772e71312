/**
 * Label files in a zip, tar or tar.gz, as CVAT, Roboflow and Label Studio hand them out, and single files that were packed
 * (`labels.json.gz`): unpacked into a temporary folder that is deleted at the end, so that readers see a folder as any other.
 * Of pictures only the names are made, since readers look at nothing else of them, but for those of masks. What a killed
 * process left is deleted by the next one.
 *
 * What would fill the disk is refused before that: a zip by its directory, before anything is written; what is packed as one
 * stream as soon as it has grown as no text does.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { formatBytes } from '../../core/byte-size.ts';
import { LabelsmithError, messageOf } from '../../errors.ts';
import { makeFolder } from '../../files/make-folder.ts';
import { isAbandoned, WRITER_PATTERN, writerName } from '../../files/unfinished.ts';
import { badFile } from '../../formats/check.ts';
import type { ReaderName } from '../../formats/format.ts';
import type { Reckoning } from '../../formats/reckoning.ts';
import { isImageName, listFolder } from '../../formats/walk.ts';
import { type ZipMember, zipMemberPieces, zipMembers } from '../../sources/zip.ts';
import { archiveKindOf } from './archive-kind.ts';

export interface LabelFiles {
  /** What readers read. */
  readonly path: string;
  /** The absolute folder that relative names count from; of an archive as paths of its members have it. */
  readonly base: string;
  close(): Promise<void>;
}

/** Bytes of label files in one archive, and members of any kind. */
const MAX_LABEL_BYTES = 2 ** 31;
const MAX_MEMBERS = 5_000_000;
/**
 * Label files shrink five to twentyfold, and rows that are all alike some hundredfold; zeros shrink a thousandfold. Little is
 * let through whatever it shrinks by.
 */
const MAX_GROWTH = 200;
const ALWAYS_ALLOWED_BYTES = 2 ** 26;
const PREFIX = 'labelsmith-import-';

/**
 * The path itself, or what is in it. A tar that is a shard of WebDataset is left to its reader.
 *
 * @param reckoning told of members that are not unpacked: links, and names that lead out of the archive
 * @throws LabelsmithError BAD_FILE for a damaged archive, and one of which nothing can be unpacked
 */
export async function openLabelFiles(
  path: string,
  format: ReaderName | 'auto',
  reckoning: Reckoning,
): Promise<LabelFiles> {
  const found = await stat(path).catch(() => null);
  const kind = found?.isFile() ? await archiveKindOf(path, format) : null;
  if (kind === null) {
    const base = found?.isDirectory() ? resolve(path) : dirname(resolve(path));
    return { path, base, close: async () => {} };
  }
  await deleteAbandoned();
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${writerName()}-`));
  const close = () => rm(folder, { recursive: true, force: true });
  try {
    const unpacked = new Unpacked(folder, path, reckoning);
    if (kind === 'zip') await unpackZip(path, unpacked);
    else if (kind === 'gz') await unpackFile(path, unpacked);
    else await unpackTar(path, unpacked, kind);
    unpacked.refuseEmpty();
    const inner = await innerPath(folder);
    const at = join(folder, inner);
    const isFile = (await stat(at)).isFile();
    if (isFile && kind !== 'gz' && (await archiveKindOf(at, format)) !== null)
      throw badFile(
        `${basename(path)} ${inner}`,
        'all that is in the archive is another archive',
        'Unpack it, and import what is in it.',
      );
    const below = isFile ? dirname(inner) : inner;
    // Names in a single file count from where the packed one lies.
    const base = kind === 'gz' ? dirname(resolve(path)) : join(`${resolve(path)}!`, below);
    return { path: at, base, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The temporary folder, and what may go into it. */
class Unpacked {
  readonly #folder: string;
  readonly #archive: string;
  #members = 0;
  #bytes = 0;
  readonly #made = new Set<string>();
  readonly #reckoning: Reckoning;

  constructor(folder: string, archive: string, reckoning: Reckoning) {
    this.#folder = folder;
    this.#archive = archive;
    this.#reckoning = reckoning;
  }

  passOver(name: string, why: string): void {
    this.#reckoning.note('file-passed-over', `${basename(this.#archive)}!/${name}`, why);
  }

  refuseEmpty(): void {
    if (this.#made.size > 0) return;
    throw badFile(
      this.#archive,
      'the archive holds no file that can be unpacked (links and names that lead out are not)',
    );
  }

  /** Where a member goes; null for what is none of ours or leads elsewhere. */
  async place(name: string): Promise<string | null> {
    if (++this.#members > MAX_MEMBERS) throw badFile(this.#archive, `it has more than ${MAX_MEMBERS} members`);
    const parts = name
      .replaceAll('\\', '/')
      .split('/')
      .filter((part) => part !== '' && part !== '.');
    const odd = name.startsWith('/') || /^[A-Za-z]:/.test(name) || parts.includes('..') || name.includes('\0');
    if (odd) this.passOver(name, 'its name leads out of the archive');
    if (odd || parts.length === 0 || parts[0] === '__MACOSX') return null;
    const target = join(this.#folder, ...parts);
    const above = dirname(target);
    if (!this.#made.has(above)) await makeFolder(above);
    this.#made.add(above);
    return target;
  }

  /** @param packedBytes read of the archive so far; of a zip, whose directory was looked at, nobody asks */
  async write(target: string, pieces: AsyncIterable<Buffer>, packedBytes?: () => number): Promise<void> {
    const file = await open(target, 'w');
    try {
      for await (const piece of pieces) {
        this.#bytes += piece.length;
        refuseGrowth(this.#archive, this.#bytes, packedBytes?.());
        await file.write(piece);
      }
    } finally {
      await file.close();
    }
  }
}

function refuseGrowth(archive: string, bytes: number, packedBytes = Number.POSITIVE_INFINITY): void {
  if (bytes > MAX_LABEL_BYTES)
    throw badFile(
      archive,
      `its label files are more than ${formatBytes(MAX_LABEL_BYTES)}`,
      'Unpack the archive, and import the folder.',
    );
  if (bytes > ALWAYS_ALLOWED_BYTES && bytes > packedBytes * MAX_GROWTH)
    throw badFile(
      archive,
      `its label files grow to more than ${MAX_GROWTH} times their packed size, as no label files do`,
      'It may be made to fill the disk. If it is not, unpack it, and import the folder.',
    );
}

const REFUSALS: Readonly<Record<NonNullable<ZipMember['refused']>, string>> = {
  encrypted: 'it is encrypted',
  method: 'it is packed by a method other than deflate',
  overlap: 'it lies in another member',
  growth: 'the archive grows too large',
};

/** By the directory alone. */
async function refuseZip(path: string): Promise<void> {
  let [bytes, packedBytes] = [0, 0];
  for await (const { name, kind, place, refused } of zipMembers(path)) {
    const text = name.toString('utf8');
    if (kind !== 'file' || isPhotograph(text) || text.startsWith('__MACOSX/')) continue;
    if (refused !== undefined)
      throw badFile(
        `${path}!/${text}`,
        `the member cannot be unpacked: ${REFUSALS[refused]}`,
        'Unpack the archive, and import the folder.',
      );
    bytes += place.byteSize;
    packedBytes += place.packedSize;
    refuseGrowth(path, bytes);
  }
  refuseGrowth(path, bytes, packedBytes);
}

async function unpackZip(path: string, unpacked: Unpacked): Promise<void> {
  try {
    await refuseZip(path);
    for await (const member of zipMembers(path)) {
      const name = member.name.toString('utf8');
      if (member.kind === 'link') unpacked.passOver(name, 'it is a link');
      if (member.kind !== 'file') continue;
      const target = await unpacked.place(name);
      if (target === null) continue;
      if (isPhotograph(name)) await writeFile(target, '');
      else await unpacked.write(target, zipMemberPieces(path, member.place, `${path}!/${name}`));
    }
  } catch (error) {
    if (error instanceof LabelsmithError) throw error;
    throw badFile(path, `the archive is damaged: ${messageOf(error)}`, undefined, error);
  }
}

/** A file that was packed by itself, under its name without `.gz`. */
async function unpackFile(path: string, unpacked: Unpacked): Promise<void> {
  const name = basename(path).replace(/\.(?:gz|gzip)$/i, '');
  const target = await unpacked.place(name);
  if (target === null) throw badFile(path, 'the packed file has no name');
  const source = createReadStream(path);
  const plain = source.pipe(createGunzip());
  source.on('error', (error) => plain.destroy(error));
  try {
    await unpacked.write(target, plain as AsyncIterable<Buffer>, () => source.bytesRead);
  } catch (error) {
    if (error instanceof LabelsmithError) throw error;
    throw badFile(path, `the packed file is damaged: ${messageOf(error)}`, undefined, error);
  } finally {
    source.destroy();
  }
}

async function unpackTar(path: string, unpacked: Unpacked, kind: 'tar' | 'tar.gz'): Promise<void> {
  const members = extract();
  const source = createReadStream(path);
  const plain = kind === 'tar' ? source : source.pipe(createGunzip());
  source.on('error', (error) => members.destroy(error));
  plain.on('error', (error) => members.destroy(error));
  plain.pipe(members);
  try {
    for await (const member of members) {
      const { name, type } = member.header;
      const isFile = type === 'file' || type === 'contiguous-file';
      if (!isFile && type !== 'directory') unpacked.passOver(name, `it is a ${type}, and no file`);
      const target = isFile ? await unpacked.place(name) : null;
      if (target !== null && !isPhotograph(name))
        await unpacked.write(target, member as AsyncIterable<Buffer>, () => source.bytesRead);
      else {
        if (target !== null) await writeFile(target, '');
        member.resume();
      }
    }
  } catch (error) {
    if (error instanceof LabelsmithError) throw error;
    throw badFile(path, `the archive is damaged: ${messageOf(error)}`, undefined, error);
  } finally {
    source.destroy();
  }
}

/** A picture that is not one of masks. */
function isPhotograph(name: string): boolean {
  return isImageName(name) && !/(?:^|[\\/])(?:Segmentation(?:Class|Object)|masks?)[\\/]/i.test(name);
}

/** Archives often hold one folder with everything in it; one file alone is what there is to read. */
async function innerPath(folder: string): Promise<string> {
  let inner = '';
  for (let level = 0; level < 4; level++) {
    const { files, folders } = await listFolder(join(folder, inner));
    if (files.length === 1 && folders.length === 0) return join(inner, files[0]);
    if (files.length > 0 || folders.length !== 1 || isPart(folders[0])) return inner;
    inner = join(inner, folders[0]);
  }
  return inner;
}

/** Folders that mean something to a reader, and are not there to hold everything. */
function isPart(name: string): boolean {
  return /^(?:images|labels|annotations|jpegimages|train|val|valid|validation|test)$/i.test(name);
}

async function deleteAbandoned(): Promise<void> {
  const pattern = new RegExp(`^${PREFIX}(${WRITER_PATTERN})-`);
  for (const name of await readdir(tmpdir()).catch(() => [])) {
    const writer = pattern.exec(name)?.[1];
    const path = join(tmpdir(), name);
    if (writer !== undefined && (await isAbandoned(path, writer).catch(() => false)))
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
