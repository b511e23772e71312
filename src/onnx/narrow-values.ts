import type { TypedNode } from './graph.ts';
import type { Value } from './value.ts';

/** A value on which everything behind it depends, and nothing behind it on anything else of the input. */
export interface NarrowValue {
  readonly value: Value;
  /** The node that makes it. */
  readonly after: number;
}

/**
 * Values that are the only one alive when they have been made, constants and what is made of them aside, in the order of the
 * nodes. @param input name of the input that they depend on
 */
export function narrowValues(nodes: readonly TypedNode[], input: string): NarrowValue[] {
  const lastUse = new Map<string, number>();
  for (const [i, { inputs }] of nodes.entries()) for (const value of inputs) if (value) lastUse.set(value.name, i);
  const alive = new Set([input]);
  const found: NarrowValue[] = [];
  for (const [i, { inputs, outputs }] of nodes.entries()) {
    const dependent = inputs.some((value) => value && alive.has(value.name));
    for (const value of inputs) if (value && lastUse.get(value.name) === i) alive.delete(value.name);
    if (!dependent) continue;
    for (const value of outputs) if (value && lastUse.has(value.name)) alive.add(value.name);
    const [only] = outputs;
    if (alive.size === 1 && only && alive.has(only.name)) found.push({ value: only, after: i });
  }
  return found;
}
