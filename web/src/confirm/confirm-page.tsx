/**
 * A class or a cluster a screenful at a time, the surest first: "these are all it, but for those that I clicked", Enter. What
 * was confirmed leaves the list, since a person has said it.
 */
import { useEffect, useMemo, useRef, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import type { ItemFilter, ItemRef } from '../api/client.ts';
import { useCells, useOrder } from '../api/queries.ts';
import { useWrites } from '../api/writes.ts';
import { CellView } from '../browse/cell-view.tsx';
import { setTask, useTask, useTaskClasses } from '../classes/use-task.ts';
import { useKeys } from '../keys/keys.ts';

const PAGE = 48;
const MACHINES = ['model', 'reference', 'detector', 'cluster'] as const;

export function ConfirmPage() {
  const { task, items, tasks } = useTask();
  const classes = useTaskClasses(task).filter(({ origins }) => MACHINES.some((origin) => (origins[origin] ?? 0) > 0));
  const [params, setParams] = useSearchParams();
  const className = params.get('class') ?? '';
  const open = (name: string) => setParams({ class: name });
  const [first] = classes;
  // Said in the address, so that a class stays open when nothing of it is left.
  useEffect(() => {
    if (className === '' && first) setParams({ class: first.name }, { replace: true });
  }, [className, first, setParams]);
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
        {classes.map(({ name, origins }) => (
          <button type="button" key={name} aria-pressed={name === className} onClick={() => open(name)}>
            {name} <small>{MACHINES.reduce((sum, origin) => sum + (origins[origin] ?? 0), 0).toLocaleString()}</small>
          </button>
        ))}
      </nav>
      {className === '' ? (
        <p className="empty">
          Nothing is left that a machine said and no person did. <Link href="/label">Label what is unsure</Link>, or{' '}
          <Link href="/">go on with the next step</Link>.
        </p>
      ) : (
        <Pages
          key={`${task} ${className}`}
          {...{ task, items, className }}
          onEnd={() => {
            const next = classes.find(({ name }) => name !== className);
            if (next) open(next.name);
          }}
        />
      )}
    </main>
  );
}

interface PagesProps {
  readonly task: string;
  readonly items: 'images' | 'regions';
  readonly className: string;
  readonly onEnd: () => void;
}

function Pages({ task, items, className, onEnd }: PagesProps) {
  const filter = useMemo<ItemFilter>(
    () => ({ task, items, className, origins: [...MACHINES] }),
    [task, items, className],
  );
  // The list is that of the beginning, so that pages do not move under one's hands.
  const { order, error } = useOrder(filter, 'confidence');
  const [start, setStart] = useState(0);
  const [struck, setStruck] = useState<ReadonlySet<string>>(new Set());
  const [active, setActive] = useState(0);
  const [confirmed, setConfirmed] = useState(0);
  const { confirm } = useWrites();
  const grid = useRef<HTMLDivElement>(null);
  const page = useMemo(() => {
    const found: ItemRef[] = [];
    for (let i = start; i < start + PAGE; i++) {
      const item = order.at(i);
      if (item) found.push(item);
    }
    return found;
  }, [order, start]);
  const { data: cells = [] } = useCells(task, page);
  const cellOf = new Map(cells.map((cell) => [cell.itemId, cell]));
  const next = () => {
    setStruck(new Set());
    setActive(0);
    setStart(start + PAGE);
  };
  const toggle = (id: string | undefined) => {
    if (id === undefined) return;
    const changed = new Set(struck);
    if (!changed.delete(id)) changed.add(id);
    setStruck(changed);
  };
  const accept = () => {
    if (page.length === 0) return onEnd();
    const kept = page.filter(({ itemId }) => !struck.has(itemId));
    void confirm({ task, className, items: kept, exceptions: page.filter(({ itemId }) => struck.has(itemId)) });
    setConfirmed(confirmed + kept.length);
    return next();
  };
  const columns = () => {
    const [first, ...rest] = [...(grid.current?.children ?? [])].map((child) => child.getBoundingClientRect().top);
    const below = rest.findIndex((top) => top !== first);
    return below < 0 ? page.length : below + 1;
  };
  const move = (step: number) => setActive(Math.min(page.length - 1, Math.max(0, active + step)));
  useKeys({
    Enter: accept,
    s: next,
    Space: () => toggle(page[active]?.itemId),
    ArrowRight: () => move(1),
    ArrowLeft: () => move(-1),
    ArrowDown: () => move(columns()),
    ArrowUp: () => move(-columns()),
  });
  if (page.length === 0) {
    return (
      <section className="empty">
        <p>{error?.message ?? (order.done ? `That is all of ${className}. ${confirmed} were confirmed.` : '…')}</p>
        <button type="button" onClick={onEnd}>
          Next class
        </button>
      </section>
    );
  }
  return (
    <section className="pages">
      <p role="status" className="row">
        <span>
          Are these <b>{className}</b>? Click what is not.{' '}
          <small>
            {Math.min(start + page.length, order.loaded).toLocaleString()} of {order.loaded.toLocaleString()},{' '}
            {confirmed} confirmed
          </small>
        </span>
        <button type="button" className="end" onClick={next}>
          <kbd>s</kbd> Skip
        </button>
        <button type="button" className="main" onClick={accept}>
          <kbd>Enter</kbd> {page.length - struck.size} are {className}
          {struck.size > 0 && `, ${struck.size} not`}
        </button>
      </p>
      <div className="screenful" role="listbox" aria-label={className} aria-multiselectable ref={grid} tabIndex={0}>
        {page.map((item, i) => (
          <CellView
            key={item.itemId}
            {...{ item }}
            cell={cellOf.get(item.itemId)}
            selected={false}
            active={i === active}
            struck={struck.has(item.itemId)}
            onClick={() => {
              setActive(i);
              toggle(item.itemId);
            }}
          />
        ))}
      </div>
    </section>
  );
}
