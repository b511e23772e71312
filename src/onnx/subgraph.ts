/** A part of a model as a model of its own: what lies between some of its values and others. */
import { valuesReadBy } from './node-graph.ts';
import type { GraphProto, ModelProto, NodeProto } from './proto.ts';

export interface SubgraphBounds {
  /** Values that become inputs: what makes them is left out. */
  readonly from: readonly string[];
  /** Values that become outputs. */
  readonly to: readonly string[];
}

/** Shares its constants with the model. Inputs have no types: it is for being joined with a graph that has them. */
export function subgraphOf(model: ModelProto, { from, to }: SubgraphBounds): ModelProto {
  const graph = model.graph as GraphProto;
  const node = nodesBetween(graph.node ?? [], from, to);
  const read = new Set([...node.flatMap(valuesReadBy), ...to]);
  const given = new Set(from);
  const inputs = (graph.input ?? []).filter(({ name = '' }) => read.has(name) && !given.has(name));
  return {
    ...model,
    graph: {
      ...graph,
      node,
      input: [...from.map((name) => ({ name })), ...inputs],
      output: to.map((name) => ({ name })),
      initializer: (graph.initializer ?? []).filter(({ name = '' }) => read.has(name) && !given.has(name)),
    },
  };
}

function nodesBetween(nodes: readonly NodeProto[], from: readonly string[], to: readonly string[]): NodeProto[] {
  const producers = new Map(nodes.flatMap((node) => (node.output ?? []).map((name) => [name, node] as const)));
  const given = new Set(from);
  const kept = new Set<NodeProto>();
  const open = [...to];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = given.has(name) ? undefined : producers.get(name);
    if (!node || kept.has(node)) continue;
    kept.add(node);
    open.push(...valuesReadBy(node));
  }
  return nodes.filter((node) => kept.has(node));
}
