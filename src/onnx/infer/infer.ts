/**
 * What is known of a node's outputs before the graph runs: element types and shapes, by one rule an operator.
 *
 * Covers ONNX's own operators that the built-in models, their converters and the graphs of `math/` use, and a few that
 * imported networks often have. Outputs of any other operator, of other domains and of `If`, `Loop` and `Scan` are not
 * known; nothing is guessed. A node that does not fit its inputs is refused with the operator's name and the types.
 */
import { LabelsmithError } from '../../errors.ts';
import { attributeValues } from '../attributes.ts';
import type { NodeProto } from '../proto.ts';
import { showType, UNKNOWN, type ValueType } from '../value.ts';
import { ARRANGEMENT } from './arrangement.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { PRODUCTS } from './products.ts';
import { Misfit, type Rule } from './rule.ts';
import { SELECTION } from './selection.ts';

const RULES: ReadonlyMap<string, Rule> = new Map(
  [ELEMENTWISE, PRODUCTS, ARRANGEMENT, SELECTION].flatMap((table) => Object.entries(table)),
);

/** @param inputs of the node, in its order; undefined is an optional one that is not given. */
export function inferNode(node: NodeProto, inputs: readonly (ValueType | undefined)[]): ValueType[] {
  const outputs = node.output ?? [];
  const op = node.opType ?? '';
  const rule = !node.domain || node.domain === 'ai.onnx' ? RULES.get(op) : undefined;
  if (!rule) return outputs.map(() => UNKNOWN);
  let open = 0;
  const name = outputs.find(Boolean) ?? op;
  const fresh = () => `${name}#${open++}`;
  try {
    const types = rule({ op, inputs, attributes: attributeValues(node.attribute), outputCount: outputs.length, fresh });
    return outputs.map((_, i) => types[i] ?? UNKNOWN);
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    const given = inputs.map((one) => (one ? showType(one) : 'nothing')).join('; ');
    throw new LabelsmithError('BAD_MODEL', `${op} (node ${node.name || name}) ${error.message}. Its inputs: ${given}`, {
      cause: error,
      details: { operator: op, node: node.name || name },
    });
  }
}
