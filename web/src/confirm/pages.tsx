/**
 * A class or a cluster a screenful at a time: "these are all it, but for those that I clicked", Enter. What was clicked may be
 * named too, all at once; and a screenful that is mostly something else may be confirmed as that. What was confirmed leaves the
 * list, since a person has said it.
 */
import { useMemo, useState } from 'react';
import type { ItemFilter, ItemRef } from '../api/client.ts';
import { useCells, useOrder } from '../api/queries.ts';
import { useWrites } from '../api/writes.ts';
import { CellView } from '../browse/cell-view.tsx';
import { useKeys } from '../keys/keys.ts';
import { fitOf } from './fit.ts';
import { type Naming, PageBar } from './page-bar.tsx';
import { useSize } from './use-size.ts';

const PAGE = 48;
export const MACHINES = ['model', 'reference', 'detector', 'cluster'] as const;
export type PagesOrder = 'confidence' | 'uncertainty';
const NOTHING: ReadonlySet<string> = new Set();

interface PagesProps {
  readonly task: string;
  readonly items: 'images' | 'regions';
  readonly className: string;
  readonly order: PagesOrder;
  /** After a page; left out, the next page of this class comes. */
  readonly onPage?: () => void;
  readonly onEnd: () => void;
}

export function Pages({ task, items, className, order: wanted, onPage, onEnd }: PagesProps) {
  const filter = useMemo<ItemFilter>(
    () => ({ task, items, className, origins: [...MACHINES] }),
    [task, items, className],
  );
  // The list is that of the beginning, so that pages do not move under one's hands.
  const { order, error } = useOrder(filter, wanted);
  const [start, setStart] = useState(0);
  const [struck, setStruck] = useState(NOTHING);
  /** Named on this page already. */
  const [named, setNamed] = useState(NOTHING);
  const [as, setAs] = useState(className);
  const [active, setActive] = useState(0);
  const [confirmed, setConfirmed] = useState(0);
  const [naming, setNaming] = useState<Naming>(null);
  const { confirm, label } = useWrites();
  const { ref, width, height } = useSize();
  // Of a class that is begun with only the surer half is asked for: teaching says most of the other.
  const most = onPage && wanted === 'confidence' ? Math.min(PAGE, Math.ceil(order.loaded / 2)) : PAGE;
  const page = useMemo(() => {
    const found: ItemRef[] = [];
    if (!order.done && order.loaded < PAGE) return found;
    for (let i = start; i < start + most; i++) {
      const item = order.at(i);
      if (item) found.push(item);
    }
    return found;
  }, [order, start, most]);
  const { data: cells = [] } = useCells(task, page);
  const cellOf = new Map(cells.map((cell) => [cell.itemId, cell]));
  const open = page.filter(({ itemId }) => !named.has(itemId));
  const { columns, cellPx } = fitOf(Math.max(page.length, PAGE / 2), width - 4, height - 4);
  const next = () => {
    setStruck(NOTHING);
    setNamed(NOTHING);
    setAs(className);
    setActive(0);
    setNaming(null);
    setStart(start + PAGE);
  };
  const toggle = (item: ItemRef | undefined) => {
    if (!item || named.has(item.itemId)) return;
    const changed = new Set(struck);
    if (!changed.delete(item.itemId)) changed.add(item.itemId);
    setStruck(changed);
  };
  const accept = () => {
    if (page.length === 0) return onEnd();
    const kept = open.filter(({ itemId }) => !struck.has(itemId));
    // Of a page that is confirmed as another class nothing is said of what was clicked but that it is not this one.
    void confirm({ task, className, as, items: kept, exceptions: open.filter(({ itemId }) => struck.has(itemId)) });
    setConfirmed(confirmed + kept.length);
    next();
    return onPage?.();
  };
  const nameStruck = (name: string) => {
    const items = open.filter(({ itemId }) => struck.has(itemId));
    setNaming(null);
    void label(
      task,
      name,
      items.map((item) => ({ ...item, revision: cellOf.get(item.itemId)?.revision })),
    );
    setNamed(new Set([...named, ...struck]));
    setStruck(NOTHING);
  };
  const move = (step: number) => setActive(Math.min(page.length - 1, Math.max(0, active + step)));
  useKeys({
    Enter: accept,
    s: () => (onPage ? onPage() : next()),
    '/': () => setNaming(struck.size > 0 ? 'struck' : 'page'),
    Space: () => toggle(page[active]),
    ArrowRight: () => move(1),
    ArrowLeft: () => move(-1),
    ArrowDown: () => move(columns),
    ArrowUp: () => move(-columns),
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
      <PageBar
        {...{ task, className, as, naming, setNaming, nameStruck, accept }}
        struck={struck.size}
        kept={open.length - struck.size}
        told={`${Math.min(start + page.length, order.loaded).toLocaleString()} of ${order.loaded.toLocaleString()}`}
        onAs={(name) => {
          setNaming(null);
          setAs(name);
        }}
        onSkip={() => (onPage ? onPage() : next())}
      />
      <div className="frame" ref={ref}>
        <div
          className="screenful"
          role="listbox"
          aria-label={as}
          aria-multiselectable
          tabIndex={0}
          style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, gridAutoRows: `${cellPx}px` }}
        >
          {page.map((item, i) => (
            <CellView
              key={item.itemId}
              {...{ item }}
              cell={cellOf.get(item.itemId)}
              expected={named.has(item.itemId) ? undefined : className}
              selected={false}
              done={named.has(item.itemId)}
              active={i === active}
              struck={struck.has(item.itemId)}
              onClick={() => {
                setActive(i);
                toggle(item);
              }}
            />
          ))}
        </div>
      </div>
    </section>
  );
}
