/** What handlers of operators share: the conversion under way, and how they ask for their inputs. */
import { LabelsmithError } from '../../errors.ts';
import type { Graph } from '../../onnx/ops.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { axisInMemory, type Computed, identity, type Layouts, like, type Operand, settle } from './operand.ts';
import type { TfNode } from './tfjs-model.ts';

export interface Conversion extends Layouts {
  readonly graph: Graph;
  /** Images a run; where it is not 1, operators that mix images are refused. */
  readonly batch: number;
  /** How many nodes and wanted outputs read a node. */
  readonly readers: ReadonlyMap<string, number>;
}

export type Handler = (c: Conversion, node: TfNode, inputs: readonly Operand[]) => Operand | readonly Operand[];

export function refuse(node: TfNode, reason: string): LabelsmithError {
  return new LabelsmithError('BAD_MODEL', `node ${node.name} (${node.op}): ${reason}`, {
    details: { node: node.name, operator: node.op },
  });
}

/** An input that must be computed: a constant becomes one of the graph's. */
export function computed(c: Conversion, operand: Operand): Computed {
  if (operand.kind === 'computed') return operand;
  const { tensor } = operand;
  const value = c.graph.constant(tensor);
  return { kind: 'computed', value, dtype: tensor.dtype, shape: tensor.dims, order: identity(tensor.dims.length) };
}

export function constantOf(node: TfNode, inputs: readonly Operand[], i: number): Tensor {
  const operand = inputs[i];
  if (operand?.kind === 'constant') return operand.tensor;
  throw refuse(node, `input ${i} (${node.input[i]}) must be a constant`);
}

export function firstOf(c: Conversion, inputs: readonly Operand[]): Computed {
  return settle(c, computed(c, inputs[0]));
}

export function onlyOne(c: Conversion, node: TfNode): void {
  if (c.batch !== 1) throw refuse(node, 'mixes the images of a batch; convert the model with a batch of 1');
}

export function squeezed(c: Conversion, x: Computed, axes: readonly number[], name?: string): Computed {
  const left = identity(x.shape.length).filter((axis) => !axes.includes(axis));
  const inMemory = axes.map((axis) => axisInMemory(x, axis)).sort((a, b) => a - b);
  return like(x, c.graph.op('Squeeze', [x.value, c.graph.ints(inMemory)], {}, name), {
    shape: left.map((axis) => x.shape[axis]),
    order: x.order.filter((axis) => left.includes(axis)).map((axis) => left.indexOf(axis)),
  });
}
