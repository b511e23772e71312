/**
 * A classifier's ONNX file with what its last layer takes as values of known names, so that every such network is an
 * embedder in the same way: `features` [n, dimensions], and where that is pooled over places `map` [n, dimensions, height,
 * width]. Nothing else of the file changes.
 *
 * The last layer is found by its place: the last matrix product or convolution before the output. It may be quantised in
 * either way (QDQ, or operators of whole numbers); what comes out are numbers of 32 bits.
 */
import { LabelsmithError } from '../../errors.ts';
import { decodeModel, encodeModel, type GraphProto, type NodeProto } from '../../onnx/proto.ts';

/** Grows whenever the same file would be given another form. */
export const BACKBONE_CONVERTER_VERSION = 1;

const FEATURES = 'features';
const MAP = 'map';

/** What multiplies with weights, and which inputs say how its quantised input is read (value, scale, zero point). */
const LAYERS: Readonly<Record<string, readonly number[]>> = {
  MatMul: [0],
  Gemm: [0],
  Conv: [0],
  QLinearMatMul: [0, 1, 2],
  QLinearConv: [0, 1, 2],
  QGemm: [0, 1, 2],
};

/** What may stand between the last layer and the output; all of them go on from input 0. */
const AFTER_LAYER = new Set([
  ...['Softmax', 'LogSoftmax', 'Add', 'Relu', 'Clip', 'Identity', 'Cast', 'Dropout', 'QLinearAdd', 'QLinearSoftmax'],
  ...['Reshape', 'Flatten', 'Squeeze', 'GlobalAveragePool', 'AveragePool', 'QLinearGlobalAveragePool', 'ReduceMean'],
  ...['QLinearAveragePool', 'QuantizeLinear', 'DequantizeLinear', 'BatchNormalization'],
]);

/** What may stand between pooling and the last layer. */
const AFTER_POOLING = new Set([
  ...['Reshape', 'Flatten', 'Squeeze', 'Dropout', 'Identity', 'Cast', 'QuantizeLinear', 'DequantizeLinear'],
]);

/** What pools over all places, and the inputs that say how a quantised one is read. */
const POOLINGS: Readonly<Record<string, readonly number[]>> = {
  GlobalAveragePool: [0],
  AveragePool: [0],
  ReduceMean: [0],
  QLinearGlobalAveragePool: [0, 1, 2],
  QLinearAveragePool: [0, 1, 2],
};

/** @param output the value that holds the classes' scores */
export function backboneOf(network: Uint8Array, output: string): Uint8Array {
  const model = decodeModel(network);
  const graph = model.graph as GraphProto;
  const producers = producersOf(graph);
  const layer = search(producers, output, (node) => LAYERS[node.opType ?? ''] !== undefined, AFTER_LAYER);
  if (!layer) {
    throw new LabelsmithError('BAD_MODEL', `before ${output} stands no layer that could be a classifier's last one`, {
      hint: 'Import the model with --output VALUE, the value that is to be the embedding.',
    });
  }
  for (const name of [FEATURES, MAP]) {
    if (producers.has(name)) throw new LabelsmithError('BAD_MODEL', `the network has a value named ${name} of its own`);
  }
  const added: NodeProto[] = [];
  const taken = plainValue(layer, LAYERS[layer.opType ?? ''] ?? [], added);
  const pooling = search(producers, layer.input?.[0] ?? '', isPooling, AFTER_POOLING);
  if (pooling) {
    const pooled = plainValue(pooling, POOLINGS[pooling.opType ?? ''] ?? [], added);
    added.push({ opType: 'Identity', input: [pooled], output: [MAP] });
  }
  if (!pooling && (layer.opType === 'Conv' || layer.opType === 'QLinearConv')) {
    added.push(
      { opType: 'Identity', input: [taken], output: [MAP] },
      { opType: 'GlobalAveragePool', input: [taken], output: ['features/pooled'] },
      { opType: 'Flatten', input: ['features/pooled'], output: [FEATURES] },
    );
  } else {
    added.push({ opType: 'Flatten', input: [taken], output: [FEATURES] });
  }
  graph.node = [...(graph.node ?? []), ...added.map((node) => ({ ...node, name: node.output?.[0] }))];
  return encodeModel(model);
}

function isPooling({ opType = '' }: NodeProto): boolean {
  return POOLINGS[opType] !== undefined;
}

function producersOf(graph: GraphProto): Map<string, NodeProto> {
  return new Map((graph.node ?? []).flatMap((node) => (node.output ?? []).map((name) => [name, node] as const)));
}

/** Goes back from a value over the operators of `through` to the first node that is `wanted`. */
function search(
  producers: ReadonlyMap<string, NodeProto>,
  from: string,
  wanted: (node: NodeProto) => boolean,
  through: ReadonlySet<string>,
): NodeProto | undefined {
  for (let name = from; ; ) {
    const node = producers.get(name);
    if (!node || wanted(node)) return node;
    if (!through.has(node.opType ?? '')) return undefined;
    // A bias that is added may come first.
    name = node.input?.find((input) => producers.has(input)) ?? '';
  }
}

/** The value that a node takes, as numbers of 32 bits. */
function plainValue(node: NodeProto, places: readonly number[], added: NodeProto[]): string {
  const inputs = places.map((place) => node.input?.[place] ?? '');
  const [value = ''] = inputs;
  if (inputs.length === 1) return value;
  const plain = `${value}/plain`;
  added.push({ opType: 'DequantizeLinear', input: inputs, output: [plain] });
  return plain;
}
