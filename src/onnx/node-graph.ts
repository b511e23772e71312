/** What depends on what among the nodes of an ONNX graph. */
import type { GraphProto, NodeProto } from './proto.ts';

/** The bodies of `If`, `Loop` and `Scan`. */
export function subgraphsOf(node: NodeProto): GraphProto[] {
  return (node.attribute ?? []).flatMap(({ g, graphs }) => (g ? [g] : (graphs ?? [])));
}

/**
 * The nodes that the wanted values depend on, in the model's own (topological) order.
 *
 * @param given values that are there already: what makes them is not needed for them
 */
export function neededNodes(
  nodes: readonly NodeProto[],
  wanted: readonly string[],
  given: ReadonlySet<string> = new Set(),
): NodeProto[] {
  const producer = new Map<string, number>();
  nodes.forEach((node, i) => {
    for (const name of node.output ?? []) if (name) producer.set(name, i);
  });
  const keep = new Set<number>();
  const open = [...wanted];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const i = producer.get(name);
    if (i === undefined || keep.has(i) || given.has(name)) continue;
    keep.add(i);
    open.push(...valuesReadBy(nodes[i]));
  }
  return nodes.filter((_, i) => keep.has(i));
}

/** Names a node reads, those read inside its subgraphs (`If`, `Loop`, `Scan`) included. */
export function valuesReadBy(node: NodeProto): string[] {
  const names = (node.input ?? []).filter((name) => name !== '');
  for (const graph of subgraphsOf(node)) {
    for (const inner of graph.node ?? []) names.push(...valuesReadBy(inner));
    for (const output of graph.output ?? []) names.push(output.name as string);
  }
  return names;
}
