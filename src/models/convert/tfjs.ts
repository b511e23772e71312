/**
 * TensorFlow.js graph model → ONNX: a pure function from bytes to bytes.
 *
 * Only what the wanted outputs need is converted. Activations are computed in NCHW, and axes are moved only where an
 * operator or an output needs it. Inner values keep the names of TensorFlow's nodes where they are the same values; of rank 4,
 * they are NCHW. An operator that is not known is refused with its name and its node's.
 */
import { LabelsmithError } from '../../errors.ts';
import { Graph } from '../../onnx/ops.ts';
import { asSeen, identity, NCHW_OF_NHWC, type Operand, sameOrder, settle } from './operand.ts';
import { alignChannels } from './tfjs-channels.ts';
import type { Conversion } from './tfjs-conversion.ts';
import { fuseActivations } from './tfjs-fusions.ts';
import { readTfModel, type TfModel, type TfNode, typeAttribute } from './tfjs-model.ts';
import { HANDLERS } from './tfjs-ops.ts';

/** Grows whenever the same files would be converted to another network. */
export const TFJS_CONVERTER_VERSION = 1;

export interface TfjsOptions {
  /** Names of TensorFlow nodes, `:0` allowed (default: the graph's ends). The ONNX outputs bear the names as given. */
  readonly outputs?: readonly string[];
  /** Images a run (default 1). Graphs that mix images, as decoders do, are refused for more. */
  readonly batch?: number;
  /**
   * Inputs and outputs of rank 4 that the model sees as NHWC are NCHW instead (default false), as the graph computes
   * them. Outputs already NCHW for the model stay.
   */
  readonly channelsFirst?: boolean;
}

/** `json` is the model's `model.json`; `weights` holds its weight files one after the other, in the manifest's order. */
export function tfjsToOnnx(json: Uint8Array, weights: Uint8Array, options: TfjsOptions = {}): Uint8Array {
  const { batch = 1, channelsFirst = false } = options;
  const model = readTfModel(json, weights);
  const outputs = options.outputs ?? endsOf(model);
  const wanted = new Set(outputs.map((output) => splitName(output)[0]));
  const nodes = fuseActivations(model);
  const constants = alignChannels({ nodes, weights: model.weights }, wanted);
  const graph = new Graph('tfjs');
  const needed = neededNodes(nodes, outputs);
  const readers = new Map<string, number>();
  for (const reference of [...needed.flatMap((node) => node.input), ...outputs]) {
    const [name] = splitName(reference);
    readers.set(name, (readers.get(name) ?? 0) + 1);
  }
  const conversion: Conversion = { graph, batch, readers, settled: new Map() };
  const inputs = inputsOf(json);
  const done = new Map<string, readonly Operand[]>();

  for (const node of needed) {
    if (node.op === 'Const') {
      const tensor = constants.get(node.name);
      if (!tensor) throw new LabelsmithError('BAD_MODEL', `constant ${node.name} has no weights`);
      done.set(node.name, [{ kind: 'constant', tensor }]);
    } else if (node.op === 'Placeholder') {
      done.set(node.name, [placeholder(conversion, node, inputs.get(node.name) ?? node.name, channelsFirst)]);
    } else {
      const given = node.input.map((input) => {
        const [name, i] = splitName(input);
        const operand = done.get(name)?.[i];
        if (!operand) throw new LabelsmithError('BAD_MODEL', `node ${node.name} reads ${input}, which does not exist`);
        return operand;
      });
      // `neededNodes` has refused unknown operators already.
      const named = outputs.includes(node.name) && !channelsFirst ? { ...node, name: `${node.name}/value` } : node;
      const result = HANDLERS[node.op]?.(conversion, named, given);
      done.set(node.name, Array.isArray(result) ? result : [result as Operand]);
    }
  }
  for (const output of outputs) {
    const [name, i] = splitName(output);
    const operand = done.get(name)?.[i];
    if (!operand) throw new LabelsmithError('BAD_MODEL', `the model has no output ${output}`);
    const native =
      channelsFirst && operand.kind === 'computed' && sameOrder(operand.order, NCHW_OF_NHWC)
        ? settle(conversion, operand).value
        : asSeen(conversion, operand);
    graph.output(native, output);
  }
  return graph.toModel({ converter: `tfjs ${TFJS_CONVERTER_VERSION}` });
}

