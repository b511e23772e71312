/**
 * Gradients in less memory: what the forward pass made is kept at the borders of some segments alone, and the rest of a
 * segment is computed a second time when the backward pass gets there (Chen et al., "Training Deep Nets with Sublinear Memory
 * Cost", 2016). The same operators see the same numbers, so the gradients are the same but for their last bits: of a network with
 * layer norms they differed by up to two millionths. A step costs at most one forward pass more.
 *
 * ONNX Runtime runs a node as soon as it likes to, and a segment must wait until what the one above it held can go. So the border
 * that a second computation begins with has a zero added to it, which is made of the gradients of the segment above.
 */
import type { TypedNode } from '../graph.ts';
import { type NarrowValue, narrowValues } from '../narrow-values.ts';
import { subgraphsOf } from '../node-graph.ts';
import type { Graph } from '../ops.ts';
import { sizeOf } from '../tensor.ts';
import type { Value } from '../value.ts';
import { sizesOf } from './adjoint.ts';

/** Nodes of a forward pass, from `first` up to and without `end`; of all that they read of the input, `from` is the source. */
export interface Segment {
  readonly first: number;
  readonly end: number;
  readonly from: Value;
  /** What of it goes on. */
  readonly to: Value;
}

/** More segments than this save little and make the graph long. */
const MAX_SEGMENTS = 12;

/**
 * Segments that are computed twice, in the order of the nodes: those with the least sum of borders and largest segment. What lies
 * behind the last of them is kept, since the backward pass begins with it. Empty where the graph has no borders to speak of.
 *
 * @param input what everything depends on, the first border
 */
export function segmentsOf(nodes: readonly TypedNode[], input: Value): Segment[] {
  const borders = bordersOf(nodes, input);
  const bytesUpTo = [0];
  for (const { outputs } of nodes) {
    const bytes = outputs.reduce((sum, value) => sum + (value ? bytesOf(value) : 0), 0);
    bytesUpTo.push((bytesUpTo.at(-1) ?? 0) + bytes);
  }
  const total = bytesUpTo.at(-1) ?? 0;
  let best: { readonly segments: Segment[]; readonly bytes: number } = { segments: [], bytes: total };
  for (let count = 2; count <= MAX_SEGMENTS; count++) {
    const chosen: Segment[] = [];
    let [start] = borders;
    if (!start) break;
    let largest = 0;
    let kept = bytesOf(start.value);
    for (const border of borders.slice(1)) {
      const bytes = (bytesUpTo[border.after + 1] ?? 0) - (bytesUpTo[start.after + 1] ?? 0);
      if (bytes < total / count) continue;
      chosen.push({ first: start.after + 1, end: border.after + 1, from: start.value, to: border.value });
      largest = Math.max(largest, bytes);
      kept += bytesOf(border.value);
      start = border;
    }
    const rest = total - (bytesUpTo[start.after + 1] ?? 0);
    const bytes = kept + Math.max(largest, rest);
    if (bytes < best.bytes) best = { segments: chosen, bytes };
  }
  return best.segments.filter(({ first, end }) =>
    nodes.slice(first, end).every(({ node }) => !subgraphsOf(node).length),
  );
}

/** Where a smaller one is next, a border is left out. */
function bordersOf(nodes: readonly TypedNode[], input: Value): NarrowValue[] {
  const maker = nodes.findIndex(({ outputs }) => outputs.some((value) => value?.name === input.name));
  const all = [{ value: input, after: maker }, ...narrowValues(nodes, input.name)].filter(
    ({ value }) => value.dtype === 'float32' && isSized(value),
  );
  return all.filter(({ value }, i) => {
    const next = all[i + 1];
    return !next || i === 0 || bytesOf(next.value) >= bytesOf(value);
  });
}

/**
 * Adds the nodes of a segment once more. @param after values that must be there before any of it runs
 * @returns what stands for each value that is made and read inside the segment, by its name
 */
export function computedAgain(
  graph: Graph,
  nodes: readonly TypedNode[],
  { first, end, from, to }: Segment,
  after: readonly Value[],
): ReadonlyMap<string, Value> {
  const copies = new Map<string, Value>([[from.name, graph.add(from, zeroAfter(graph, after))]]);
  for (const { node } of nodes.slice(first, end)) {
    const input = node.input ?? [];
    if (!input.some((name) => copies.has(name))) continue;
    const output = (node.output ?? []).map((name) => name && graph.uniqueName(`again/${name}`));
    graph.addNode({
      ...node,
      name: graph.uniqueName(`again/${node.name}`),
      input: input.map((name) => copies.get(name)?.name ?? name),
      output,
    });
    for (const [i, name] of (node.output ?? []).entries()) {
      const copy = output[i];
      if (name && copy) copies.set(name, graph.value(copy));
    }
  }
  // The borders themselves are there.
  copies.delete(from.name);
  copies.delete(to.name);
  return copies;
}

/** A node that reads what was computed again. */
export function reading(node: TypedNode, copies: ReadonlyMap<string, Value>): TypedNode {
  const copied = (value: Value | undefined) => value && (copies.get(value.name) ?? value);
  return { ...node, inputs: node.inputs.map(copied), outputs: node.outputs.map(copied) };
}

/** 0, known only once all of some values are: of a number of each, whether it is zero and not zero. Any number will do, and NaN. */
function zeroAfter(graph: Graph, values: readonly Value[]): Value {
  const some = values.map((value) => {
    const rank = sizesOf(value).length;
    const axes = Array.from({ length: rank }, (_, axis) => axis);
    const zeros = axes.map(() => 0);
    const ones = axes.map(() => 1);
    return graph.reshape(rank === 0 ? value : graph.slice(value, zeros, ones, axes), [1]);
  });
  const isSet = graph.cast(graph.concat(some, 0), 'bool');
  const never = graph.and(isSet, graph.op('Not', [isSet]));
  return graph.op('ReduceMax', [graph.cast(never, 'float32'), graph.ints([0])], { keepdims: 0 });
}

function isSized({ shape }: Value): boolean {
  return shape?.every((size) => typeof size === 'number') ?? false;
}

/** Of a value of 32-bit floats; others are small. */
export function bytesOf(value: Value): number {
  return value.dtype === 'float32' && isSized(value) ? 4 * sizeOf(sizesOf(value)) : 0;
}
