/** Which part of something larger is in sight in a frame: an image, or the map. */
import { type RefObject, useEffect } from 'react';

export interface View {
  /** CSS pixels a unit of what is shown. */
  readonly scale: number;
  /** CSS pixels from the frame's corner to its origin. */
  readonly x: number;
  readonly y: number;
}

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** A press of a key. */
export const KEY_ZOOM = 1.4;

/** What is at this place of the frame stays there. */
export function zoomed(view: View, factor: number, at: Place): View {
  return { scale: view.scale * factor, x: at.x - (at.x - view.x) * factor, y: at.y - (at.y - view.y) * factor };
}

export function panned(view: View, x: number, y: number): View {
  return { ...view, x: view.x + x, y: view.y + y };
}

/** Where a place of the frame is in what is shown, in its units. */
export function placeAt({ scale, x, y }: View, at: Place): Place {
  return { x: (at.x - x) / scale, y: (at.y - y) / scale };
}

export function middleOf(frame: HTMLElement | null): Place {
  return { x: (frame?.clientWidth ?? 0) / 2, y: (frame?.clientHeight ?? 0) / 2 };
}

/** At first, and whenever the frame has another size. */
export function useFit(frame: RefObject<HTMLElement | null>, fit: () => void): void {
  useEffect(() => {
    fit();
    const watcher = new ResizeObserver(fit);
    if (frame.current) watcher.observe(frame.current);
    return () => watcher.disconnect();
  }, [frame, fit]);
}
