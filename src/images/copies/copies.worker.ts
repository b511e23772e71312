/** The thread behind `find-copies.ts`: looks for the copies of some pictures after the other. */
import { serve } from '../../threads/serve.ts';
import { printColumns, type SharedPrints } from './prints.ts';
import { CopySearch, copiesFrom } from './search.ts';
import type { WholeHashes } from './wholes.ts';

export interface CopiesWorkerData {
  readonly prints: SharedPrints;
  readonly wholes: WholeHashes;
  readonly roots: Uint32Array;
}

/** Pictures from `from` to before `to`. */
export interface CopiesRequest {
  readonly from: number;
  readonly to: number;
}

serve<CopiesWorkerData, CopiesRequest, Uint32Array>(({ prints, wholes, roots }) => {
  const search = new CopySearch(printColumns(prints), wholes, roots);
  return ({ from, to }) => {
    const pairs = copiesFrom(search, from, to);
    return { reply: pairs, transfer: [pairs.buffer] };
  };
});
