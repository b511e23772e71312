/** An embedder with its network open for training, and what is composed of the network when it was trained. */
import { readFile } from 'node:fs/promises';
import { sha256Hex } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import { cacheDirectory } from '../../fetch/cache.ts';
import { fetchFiles } from '../../fetch/fetch.ts';
import type { PixelOptions } from '../../onnx/compose.ts';
import { decodeModel, encodeModel } from '../../onnx/proto.ts';
import type { EmbedderEntry, InputSpec } from '../bundle.ts';
import { composeModel, defaultRecipe, inputOf } from '../compose-model.ts';
import { CONVERTERS } from '../converters.ts';
import { findRole } from '../open-model.ts';
import type { PrepareOptions } from '../prepare.ts';
import type { PreparedEmbedder } from '../prepare-embedder.ts';
import { floatNetwork } from './float-network.ts';
import { type TunableNetwork, tunableNetwork, withParameters } from './tunable-network.ts';

export interface TunableEmbedder {
  readonly id: string;
  readonly network: TunableNetwork;
  /** What the network was trained on: one view of this size. */
  readonly input: Pick<InputSpec, 'width' | 'height' | 'fit' | 'pad' | 'kernel'>;
  /** How its pixels become the network's input. */
  readonly pixels: PixelOptions;
  /** The embedder with other numbers in some of the network's constants. */
  compose(parameters: ReadonlyMap<string, Float32Array>): ComposedEmbedder;
  /** The network alone with these numbers, and what the catalogue says of the one it was. */
  networkWith(parameters: ReadonlyMap<string, Float32Array>): {
    readonly entry: EmbedderEntry;
    readonly bytes: Uint8Array;
  };
}

export interface ComposedEmbedder extends Pick<PreparedEmbedder, 'key' | 'input'> {
  /** `pixels` uint8 [1, height, width, 3] → `embedding`, in the blocks of the embedder that it was. */
  readonly model: Uint8Array;
}

/** Fetches what is not in the cache. Embedders side by side are refused: their parts are trained one by one. */
export async function tunableEmbedder(name: string, options: PrepareOptions = {}): Promise<TunableEmbedder> {
  if (name.includes('+')) {
    throw new LabelsmithError('UNSUPPORTED', `${name} is two embedders side by side, and one is fine-tuned at a time`, {
      hint: 'Embed with one of them first: labelsmith embed --model NAME.',
    });
  }
  const entry = await findRole(name, 'embedder', options.cacheDir);
  const cacheDir = options.cacheDir ?? cacheDirectory();
  const sources = await fetchFiles(entry.source.files, { ...options, cacheDir, modelName: entry.id });
  const files = await Promise.all(sources.map(async ({ path }) => new Uint8Array(await readFile(path))));
  return tunableOf(entry, CONVERTERS[entry.source.converter].convert(files, entry));
}

/** @param network the entry's, in ONNX */
export function tunableOf(entry: EmbedderEntry, bytes: Uint8Array): TunableEmbedder {
  const { input, id, output: features, dimensions } = entry;
  const { dtype = 'float32', layout = 'NCHW' } = input;
  if (dtype !== 'float32' || layout === 'CHW') {
    throw new LabelsmithError(
      'UNSUPPORTED',
      `${id} takes ${dtype} in ${layout}; only batches of 32-bit floats are trained`,
    );
  }
  const model = floatNetwork(decodeModel(bytes));
  const planes = [input.height, input.width];
  const inputShape = layout === 'NHWC' ? [...planes, 3] : [3, ...planes];
  const recipe = defaultRecipe(entry);
  const { width, height, fit, pad, kernel } = inputOf(entry, recipe);
  // What the network says of ImageNet's classes is no longer true of a trained one.
  const plain = { ...entry, votes: undefined };
  return {
    id,
    network: tunableNetwork(model, { input: input.name, inputShape, features, dimensions }),
    input: { ...input, fit, pad, kernel },
    pixels: input,
    compose(parameters) {
      const composed = composeModel(plain, encodeModel(withParameters(model, parameters)), recipe);
      const key = `${id}-tuned@${sha256Hex(composed).slice(0, 16)}`;
      return { key, model: composed, input: { width, height, fit, pad, kernel } };
    },
    networkWith: (parameters) => ({ entry: plain, bytes: encodeModel(withParameters(model, parameters)) }),
  };
}
