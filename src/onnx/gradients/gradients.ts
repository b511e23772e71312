/**
 * Reverse-mode differentiation of ONNX graphs: adds to a graph the nodes that compute the gradient of a loss, so that one
 * run of one graph goes forward and back (Griewank and Walther, "Evaluating Derivatives", 2008, chapter 3).
 *
 * An operator is a row of a table: from the gradients of its outputs to those of its inputs. Only what lies on a way from
 * a wanted value to the loss is differentiated. Where an operator on such a way has no row, it is named, and what the loss
 * depends on through it alone has no gradient: it is frozen. Nothing is approximated.
 *
 * The graph has fixed sizes. It is changed by nothing but added nodes and constants; the same graph gets the same ones.
 */
import { pushTo } from '../../core/lists.ts';
import { LabelsmithError } from '../../errors.ts';
import type { TypedNode } from '../graph.ts';
import type { Graph } from '../ops.ts';
import type { Value } from '../value.ts';
import { ACTIVATIONS } from './activations.ts';
import { type Adjoint, NoAdjoint, scalarLike } from './adjoint.ts';
import { ARRANGEMENT } from './arrangement.ts';
import { CONVOLUTION } from './convolution.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { POOLING } from './pooling.ts';
import { PRODUCTS } from './products.ts';
import { computedAgain, reading, type Segment } from './recompute.ts';
import { REDUCTIONS } from './reductions.ts';

const TABLES = [ELEMENTWISE, ACTIVATIONS, PRODUCTS, CONVOLUTION, POOLING, ARRANGEMENT, REDUCTIONS];
const ADJOINTS: ReadonlyMap<string, Adjoint> = new Map(TABLES.flatMap((table) => Object.entries(table)));

/** Operators that have a gradient, in alphabetical order. */
export const DIFFERENTIABLE: readonly string[] = [...ADJOINTS.keys()].sort();

/** Names of ONNX's own domain; those of other domains may mean something else. */
const DOMAINS: ReadonlySet<string> = new Set(['', 'ai.onnx']);

/** A node that gradients do not get through. */
export interface Obstacle {
  readonly operator: string;
  readonly node: string;
  readonly reason: string;
}

export interface Gradients {
  /** Of each value that was asked for, by its name; those that are frozen are not there. */
  readonly of: ReadonlyMap<string, Value>;
  /** Names of the values that were asked for and have no gradient. */
  readonly frozen: readonly string[];
  /** Where gradients end, from the loss down. */
  readonly obstacles: readonly Obstacle[];
  /** Nodes whose gradient is zero wherever they have one, which end gradients as well, though nothing is missing. */
  readonly flat: readonly Obstacle[];
}

/**
 * @param loss one number; @param wanted inputs, constants or any inner values
 * @param twice segments of the graph whose inner values are not kept, in the order of the nodes: see `recompute.ts`
 */
export function addGradients(
  graph: Graph,
  loss: Value,
  wanted: readonly Value[],
  twice: readonly Segment[] = [],
): Gradients {
  if (loss.shape?.some((size) => size !== 1)) {
    throw new LabelsmithError('UNSUPPORTED', `the loss ${loss.name} is not one number: [${loss.shape}]`);
  }
  const nodes = graph.typedNodes();
  const active = activeValues(nodes, wanted);
  const parts = new Map<string, Value[]>([[loss.name, [onesLike(graph, loss)]]]);
  const obstacles: Obstacle[] = [];
  const flat: Obstacle[] = [];
  const gradientOf = (value: Value | undefined): Value | undefined => {
    const list = value && parts.get(value.name);
    if (!value || !list) return undefined;
    const [first] = list;
    const total = list.length === 1 && first ? first : graph.sum(...list);
    parts.set(value.name, [total]);
    return total;
  };
  const again = copiesFor(graph, nodes, twice, (values) =>
    values.flatMap((value) => (active.has(value.name) ? (parts.get(value.name) ?? []) : [])),
  );
  for (const [i, node] of [...nodes.entries()].reverse()) {
    if (!node.inputs.some((value) => value && active.has(value.name))) continue;
    const gradients = node.outputs.map(gradientOf);
    if (gradients.every((one) => one === undefined)) continue;
    const found = inputGradients(graph, node, { gradients, active, seen: reading(node, again(i)) });
    if ('reason' in found) obstacles.push(found);
    else if (found.gradients.every((one) => one === undefined)) flat.push(flatNode(node));
    else addParts(parts, node, found.gradients, active);
  }
  const of = new Map<string, Value>();
  for (const value of wanted) {
    const gradient = gradientOf(value);
    if (gradient) of.set(value.name, gradient);
  }
  return { of, frozen: wanted.map(({ name }) => name).filter((name) => !of.has(name)), obstacles, flat };
}

