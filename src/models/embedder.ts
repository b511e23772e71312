/**
 * An embedder: images in, a vector each out.
 *
 * Guarantees: on the processor an image's vector depends on nothing but its pixels and the model (`key`): the network always runs on
 * a full batch (ONNX Runtime's last bits differ by batch size), filled up with black where there are fewer images. On other devices
 * images are gathered into runs of many, and the last digits depend on the device too.
 */
import { inputBytes } from '../core/pillow.ts';
import { LabelsmithError } from '../errors.ts';
import { cosineOf } from '../math/dot.ts';
import { freeBytesOf, imagesARun } from '../onnx/device-memory.ts';
import { float32Data } from '../onnx/tensor.ts';
import type { InputSpec, VoteClasses } from './bundle.ts';
import type { Recipe } from './compose-model.ts';
import { type FixedRuns, GatheredRuns } from './gathered-runs.ts';
import { DEVICE_SESSIONS, type OpenOptions, runOnPool } from './open-model.ts';
import { type PreparedEmbedder, prepareEmbedder } from './prepare-embedder.ts';

/** What one pass of the network says of some images. */
export interface Look {
  /** Shape [count, dimensions]. */
  readonly embeddings: Float32Array;
  /** Shape [count, 2 · VOTES]: the numbers of the best classes, the best first, and their probabilities; null: no votes. */
  readonly votes: Float32Array | null;
}

export interface Embedder {
  /** Says what made a vector: the model's id and the hash of its final graph. */
  readonly key: string;
  readonly id: string;
  /** Numbers a vector. */
  readonly dimensions: number;
  /** The parts that a vector is joined from, in their order: how many numbers each has, and what it counts. */
  readonly blocks: readonly { readonly columns: number; readonly weight: number }[];
  /** Pixels, and how an image becomes them: its middle (`cover`), or all of it at the top left on `pad` (`letterbox`). */
  readonly input: Pick<InputSpec, 'width' | 'height' | 'fit' | 'pad' | 'kernel' | 'pillow'>;
  /** Images a call of {@link embed} or {@link look} at most. */
  readonly batch: number;
  /** Calls that are gathered into one run, if as many are under way. */
  readonly gathered: number;
  /** Runs that are worth having under way at once. */
  readonly capacity: number;
  /** Whose classes it votes for, where the network also classifies. */
  readonly votes: VoteClasses | null;
  /**
   * `pixels`: shape [count, height, width, 3] or more, RGB, bytes or the floats of `pixelTypeOf`; `count` at most `batch`. They may be reused when the promise
   * settles. Gives shape [count, dimensions].
   */
  embed(pixels: Uint8Array, count: number): Promise<Float32Array>;
  /** The same, with what else the pass says. */
  look(pixels: Uint8Array, count: number): Promise<Look>;
  close(): Promise<void>;
}

export interface OpenEmbedderOptions extends OpenOptions {
  /** Fields that are given take the place of the model's own recipe (`views: undefined` turns its views off). */
  readonly recipe?: Partial<Recipe>;
  /**
   * Images that are gathered into one run (default: 1 on the processor, on other devices as many as their memory has room for).
   * The vectors' `key` is that of one image a run: they differ in their last digits.
   */
  readonly gathered?: number;
}

