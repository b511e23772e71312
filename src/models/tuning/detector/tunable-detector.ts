/**
 * A CenterNet with the head of its heatmap open for training: the network below the head as one graph, the training of
 * heads for further classes as another, and the network that has them beside those that it had.
 *
 * The head of the classes is a depthwise convolution and one of 1 × 1 behind it. Classes that are added get a pair of
 * their own, so that what the detector finds of the others stays what it was, bit for bit; boxes come from the one head of
 * distances, which knows of no classes.
 */
import { readFile } from 'node:fs/promises';
import { LabelsmithError } from '../../../errors.ts';
import { cacheDirectory } from '../../../fetch/cache.ts';
import { fetchFiles } from '../../../fetch/fetch.ts';
import { attributeValues } from '../../../onnx/attributes.ts';
import { inlineModel, pixelsToModelInput } from '../../../onnx/compose.ts';
import { addGradients } from '../../../onnx/gradients/gradients.ts';
import type { ConvOptions } from '../../../onnx/ops.ts';
import { Graph } from '../../../onnx/ops.ts';
import { decodeModel, type ModelProto, type NodeProto } from '../../../onnx/proto.ts';
import { float32, float32Data, sizeOf, type Tensor, tensorFromProto } from '../../../onnx/tensor.ts';
import type { Value } from '../../../onnx/value.ts';
import type { Decoder, DetectorEntry } from '../../bundle.ts';
import { CONVERTERS } from '../../converters.ts';
import { findRole } from '../../open-model.ts';
import type { PrepareOptions } from '../../prepare.ts';
import { gradientOf } from '../training-graph.ts';
import { heatmapLoss } from './heatmap.ts';

type CenterNet = Extract<Decoder, { kind: 'centernet' }>;

/** What is trained: a pair of convolutions. */
export interface HeadParameters {
  /** Shape [channels, 1, k, k]. */
  readonly depthwise: Tensor;
  /** Shape [classes, channels, 1, 1]. */
  readonly pointwise: Tensor;
  /** Shape [classes]. */
  readonly bias: Tensor;
}
export const HEAD_NAMES = ['depthwise', 'pointwise', 'bias'] as const;

export interface TunableDetector {
  readonly entry: DetectorEntry;
  readonly stride: number;
  /** What the head takes, without the axis of images: [channels, rows, columns]. */
  readonly mapShape: readonly [number, number, number];
  /** `pixels` uint8 [1, height, width, 3] → `map` float16 [1, …mapShape]. */
  readonly below: Uint8Array;
  /** A head for so many classes to begin with: each is the mean of the classes that the detector has. */
  start(classes: number): HeadParameters;
  /**
   * `map` float16 [images, …mapShape], `objects` and `background` [images, classes, rows, columns], the parameters under
   * their names → `loss`, a sum, and the gradient of each parameter.
   */
  step(classes: number, images: number): Uint8Array;
  /** The network with more classes behind those that it has; without those of them that are taught anew. */
  withClasses(id: string, classNames: readonly string[], head: HeadParameters): ExtendedDetector;
}

export interface ExtendedDetector {
  readonly entry: Omit<DetectorEntry, 'source'>;
  /** ONNX. */
  readonly network: Uint8Array;
}

/** Fetches what is not in the cache. */
export async function tunableDetector(name: string, options: PrepareOptions = {}): Promise<TunableDetector> {
  const entry = await findRole(name, 'detector', options.cacheDir);
  const cacheDir = options.cacheDir ?? cacheDirectory();
  const sources = await fetchFiles(entry.source.files, { ...options, cacheDir, modelName: entry.id });
  const files = await Promise.all(sources.map(async ({ path }) => new Uint8Array(await readFile(path))));
  return tunableDetectorOf(entry, CONVERTERS[entry.source.converter].convert(files, entry));
}

