/**
 * Names that people gave to classes which had them already: in a sheet of `corpus names`, or by `corpus rename`. They change no
 * row, so the history is where they are kept; an undone operation confirms nothing.
 */
import { z } from 'zod';
import type { CorpusEvent } from '../core/corpus.ts';
import type { CorpusStore } from '../store/corpus-store.ts';

const RENAMED = z.object({ from: z.string(), to: z.string() });
const MAPPED = z.object({ mapping: z.record(z.string(), z.string()) });

export async function confirmedNames(store: Pick<CorpusStore, 'corpusHistory'>): Promise<Set<string>> {
  const names = new Set<string>();
  for (const event of await store.corpusHistory()) {
    if (!event.undone) for (const name of namesConfirmedBy(event)) names.add(name);
  }
  return names;
}

export function namesConfirmedBy({ operation, arguments: given }: CorpusEvent): string[] {
  const pairs = operation === 'map' ? mapped(given) : operation === 'rename' ? renamed(given) : [];
  return pairs.flatMap(([from, to]) => (from === to ? [to] : []));
}

function mapped(given: unknown): readonly (readonly [string, string])[] {
  const read = MAPPED.safeParse(given);
  return read.success ? Object.entries(read.data.mapping) : [];
}

function renamed(given: unknown): readonly (readonly [string, string])[] {
  const read = RENAMED.safeParse(given);
  return read.success ? [[read.data.from, read.data.to]] : [];
}
