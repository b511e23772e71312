/**
 * What a detector finds in one image: decoded once, run alone through the model, in tiles too where that is wanted. Owns
 * the memory that this takes, and which failures are the file's (they come back as such) and which end the run.
 */
import type { Detections } from '../../core/boxes.ts';
import type { ImageId } from '../../core/ids.ts';
import type { ImagePath } from '../../core/image.ts';
import { asInputPixels, inputBytes, pixelTypeOf } from '../../core/pillow.ts';
import { release } from '../../core/release.ts';
import { LabelsmithError } from '../../errors.ts';
import { type BufferPool, bufferPool } from '../../images/buffer-pool.ts';
import type { DecodeOptions, Letterboxed, LetterboxOptions, Pixels } from '../../images/decode.ts';
import { PixelBudget } from '../../images/pixel-budget.ts';
import { cutTile, tileGrids } from '../../images/tiles.ts';
import { holdingFile, type ReadPath, readFirstIntact } from '../../jobs/image-reader.ts';
import { isAboutOneFile, type ReadError, readErrorOf } from '../../jobs/read-errors.ts';
import type { Detector, Frame } from '../../models/detector.ts';
import { mergeTiles, placed, TILE_OVERLAP, type TileView } from './tiles.ts';

/** How images become pixels; a test gives its own. */
export interface DetectDecoding {
  /** The original bytes at a recorded path. */
  readonly readBytes: ReadPath;
  decode(bytes: Uint8Array, options: LetterboxOptions): Promise<Letterboxed>;
  /** The image made smaller to this longer side; for tiles. */
  decodeWithin(bytes: Uint8Array, longest: number, options: DecodeOptions): Promise<Pixels>;
}

export interface Finder extends DetectDecoding {
  readonly detector: Pick<Detector, 'key' | 'detect' | 'input'>;
  readonly tiles: boolean;
  /** Input pixels of runs under way. */
  readonly frames: BufferPool;
  readonly budget: PixelBudget;
}

export function finderOf(decoding: DetectDecoding, detector: Finder['detector'], tiles: boolean): Finder {
  return { ...decoding, detector, tiles, frames: bufferPool(inputBytes(detector.input)), budget: new PixelBudget() };
}

/** What is in an image, or why it cannot be read. */
export async function findInImage(
  finder: Finder,
  imageId: ImageId,
  paths: readonly ImagePath[],
): Promise<{ readonly kind: 'done'; readonly candidates: Detections } | ReadError> {
  const { detector, frames, tiles, readBytes } = finder;
  const into = frames.take();
  try {
    return await holdingFile(paths[0]?.byteSize ?? 0, async () => {
      const bytes = await readFirstIntact(imageId, paths, readBytes);
      const { pixels, ...frame } = await finder.decode(bytes, { ...detector.input, into });
      const whole = await runModel(detector, pixels, frame, imageId);
      const candidates = tiles ? await withTiles(finder, bytes, imageId, frame, whole) : whole;
      release(bytes);
      return { kind: 'done', candidates };
    });
  } catch (error) {
    return readErrorOf(imageId, paths[0], error, 'detect');
  } finally {
    frames.giveBack(into);
  }
}

/** A model that fails on one image fails on all: it must end the run and not look like a bad file. */
async function runModel(
  detector: Finder['detector'],
  pixels: Uint8Array,
  frame: Frame,
  imageId: ImageId,
): Promise<Detections> {
  try {
    return await detector.detect(pixels, frame);
  } catch (error) {
    if (!isAboutOneFile(error)) throw error;
    const message = `${detector.key} failed on image ${imageId.slice(0, 12)}: ${error.message}`;
    throw new LabelsmithError('BAD_MODEL', message, { hint: error.hint, cause: error });
  }
}

/** Level by level and row by row, so that one level's pixels and one row's tiles are held at a time. */
async function withTiles(
  finder: Finder,
  bytes: Uint8Array,
  imageId: ImageId,
  frame: Frame,
  whole: Detections,
): Promise<Detections> {
  const { detector, budget } = finder;
  const views: TileView[] = [{ tile: [0, 0, frame.width, frame.height], detections: whole }];
  for (const grid of tileGrids(frame, detector.input, TILE_OVERLAP)) {
    await budget.run(3 * grid.width * grid.height, async () => {
      const like = { kernel: detector.input.kernel, applyProfile: 'unless-srgb' } as const;
      const picture = await finder.decodeWithin(bytes, grid.longest, like);
      for (const top of grid.tops) {
        const row = grid.lefts.map((left) => findInTile(finder, picture, { left, top }, imageId, frame));
        views.push(...(await Promise.all(row)));
      }
    });
  }
  return mergeTiles(views, frame);
}

async function findInTile(
  { detector, frames }: Finder,
  picture: Pixels,
  { left, top }: { readonly left: number; readonly top: number },
  imageId: ImageId,
  whole: Frame,
): Promise<TileView> {
  const { width, height } = detector.input;
  const into = frames.take();
  try {
    cutInto(into, picture, { left, top }, detector.input);
    const scaleX = picture.width / whole.width;
    const scaleY = picture.height / whole.height;
    const tileWidth = Math.min(width, picture.width - left) / scaleX;
    const tileHeight = Math.min(height, picture.height - top) / scaleY;
    const frame = { width: tileWidth, height: tileHeight, scaleX, scaleY };
    return placed(await runModel(detector, into, frame, imageId), left / scaleX, top / scaleY, frame);
  } finally {
    frames.giveBack(into);
  }
}

/** A tile in the form that the detector takes: its bytes, or the same as 32-bit floats. */
function cutInto(
  into: Uint8Array,
  picture: Pixels,
  { left, top }: { readonly left: number; readonly top: number },
  input: Detector['input'],
): void {
  if (pixelTypeOf(input.pillow) === 'uint8') {
    cutTile(picture, left, top, input, into);
    return;
  }
  const bytes = new Uint8Array(input.width * input.height * 3);
  cutTile(picture, left, top, input, bytes);
  asInputPixels(bytes, input.pillow, into);
}
