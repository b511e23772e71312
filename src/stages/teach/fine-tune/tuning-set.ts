/**
 * From images to what training takes: each image as it is and augmented, run up to the cut once. The views follow
 * from the image's identity and the seed alone.
 *
 * Resident: the values at the cut, {@link MAX_BYTES} at most, for which there are fewer views where there are many images. Where
 * one view of each takes more, it is for the caller to bring no more images than {@link mostImages}.
 */
import { inLanes } from '../../../core/lanes.ts';
import { seededRandom } from '../../../core/random.ts';
import { LabelsmithError } from '../../../errors.ts';
import { type AugmentOptions, strongSquare, weakSquare } from '../../../images/augment.ts';
import { type Matrix, newSharedMatrix, sharedFloats } from '../../../math/matrix.ts';
import type { TuningSet } from '../../../models/tuning/batches.ts';
import { featureGraph, graphBelow } from '../../../models/tuning/training-graph.ts';
import type { TunableEmbedder } from '../../../models/tuning/tunable-embedder.ts';
import type { Cut } from '../../../models/tuning/tunable-network.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import { float32Data, sizeOf, uint8 } from '../../../onnx/tensor.ts';
import type { TuningImage } from './tuning-image.ts';

/** Views of an image at most, itself included: more are seen by as many epochs, and cost their computation. */
export const MAX_VIEWS = 4;
/** Of values at the cut, where an image has several views. */
const MAX_BYTES = 2 ** 30;
/** Of values at the cut, where an image has one: 10,000 images of 224 pixels and some more. */
const MAX_BYTES_OF_ONE = 1.5 * 2 ** 30;
/** Images decoded at once. */
const LANES = 4;

export interface TaughtImages {
  /** Identities, which the views follow from. */
  readonly ids: readonly string[];
  /** Undefined for one that cannot be read any more, which is left out. */
  open(image: number): Promise<TuningImage | undefined>;
}

/** What is the same whatever the images are taken for. */
export interface PreparedTuning {
  readonly set: Pick<TuningSet, 'cut' | 'values' | 'pixels' | 'views'>;
  /** How the views were made. */
  readonly augment: AugmentOptions;
  readonly strongViews: number;
  /** Identities of the images. */
  readonly ids: readonly string[];
  /** Images that could be read. */
  readonly members: readonly number[];
  /** Of every view, by the network as it was, of length 1: shape [images · views, dimensions]. */
  readonly features: Matrix;
}

export interface TuningSetOptions {
  readonly cut: Cut;
  /** What the classes bear. */
  readonly augment: AugmentOptions;
  /** Of the views of an image, see {@link ViewsOptions} (default 0). */
  readonly strongViews?: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** How many images at most are trained on, for the memory that one view of each takes. @param maxBytes default 1.5 GiB */
export function mostImages(embedder: TunableEmbedder, cut: Cut, maxBytes: number = MAX_BYTES_OF_ONE): number {
  return Math.max(1, Math.floor(maxBytes / bytesOfView(embedder, cut)));
}

function bytesOfView(embedder: TunableEmbedder, cut: Cut): number {
  const { width, height } = embedder.input;
  return isAtPixels(embedder, cut) ? width * height * 3 : 4 * sizeOf(cut.shape);
}

function isAtPixels({ network }: TunableEmbedder, cut: Cut): boolean {
  return cut === network.cuts[0];
}

export async function prepareTuning(
  pool: InferencePool,
  embedder: TunableEmbedder,
  images: TaughtImages,
  { cut, augment, strongViews = 0, seed, signal }: TuningSetOptions,
): Promise<PreparedTuning> {
  const { network, pixels } = embedder;
  const { width, height } = embedder.input;
  const count = images.ids.length;
  const first = isAtPixels(embedder, cut);
  const size = first ? width * height * 3 : sizeOf(cut.shape);
  const views = Math.max(1, Math.min(MAX_VIEWS, Math.floor(MAX_BYTES / (count * bytesOfView(embedder, cut)))));
  const values = first
    ? new Uint8Array(new SharedArrayBuffer(count * views * size))
    : sharedFloats(count * views * size);
  const features = newSharedMatrix(count * views, network.dimensions);
  const below = await pool.load(graphBelow(network, cut, { ...pixels, width, height }), {
    key: `below:${embedder.id}:${cut.value}`,
  });
  const onPixels = first ? pixels : undefined;
  const above = await pool.load(featureGraph(network, { cut, items: 1, pixels: onPixels }), {
    key: `features:${embedder.id}:${cut.value}`,
  });
  const there = new Set<number>();
  const dims = first ? [1, height, width, 3] : [1, ...cut.shape];
  const add = async (image: number): Promise<void> => {
    signal?.throwIfAborted();
    const opened = await images.open(image);
    if (!opened) return;
    const random = seededRandom(seed, `view:${images.ids[image]}`);
    for (const [view, seen] of (await viewsOf(opened, embedder, { views, strongViews, augment }, random)).entries()) {
      const row = image * views + view;
      if (values instanceof Uint8Array) values.set(seen, row * size);
      else {
        const { x } = await pool.run(below, { pixels: uint8(seen, [1, height, width, 3]) });
        values.set(float32Data(x, 'x'), row * size);
      }
      const data = values.subarray(row * size, (row + 1) * size);
      const result = await pool.run(above, { x: { dtype: first ? 'uint8' : 'float32', data, dims } });
      features.data.set(float32Data(result.features, 'features'), row * network.dimensions);
    }
    there.add(image);
  };
  await inLanes(images.ids.keys(), LANES, add);
  await pool.unload(below);
  await pool.unload(above);
  const members = [...images.ids.keys()].filter((image) => there.has(image));
  if (members.length === 0) throw new LabelsmithError('NOT_FOUND', 'None of the images to learn from can be read.');
  return {
    set: { cut, values, pixels: onPixels, views },
    augment,
    strongViews,
    ids: images.ids,
    members,
    features,
  };
}

export interface ViewsOptions {
  /** The first is the image as it is. */
  readonly views: number;
  /** How many are strong, the last of them (default 0, as in training); the others are weak. */
  readonly strongViews?: number;
  /** What the classes bear. */
  readonly augment: AugmentOptions;
}

/** The image as the embedder takes it, then augmented views of it: pixels of the network's input. */
export async function viewsOf(
  opened: TuningImage,
  { input }: Pick<TunableEmbedder, 'input'>,
  { views: count, strongViews = 0, augment }: ViewsOptions,
  random: () => number,
): Promise<Uint8Array[]> {
  const views = [await opened.pixels(input)];
  if (count === 1) return views;
  const image = await opened.picture();
  while (views.length < count) {
    const view = views.length >= count - strongViews ? strongSquare : weakSquare;
    views.push(await view(image, random, input.width, augment));
  }
  return views;
}
