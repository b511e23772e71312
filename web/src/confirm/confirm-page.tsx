/**
 * Classes and clusters to confirm, and the way through them: one screenful of each class first, which teaches most for the
 * least work; then those in which most is likely to be wrong.
 */
import { useEffect, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { useClasses } from '../api/queries.ts';
import { useIsWriting } from '../api/writes.ts';
import { setTask, useTask, useTaskClasses } from '../classes/use-task.ts';
import { Pages } from './pages.tsx';
import { MACHINES, type PagesOrder } from './use-screenful.ts';

const ORDERS: readonly (readonly [PagesOrder, string])[] = [
  ['confidence', 'Surest first'],
  ['uncertainty', 'Least sure first'],
];

/** Classes of which machines said something that no person did: those first in which most is likely to be wrong. */
function useToConfirm(task: string) {
  const classes = useTaskClasses(task).flatMap(({ name, origins, meanConfidence, count }) => {
    const left = MACHINES.reduce((sum, origin) => sum + (origins[origin] ?? 0), 0);
    return left > 0 ? [{ name, left, wrong: count * (1 - meanConfidence) }] : [];
  });
  return classes.sort((a, b) => b.wrong - a.wrong || (a.name < b.name ? -1 : 1));
}

export function ConfirmPage() {
  const { task, items, tasks } = useTask();
  const { isFetching } = useClasses();
  // Who comes from naming clusters is not asked about one by the name that it had before.
  const isStale = useIsWriting() || isFetching;
  const classes = useToConfirm(task);
  const [params, setParams] = useSearchParams();
  /** On after each page, to the next class. */
  const [each, setEach] = useState(true);
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set());
  const className = params.get('class') ?? '';
  const order: PagesOrder = params.get('order') === 'uncertainty' ? 'uncertainty' : 'confidence';
  const open = (name: string) => setParams({ class: name, order });
  const [first] = classes;
  // Said in the address, so that a class stays open when nothing of it is left.
  useEffect(() => {
    if (className === '' && first && !isStale) setParams({ class: first.name, order }, { replace: true });
  }, [className, first, order, isStale, setParams]);
  const onward = () => {
    const now = new Set(seen).add(className);
    setSeen(now);
    const next = classes.find(({ name }) => !now.has(name));
    if (next) open(next.name);
  };
  const all = classes.length > 0 && classes.every(({ name }) => seen.has(name));
  return (
    <main className="page confirm">
      <h1 className="unseen">Confirm</h1>
      <nav className="side" aria-label="Classes to confirm">
        {tasks.length > 1 && (
          <select aria-label="Task" value={task} onChange={(event) => setTask(event.target.value)}>
            {tasks.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        <label className="choice">
          <input type="checkbox" checked={each} onChange={(event) => setEach(event.target.checked)} /> one screenful of
          each
        </label>
        <select
          aria-label="Which come first"
          value={order}
          onChange={(event) => {
            setSeen(new Set());
            setParams({ order: event.target.value });
          }}
        >
          {ORDERS.map(([key, name]) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
        </select>
        {classes.map(({ name, left }) => (
          <button type="button" key={name} aria-pressed={name === className} onClick={() => open(name)}>
            <span>
              {seen.has(name) && '✓ '}
              {name}
            </span>
            <small>{left.toLocaleString()}</small>
          </button>
        ))}
      </nav>
      {className === '' ? (
        <p className="empty">
          {first || isStale ? (
            '…'
          ) : (
            <>
              Nothing is left that a machine said and no person did. <Link href="/label">Label what is unsure</Link>, or{' '}
              <Link href="/">go on with the next step</Link>.
            </>
          )}
        </p>
      ) : all && each ? (
        <section className="empty">
          <p>Every class had a screenful. Teach now: the model says most of the rest.</p>
          <p>
            <Link href="/" className="button">
              Go on with Teach
            </Link>{' '}
            <button type="button" onClick={() => setSeen(new Set())}>
              Another screenful of each
            </button>
          </p>
        </section>
      ) : (
        <Pages
          key={`${task} ${className} ${order} ${each && seen.size === 0 ? 'anew' : ''}`}
          task={task}
          items={items}
          className={className}
          order={order}
          onPage={each ? onward : undefined}
          onEnd={onward}
        />
      )}
    </main>
  );
}
