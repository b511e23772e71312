/** What to label next: queues, each a query and an order. */
import type { ItemFilter, ItemOrder } from '../api/client.ts';

export interface Queue {
  readonly key: string;
  readonly name: string;
  readonly what: string;
  readonly order: ItemOrder;
  readonly filter: Pick<ItemFilter, 'state' | 'origins' | 'maxConfidence'>;
}

const MACHINES = ['model', 'reference', 'detector', 'cluster'] as const;

export const QUEUES: readonly Queue[] = [
  {
    key: 'unsure',
    name: 'Least sure',
    what: 'what machines said and are least sure of',
    order: 'uncertainty',
    filter: { origins: [...MACHINES] },
  },
  {
    key: 'unlabelled',
    name: 'No label',
    what: 'what nobody has said anything of',
    order: 'id',
    filter: { state: 'unlabelled' },
  },
  { key: 'all', name: 'All', what: 'everything, one after the other', order: 'id', filter: {} },
];
