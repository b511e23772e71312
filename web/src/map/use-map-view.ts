/** Which part of the map is in sight: fitted to its canvas, zoomed about a place, moved by the pointer, the wheel or keys. */
import { type RefObject, useCallback, useEffect, useState } from 'react';
import { useKeys } from '../keys/keys.ts';
import { fitted, type MapView } from './draw.ts';
import type { Place, Points } from './points.ts';

/** A press of a key. */
const ZOOM = 1.4;
const PAN_PX = 80;

/** @param hasKeys nothing else has them */
export function useMapView(points: Points, canvas: RefObject<HTMLCanvasElement | null>, hasKeys: boolean) {
  const [view, setView] = useState<MapView | null>(null);
  const fit = useCallback(() => {
    const box = canvas.current;
    if (!box) return;
    box.width = box.clientWidth;
    box.height = box.clientHeight;
    setView(fitted(points, box.width, box.height));
  }, [points, canvas]);
  useEffect(() => {
    fit();
    const watcher = new ResizeObserver(fit);
    if (canvas.current) watcher.observe(canvas.current);
    return () => watcher.disconnect();
  }, [fit, canvas]);
  const zoom = (factor: number, { x, y }: Place) =>
    setView(
      (old) => old && { scale: old.scale * factor, left: x - (x - old.left) * factor, top: y - (y - old.top) * factor },
    );
  const pan = (x: number, y: number) => setView((old) => old && { ...old, left: old.left + x, top: old.top + y });
  const byKey = (factor: number) => () =>
    zoom(factor, { x: (canvas.current?.width ?? 0) / 2, y: (canvas.current?.height ?? 0) / 2 });
  useKeys(
    {
      '+': byKey(ZOOM),
      '=': byKey(ZOOM),
      '-': byKey(1 / ZOOM),
      0: fit,
      ArrowLeft: () => pan(PAN_PX, 0),
      ArrowRight: () => pan(-PAN_PX, 0),
      ArrowUp: () => pan(0, PAN_PX),
      ArrowDown: () => pan(0, -PAN_PX),
    },
    hasKeys,
  );
  return { view, fit, zoom, pan };
}
