/** A screenful of a class under one's hands: what is on it, what was clicked, what it is confirmed as, and what is written. */
import { useMemo, useState } from 'react';
import type { ItemFilter, ItemRef } from '../api/client.ts';
import { useAlternatives, useCells, useOrder } from '../api/queries.ts';
import { useWrites } from '../api/writes.ts';
import { useNamed } from './use-named.ts';

const PAGE = 48;
export const MACHINES = ['model', 'reference', 'detector', 'cluster'] as const;
export type PagesOrder = 'confidence' | 'uncertainty';
const NOTHING: ReadonlySet<string> = new Set();

export interface PagesProps {
  readonly task: string;
  readonly items: 'images' | 'regions';
  readonly className: string;
  readonly order: PagesOrder;
  /** After a page; left out, the next page of this class comes. */
  readonly onPage?: () => void;
  readonly onEnd: () => void;
}

/** Nothing until a whole page is there, or all there is. */
function pageOf(
  order: Pick<ReturnType<typeof useOrder>['order'], 'at' | 'done' | 'loaded'>,
  start: number,
  most: number,
): ItemRef[] {
  if (!order.done && order.loaded < PAGE) return [];
  return Array.from({ length: most }, (_, i) => order.at(start + i)).filter((item) => item !== undefined);
}

function toggled(ids: ReadonlySet<string>, id: string): Set<string> {
  const changed = new Set(ids);
  if (!changed.delete(id)) changed.add(id);
  return changed;
}

export function useScreenful({ task, items, className, order: wanted, onPage }: PagesProps) {
  const filter = useMemo<ItemFilter>(
    () => ({ task, items, className, origins: [...MACHINES] }),
    [task, items, className],
  );
  // The list is that of the beginning, so that pages do not move under one's hands.
  const { order, error } = useOrder(filter, wanted);
  const [start, setStart] = useState(0);
  const [struck, setStruck] = useState(NOTHING);
  const [as, setAs] = useState(className);
  const [confirmed, setConfirmed] = useState(0);
  const { confirm, label, labelEach } = useWrites();
  // Of a class that is begun with only the surer half is asked for: teaching says most of the other.
  const most = onPage && wanted === 'confidence' ? Math.min(PAGE, Math.ceil(order.loaded / 2)) : PAGE;
  const page = useMemo(() => pageOf(order, start, most), [order, start, most]);
  const { data: cells = [] } = useCells(task, page);
  const cellOf = new Map(cells.map((cell) => [cell.itemId, cell]));
  const alternatives = useAlternatives(task, className, page);
  /** What it would be, were it neither this class nor what the page is confirmed as. */
  const insteadOf = ({ itemId }: ItemRef) => {
    const found = alternatives.get(itemId)?.find((one) => one.className !== as)?.className;
    // A line that all have, or none, keeps the pictures of one size.
    return found ?? (alternatives.size > 0 ? '' : undefined);
  };
  const { named, ...naming } = useNamed(cellOf);
  const name = (chosen: readonly ItemRef[], write: Promise<boolean>) => {
    const ids = chosen.map(({ itemId }) => itemId);
    naming.name(ids, write);
    setStruck(new Set([...struck].filter((id) => !ids.includes(id))));
  };
  const open = page.filter(({ itemId }) => !named.has(itemId));
  const clicked = open.filter(({ itemId }) => struck.has(itemId));
  const kept = open.filter(({ itemId }) => !struck.has(itemId));
  const seen = clicked.map((item) => ({ ...item, revision: cellOf.get(item.itemId)?.revision }));
  const proposed = seen.flatMap((item) => {
    const instead = insteadOf(item);
    return instead ? [{ ...item, className: instead }] : [];
  });
  const next = () => {
    setStruck(NOTHING);
    naming.forget();
    setAs(className);
    setStart(start + PAGE);
    onPage?.();
  };
  return {
    page,
    cellOf,
    order,
    error,
    struck,
    named,
    as,
    setAs,
    kept,
    confirmed,
    next,
    insteadOf,
    proposed: proposed.length,
    told: `${Math.min(start + page.length, order.loaded).toLocaleString()} of ${order.loaded.toLocaleString()}`,
    toggle(item: ItemRef | undefined): void {
      if (item && !named.has(item.itemId)) setStruck(toggled(struck, item.itemId));
    },
    accept(): void {
      // Of a page that is confirmed as another class nothing is said of what was clicked but that it is not this one.
      void confirm({ task, className, as, items: kept, exceptions: clicked });
      setConfirmed(confirmed + kept.length);
      next();
    },
    /** What was clicked is what is proposed for each. */
    nameAsProposed(): void {
      if (proposed.length > 0) name(proposed, labelEach(task, proposed));
    },
    nameStruck(className: string): void {
      name(seen, label(task, className, seen));
    },
  };
}
