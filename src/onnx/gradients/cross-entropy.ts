/** The loss that classifiers are trained with. */
import type { Graph } from '../ops.ts';
import type { Value } from '../value.ts';

/**
 * Σᵢ wᵢ · CE(targetᵢ, softmax(logitsᵢ)), one number: divide by the batch where a mean is wanted. Targets may be soft.
 *
 * @param logits shape [n, classes]; @param targets the same, rows sum to 1; @param weights shape [n, 1]
 */
export function crossEntropy(graph: Graph, logits: Value, targets: Value, weights: Value): Value {
  const each = graph.mul(graph.mul(targets, weights), graph.logSoftmax(logits));
  return graph.neg(graph.reduceSum(each, [0, 1], { keepDims: false }));
}
