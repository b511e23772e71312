/** Which part of an embedder's network no gradient reaches, in words. */

import { reachOf } from '../../../models/tuning/training-graph.ts';
import type { TunableEmbedder } from '../../../models/tuning/tunable-embedder.ts';

/** Never 0 % of something. */
function percent(share: number): string {
  return `${Math.max(1, Math.round(100 * share))} %`;
}

/** Undefined where gradients reach everything that can be trained. */
export function frozenBelow({
  id,
  network,
}: TunableEmbedder): { readonly isAll: boolean; readonly text: string } | undefined {
  const { share, obstacles } = reachOf(network);
  if (share === 1) return undefined;
  const ends = [...new Set(obstacles.map(({ operator, reason }) => `${operator} (${reason})`))].join(', ');
  if (share === 0)
    return { isAll: true, text: `no gradient gets through ${ends} of ${id}, and all that could be trained lies below` };
  return {
    isAll: false,
    text: `no gradient gets through ${ends} of ${id}: what lies below stays as it is, ${percent(1 - share)} of what could be trained`,
  };
}
