/**
 * A classifier as one ONNX file: pixels in, a probability a class out. It holds preprocessing, embedder, what is done to
 * vectors, head and temperature; class names and how an image becomes pixels stand in its metadata. It runs in any ONNX
 * runtime, with no workspace. The same training gives the same bytes.
 *
 * Input `pixels`: uint8 [1, height, width, 3], RGB. Outputs: `probabilities` float32 [1, classes]; `embedding`
 * float32 [1, columns], the finished vector.
 */

import { z } from 'zod';
import { readClassName, readName } from '../../core/class-name.ts';
import { sha256Hex } from '../../core/ids.ts';
import { validateJson } from '../../core/validate.ts';
import { LabelsmithError, systemCodeOf } from '../../errors.ts';
import { readWholeFile } from '../../files/whole-file.ts';
import type { Head } from '../../math/heads/head.ts';
import type { LinearHead } from '../../math/heads/linear-head.ts';
import { matrixTensor } from '../../math/matrix.ts';
import { addLengthNorm } from '../../math/pca/pca.ts';
import { inlineModel } from '../../onnx/compose.ts';
import { refuseExternalData } from '../../onnx/external-data.ts';
import { Graph } from '../../onnx/ops.ts';
import { InferencePool, type PoolModel, type PoolOptions } from '../../onnx/pool.ts';
import { decodeModel, type GraphProto, type ModelProto } from '../../onnx/proto.ts';
import { float32, float32Data } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import type { EmbeddingRecipe } from '../embed/recipe.ts';

const FORMAT = 'labelsmith-classifier';
const VERSION = 1;

/** A file may come from anywhere; what is outside of these bounds no training of ours has made. */
const MAX_SIDE = 4096;

const className = z.string().transform((text, context) => {
  const reading = readClassName(text);
  if (reading.kind === 'name') return reading.name;
  context.addIssue(`the class name ${reading.problem}`);
  return z.NEVER;
});

const side = z.int().min(1).max(MAX_SIDE);
const byte = z.int().min(0).max(255);

const INFO = z.object({
  version: z.literal(VERSION),
  task: z.string().refine((task) => readName(task).kind === 'name', 'this cannot be the name of a task'),
  items: z.enum(['images', 'regions']),
  /** By index of `probabilities`. */
  classNames: z
    .array(className)
    .min(1)
    .refine((names) => new Set(names).size === names.length, 'a class is named twice')
    .readonly(),
  /** How an image becomes pixels. */
  input: z
    .object({
      width: side,
      height: side,
      fit: z.enum(['letterbox', 'cover']),
      pad: z.tuple([byte, byte, byte]).readonly(),
      kernel: z.enum(['linear', 'cubic', 'lanczos3']),
    })
    .readonly(),
  /** For regions: what is added on every side of a box, as a share of its longer side. */
  margin: z.number().min(0).max(10).nullable(),
  /** The embedder inside, and the space of its vectors. */
  embedder: z.string(),
  space: z.string(),
  /** What logits are divided by, so that probabilities are as often right as they say. */
  temperature: z.number().positive(),
  /** The confidence that a label needed when the rest was labelled. */
  threshold: z.number().min(0).max(1),
  /** Whole numbers and fractions of the training, for people. */
  training: z.record(z.string(), z.union([z.number(), z.string()])).readonly(),
});
export type ClassifierInfo = Readonly<z.infer<typeof INFO>>;

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
  options: Pick<PoolOptions, 'threads' | 'device'> = {},
): Promise<Classifier> {
  return openClassifierOf(await readBytes(path), path, options);
}

/** The same of a file that was read. @param path for messages */
export async function openClassifierOf(
  bytes: Uint8Array,
  path: string,
  { threads, device }: Pick<PoolOptions, 'threads' | 'device'>,
): Promise<Classifier> {
  const info = classifierInfo(bytes, path);
  const key = `${info.task}@${sha256Hex(bytes).slice(0, 16)}`;
  const { width, height } = info.input;
  const pool = await InferencePool.create({ threads, device });
  try {
    const model = await pool.load(bytes, { key });
    checkPorts(model, info, path);
    return {
      path,
      info,
      key,
      capacity: pool.capacity,
      async classify(data) {
        const feeds = { pixels: { dtype: 'uint8', data, dims: [1, height, width, 3] } } as const;
        const { probabilities } = await pool.run(model, feeds, ['probabilities']);
        const found = float32Data(probabilities, 'probabilities');
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
    return await readWholeFile(path);
  } catch (cause) {
    if (cause instanceof LabelsmithError) throw cause;
    throw new LabelsmithError('NOT_FOUND', `the classifier ${path} cannot be read (${systemCodeOf(cause)})`, {
      cause,
      hint: MAKE_ONE,
    });
  }
}

/** What a classifier's file says of itself, as far as that can be told without running it. */
export function classifierInfo(bytes: Uint8Array, path: string): ClassifierInfo {
  const model = decodedModel(bytes, path);
  const metadata = new Map((model.metadataProps ?? []).map(({ key, value }) => [key, value ?? '']));
  if (metadata.get('format') !== FORMAT) throw noClassifier(path, 'its metadata names no classes');
  // ONNX Runtime would open files that these name, and nothing here can look into them.
  if (model.functions?.length || model.graph?.sparseInitializer?.length) {
    throw noClassifier(path, 'it holds functions or sparse weights');
  }
  refuseExternalData(model, path);
  // It would be run here, where nothing stops it; an import tries a model in a process of its own first.
  if (holdsLoop(model.graph)) throw noClassifier(path, 'it holds a loop, which may never end');
  return validateJson(INFO, metadata.get('classifier') ?? '', {
    what: `${path} is not a classifier of labelsmith: its metadata`,
    code: 'BAD_MODEL',
    hint: MAKE_ONE,
  });
}

/** Whether a graph, or one inside it, has a `Loop`: its condition may hold for ever. `Scan` ends with what it goes over. */
function holdsLoop(graph: GraphProto | undefined): boolean {
  const open = graph ? [graph] : [];
  for (let next = open.pop(); next; next = open.pop()) {
    for (const { opType, attribute } of next.node ?? []) {
      if (opType === 'Loop') return true;
      for (const { g, graphs } of attribute ?? []) open.push(...(g ? [g] : []), ...(graphs ?? []));
    }
  }
  return false;
}

function decodedModel(bytes: Uint8Array, path: string): ModelProto {
  try {
    return decodeModel(bytes);
  } catch (cause) {
    throw noClassifier(path, 'it is not an ONNX file', cause);
  }
}

/** The graph must be the one that the metadata speaks of. */
function checkPorts({ types }: PoolModel, { classNames, input }: ClassifierInfo, path: string): void {
  const pixels = types.pixels?.shape;
  const classes = types.probabilities?.shape?.[1];
  if (`${pixels}` !== `${[1, input.height, input.width, 3]}`) {
    throw noClassifier(path, `its input is [${pixels}], and its metadata says ${input.width} × ${input.height} pixels`);
  }
  if (classes !== classNames.length) {
    throw noClassifier(path, `it tells ${classes} classes apart, and its metadata names ${classNames.length}`);
  }
}

const MAKE_ONE = 'labelsmith teach rounds makes one and prints where it is.';

function noClassifier(path: string, why: string, cause?: unknown): LabelsmithError {
  return new LabelsmithError('BAD_MODEL', `${path} is not a classifier of labelsmith: ${why}`, {
    cause,
    hint: MAKE_ONE,
  });
}
