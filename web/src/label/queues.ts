/** What to label next: queues, each a query and an order, or a list that the server makes. */
import type { ItemFilter, ItemOrder, JobRequest } from '../api/client.ts';

interface Named {
  readonly key: string;
  readonly name: string;
  readonly what: string;
}

export interface QueryQueue extends Named {
  readonly kind: 'query';
  readonly order: ItemOrder;
  readonly filter: Pick<ItemFilter, 'state' | 'origins' | 'maxConfidence'>;
}

export interface ListQueue extends Named {
  readonly kind: 'list';
  readonly key: 'next' | 'audit' | 'claims' | 'errors' | 'duplicates' | 'pairs' | 'below';
  /** What a job may do about an empty one. */
  readonly draw?: { readonly name: string; readonly request: (task: string) => JobRequest };
}

export type Queue = QueryQueue | ListQueue;

const MACHINES = ['model', 'reference', 'detector', 'cluster'] as const;

export const QUEUES: readonly [QueryQueue, ...Queue[]] = [
  {
    kind: 'query',
    key: 'unsure',
    name: 'Least sure',
    order: 'uncertainty',
    what: 'what machines said and are least sure of',
    filter: { origins: [...MACHINES] },
  },
  {
    kind: 'list',
    key: 'next',
    name: 'Teaches most',
    what: 'what teaches the model most, chosen by teach select',
    draw: {
      name: 'Choose 100 that teach most',
      request: (task) => ({ kind: 'select', task, count: 100, audit: 0 }),
    },
  },
  { kind: 'list', key: 'pairs', name: 'Confusing', what: 'what the model takes for either of two classes' },
  { kind: 'list', key: 'below', name: 'Below threshold', what: 'what has no label, since the best guess is not sure' },
  { kind: 'list', key: 'errors', name: 'Label errors', what: 'what people or imports said and the model doubts' },
  { kind: 'list', key: 'duplicates', name: 'Duplicates', what: 'nearly the same pictures with different classes' },
  {
    kind: 'list',
    key: 'audit',
    name: 'Audit',
    what: 'drawn at random, to measure how often the model is right',
    draw: { name: 'Draw 100 at random', request: (task) => ({ kind: 'select', task, count: 1, audit: 100 }) },
  },
  {
    kind: 'list',
    key: 'claims',
    name: 'Check',
    what: 'labels of machines drawn to be checked: how many of them are right',
    draw: { name: 'Draw 200 to check', request: (task) => ({ kind: 'audit', task, count: 200 }) },
  },
  {
    kind: 'query',
    key: 'unlabelled',
    name: 'No label',
    order: 'id',
    filter: { state: 'unlabelled' },
    what: 'what nobody has said anything of',
  },
  { kind: 'query', key: 'all', name: 'All', what: 'everything, one after the other', order: 'id', filter: {} },
];