function placeholder(c: Conversion, node: TfNode, name: string, channelsFirst: boolean): Operand {
  const dims = (node.attr.shape?.shape?.dim ?? []).map(({ size }) => Number(size));
  // The first axis is the images'; an open one (−1) is one image for the shapes here.
  const shape = dims.map((size, axis) => (axis === 0 ? 1 : size));
  if (shape.length === 0 || shape.some((size) => size < 1)) {
    throw new LabelsmithError('BAD_MODEL', `input ${name} has shape [${dims}]; every size but the first must be fixed`);
  }
  const dtype = typeAttribute(node, 'dtype');
  const isNhwc = shape.length === 4 && shape[3] <= 4 && shape[1] > 4;
  const order = channelsFirst && isNhwc ? NCHW_OF_NHWC : identity(shape.length);
  const inMemory = order.map((axis) => (axis === 0 ? c.batch : shape[axis]));
  return { kind: 'computed', value: c.graph.input(name, dtype, inMemory), dtype, shape, order };
}

/** `name:1` → name and output number. */
function splitName(reference: string): [name: string, output: number] {
  const match = /^(.*):(\d+)$/.exec(reference);
  return match ? [match[1], Number(match[2])] : [reference, 0];
}

/** The graph's inputs as its signature calls them, by node. */
function inputsOf(json: Uint8Array): ReadonlyMap<string, string> {
  const { signature } = JSON.parse(Buffer.from(json).toString()) as {
    signature?: { inputs?: Readonly<Record<string, { name?: string }>> };
  };
  const names = new Map<string, string>();
  for (const [key, { name = key }] of Object.entries(signature?.inputs ?? {})) names.set(splitName(name)[0], name);
  return names;
}

/** Nodes that nothing reads. */
function endsOf({ nodes }: TfModel): string[] {
  const read = new Set([...nodes.values()].flatMap((node) => node.input.map((input) => splitName(input)[0])));
  return [...nodes.keys()].filter((name) => !read.has(name) && nodes.get(name)?.op !== 'Const');
}

/** What the outputs depend on, inputs before their readers; refuses what is unknown, all of it at once. */
function neededNodes(nodes: ReadonlyMap<string, TfNode>, outputs: readonly string[]): TfNode[] {
  const order: TfNode[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const unknown: TfNode[] = [];
  const stack = outputs.map((output) => splitName(output)[0]).reverse();
  while (stack.length > 0) {
    const name = stack.at(-1) as string;
    const node = nodes.get(name);
    if (!node) {
      throw new LabelsmithError('BAD_MODEL', `the model has no node ${name}`, { details: { node: name } });
    }
    if (state.get(name) === undefined) {
      state.set(name, 'open');
      for (const input of [...node.input].reverse()) {
        const [below] = splitName(input);
        if (state.get(below) === 'open') throw new LabelsmithError('BAD_MODEL', `node ${below} depends on itself`);
        if (!state.has(below)) stack.push(below);
      }
      continue;
    }
    stack.pop();
    if (state.get(name) === 'done') continue;
    state.set(name, 'done');
    order.push(node);
    if (!HANDLERS[node.op] && node.op !== 'Const' && node.op !== 'Placeholder') unknown.push(node);
  }
  if (unknown.length > 0) {
    const list = unknown.map(({ op, name }) => `${op} (node ${name})`).join(', ');
    throw new LabelsmithError('BAD_MODEL', `the converter does not know: ${list}`, {
      hint: 'Convert the model to ONNX with another tool and import that.',
      details: { operators: [...new Set(unknown.map(({ op }) => op))], nodes: unknown.map(({ name }) => name) },
    });
  }
  return order;
}
