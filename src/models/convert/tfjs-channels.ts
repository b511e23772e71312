/**
 * Fills odd numbers of channels up with zeros.
 *
 * ONNX Runtime's blocked convolutions take channels in fours; one layer of 18 channels takes the slow path and makes its
 * neighbours change layout. Where such a layer lies between two convolutions that nothing else reads, channels of zeros
 * are added: they are zero behind the first convolution, stay zero through ReLU and the depthwise convolution, and are
 * multiplied by zero in the last. The results are the same bits.
 */
import { sizeOf, type Tensor } from '../../onnx/tensor.ts';
import { type TfModel, textsAttribute } from './tfjs-model.ts';

const MULTIPLE = 4;
const CONVS = ['Conv2D', '_FusedConv2D', 'FusedConv2D'];
const DEPTHWISE = ['DepthwiseConv2dNative', 'FusedDepthwiseConv2dNative'];
/** What leaves zero zero. */
const KEEP_ZERO = [undefined, 'Relu', 'Relu6', 'LeakyRelu'];

/** The weights with convolution → depthwise convolution → convolution widened. `wanted` values keep their shapes. */
export function alignChannels({ nodes, weights }: TfModel, wanted: ReadonlySet<string>): ReadonlyMap<string, Tensor> {
  const readers = new Map<string, string[]>();
  for (const node of nodes.values()) {
    for (const input of node.input) readers.set(input, [...(readers.get(input) ?? []), node.name]);
  }
  /** The one node that reads a value, where there is just one and the value itself is not wanted. */
  const onlyReader = (name: string) => {
    const [one, another] = readers.get(name) ?? [];
    return another === undefined && !wanted.has(name) ? nodes.get(one ?? '') : undefined;
  };
  const result = new Map(weights);
  for (const first of nodes.values()) {
    if (!CONVS.includes(first.op)) continue;
    const middle = onlyReader(first.name);
    if (!middle || !DEPTHWISE.includes(middle.op) || middle.input[0] !== first.name) continue;
    const last = onlyReader(middle.name);
    if (!last || !CONVS.includes(last.op) || last.input[0] !== middle.name) continue;
    const changes = [first, middle].flatMap((node) => {
      const [operator, activation] = textsAttribute(node, 'fused_ops');
      const axes: [string, number][] = [[node.input[1], node === first ? 3 : 2]];
      if (operator === 'BiasAdd') axes.push([node.input[2], 0]);
      const plain = (operator === undefined || operator === 'BiasAdd') && KEEP_ZERO.includes(activation);
      return plain ? axes : [['', 0] as [string, number]];
    });
    changes.push([last.input[1], 2]);
    const depthwise = weights.get(middle.input[1]);
    const channels = depthwise?.dims[2] ?? 0;
    const fits = changes.every(
      ([name, axis]) => weights.get(name)?.dims[axis] === channels && readers.get(name)?.length === 1,
    );
    if (channels % MULTIPLE === 0 || depthwise?.dims[3] !== 1 || !fits) continue;
    const wider = Math.ceil(channels / MULTIPLE) * MULTIPLE;
    for (const [name, axis] of changes) result.set(name, widened(weights.get(name) as Tensor, axis, wider));
  }
  return result;
}

/** The tensor with zeros behind the last element of one axis. */
function widened({ dtype, dims, data }: Tensor, axis: number, size: number): Tensor {
  const old = dims[axis];
  const inner = sizeOf(dims.slice(axis + 1));
  const outer = sizeOf(dims.slice(0, axis));
  const wide = new Float32Array(outer * size * inner);
  for (let i = 0; i < outer; i++) {
    wide.set((data as Float32Array).subarray(i * old * inner, (i + 1) * old * inner), i * size * inner);
  }
  return { dtype, dims: dims.map((one, i) => (i === axis ? size : one)), data: wide };
}
