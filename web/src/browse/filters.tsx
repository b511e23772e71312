/** What is looked at: the filter and the order, kept in the page's address so that a view can be gone back to. */
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import type { ItemFilter, ItemOrder } from '../api/client.ts';
import { useClusters, useWorkspace } from '../api/queries.ts';
import { setTask, useTask, useTaskClasses } from '../classes/use-task.ts';
import { Quarantined } from './quarantined.tsx';

const ORDERS: readonly (readonly [ItemOrder, string])[] = [
  ['id', 'as they are'],
  ['confidence', 'surest first'],
  ['uncertainty', 'least sure first'],
  ['newest', 'newest first'],
  ['oldest', 'oldest first'],
];
const ORIGINS = ['human', 'imported', 'model', 'reference', 'detector', 'cluster'] as const;
const FLAGS = ['dark', 'bright', 'blurred', 'uniform', 'tiny', 'odd-shape', 'rescaled', 'bands'] as const;
const STATES = ['labelled', 'unlabelled'] as const;

function oneOf<T extends string>(known: readonly T[], text: string | null): T | undefined {
  return known.find((one) => one === text);
}

/** What the address says. */
export function useView() {
  const { task, items } = useTask();
  const [params, setParams] = useSearchParams();
  const fraction = (name: string) => (params.get(name) === null ? undefined : Number(params.get(name)));
  const origin = oneOf(ORIGINS, params.get('origin'));
  const filter: ItemFilter = {
    task,
    items,
    className: params.get('class') ?? undefined,
    origins: origin && [origin],
    state: oneOf(STATES, params.get('state')),
    minConfidence: fraction('min'),
    maxConfidence: fraction('max'),
    cluster: params.get('cluster') ?? undefined,
    flag: oneOf(FLAGS, params.get('flag')),
    groupId: params.get('group') ?? undefined,
    duplicates: params.get('duplicates') === 'yes' || undefined,
    path: params.get('path') || undefined,
  };
  const order = ORDERS.find(([name]) => name === params.get('order'))?.[0] ?? 'id';
  const set = (name: string, value: string) =>
    setParams((before) => {
      const next = new URLSearchParams(before);
      if (value === '') next.delete(name);
      else next.set(name, value);
      return next;
    });
  return { filter, order, params, set };
}

interface ChoiceProps {
  readonly name: string;
  readonly value: string;
  readonly any: string;
  readonly choices: readonly (readonly [value: string, text: string])[];
  readonly onChange: (value: string) => void;
}

function Choice({ name, value, any, choices, onChange }: ChoiceProps) {
  return (
    <label className="choice">
      <span>{name}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">{any}</option>
        {choices.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

const same = (value: string) => [value, value] as const;

/** Asked for less often. */
const MORE = ['min', 'max', 'flag', 'duplicates', 'group', 'path'] as const;

export function Filters() {
  const { params, set, order } = useView();
  const { task, tasks } = useTask();
  const { data: workspace } = useWorkspace();
  const { data: clusters = [] } = useClusters(task);
  const classes = useTaskClasses(task);
  const value = (name: string) => params.get(name) ?? '';
  const [more, setMore] = useState(MORE.some((name) => params.get(name)));
  const choice = (name: string, key: string, any: string, choices: ChoiceProps['choices']) => (
    <Choice name={name} any={any} choices={choices} value={value(key)} onChange={(chosen) => set(key, chosen)} />
  );
  return (
    <search className="filters">
      {tasks.length > 1 && (
        <label className="choice">
          <span>Task</span>
          <select value={task} onChange={(event) => setTask(event.target.value)}>
            {tasks.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      {choice(
        'Class',
        'class',
        'any',
        classes.map(({ name, count }) => [name, `${name} (${count.toLocaleString()})`]),
      )}
      {choice('Labels', 'state', 'with or without', STATES.map(same))}
      {choice('Said by', 'origin', 'anybody', ORIGINS.map(same))}
      {clusters.length > 0 &&
        choice(
          'Cluster',
          'cluster',
          'any',
          clusters.map(({ name }) => same(name)),
        )}
      <Choice
        name="Order"
        any={ORDERS[0][1]}
        choices={ORDERS.slice(1)}
        value={order === 'id' ? '' : order}
        onChange={(chosen) => set('order', chosen)}
      />
      <button type="button" aria-expanded={more} onClick={() => setMore(!more)}>
        {more ? 'Fewer filters' : 'More filters'}
      </button>
      {more && (
        <div className="row whole">
          {choice(
            'At least',
            'min',
            'any',
            ['0.5', '0.8', '0.9', '0.95'].map((c) => [c, `${Number(c) * 100} % sure`]),
          )}
          {choice(
            'At most',
            'max',
            'any',
            ['0.3', '0.5', '0.8', '0.9'].map((c) => [c, `${Number(c) * 100} % sure`]),
          )}
          {choice('Flag', 'flag', 'any', FLAGS.filter((flag) => (workspace?.flags[flag] ?? 0) > 0).map(same))}
          {choice('Duplicates', 'duplicates', 'with or without', [['yes', 'with near-duplicates']])}
          {value('group') !== '' && (
            <button type="button" onClick={() => set('group', '')}>
              Of one group ✕
            </button>
          )}
          <label className="choice">
            <span>Path has</span>
            <input
              type="search"
              value={value('path')}
              onChange={(event) => set('path', event.target.value)}
              size={12}
            />
          </label>
          <Quarantined count={workspace?.quarantined ?? 0} />
        </div>
      )}
    </search>
  );
}
