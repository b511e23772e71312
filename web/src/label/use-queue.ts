/** The items of a queue in their order. What a list says of each is beside them. It is that of the beginning until asked anew. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { answer, api } from '../api/client.ts';
import { NO_ORDER, type Order } from '../api/order.ts';
import { useOrder } from '../api/queries.ts';
import type { Queue } from './queues.ts';

export interface Queued {
  readonly itemId: string;
  readonly imageId?: string;
  readonly why: string;
  readonly guess: string | null;
  /** An audit asks whether it is of this class. */
  readonly claim?: { readonly auditId: number; readonly className: string };
}

interface UseQueueOptions {
  readonly queue: Queue;
  readonly task: string;
  readonly items: 'images' | 'regions';
  /** Asks again when it changes. */
  readonly round: number;
}

export function useQueue({ queue, task, items, round }: UseQueueOptions) {
  const isList = queue.kind === 'list';
  const filter = useMemo(
    () => ({ ...(queue.kind === 'query' ? queue.filter : {}), task, items }),
    [queue, task, items],
  );
  const asked = useOrder(filter, queue.kind === 'query' ? queue.order : 'id', round, !isList);
  const list = useQuery({
    queryKey: ['queue', task, queue.key, round],
    queryFn: async () => {
      const query = { task, of: isList ? queue.key : undefined };
      return (await answer(api.queue.$get({ query }))).items;
    },
    enabled: isList,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
  });
  const listed = useMemo(() => {
    const found = list.data ?? [];
    const order: Order = {
      loaded: found.length,
      done: list.data !== undefined || list.error !== null,
      at(place) {
        const one = found[place];
        return one && { itemId: one.itemId, imageId: one.imageId ?? one.itemId };
      },
    };
    return { order, saidAt: (place: number): Queued | undefined => found[place] };
  }, [list.data, list.error]);
  if (!isList) return { ...asked, saidAt: nothingSaid };
  return { ...listed, order: list.isPending ? NO_ORDER : listed.order, error: list.error };
}

const nothingSaid = (): Queued | undefined => undefined;
