/**
 * Names that operations on the corpus gave: in a sheet of `corpus names`, or by `corpus rename`. A name that the class had already
 * changes no row, so the arguments in the history are where it is kept.
 */
import { z } from 'zod';
import type { CorpusEvent } from './corpus.ts';

const RENAMED = z.object({ from: z.string(), to: z.string() });
const MAPPED = z.object({ mapping: z.record(z.string(), z.string()) });

type Given = Pick<CorpusEvent, 'operation' | 'arguments'>;

/** Operations that may confirm a name. */
export const CONFIRMING = ['rename', 'map'] as const;

/** Names that the classes had already. */
export function namesConfirmedBy(event: Given): string[] {
  return pairsOf(event).flatMap(([from, to]) => (from === to ? [to] : []));
}

/** Each with the name before it. */
export function pairsOf({ operation, arguments: given }: Given): readonly (readonly [string, string])[] {
  return operation === 'map' ? mapped(given) : operation === 'rename' ? renamed(given) : [];
}

function mapped(given: unknown): readonly (readonly [string, string])[] {
  const read = MAPPED.safeParse(given);
  return read.success ? Object.entries(read.data.mapping) : [];
}

function renamed(given: unknown): readonly (readonly [string, string])[] {
  const read = RENAMED.safeParse(given);
  return read.success ? [[read.data.from, read.data.to]] : [];
}