function flatNode({ node }: TypedNode): Obstacle {
  return { operator: node.opType ?? '', node: node.name ?? '', reason: 'it is flat: its gradient is zero' };
}

const NONE: ReadonlyMap<string, Value> = new Map();

/**
 * What stands for the inner values of a node's segment; the nodes are added when the first of them is asked for, from the loss down.
 * @param gradientsOf the gradients that values have so far
 */
function copiesFor(
  graph: Graph,
  nodes: readonly TypedNode[],
  segments: readonly Segment[],
  gradientsOf: (values: readonly Value[]) => readonly Value[],
): (node: number) => ReadonlyMap<string, Value> {
  const made = new Map<Segment, ReadonlyMap<string, Value>>();
  return (node) => {
    const segment = segments.find(({ first, end }) => first <= node && node < end);
    if (!segment) return NONE;
    const known = made.get(segment);
    if (known) return known;
    const next = segments[segments.indexOf(segment) + 1];
    const above = nodes.slice(segment.end, next?.first === segment.end ? next.end : nodes.length);
    const read = new Map(
      above.flatMap(({ inputs }) => inputs.flatMap((value) => (value ? [[value.name, value]] : []))),
    );
    const after = gradientsOf([...read.values()]);
    const copies = after.length > 0 ? computedAgain(graph, nodes, segment, after) : NONE;
    made.set(segment, copies);
    return copies;
  };
}

const FLOATS: readonly (string | undefined)[] = ['float32', 'float64'];

/** Names of the values that depend on a wanted one through real numbers. */
function activeValues(nodes: readonly TypedNode[], wanted: readonly Value[]): Set<string> {
  const active = new Set(wanted.map(({ name }) => name));
  for (const { inputs, outputs } of nodes) {
    if (!inputs.some((value) => value && active.has(value.name))) continue;
    for (const value of outputs) {
      if (value && (value.dtype === undefined || FLOATS.includes(value.dtype))) active.add(value.name);
    }
  }
  return active;
}

interface Incoming {
  /** Of the node's outputs. */
  readonly gradients: readonly (Value | undefined)[];
  readonly active: ReadonlySet<string>;
  /** The node with what stands for the values that it read and made. */
  readonly seen: TypedNode;
}

function inputGradients(
  graph: Graph,
  node: TypedNode,
  { gradients, active, seen }: Incoming,
): { readonly gradients: readonly (Value | undefined)[] } | Obstacle {
  const operator = node.node.opType ?? '';
  const named = { operator, node: node.node.name ?? '' };
  const adjoint = DOMAINS.has(node.node.domain ?? '') ? ADJOINTS.get(operator) : undefined;
  if (!adjoint) return { ...named, reason: 'the operator has no gradient here' };
  const wants = (input: number) => {
    const value = node.inputs[input];
    return value !== undefined && active.has(value.name);
  };
  try {
    return { gradients: adjoint({ ...seen, graph, gradients, wants }) };
  } catch (error) {
    if (!(error instanceof NoAdjoint)) throw error;
    return { ...named, reason: error.message };
  }
}

function addParts(
  parts: Map<string, Value[]>,
  { inputs }: TypedNode,
  gradients: readonly (Value | undefined)[],
  active: ReadonlySet<string>,
): void {
  inputs.forEach((value, i) => {
    const gradient = gradients[i];
    if (!value || !gradient || !active.has(value.name)) return;
    pushTo(parts, value.name, gradient);
  });
}

function onesLike(graph: Graph, loss: Value): Value {
  const one = scalarLike(graph, loss, 1);
  return loss.shape?.length
    ? graph.reshape(
        one,
        loss.shape.map(() => 1),
      )
    : one;
}
