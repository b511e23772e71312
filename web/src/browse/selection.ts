/** What is selected in a grid: places by click and range, or everything that matches, which is a query and no list. */
import { useRef, useState } from 'react';

export interface Selection {
  readonly all: boolean;
  readonly places: ReadonlySet<number>;
  /** The one that keys move from. */
  readonly active: number;
}

const NOTHING: Selection = { all: false, places: new Set(), active: -1 };

export function useSelection() {
  const [selection, set] = useState<Selection>(NOTHING);
  const [anchor, setAnchor] = useState(0);
  /** What was selected when a band began. */
  const before = useRef<ReadonlySet<number>>(new Set());
  return {
    selection,
    /** A band touches these places, and maybe others a moment later. */
    band(places: readonly number[], { isFirst, add }: { readonly isFirst: boolean; readonly add: boolean }): void {
      if (isFirst) before.current = add && !selection.all ? selection.places : new Set();
      const active = places.at(-1);
      if (active !== undefined) setAnchor(places[0] ?? active);
      set((now) => ({ all: false, places: new Set([...before.current, ...places]), active: active ?? now.active }));
    },
    clear: () => set(({ active }) => ({ ...NOTHING, active })),
    reset: () => set(NOTHING),
    selectAll: () => set(({ active }) => ({ all: true, places: new Set(), active })),
    /** @param how `one` selects it alone, `toggle` it too, `range` from where the last one was, `move` selects nothing */
    choose(place: number, how: 'one' | 'toggle' | 'range' | 'move'): void {
      if (how === 'move') {
        set((before) => ({ ...before, active: place }));
        return;
      }
      if (how !== 'range') setAnchor(place);
      set((before) => {
        if (how === 'one') return { all: false, places: new Set([place]), active: place };
        const places = new Set(before.all ? [] : before.places);
        if (how === 'toggle') {
          if (!places.delete(place)) places.add(place);
        } else for (let i = Math.min(anchor, place); i <= Math.max(anchor, place); i++) places.add(i);
        return { all: false, places, active: place };
      });
    },
  };
}
