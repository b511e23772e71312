/**
 * Image files of an export: bytes are put in place before the row that names them is written, several at once, and an
 * image whose bytes are gone or cannot be read is left out and counted, so that no export names a file that is not there.
 */
import { access, link, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DatasetImage } from '../core/dataset.ts';
import { LabelsmithError, messageOf, systemCodeOf } from '../errors.ts';
import { makeFolder } from '../files/make-folder.ts';
import type { WriteJob } from './format.ts';

/** Copies in flight: enough to hide a disk's latency; each holds one image's bytes. */
const IMAGES_IN_FLIGHT = 8;

/** `map` over a stream with several under way at once; results come in the order of the stream. */
export async function* mapInOrder<In, Out>(
  items: AsyncIterable<In>,
  map: (item: In) => Promise<Out>,
  inFlight: number,
): AsyncGenerator<Out> {
  const waiting: Promise<Out>[] = [];
  try {
    for await (const item of items) {
      const mapped = map(item);
      // Whoever awaits it gets its error; until then another's may end the loop first.
      mapped.catch(() => undefined);
      waiting.push(mapped);
      if (waiting.length >= inFlight) yield await (waiting.shift() as Promise<Out>);
    }
    while (waiting.length > 0) yield await (waiting.shift() as Promise<Out>);
  } finally {
    await Promise.allSettled(waiting);
  }
}

export interface PlacedImage {
  readonly image: DatasetImage;
  /** Where it is (or, with `none`, would be) below the folder of images, `/` between parts. */
  readonly name: string;
}

/**
 * Puts image files into the export.
 * @param nameOf the name below `folder`; called once an image, in order
 * @param folder absolute; made when the first image comes
 */
export async function* placeImages(
  images: AsyncIterable<DatasetImage>,
  nameOf: (image: DatasetImage) => string,
  folder: string,
  job: WriteJob,
): AsyncGenerator<PlacedImage> {
  const made = new FolderMaker();
  async function* named() {
    for await (const image of images) yield { image, name: nameOf(image) };
  }
  const place = async (placed: PlacedImage): Promise<PlacedImage | null> => {
    if (job.images === 'none') return placed;
    const target = join(folder, placed.name);
    const problem = await placeOne(placed.image, target, job, made);
    if (problem === null) return placed;
    job.tally.fail(`${placed.image.file}: ${problem}`);
    return null;
  };
  for await (const placed of mapInOrder(named(), place, IMAGES_IN_FLIGHT)) if (placed !== null) yield placed;
}

/** Null when it is there; else why this one image cannot be. Anything that would hit all images alike is thrown. */
async function placeOne(image: DatasetImage, target: string, job: WriteJob, made: FolderMaker): Promise<string | null> {
  const mode = job.images;
  switch (mode) {
    case 'none':
      return null;
    case 'copy': {
      const bytes = await readOne(image, job);
      if (!(bytes instanceof Uint8Array)) return bytes.problem;
      await made.make(dirname(target));
      await writeFile(target, bytes, { flag: 'wx' });
      return null;
    }
    case 'hardlink':
    case 'symlink': {
      const source = await job.sourcePathOf(image.id);
      if (source === null)
        throw new LabelsmithError('UNSUPPORTED', `${image.file} is inside an archive and cannot be linked`, {
          hint: 'Use --images copy.',
        });
      const path = typeof source === 'string' ? source : Buffer.from(source);
      try {
        await access(path);
        await made.make(dirname(target));
        await (mode === 'hardlink' ? link(path, target) : symlink(path, target));
        return null;
      } catch (error) {
        const code = systemCodeOf(error);
        if (code === 'ENOENT') return 'its file is not there any more';
        if (code === 'EXDEV' || code === 'EPERM' || code === 'EMLINK' || code === 'ENOTSUP')
          throw new LabelsmithError('UNSUPPORTED', `cannot ${mode} ${image.file} into the output (${code})`, {
            hint:
              mode === 'hardlink'
                ? 'A hard link needs one disk and a file system with links; use --images copy or symlink.'
                : 'On Windows a symbolic link needs the developer mode; use --images copy or hardlink.',
            cause: error,
          });
        throw error;
      }
    }
    default:
      mode satisfies never;
      throw new Error(`unknown images mode ${String(mode)}`);
  }
}

/** An image's bytes, or why they cannot be had. */
export async function readOne(image: DatasetImage, job: WriteJob): Promise<Uint8Array | { problem: string }> {
  try {
    return await job.readImage(image.id);
  } catch (error) {
    if (error instanceof LabelsmithError && ['NOT_FOUND', 'BAD_FILE', 'BAD_IMAGE', 'REFUSED'].includes(error.code))
      return { problem: messageOf(error) };
    throw error;
  }
}

/** Makes folders, each once while it is the recent one; exports go through folders in no order, so a few are kept. */
export class FolderMaker {
  readonly #recent = new Map<string, Promise<unknown>>();

  async make(folder: string): Promise<void> {
    let making = this.#recent.get(folder);
    if (making === undefined) {
      making = makeFolder(folder);
      this.#recent.set(folder, making);
      if (this.#recent.size > 1000) this.#recent.delete(this.#recent.keys().next().value as string);
    }
    await making;
  }
}