/** @param name of a model, or of several side by side: `a+b`. */
export async function openEmbedder(name: string, options: OpenEmbedderOptions = {}): Promise<Embedder> {
  const prepared = await prepareEmbedder(name, options);
  const { id, key, input, blocks: known, batch, votes } = prepared;
  const imageBytes = inputBytes(input);
  const { capacity, gathered, look, close } =
    (await openGathered(name, prepared, options)) ?? (await openSingly(prepared, options));
  try {
    const blocks = known ?? [{ columns: await dimensionsOf(look, batch * imageBytes), weight: 1 }];
    return {
      key,
      id,
      dimensions: blocks.reduce((sum, { columns }) => sum + columns, 0),
      blocks,
      input,
      batch,
      gathered,
      capacity,
      votes,
      look,
      embed: async (pixels, count) => (await look(pixels, count)).embeddings,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type OpenedEmbedder = Pick<Embedder, 'capacity' | 'gathered' | 'look' | 'close'>;

/** A run a call. */
async function openSingly(
  { key, model, input, batch, votes }: PreparedEmbedder,
  options: OpenOptions,
): Promise<OpenedEmbedder> {
  const imageBytes = inputBytes(input);
  const { capacity, run, close } = await runOnPool(model, { key, input, images: batch }, options);
  const look = async (pixels: Uint8Array, count: number): Promise<Look> => {
    if (count < 1 || count > batch || pixels.length < count * imageBytes) {
      throw new RangeError(`${count} images in ${pixels.length} bytes; at most ${batch} of ${imageBytes} bytes each`);
    }
    const results = await run(fullBatch(pixels, count * imageBytes, batch * imageBytes));
    const rows = (all: Float32Array) => (count === batch ? all : all.slice(0, (count * all.length) / batch));
    return {
      embeddings: rows(float32Data(results.embedding, 'embedding')),
      votes: votes && rows(float32Data(results.votes, 'votes')),
    };
  };
  return { capacity, gathered: 1, look, close };
}

/** What a network is taken to hold at once of an image, in images as it takes them: a first guess, since too many are found out. */
const WIDENING = 100;

/** Many calls a run, where that is worth it and the network can; undefined where it is not. */
async function openGathered(
  name: string,
  prepared: PreparedEmbedder,
  options: OpenEmbedderOptions,
): Promise<OpenedEmbedder | undefined> {
  const { id, input, batch } = prepared;
  const device = options.pool?.device ?? options.device ?? 'cpu';
  const floatBytes = input.width * input.height * 3 * 4;
  const { gathered = device === 'cpu' ? 1 : imagesARun(await freeBytesOf(device), floatBytes, WIDENING) } = options;
  if (gathered === 1 || batch !== 1 || name.includes('+')) return undefined;
  const imageBytes = inputBytes(input);
  const open = async (images: number): Promise<FixedRuns<Look>> => {
    const whole = await prepareEmbedder(name, { ...options, recipe: { ...options.recipe, batch: images } });
    const { look, close } = await openSingly(whole, {
      ...options,
      threads: Math.min(options.threads ?? DEVICE_SESSIONS, DEVICE_SESSIONS),
    });
    const run = async (asked: readonly Uint8Array[]) => {
      const all = new Uint8Array(asked.length * imageBytes);
      for (const [i, one] of asked.entries()) all.set(one.subarray(0, imageBytes), i * imageBytes);
      return rowsOf(await look(all, asked.length), asked.length);
    };
    return { run, close };
  };
  const onFewer = (images: number) =>
    options.onNotice?.(
      `${device} has too little memory for ${2 * images} images of ${id} at once: ${images} from now on`,
    );
  try {
    await requireApart(prepared, open, options);
    const runs = await GatheredRuns.open({ images: gathered, lanes: DEVICE_SESSIONS, open, onFewer });
    const look = (pixels: Uint8Array, count: number): Promise<Look> => {
      if (count !== 1 || pixels.length < imageBytes) {
        throw new RangeError(`${count} images in ${pixels.length} bytes; 1 of ${imageBytes} bytes a call`);
      }
      return runs.ask(pixels);
    };
    return { capacity: DEVICE_SESSIONS * gathered, gathered, look, close: () => runs.close() };
  } catch (error) {
    if (!(error instanceof LabelsmithError) || !['BAD_MODEL', 'UNSUPPORTED'].includes(error.code)) throw error;
    // Where the device itself is what cannot be used, this says so.
    const single = await openSingly(prepared, options);
    options.onNotice?.(`${id} takes one image a run: its network has that written into it`);
    return single;
  }
}

/** Cosine of what is said of an image alone and beside another one; less is another image's doing. */
const APART_COSINE = 0.999;

/** Fails where what a network says of an image depends on the others of its run: some were exported for one image alone. */
async function requireApart(
  prepared: PreparedEmbedder,
  open: (images: number) => Promise<FixedRuns<Look>>,
  options: OpenOptions,
): Promise<void> {
  const { id, input } = prepared;
  const byteLength = inputBytes(input);
  const floats = byteLength / (input.width * input.height * 3) === 4;
  // Two made-up images: stripes of two widths.
  const images = [7, 31].map((width) => {
    const values = Array.from({ length: floats ? byteLength / 4 : byteLength }, (_, i) => (i % width) * (255 / width));
    return floats ? new Uint8Array(Float32Array.from(values).buffer) : Uint8Array.from(values);
  });
  const single = await openSingly(prepared, { ...options, threads: 1 });
  try {
    const both = await open(images.length);
    try {
      const together = await both.run(images);
      for (const [i, image] of images.entries()) {
        const alone = await single.look(image, 1);
        if (cosineOf(alone.embeddings, together[i].embeddings) >= APART_COSINE) continue;
        throw new LabelsmithError('BAD_MODEL', `what ${id} says of an image depends on the others of its run`);
      }
    } finally {
      await both.close();
    }
  } finally {
    await single.close();
  }
}

function rowsOf({ embeddings, votes }: Look, count: number): Look[] {
  const row = (all: Float32Array, i: number) => all.slice((i * all.length) / count, ((i + 1) * all.length) / count);
  return Array.from({ length: count }, (_, i) => ({ embeddings: row(embeddings, i), votes: votes && row(votes, i) }));
}

function fullBatch(pixels: Uint8Array, used: number, full: number): Uint8Array {
  if (used === full) return pixels.length === full ? pixels : pixels.subarray(0, full);
  const padded = new Uint8Array(full);
  padded.set(pixels.subarray(0, used));
  return padded;
}

/** How wide the layers make a vector is known to the graph alone. */
async function dimensionsOf(look: Embedder['look'], byteLength: number): Promise<number> {
  return (await look(new Uint8Array(byteLength), 1)).embeddings.length;
}
