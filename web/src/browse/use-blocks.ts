/** What the cells in sight show, asked for in blocks of fixed places, so that scrolling asks for each once. */
import { useQueries } from '@tanstack/react-query';
import { answer, api, type Cell, type ItemRef } from '../api/client.ts';
import type { Order } from '../api/order.ts';

const BLOCK = 120;

export function useBlocks(task: string, order: Order, from: number, to: number): ReadonlyMap<string, Cell> {
  const blocks: ItemRef[][] = [];
  for (let block = Math.floor(from / BLOCK); block * BLOCK < Math.min(to, order.loaded); block++) {
    const items: ItemRef[] = [];
    for (let i = block * BLOCK; i < (block + 1) * BLOCK; i++) {
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
