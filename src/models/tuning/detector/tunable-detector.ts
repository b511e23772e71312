/**
 * A CenterNet open for further classes: the network up to its last convolution as one graph, what is known of such
 * convolutions from the classes that it has, and the network with more rows in it.
 *
 * The last convolution is of 1 × 1: a row of weights and a bias a class, on numbers that all classes share. So what the
 * detector finds of the classes that it had stays what it was, bit for bit, and further ones cost next to nothing. Boxes
 * come from the head of distances, which knows of no classes and is left as it is.
 */
import { readFile } from 'node:fs/promises';
import { LabelsmithError } from '../../../errors.ts';
import { cacheDirectory } from '../../../fetch/cache.ts';
import { fetchFiles } from '../../../fetch/fetch.ts';
import { inlineModel, pixelsToModelInput } from '../../../onnx/compose.ts';
import { Graph } from '../../../onnx/ops.ts';
import { decodeModel, type ModelProto } from '../../../onnx/proto.ts';
import { float32, float32Data, sizeOf, type Tensor, tensorFromProto } from '../../../onnx/tensor.ts';
import type { Value } from '../../../onnx/value.ts';
import type { DetectorEntry } from '../../bundle.ts';
import { CONVERTERS } from '../../converters.ts';
import type { Decoder } from '../../decoder-spec.ts';
import { findRole } from '../../open-model.ts';
import type { PrepareOptions } from '../../prepare.ts';

type CenterNet = Extract<Decoder, { kind: 'centernet' }>;

/** A row a class. */
export interface HeatmapHead {
  /** Shape [classes, channels]. */
  readonly weights: Float32Array;
  /** Shape [classes]. */
  readonly bias: Float32Array;
}

export interface TunableDetector {
  readonly entry: DetectorEntry;
  /** With every class that it knew, those too that are taught anew. */
  readonly asItWas: ExtendedDetector;
  /** Input pixels from one point of the map to the next. */
  readonly stride: number;
  /** What the last convolution takes. */
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  /** Of the classes that it has. */
  readonly head: HeatmapHead;
  /**
   * `pixels` uint8 [1, height, width, 3] → `map` [1, channels, rows, columns], what the last convolution takes, and `best`
   * [1, 1, rows, columns], the largest logit of the classes that there are.
   */
  readonly below: Uint8Array;
  /** With more classes behind those that it has. */
  withClasses(id: string, classNames: readonly string[], head: HeatmapHead): ExtendedDetector;
}

export interface ExtendedDetector {
  readonly entry: Omit<DetectorEntry, 'source'>;
  /** ONNX. */
  readonly network: Uint8Array;
}

/** Fetches what is not in the cache. @param anew classes that it shall know nothing of, since they are taught anew */
export async function tunableDetector(
  name: string,
  anew: readonly string[] = [],
  options: PrepareOptions = {},
): Promise<TunableDetector> {
  const entry = await findRole(name, 'detector', options.cacheDir);
  const cacheDir = options.cacheDir ?? cacheDirectory();
  const sources = await fetchFiles(entry.source.files, { ...options, cacheDir, modelName: entry.id });
  const files = await Promise.all(sources.map(async ({ path }) => new Uint8Array(await readFile(path))));
  return tunableDetectorOf(entry, CONVERTERS[entry.source.converter].convert(files, entry), anew);
}

/** @param bytes the entry's network, in ONNX; @param anew see {@link tunableDetector} */
export function tunableDetectorOf(
  whole: DetectorEntry,
  bytes: Uint8Array,
  anew: readonly string[] = [],
): TunableDetector {
  const kept = [...whole.classNames.keys()].filter((i) => !anew.includes(whole.classNames[i] ?? ''));
  const entry = { ...whole, classNames: kept.map((i) => whole.classNames[i] ?? '') };
  const { decoder, input } = entry;
  if (kept.length < MIN_KNOWN) throw otherHead(entry.id, `it would know ${kept.length} classes, too few to learn from`);
  if (decoder.kind !== 'centernet') throw otherHead(entry.id, `it is read as ${decoder.kind}`);
  const model = decodeModel(bytes);
  const found = lastConvolution(entry.id, model, decoder);
  const last = { ...found, weights: withRows(found.weights, kept), bias: withRows(found.bias, kept) };
  return {
    entry,
    asItWas: { entry: whole, network: bytes },
    stride: decoder.stride,
    channels: last.weights.dims[1] ?? 0,
    rows: input.height / decoder.stride,
    columns: input.width / decoder.stride,
    head: { weights: float32Data(last.weights, 'weights'), bias: float32Data(last.bias, 'bias') },
    get below() {
      const graph = new Graph(`${entry.id}-below`);
      const pixels = graph.input('pixels', 'uint8', [1, input.height, input.width, 3]);
      const feeds = { [input.name]: pixelsToModelInput(graph, pixels, input) };
      const outputs = inlineModel(graph, model, { prefix: 'network', feeds, outputs: [last.takes] });
      const map = outputs[last.takes] as Value;
      graph.output(map, 'map');
      const logits = graph.conv(map, graph.constant(last.weights, 'weights'), graph.constant(last.bias, 'bias'));
      graph.output(graph.reduceMax(logits, [1]), 'best');
      return graph.toModel();
    },
    withClasses: (id, classNames, added) => extended({ entry, decoder, model, last }, { id, classNames, added }),
  };
}

