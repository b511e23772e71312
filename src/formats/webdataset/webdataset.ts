/**
 * WebDataset (github.com/webdataset/webdataset): tar files of samples, all members of a sample with the same key before
 * the first dot of their base name: `KEY.jpg`, `KEY.json` with everything as in JSON Lines, and `KEY.cls` with the index
 * of the image's best class among `classes.txt`, for loaders that ask for `"jpg", "cls"`.
 *
 * Shards are `SPLIT-000000.tar` (`data` without splits). Members carry no times and no owners, so the same labels give
 * the same bytes. Resident: the image being packed.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { extract, type Pack, pack } from 'tar-stream';
import type { DatasetImage, ImportedImage } from '../../core/dataset.ts';
import { LabelsmithError, messageOf } from '../../errors.ts';
import { badFile, jsonOf, numberIn, shown } from '../check.ts';
import { bestLabel } from '../folders/folders.ts';
import { EVERYTHING, type Format, lossesOf, type WriteJob } from '../format.ts';
import { readOne } from '../image-files.ts';
import { imageOfJson, jsonRowOf } from '../jsonl/jsonl.ts';
import { NameTable, splitExtension } from '../names.ts';
import { isImageName, readSmallText } from '../walk.ts';

const CLASSES_FILE = 'classes.txt';
const DEFAULT_SHARD_IMAGES = 10_000;

export const webdataset: Format = {
  name: 'webdataset',
  description: 'tar shards of images with JSON, for streaming loaders',
  kind: 'folder',
  holds: 'both',
  imageFiles: 'always',
  defaultImages: 'copy',
  keeps: EVERYTHING,
  loses: lossesOf(EVERYTHING),
  write: writeWebdataset,
  read: readWebdataset,
};

async function writeWebdataset(images: AsyncIterable<DatasetImage>, target: string, job: WriteJob): Promise<void> {
  if (job.images !== 'copy')
    throw new LabelsmithError('USAGE', `webdataset holds the images' bytes, so --images ${job.images} cannot be done`, {
      hint: 'Leave --images out.',
    });
  const limit = job.shardImages ?? DEFAULT_SHARD_IMAGES;
  if (!(Number.isInteger(limit) && limit > 0))
    throw new LabelsmithError('USAGE', `the images in a shard are a whole number above 0, not ${limit}`);
  const classIndex = new Map(job.classNames.map((name, i) => [name, i]));
  const names = new NameTable({ uniqueStems: true });
  const writers = new Map<string | null, ShardWriter>();
  try {
    for (const split of job.splits?.names ?? [null])
      writers.set(split, new ShardWriter(target, split ?? 'data', limit));
    for await (const image of images) {
      const bytes = await readOne(image, job);
      if (!(bytes instanceof Uint8Array)) {
        job.tally.fail(`${image.file}: ${bytes.problem}`);
        continue;
      }
      const [stem, extension] = splitExtension(image.file);
      // A dot would end the key; the two characters that stand for it are those that safe names use.
      const dotless = stem.replaceAll('.', '%2E') + extension;
      const [key, end] = splitExtension(names.give(dotless, image.id));
      const best = bestLabel(image, job.task);
      const writer = writers.get(image.split) as ShardWriter;
      const members: [string, Uint8Array | string][] = [[end === '' ? '.img' : end.toLowerCase(), bytes]];
      if (best !== null) members.push(['.cls', String(classIndex.get(best.className))]);
      members.push(['.json', JSON.stringify(jsonRowOf(image))]);
      await writer.add(key.replaceAll('.', '%2E'), members);
      job.tally.image(image);
      job.tally.regions += image.regions.length;
      job.tally.labels += image.labels.length;
      for (const region of image.regions) job.tally.labels += region.labels.length;
    }
    for (const writer of writers.values()) await writer.close();
  } finally {
    for (const writer of writers.values()) writer.abandon();
  }
  await mkdir(target, { recursive: true });
  // One line a class: a line end in a name would move all that follow it.
  const lines = job.classNames.map((name) => `${/[\r\n"]/.test(name) ? JSON.stringify(name) : name}\n`);
  await writeFile(join(target, CLASSES_FILE), lines.join(''), { flag: 'wx' });
  job.tally.renamed = names.renamed;
}

/** Shards of one split, one open at a time. */
class ShardWriter {
  readonly #folder: string;
  readonly #name: string;
  readonly #limit: number;
  #shards = 0;
  #images = 0;
  #open: { readonly tar: Pack; readonly written: Promise<void> } | null = null;

  constructor(folder: string, name: string, limit: number) {
    this.#folder = folder;
    this.#name = name;
    this.#limit = limit;
  }

