/** The split of a class as somebody asks for it: by a list of items, by what another task says, or a merged class taken out. */
import type { Operation } from '../corpus/corpus.ts';
import { CorpusIndex } from '../corpus/state.ts';
import { LabelsmithError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { readItemList } from './item-list.ts';

export interface SplitRequest {
  readonly name: string;
  /** Parts by looks, which go with nothing else. */
  readonly into?: number;
  /** `FILE.csv`, or a task. */
  readonly by?: string;
  /** A class that was merged into it. */
  readonly merged?: string;
  /** Refuses a list of which any row matches no item; else one of which all do. */
  readonly strict: boolean;
  /** Told of each row that matches no item. */
  readonly onUnmatched: (row: string) => void;
}

export async function splitOperation(
  store: Store,
  { name, into, by, merged, strict, onUnmatched }: SplitRequest,
): Promise<Operation> {
  if ([into, by, merged].filter((way) => way !== undefined).length !== 1) {
    throw new LabelsmithError('USAGE', 'corpus split takes one of --into, --by and --merged.');
  }
  if (merged !== undefined) return { kind: 'unmerge', name, merged };
  if (by === undefined) throw new LabelsmithError('USAGE', 'corpus split --into goes by looks, not by a list.');
  if (!by.toLowerCase().endsWith('.csv')) return { kind: 'split-by-task', name, by };
  const from = new CorpusIndex(await store.corpus()).require(name).name;
  const { items, unmatched } = await readItemList(store, by, from);
  for (const row of unmatched) onUnmatched(row);
  if (unmatched.length > 0 && (strict || items.length === 0)) {
    const rows = unmatched.length === 1 ? '1 row' : `${unmatched.length} rows`;
    throw new LabelsmithError('NOT_FOUND', `${rows} of ${by} matched no item.`, {
      hint: 'Files are named as in exports, regions by their box: labelsmith export csv shows both.',
    });
  }
  return { kind: 'split', name, items: items.map(({ itemId, className }) => ({ itemId, to: className })) };
}
