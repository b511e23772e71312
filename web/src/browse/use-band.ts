/**
 * A rubber band over a grid: dragged from anywhere in it, it says which places it touches. Held beyond the upper or lower edge,
 * the grid goes on by itself.
 */
import { type PointerEvent, type RefObject, useEffect, useRef, useState } from 'react';
import { type Band, contentTop, type Layout, placesInBand } from './layout.ts';

export interface BandOptions {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly layout: Layout;
  readonly count: number;
  readonly cellPx: number;
  /** Told while it is drawn; `add` to what was selected when it began (Ctrl or Shift). */
  readonly onBand?: (places: readonly number[], how: { readonly isFirst: boolean; readonly add: boolean }) => void;
}

/** A pointer that moves less is a click. */
const CLICK_PX = 6;
const SCROLL_EVERY_MS = 40;
const SCROLL_PX = 24;

interface Held {
  readonly x: number;
  /** In the content. */
  readonly y: number;
  readonly clientX: number;
  readonly clientY: number;
  readonly add: boolean;
}

export function useBand({ scroller, layout, count, cellPx, onBand }: BandOptions) {
  const [band, setBand] = useState<Band | null>(null);
  const held = useRef<Held | null>(null);
  const pointer = useRef({ clientX: 0, clientY: 0 });

  const follow = (isFirst: boolean) => {
    const box = scroller.current;
    const from = held.current;
    if (!box || !from) return;
    const rect = box.getBoundingClientRect();
    const top = contentTop(layout, box.scrollTop, box.clientHeight);
    const [x, y] = [pointer.current.clientX - rect.left, pointer.current.clientY - rect.top + top];
    const next = {
      left: Math.min(from.x, x),
      right: Math.max(from.x, x),
      top: Math.min(from.y, y),
      bottom: Math.max(from.y, y),
    };
    setBand(next);
    onBand?.(placesInBand(layout, next, { count, cellPx }), { isFirst, add: from.add });
  };
  const latest = useRef(follow);
  useEffect(() => {
    latest.current = follow;
  });
  const isDrawn = band !== null;
  useEffect(() => {
    if (!isDrawn) return undefined;
    const timer = setInterval(() => {
      const box = scroller.current;
      if (!box) return;
      const { top, bottom } = box.getBoundingClientRect();
      const beyond = pointer.current.clientY < top ? -1 : pointer.current.clientY > bottom ? 1 : 0;
      if (beyond === 0) return;
      box.scrollTop += beyond * SCROLL_PX * (layout.scrollPx / Math.max(1, layout.totalPx));
      latest.current(false);
    }, SCROLL_EVERY_MS);
    return () => clearInterval(timer);
  }, [isDrawn, scroller, layout.scrollPx, layout.totalPx]);

  return {
    band,
    onPointerDown({ button, pointerType, clientX, clientY, ctrlKey, metaKey, shiftKey }: PointerEvent): void {
      const box = scroller.current;
      // A finger that is dragged scrolls.
      if (!box || button !== 0 || pointerType === 'touch' || !onBand) return;
      const rect = box.getBoundingClientRect();
      const x = clientX - rect.left;
      // The scroll bar is its own.
      if (x >= box.clientWidth) return;
      const y = clientY - rect.top + contentTop(layout, box.scrollTop, box.clientHeight);
      held.current = { x, y, clientX, clientY, add: ctrlKey || metaKey || shiftKey };
    },
    onPointerMove({ clientX, clientY, pointerId, currentTarget }: PointerEvent): void {
      const from = held.current;
      if (!from) return;
      pointer.current = { clientX, clientY };
      const isFirst = band === null;
      if (isFirst && Math.hypot(clientX - from.clientX, clientY - from.clientY) < CLICK_PX) return;
      // From here on the grid has the pointer, so that no cell takes it for a click.
      if (isFirst) currentTarget.setPointerCapture(pointerId);
      follow(isFirst);
    },
    onPointerUp(): void {
      held.current = null;
      setBand(null);
    },
    onPointerCancel(): void {
      held.current = null;
      setBand(null);
    },
  };
}
