/**
 * Names that people gave to classes, in a sheet of `corpus names`, or by `corpus rename` or `merge`. A name that the class had already
 * changes no row, so the history is where it is kept; an undone operation gives none.
 */
import { z } from 'zod';
import { toClassName } from '../core/class-name.ts';
import type { CorpusEvent } from '../core/corpus.ts';
import type { CorpusStore } from '../store/corpus-store.ts';

const RENAMED = z.object({ from: z.string(), to: z.string() });
const MERGED = z.object({ into: z.string() });
const MAPPED = z.object({ mapping: z.record(z.string(), z.string()) });

/** Whether the class had each name before or not. */
export async function givenNames(store: Pick<CorpusStore, 'corpusHistory'>): Promise<Set<string>> {
  const names = new Set<string>();
  for (const event of await store.corpusHistory()) {
    if (event.undone) continue;
    const { success, data } = MERGED.safeParse(event.operation === 'merge' ? event.arguments : null);
    for (const name of [...pairsOf(event).map(([, to]) => to), ...(success ? [data.into] : [])]) {
      names.add(toClassName(name));
    }
  }
  return names;
}

/** Names that the classes had already. */
export function namesConfirmedBy(event: CorpusEvent): string[] {
  return pairsOf(event).flatMap(([from, to]) => (from === to ? [to] : []));
}

function pairsOf({ operation, arguments: given }: CorpusEvent): readonly (readonly [string, string])[] {
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
