/**
 * A classifier as one ONNX file: pixels in, a probability a class out. It holds preprocessing, embedder, what is done to
 * vectors, head and temperature; class names and how an image becomes pixels stand in its metadata. It runs in any ONNX
 * runtime, with no workspace. The same training gives the same bytes.
 *
 * Input `pixels`: uint8 [1, height, width, 3], RGB. Outputs: `probabilities` float32 [1, classes]; `embedding`
 * float32 [1, columns], the finished vector.
 */

import { readFile } from 'node:fs/promises';
import { sha256Hex } from '../../core/ids.ts';
import type { ItemKind } from '../../core/labels.ts';
import { LabelsmithError, systemCodeOf } from '../../errors.ts';
import type { Head } from '../../math/heads/head.ts';
import type { LinearHead } from '../../math/heads/linear-head.ts';
import { matrixTensor } from '../../math/matrix.ts';
import { addLengthNorm } from '../../math/pca/pca.ts';
import type { Embedder } from '../../models/embedder.ts';
import { inlineModel } from '../../onnx/compose.ts';
import { Graph } from '../../onnx/ops.ts';
import { InferencePool, type PoolOptions } from '../../onnx/pool.ts';
import { decodeModel } from '../../onnx/proto.ts';
import { float32 } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import type { EmbeddingRecipe } from '../embed/recipe.ts';

const FORMAT = 'labelsmith-classifier';
const VERSION = 1;

export interface ClassifierInfo {
  readonly version: typeof VERSION;
  readonly task: string;
  readonly items: ItemKind;
  /** By index of `probabilities`. */
  readonly classNames: readonly string[];
  /** How an image becomes pixels. */
  readonly input: Embedder['input'];
  /** For regions: what is added on every side of a box, as a share of its longer side. */
  readonly margin: number | null;
  /** The embedder inside, and the space of its vectors. */
  readonly embedder: string;
  readonly space: string;
  /** What logits are divided by, so that probabilities are as often right as they say. */
  readonly temperature: number;
  /** The confidence that a label needed when the rest was labelled. */
  readonly threshold: number;
  /** Whole numbers and fractions of the training, for people. */
  readonly training: Readonly<Record<string, number | string>>;
}

export interface ClassifierParts {
  readonly info: ClassifierInfo;
  readonly recipe: Pick<EmbeddingRecipe, 'blocks'>;
  readonly mean: Float32Array;
  readonly head: Head;
  /** The embedder's composed graph. */
  readonly embedder: Uint8Array;
}

export function classifierModel({ info, recipe, mean, head, embedder }: ClassifierParts): Uint8Array {
  const g = new Graph(FORMAT);
  const { width, height } = info.input;
  const pixels = g.input('pixels', 'uint8', [1, height, width, 3]);
  const inlined = inlineModel(g, embedder, { prefix: 'embedder', feeds: { pixels }, outputs: ['embedding'] });
  const vector = finished(g, inlined.embedding, recipe, mean);
  g.output(vector, 'embedding');
  const logits = addHead(g, vector, head);
  g.output(g.softmax(g.div(logits, g.scalar(info.temperature))), 'probabilities');
  return g.toModel({ format: FORMAT, classifier: JSON.stringify(info) });
}

function addHead(g: Graph, vector: Value, head: Head): Value {
  const layer = (x: Value, { weights, bias }: LinearHead, name: string) =>
    g.gemm(x, g.constant(matrixTensor(weights), `${name}-weights`), g.constant(float32(bias), `${name}-bias`), {
      transB: 1,
    });
  switch (head.kind) {
    case 'linear':
      return layer(vector, head, 'head');
    case 'mlp':
      return layer(g.tanh(layer(vector, head.hidden, 'hidden')), head.output, 'head');
    default:
      return head satisfies never;
  }
}

/** As `centreAndNormalise`. */
function finished(g: Graph, embedding: Value, { blocks }: Pick<EmbeddingRecipe, 'blocks'>, mean: Float32Array): Value {
  const centred = g.sub(embedding, g.constant(float32(mean), 'mean'));
  const whole = Math.sqrt(blocks.reduce((sum, { weight }) => sum + weight * weight, 0));
  const sizes = blocks.map(({ columns }) => columns);
  const parts = sizes.length === 1 ? [centred] : g.split(centred, sizes, 1);
  const scaled = parts.map((part, i) => g.mul(addLengthNorm(g, part), g.scalar((blocks[i]?.weight ?? 1) / whole)));
  return scaled.length === 1 ? scaled[0] : g.concat(scaled, 1);
}

export interface Classifier {
  /** Its file. */
  readonly path: string;
  readonly info: ClassifierInfo;
  /** The hash of the file: `TASK@0123456789abcdef`. */
  readonly key: string;
  /** Images that are worth having under way at once. */
  readonly capacity: number;
  /** `pixels`: [height, width, 3] of `info.input`, RGB. Gives shape [classes]. */
  classify(pixels: Uint8Array): Promise<Float32Array>;
  close(): Promise<void>;
}

export async function openClassifier(
  path: string,
  { threads, device }: Pick<PoolOptions, 'threads' | 'device'> = {},
): Promise<Classifier> {
  const bytes = await readBytes(path);
  const info = classifierInfo(bytes, path);
  const key = `${info.task}@${sha256Hex(bytes).slice(0, 16)}`;
  const { width, height } = info.input;
  const pool = await InferencePool.create({ threads, device });
  try {
    const model = await pool.load(bytes, { key });
    return {
      path,
      info,
      key,
      capacity: pool.capacity,
      async classify(data) {
        const feeds = { pixels: { dtype: 'uint8', data, dims: [1, height, width, 3] } } as const;
        const { probabilities } = await pool.run(model, feeds, ['probabilities']);
        const found = probabilities?.data as Float32Array;
        if (found.every(Number.isFinite)) return found;
        throw new LabelsmithError('BAD_MODEL', `the classifier ${path} gives probabilities that are no numbers.`, {
          hint: 'The file is damaged. Copy it again, or run labelsmith teach rounds, which makes it.',
        });
      },
      close: () => pool.close(),
    };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new LabelsmithError('NOT_FOUND', `the classifier ${path} cannot be read (${systemCodeOf(cause)})`, {
      cause,
      hint: 'labelsmith teach rounds makes one and prints where it is.',
    });
  }
}

/** What a classifier's file says of itself. */
export function classifierInfo(bytes: Uint8Array, path: string): ClassifierInfo {
  const refuse = (why: string, cause?: unknown) =>
    new LabelsmithError('BAD_MODEL', `${path} is not a classifier of labelsmith: ${why}`, {
      cause,
      hint: 'labelsmith teach rounds makes one and prints where it is.',
    });
  let metadata: Map<string, string>;
  try {
    const model = decodeModel(bytes);
    metadata = new Map((model.metadataProps ?? []).map(({ key, value }) => [key ?? '', value ?? '']));
  } catch (cause) {
    throw refuse('it is not an ONNX file', cause);
  }
  if (metadata.get('format') !== FORMAT) throw refuse('its metadata names no classes');
  const info = JSON.parse(metadata.get('classifier') ?? '{}') as ClassifierInfo;
  if (info.version !== VERSION) throw refuse(`its version is ${info.version}, known here is ${VERSION}`);
  return info;
}
