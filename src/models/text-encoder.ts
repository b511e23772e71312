/**
 * The text side of an embedder that has one: words in, a vector each out, to be compared with the vectors of images.
 *
 * Guarantees: a text's vector depends on nothing but the text and the model: each runs alone, at its own length or filled up
 * to the network's, as it was trained. The graph, which may be larger than that of images, is fetched when words are first
 * asked for.
 */
import { sha256Hex } from '../core/ids.ts';
import { inLanes } from '../core/lanes.ts';
import { LabelsmithError } from '../errors.ts';
import { cacheDirectory } from '../fetch/cache.ts';
import { fetchFiles } from '../fetch/fetch.ts';
import { float16ToFloat32 } from '../math/float16.ts';
import { type Matrix, newSharedMatrix } from '../math/matrix.ts';
import { InferencePool, type PoolModel } from '../onnx/pool.ts';
import { float32Data, type Tensor } from '../onnx/tensor.ts';
import { readTokenizer } from './hub/tokenizer-files.ts';
import { readOnnx } from './onnx-files.ts';
import { findRole, type OpenOptions } from './open-model.ts';
import { allEntries } from './registry.ts';
import { type TextProcessor, tokensOf } from './text-tokens.ts';

export interface TextEncoder {
  /** The embedder's name. */
  readonly id: string;
  /** Names the content: the model, its graph and its tokenizer. */
  readonly key: string;
  readonly dimensions: number;
  /** How texts were trained against images: as a choice among them, or a yes or no to each. */
  readonly pairing: 'softmax' | 'sigmoid';
  /** Token ids of a text, as they go in. */
  tokens(text: string): number[];
  /** Shape [texts, dimensions], rows of length 1. */
  encode(texts: readonly string[]): Promise<Matrix>;
  close(): Promise<void>;
}

/** Of a model that is not here, or of several side by side: no. @param name of an embedder */
export async function knowsWords(name: string, cacheDir?: string): Promise<boolean> {
  return (await allEntries(cacheDir)).some(
    (one) => one.id === name && one.role === 'embedder' && one.graphs?.text?.takes.kind === 'text',
  );
}

/** @param name of an embedder */
export async function openTextEncoder(name: string, options: OpenOptions = {}): Promise<TextEncoder> {
  const entry = await findRole(name, 'embedder', options.cacheDir);
  const text = entry.graphs?.text;
  if (text?.takes.kind !== 'text') {
    throw new LabelsmithError('UNSUPPORTED', `${name} knows no words: it was not trained with texts`, {
      hint: 'Embed with a model that was: labelsmith embed --model siglip2-base (labelsmith models list has more).',
    });
  }
  const { processor } = text.takes;
  const cacheDir = options.cacheDir ?? cacheDirectory();
  const files = await fetchFiles(text.source.files, { ...options, cacheDir, modelName: name });
  const pathOf = (place: number) => files[place]?.path ?? '';
  const tokenizer = await readTokenizer(pathOf(processor.tokenizerFile), pathOf(processor.tokenizerConfigFile));
  const graph = await readOnnx(files.slice(0, processor.tokenizerFile).map(({ path }) => path));
  const key = `${entry.id}:text@${sha256Hex(files.map(({ sha256 }) => sha256).join('\n')).slice(0, 16)}`;
  const pool = options.pool ?? (await InferencePool.create({ threads: options.threads, device: options.device }));
  const close = async (model?: PoolModel) => (options.pool ? model && pool.unload(model) : pool.close());
  try {
    const model = await pool.load(graph, { key });
    const output = outputOf(name, model, processor, text.outputs);
    const tokens = (one: string) => tokensOf(one, tokenizer, processor);
    const encode = async (texts: readonly string[]): Promise<Matrix> => {
      const rows = newSharedMatrix(texts.length, entry.dimensions);
      await inLanes(texts.entries(), pool.capacity, async ([row, one]) => {
        const results = await pool.run(model, feedsOf(model, processor, tokens(one)), [output]);
        const { dtype, data } = results[output];
        const half = dtype === 'float16' && data instanceof Uint16Array;
        const vector = half ? float16ToFloat32(data) : float32Data(results[output], output);
        if (vector.length !== entry.dimensions) {
          throw new LabelsmithError('BAD_MODEL', `${output} of ${key} is [${results[output].dims}]`);
        }
        rows.data.set(unit(vector), row * entry.dimensions);
      });
      return rows;
    };
    const { id, dimensions, pairing = 'softmax' } = entry;
    return { id, key, dimensions, pairing, tokens, encode, close: () => close(model).then(() => undefined) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Checks by name that what the graph takes is what it will be given. */
function outputOf(name: string, model: PoolModel, processor: TextProcessor, wanted: readonly string[]): string {
  const other = model.inputs.find((input) => input !== processor.name && input !== MASK);
  const output = wanted.find((one) => model.outputs.includes(one));
  if (other === undefined && output !== undefined && model.inputs.includes(processor.name)) return output;
  const why =
    other === undefined
      ? `gives ${model.outputs.join(', ')} and not ${wanted.join(' or ')}`
      : `takes ${model.inputs.join(', ')}, and ${other} is not known here`;
  throw new LabelsmithError('UNSUPPORTED', `the text side of ${name} cannot be used: its graph ${why}`);
}

const MASK = 'attention_mask';

function feedsOf(model: PoolModel, { name }: TextProcessor, ids: readonly number[]): Record<string, Tensor> {
  const whole = (values: readonly number[]): Tensor => ({
    dtype: 'int64',
    data: BigInt64Array.from(values, BigInt),
    dims: [1, values.length],
  });
  return { [name]: whole(ids), ...(model.inputs.includes(MASK) ? { [MASK]: whole(ids.map(() => 1)) } : {}) };
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length > 0 ? vector.map((value) => value / length) : vector;
}
