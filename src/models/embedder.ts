/**
 * An embedder: images in, a vector each out.
 *
 * Guarantees: an image's vector depends on nothing but its pixels and the model (`key`): the network always runs on a
 * full batch (ONNX Runtime's last bits differ by batch size), filled up with black where there are fewer images.
 */
import { inputBytes } from '../core/pillow.ts';
import { float32Data } from '../onnx/tensor.ts';
import type { InputSpec, VoteClasses } from './bundle.ts';
import type { Recipe } from './compose-model.ts';
import { type OpenOptions, type Running, runOnPool } from './open-model.ts';
import { prepareEmbedder } from './prepare-embedder.ts';

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
  /** Images a run. */
  readonly batch: number;
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
}

/** @param name of a model, or of several side by side: `a+b`. */
export async function openEmbedder(name: string, options: OpenEmbedderOptions = {}): Promise<Embedder> {
  const { id, key, model: content, input, blocks: known, batch, votes } = await prepareEmbedder(name, options);
  const imageBytes = inputBytes(input);
  const { capacity, run, close } = await runOnPool(content, { key, input, images: batch }, options);
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
  try {
    const blocks = known ?? [{ columns: await dimensionsOf(run, batch * imageBytes), weight: 1 }];
    return {
      key,
      id,
      dimensions: blocks.reduce((sum, { columns }) => sum + columns, 0),
      blocks,
      input,
      batch,
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

function fullBatch(pixels: Uint8Array, used: number, full: number): Uint8Array {
  if (used === full) return pixels.length === full ? pixels : pixels.subarray(0, full);
  const padded = new Uint8Array(full);
  padded.set(pixels.subarray(0, used));
  return padded;
}

/** How wide the layers make a vector is known to the graph alone. */
async function dimensionsOf(run: Running['run'], byteLength: number): Promise<number> {
  const { embedding } = await run(new Uint8Array(byteLength));
  return embedding?.dims[1];
}