/** Classes that say what rows of classes look like. */
const MIN_KNOWN = 8;

interface LastConvolution {
  /** The value that it takes. */
  readonly takes: string;
  /** Shape [classes, channels, 1, 1]. */
  readonly weights: Tensor;
  /** Shape [classes]. */
  readonly bias: Tensor;
}

function lastConvolution(id: string, { graph }: ModelProto, { heatmap }: CenterNet): LastConvolution {
  const node = graph?.node?.find(({ output }) => output?.includes(heatmap));
  const [takes = '', ...names] = node?.input ?? [];
  const [weights, bias] = names.map((name) => {
    const found = graph?.initializer?.find((one) => one.name === name);
    return found && tensorFromProto(found);
  });
  const isPlain = weights?.dims.length === 4 && weights.dims[2] === 1 && weights.dims[3] === 1;
  if (node?.opType !== 'Conv' || !weights || !bias || !isPlain) throw otherHead(id, `${heatmap} is made otherwise`);
  return { takes, weights, bias };
}

function otherHead(id: string, why: string): LabelsmithError {
  return new LabelsmithError('UNSUPPORTED', `classes cannot be added to ${id}: ${why}`, {
    hint: 'Take the built-in detector: --model centernet.',
  });
}

/** Names of the extended network's values. */
const PORTS = { input: 'input', heatmap: 'heatmap', distances: 'distances' };

function extended(
  base: {
    readonly entry: DetectorEntry;
    readonly decoder: CenterNet;
    readonly model: ModelProto;
    readonly last: LastConvolution;
  },
  taught: { readonly id: string; readonly classNames: readonly string[]; readonly added: HeatmapHead },
): ExtendedDetector {
  const { entry, decoder, model, last } = base;
  const { id, classNames, added } = taught;
  const { input } = entry;
  const graph = new Graph(id);
  const sides = input.layout === 'NHWC' ? [input.height, input.width, 3] : [3, input.height, input.width];
  const feeds = { [input.name]: graph.input(PORTS.input, 'float32', [1, ...sides]) };
  const wanted = [last.takes, decoder.distances];
  const outputs = inlineModel(graph, model, { prefix: 'network', feeds, outputs: wanted });
  const all = [...entry.classNames.keys()];
  const weights = withRows(last.weights, all, added.weights);
  const bias = withRows(last.bias, all, added.bias);
  const map = outputs[last.takes] as Value;
  graph.output(graph.conv(map, graph.constant(weights, 'weights'), graph.constant(bias, 'bias')), PORTS.heatmap);
  graph.output(outputs[decoder.distances] as Value, PORTS.distances);
  const { source: _, measured: __, stated: ___, ...rest } = entry;
  return {
    entry: {
      ...rest,
      id,
      input: { ...input, name: PORTS.input },
      decoder: { ...decoder, heatmap: PORTS.heatmap, distances: PORTS.distances },
      classNames: [...entry.classNames, ...classNames],
    },
    network: graph.toModel(),
  };
}

/** Some rows of a tensor along its first axis, and others behind them. */
function withRows(value: Tensor, kept: readonly number[], added: Float32Array = new Float32Array()): Tensor {
  const data = float32Data(value, 'rows');
  const dims = value.dims.slice(1);
  const size = sizeOf(dims);
  const rows = new Float32Array(kept.length * size + added.length);
  for (const [i, row] of kept.entries()) rows.set(data.subarray(row * size, (row + 1) * size), i * size);
  rows.set(added, kept.length * size);
  return float32(rows, [rows.length / size, ...dims]);
}