/** @param bytes the entry's network, in ONNX */
export function tunableDetectorOf(entry: DetectorEntry, bytes: Uint8Array): TunableDetector {
  const { decoder, input } = entry;
  if (decoder.kind !== 'centernet') throw otherHead(entry.id, `it is read as ${decoder.kind}`);
  const model = decodeModel(bytes);
  const head = headOf(entry.id, model, decoder);
  const channels = head.depthwise.dims[0] ?? 0;
  const mapShape = [channels, input.height / decoder.stride, input.width / decoder.stride] as const;
  const [, rows, columns] = mapShape;
  return {
    entry,
    stride: decoder.stride,
    mapShape,
    get below() {
      const graph = new Graph(`${entry.id}-below`);
      const pixels = graph.input('pixels', 'uint8', [1, input.height, input.width, 3]);
      const feeds = { [input.name]: pixelsToModelInput(graph, pixels, input) };
      const outputs = inlineModel(graph, model, { prefix: 'network', feeds, outputs: [head.map] });
      graph.output(graph.cast(outputs[head.map] as Value, 'float16'), 'map');
      return graph.toModel();
    },
    start: (classes) => meanHead(head, classes),
    step(classes, images) {
      const graph = new Graph(`${entry.id}-head-step`);
      const map = graph.cast(graph.input('map', 'float16', [images, ...mapShape]), 'float32');
      const [objects, background] = ['objects', 'background'].map((part) =>
        graph.input(part, 'float32', [images, classes, rows, columns]),
      ) as [Value, Value];
      const depthwise = graph.input('depthwise', 'float32', head.depthwise.dims);
      const pointwise = graph.input('pointwise', 'float32', [classes, channels, 1, 1]);
      const bias = graph.input('bias', 'float32', [classes]);
      const logits = graph.conv(graph.conv(map, depthwise, undefined, head.options), pointwise, bias);
      const loss = heatmapLoss(graph, logits, objects, background);
      const { of } = addGradients(graph, loss, [depthwise, pointwise, bias]);
      graph.output(loss, 'loss');
      for (const name of HEAD_NAMES) graph.output(of.get(name) as Value, gradientOf(name));
      return graph.toModel();
    },
    withClasses: (id, classNames, added) => extended({ entry, decoder, model, head }, { id, classNames, added }),
  };
}

interface Head {
  /** The value that it takes. */
  readonly map: string;
  /** What the 1 × 1 convolution takes. */
  readonly inner: string;
  readonly options: ConvOptions;
  readonly depthwise: Tensor;
  readonly pointwise: Tensor;
  readonly bias: Tensor;
}

/** The two convolutions before the heatmap. */
function headOf(id: string, { graph }: ModelProto, { heatmap }: CenterNet): Head {
  const maker = (name: string) => graph?.node?.find(({ output }) => output?.includes(name));
  const constant = (name: string | undefined) => {
    const found = graph?.initializer?.find((one) => one.name === name);
    return found && tensorFromProto(found);
  };
  const last = maker(heatmap);
  const [inner = '', weights, biasName] = last?.input ?? [];
  const first = maker(inner);
  const [map = '', filter] = first?.input ?? [];
  const [depthwise, pointwise, bias] = [constant(filter), constant(weights), constant(biasName)];
  const isPair = isConvolution(last) && isConvolution(first) && first.input?.length === 2;
  if (!isPair || !depthwise || !pointwise || !bias) throw otherHead(id, `${heatmap} is made otherwise`);
  const { group, pads, strides = [1, 1], dilations } = attributeValues(first.attribute);
  const size = pointwise.dims.slice(2);
  if (depthwise.dims[1] !== 1 || group !== depthwise.dims[0] || size.some((side) => side !== 1)) {
    throw otherHead(id, 'its last convolutions are of other sizes');
  }
  const options = { group, pads, strides, dilations } as ConvOptions;
  return { map, inner, options, depthwise, pointwise, bias };
}

