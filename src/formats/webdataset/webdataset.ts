/**
 * WebDataset (github.com/webdataset/webdataset): tar files of samples, all members of a sample with the same key before
 * the first dot of their base name: `KEY.jpg`, `KEY.json` with everything as in JSON Lines, and `KEY.cls` with the index
 * of the image's best class among `classes.txt`, for loaders that ask for `"jpg", "cls"`.
 *
 * Shards are `SPLIT-000000.tar` (`data` without splits). Members carry no times and no owners, so the same labels give
 * the same bytes. Resident: the image being packed.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetImage } from '../../core/dataset.ts';
import { LabelsmithError } from '../../errors.ts';
import { makeFolder } from '../../files/make-folder.ts';
import { TarWriter } from '../../files/tar-writer.ts';
import { bestLabel } from '../folders/folders.ts';
import { EVERYTHING, type Format, lossesOf, type WriteJob } from '../format.ts';
import { readOne } from '../image-files.ts';
import { jsonRowOf } from '../jsonl/jsonl.ts';
import { NameTable, splitExtension } from '../names.ts';
import { CLASSES_FILE, readWebdataset } from './read.ts';

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
  await makeFolder(target);
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
  #open: TarWriter | null = null;

  constructor(folder: string, name: string, limit: number) {
    this.#folder = folder;
    this.#name = name;
    this.#limit = limit;
  }

  async add(key: string, members: readonly (readonly [string, Uint8Array | string])[]): Promise<void> {
    if (this.#open !== null && this.#images === this.#limit) await this.close();
    if (this.#open === null) {
      const path = join(this.#folder, `${this.#name}-${String(this.#shards++).padStart(6, '0')}.tar`);
      this.#open = new TarWriter(path, { flags: 'wx' });
      this.#images = 0;
    }
    for (const [extension, content] of members) {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      await this.#open.add({ name: key + extension, bytes });
    }
    this.#images++;
  }

  async close(): Promise<void> {
    if (this.#open === null) return;
    await this.#open.finish();
    this.#open = null;
  }

  /** For the way out of an error; harmless after `close`. */
  abandon(): void {
    this.#open?.abandon();
  }
}
