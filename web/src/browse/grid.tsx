/**
 * A grid of any number of items. Cells have one size, so each one's place is arithmetic and only those in sight exist.
 * Browsers end a scroll box at some 16 million pixels; a longer grid is scrolled on a scale: the scroller's position says
 * which share of the rows is above, and within a page the cells move as the scroller does.
 */
import { type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { contentTop, layoutOf, scrollTopFor } from './layout.ts';
import { type BandOptions, useBand } from './use-band.ts';

export interface GridHandle {
  /** Brings an item into sight. */
  reveal(place: number): void;
  readonly columns: number;
}

export interface GridProps {
  readonly count: number;
  readonly cellPx: number;
  readonly label: string;
  readonly cell: (place: number) => ReactNode;
  /** Places in sight, told when they change. */
  readonly onRange?: (from: number, to: number) => void;
  readonly handle?: { current: GridHandle | null };
  /** A rubber band is drawn over it. */
  readonly onBand?: BandOptions['onBand'];
}

const OVERSCAN_ROWS = 2;

export function Grid({ count, cellPx, label, cell, onRange, handle, onBand }: GridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ scrollTop: 0, width: 0, height: 0 });
  const measure = useCallback(() => {
    const box = scroller.current;
    if (box) setView({ scrollTop: box.scrollTop, width: box.clientWidth, height: box.clientHeight });
  }, []);
  useLayoutEffect(() => {
    measure();
    const watcher = new ResizeObserver(measure);
    if (scroller.current) watcher.observe(scroller.current);
    return () => watcher.disconnect();
  }, [measure]);

  const layout = layoutOf(count, view.width, cellPx);
  const top = contentTop(layout, view.scrollTop, view.height);
  const { band, ...pointer } = useBand({ scroller, layout, count, cellPx, onBand });
  const firstRow = Math.max(0, Math.floor(top / cellPx) - OVERSCAN_ROWS);
  const endRow = Math.min(layout.rows, Math.ceil((top + view.height) / cellPx) + OVERSCAN_ROWS);
  const from = firstRow * layout.columns;
  const to = view.width === 0 ? from : Math.min(count, endRow * layout.columns);
  useEffect(() => {
    onRange?.(from, to);
  }, [from, to, onRange]);
  useEffect(() => {
    if (!handle) return undefined;
    handle.current = {
      columns: layout.columns,
      reveal(place) {
        const box = scroller.current;
        if (!box) return;
        const now = contentTop(layout, box.scrollTop, box.clientHeight);
        const row = Math.floor(place / layout.columns) * cellPx;
        if (row < now) box.scrollTop = scrollTopFor(layout, row, box.clientHeight);
        else if (row + cellPx > now + box.clientHeight) {
          box.scrollTop = scrollTopFor(layout, row + cellPx - box.clientHeight, box.clientHeight);
        }
      },
    };
    return () => {
      handle.current = null;
    };
  });

  const cells: ReactNode[] = [];
  for (let place = from; place < to; place++) {
    const x = (place % layout.columns) * layout.columnPx;
    const y = Math.floor(place / layout.columns) * cellPx - top + view.scrollTop;
    cells.push(
      <div
        key={place}
        className="place"
        style={{ transform: `translate(${x}px, ${y}px)`, width: layout.columnPx, height: cellPx }}
      >
        {cell(place)}
      </div>,
    );
  }
  return (
    <div
      className="grid"
      role="listbox"
      aria-label={label}
      aria-multiselectable
      tabIndex={0}
      ref={scroller}
      onScroll={measure}
      {...pointer}
    >
      <div className="all" style={{ height: layout.scrollPx }} role="presentation">
        {cells}
        {band && (
          <div
            className="band"
            style={{
              transform: `translate(${band.left}px, ${band.top - top + view.scrollTop}px)`,
              width: band.right - band.left,
              height: band.bottom - band.top,
            }}
          />
        )}
      </div>
    </div>
  );
}
