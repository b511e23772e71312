/** A pass over a finished graph, as what transforms graphs (differentiation, statistics) needs it. */
import type { GraphBuilder, TypedNode } from './graph.ts';

/** Visits every node behind those whose values it reads, with the types of its inputs and outputs. */
export function visitNodes(graph: GraphBuilder, visit: (node: TypedNode) => void): void {
  for (const node of graph.typedNodes()) visit(node);
}