  async add(key: string, members: readonly (readonly [string, Uint8Array | string])[]): Promise<void> {
    if (this.#open !== null && this.#images === this.#limit) await this.close();
    if (this.#open === null) {
      const path = join(this.#folder, `${this.#name}-${String(this.#shards++).padStart(6, '0')}.tar`);
      const tar = pack();
      const file = tar.pipe(createWriteStream(path, { flags: 'wx' }));
      const written = finished(file);
      // Awaited at the end; until then a full disk is an error of the member being written.
      written.catch((error) => tar.destroy(error as Error));
      this.#open = { tar, written };
      this.#images = 0;
    }
    for (const [extension, content] of members) await entry(this.#open.tar, key + extension, content);
    this.#images++;
  }

  async close(): Promise<void> {
    if (this.#open === null) return;
    const { tar, written } = this.#open;
    tar.finalize();
    await written;
    this.#open = null;
  }

  /** For the way out of an error; harmless after `close`. */
  abandon(): void {
    this.#open?.tar.destroy();
    this.#open?.written.catch(() => undefined);
  }
}

function entry(tar: Pack, name: string, content: Uint8Array | string): Promise<void> {
  const bytes =
    typeof content === 'string'
      ? Buffer.from(content)
      : Buffer.from(content.buffer, content.byteOffset, content.length);
  const header = { name, size: bytes.length, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 };
  return new Promise((done, fail) => {
    tar.on('error', fail);
    const ended = (error?: Error | null) => {
      tar.off('error', fail);
      if (error) fail(error);
      else done();
    };
    tar.entry(header, bytes, ended);
  });
}

/** Members of a sample are small but for its image, which is passed over. */
const MAX_MEMBER_BYTES = 1 << 28;

/** As `extract` gives it. */
type Member = AsyncIterable<unknown> & { readonly header: { readonly size?: number | null } };

/** What a shard says of one sample; members that mean nothing here (captions, masks as images) are left alone. */
interface Sample {
  readonly key: string;
  image: string | null;
  json: string | null;
  cls: string | null;
}

/** @param path a shard, or a folder of them */
async function* readWebdataset(path: string): AsyncGenerator<ImportedImage> {
  const isFolder = (await stat(path)).isDirectory();
  const folder = isFolder ? path : join(path, '..');
  const shards = isFolder ? (await readdir(path)).filter((name) => name.endsWith('.tar')).sort() : [basename(path)];
  const classNames = await readClassNames(folder);
  if (shards.length === 0 && classNames === null) throw badFile(path, 'there are no tar files in it');
  for (const shard of shards) yield* readShard(join(folder, shard), shard, classNames);
}

async function readClassNames(folder: string): Promise<string[] | null> {
  const text = await readSmallText(join(folder, CLASSES_FILE), CLASSES_FILE);
  if (text === null) return null;
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, i) => {
    if (!line.startsWith('"')) return line;
    const name = jsonOf(line, `${CLASSES_FILE}:${i + 1}`);
    if (typeof name !== 'string')
      throw badFile(`${CLASSES_FILE}:${i + 1}`, `a class name was expected, not ${shown(name)}`);
    return name;
  });
}

async function* readShard(path: string, shard: string, classNames: string[] | null): AsyncGenerator<ImportedImage> {
  const members = extract();
  const source = createReadStream(path);
  source.on('error', (error) => members.destroy(error));
  source.pipe(members);
  let sample: Sample | null = null;
  let last = '';
  try {
    for await (const member of members) {
      const name = member.header.name.replace(/^(?:\.\/)+/, '');
      last = name;
      const [, key, extension] = /^((?:.*\/)?[^./]+)(\.[^/]*)$/.exec(name) ?? [];
      const isFile = member.header.type === 'file' || member.header.type === 'contiguous-file';
      if (!isFile || key === undefined || extension === undefined) {
        member.resume();
        continue;
      }
      if (sample !== null && sample.key !== key) {
        yield imageOf(sample, shard, classNames);
        sample = null;
      }
      sample ??= { key, image: null, json: null, cls: null };
      const kind = extension.toLowerCase();
      if (kind === '.json') sample.json = await textOf(member, `${shard} ${name}`);
      else if (kind === '.cls') sample.cls = await textOf(member, `${shard} ${name}`);
      else {
        if (isImageName(name) || kind === '.img') sample.image ??= name;
        member.resume();
      }
    }
  } catch (error) {
    if (error instanceof LabelsmithError) throw error;
    const where = last === '' ? shard : `${shard} after ${last}`;
    throw badFile(where, `not a whole tar file: ${messageOf(error)}`, undefined, error);
  } finally {
    source.destroy();
  }
  if (sample !== null) yield imageOf(sample, shard, classNames);
  if (last === '' && (await stat(path)).size % 512 !== 0) throw badFile(shard, 'not a tar file');
}

async function textOf(member: Member, where: string): Promise<string> {
  const pieces: Buffer[] = [];
  if ((member.header.size ?? 0) > MAX_MEMBER_BYTES)
    throw badFile(where, `it is ${member.header.size} bytes, more than labels have`);
  for await (const piece of member as AsyncIterable<Buffer>) pieces.push(piece);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces));
  } catch (cause) {
    throw badFile(where, 'the text is not UTF-8', 'Save it as UTF-8.', cause);
  }
}

function imageOf({ key, image, json, cls }: Sample, shard: string, classNames: string[] | null): ImportedImage {
  const where = `${shard} ${key}`;
  const value = json === null ? null : jsonOf(json, `${where}.json`);
  // JSON of other tools says other things; ours names the file.
  if (typeof value === 'object' && value !== null && 'file' in value) return imageOfJson(value, `${where}.json`);
  const file = image ?? key;
  const bare = { file, width: null, height: null, regions: [], where, split: null };
  if (cls === null) return { ...bare, labels: [] };
  const className = classNames === null ? cls.trim() : classNames[numberIn(cls, `${where}.cls`)];
  if (className === undefined || className === '')
    throw badFile(`${where}.cls`, `the class number ${shown(cls.trim())} is unknown; ${CLASSES_FILE} has 0 and up`);
  return { ...bare, labels: [{ className, confidence: null, origin: null, task: null }] };
}
