/** What the cells in sight show, asked for in blocks of fixed places, so that scrolling asks for each once. */
import { useQueries } from '@tanstack/react-query';
import { answer, api, type Cell, type ItemRef } from '../api/client.ts';
import type { Order } from '../api/order.ts';

/** Items of a block of the grid. */
export const GRID_BLOCK = 120;

export interface BlocksOptions {
  readonly task: string;
  readonly order: Order;
  /** Places in sight. */
  readonly from: number;
  readonly to: number;
  readonly block: number;
}

export function useBlocks({ task, order, from, to, block: size }: BlocksOptions): ReadonlyMap<string, Cell> {
  const blocks: ItemRef[][] = [];
  for (let block = Math.floor(from / size); block * size < Math.min(to, order.loaded); block++) {
    const items: ItemRef[] = [];
    for (let i = block * size; i < (block + 1) * size; i++) {
      const item = order.at(i);
      if (item) items.push(item);
    }
    blocks.push(items);
  }
  return useQueries({
    queries: blocks.map((items) => ({
      queryKey: ['record', 'cells', task, items[0]?.itemId, items.length, items.at(-1)?.itemId],
      queryFn: async () => (await answer(api.items.cells.$post({ json: { task, items } }))).cells,
      staleTime: 30_000,
    })),
    combine: (results) => new Map(results.flatMap(({ data = [] }) => data.map((cell) => [cell.itemId, cell] as const))),
  });
}
