/**
 * From a recorded image to what a model sees of its items: read, decode, and each item's pixels in memory that is used
 * again. Owns which failures are the file's (they come back as such) and which end the run.
 */
import type { ItemId } from '../core/ids.ts';
import type { ImagePath } from '../core/image.ts';
import { asInputPixels, inputBytes, pixelTypeOf } from '../core/pillow.ts';
import { release } from '../core/release.ts';
import { bufferPool } from '../images/buffer-pool.ts';
import { decodeUpright } from '../images/decode.ts';
import { pixelsFor } from '../images/pixels-for.ts';
import { regionPixels } from '../images/region-pixels.ts';
import { holdingFile, type ReadPath, readFirstIntact } from '../jobs/image-reader.ts';
import { type ReadError, readErrorOf } from '../jobs/read-errors.ts';
import type { Embedder } from '../models/embedder.ts';
import type { ImageWork } from './image-work.ts';

export { pixelsFor } from '../images/pixels-for.ts';

export type ItemsResult<T> =
  | { readonly kind: 'done'; readonly items: readonly { readonly id: ItemId; readonly result: T }[] }
  | ReadError;

export interface ItemPixelsOptions {
  readonly readBytes: ReadPath;
  readonly input: Embedder['input'];
  /** Around a region, as a share of its box's longer side. */
  readonly margin: number;
  /** Named in quarantine. */
  readonly stage: string;
}

/**
 * A function that runs a model on every item of an image, one after the other: an image may have hundreds of regions. The
 * pixels it is given, shape [height, width, 3] RGB, are the model's until its promise settles.
 */
export function itemRunner<T>(
  { readBytes, input, margin, stage }: ItemPixelsOptions,
  model: (pixels: Uint8Array) => Promise<T>,
): (work: ImageWork, paths: readonly ImagePath[]) => Promise<ItemsResult<T>> {
  const frames = bufferPool(inputBytes(input));

  const run = async (id: ItemId, pixels: (into: Uint8Array) => Promise<unknown>) => {
    const into = frames.take();
    try {
      await pixels(into);
      return { id, result: await model(into).catch((error: unknown) => Promise.reject(new ModelFailure(error))) };
    } finally {
      frames.giveBack(into);
    }
  };

  const runAll = async ({ id, regions }: ImageWork, bytes: Uint8Array) => {
    if (regions === null) return [await run(id, (into) => pixelsFor(bytes, input, into))];
    const image = await decodeUpright(bytes);
    const { width: size, kernel, pillow } = input;
    const items: { id: ItemId; result: T }[] = [];
    for (const region of regions) {
      const cut = async (into: Uint8Array) => {
        if (pixelTypeOf(pillow) === 'uint8') return regionPixels(image, region.box, { size, kernel, margin, into });
        return asInputPixels(await regionPixels(image, region.box, { size, kernel, margin }), pillow, into);
      };
      items.push(await run(region.id, cut));
    }
    release(image.pixels);
    return items;
  };

  return async (work, paths) => {
    try {
      return await holdingFile(paths[0]?.byteSize ?? 0, async () => {
        const bytes = await readFirstIntact(work.id, paths, readBytes);
        const items = await runAll(work, bytes);
        release(bytes);
        return { kind: 'done', items };
      });
    } catch (error) {
      if (error instanceof ModelFailure) throw error.cause;
      return readErrorOf(work.id, paths[0], error, stage);
    }
  };
}

/** Keeps what went wrong in the model apart from what is wrong with a file. */
class ModelFailure extends Error {
  constructor(cause: unknown) {
    super('the model failed', { cause });
  }
}