function isConvolution(node: NodeProto | undefined): node is NodeProto {
  return node?.opType === 'Conv';
}

function otherHead(id: string, why: string): LabelsmithError {
  return new LabelsmithError('UNSUPPORTED', `classes cannot be added to ${id}: ${why}`, {
    hint: 'Take the built-in detector: --model centernet.',
  });
}

function meanHead({ depthwise, pointwise, bias }: Head, classes: number): HeadParameters {
  const [had = 1, channels = 1] = pointwise.dims;
  const [weights, biases] = [float32Data(pointwise, 'weights'), float32Data(bias, 'bias')];
  const row = Float32Array.from({ length: channels }, (_, channel) => {
    let sum = 0;
    for (let c = 0; c < had; c++) sum += weights[c * channels + channel];
    return sum / had;
  });
  const mean = biases.reduce((sum, one) => sum + one, 0) / had;
  const rows = new Float32Array(classes * channels);
  for (let c = 0; c < classes; c++) rows.set(row, c * channels);
  return {
    depthwise: float32(Float32Array.from(float32Data(depthwise, 'depthwise')), depthwise.dims),
    pointwise: float32(rows, [classes, channels, 1, 1]),
    bias: float32(new Float32Array(classes).fill(mean)),
  };
}

/** Names of the extended network's values. */
const PORTS = { input: 'input', heatmap: 'heatmap', distances: 'distances' };

interface Extension {
  readonly id: string;
  readonly classNames: readonly string[];
  readonly added: HeadParameters;
}

function extended(
  base: {
    readonly entry: DetectorEntry;
    readonly decoder: CenterNet;
    readonly model: ModelProto;
    readonly head: Head;
  },
  { id, classNames, added }: Extension,
): ExtendedDetector {
  const { entry, decoder, model, head } = base;
  const { input } = entry;
  const graph = new Graph(id);
  const planes = input.layout === 'NHWC' ? [input.height, input.width, 3] : [3, input.height, input.width];
  const feeds = { [input.name]: graph.input(PORTS.input, 'float32', [1, ...planes]) };
  const wanted = [head.map, head.inner, decoder.distances];
  const outputs = inlineModel(graph, model, { prefix: 'network', feeds, outputs: wanted });
  const constant = (value: Tensor, name: string) => graph.constant(value, name);
  const kept = [...entry.classNames.keys()].filter((i) => !classNames.includes(entry.classNames[i] ?? ''));
  const old = graph.conv(
    outputs[head.inner] as Value,
    constant(rowsOf(head.pointwise, kept), 'weights'),
    constant(rowsOf(head.bias, kept), 'biases'),
  );
  const inner = graph.conv(outputs[head.map] as Value, constant(added.depthwise, 'depthwise'), undefined, head.options);
  const taught = graph.conv(inner, constant(added.pointwise, 'pointwise'), constant(added.bias, 'bias'));
  graph.output(kept.length > 0 ? graph.concat([old, taught], 1) : taught, PORTS.heatmap);
  graph.output(outputs[decoder.distances] as Value, PORTS.distances);
  const { source: _, measured: __, stated: ___, ...rest } = entry;
  return {
    entry: {
      ...rest,
      id,
      input: { ...input, name: PORTS.input },
      decoder: { ...decoder, heatmap: PORTS.heatmap, distances: PORTS.distances },
      classNames: [...kept.map((i) => entry.classNames[i] ?? ''), ...classNames],
    },
    network: graph.toModel(),
  };
}

/** Some rows of a tensor, along its first axis. */
function rowsOf(value: Tensor, rows: readonly number[]): Tensor {
  const data = float32Data(value, 'rows');
  const dims = value.dims.slice(1);
  const size = sizeOf(dims);
  const picked = new Float32Array(rows.length * size);
  for (const [i, row] of rows.entries()) picked.set(data.subarray(row * size, (row + 1) * size), i * size);
  return float32(picked, [rows.length, ...dims]);
}
