/** A stage of tests that has nothing but numbers. */
import { z } from 'zod';
import type { StageDefinition } from '../../src/jobs/stage.ts';

type Doubling = StageDefinition<unknown, null, number[], number[]>;

/** A stage over 0…items−1 whose results are twice as much; `aside` are the items that were put aside. */
export function doubling(items: number, shardSize: number, withPoison = true) {
  const committed: number[] = [];
  const aside: [number, string][] = [];
  const stage: Doubling = {
    name: 'doubling',
    settings: z.unknown(),
    shard: z.array(z.number()),
    open: async () => null,
    async *plan() {
      for (let start = 0; start < items; start += shardSize) {
        yield Array.from({ length: Math.min(shardSize, items - start) }, (_, i) => start + i);
      }
    },
    process: async (_, shard) => shard.map((item) => 2 * item),
    async commit(_, shard, results) {
      committed.push(...results);
      return { items: shard.length };
    },
    ...(withPoison && {
      poison: {
        halves: (shard) => (shard.length < 2 ? undefined : [shard.slice(0, 1), shard.slice(1)]),
        async putAside(_, [item], reason) {
          aside.push([item, reason]);
          return { aside: 1 };
        },
      },
    }),
  };
  return { stage, committed, aside };
}

/** What is committed of so many items. */
export const doubled = (items: number) => Array.from({ length: items }, (_, i) => 2 * i);
