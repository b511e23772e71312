/** Which part of the map is in sight: fitted to its canvas, zoomed about a place, moved by the pointer, the wheel or keys. */
import { type RefObject, useCallback, useState } from 'react';
import { useKeys } from '../keys/keys.ts';
import { KEY_ZOOM, middleOf, type Place, panned, useFit, type View, zoomed } from '../view/view.ts';
import { fitted } from './draw.ts';
import type { Points } from './points.ts';

/** A press of a key. */
const PAN_PX = 80;

/** @param hasKeys nothing else has them */
export function useMapView(points: Points, canvas: RefObject<HTMLCanvasElement | null>, hasKeys: boolean) {
  const [view, setView] = useState<View | null>(null);
  const fit = useCallback(() => {
    const box = canvas.current;
    if (!box) return;
    box.width = Math.round(box.clientWidth * devicePixelRatio);
    box.height = Math.round(box.clientHeight * devicePixelRatio);
    setView(fitted(points, box.clientWidth, box.clientHeight));
  }, [points, canvas]);
  useFit(canvas, fit);
  const zoom = (factor: number, at: Place) => setView((old) => old && zoomed(old, factor, at));
  const pan = (x: number, y: number) => setView((old) => old && panned(old, x, y));
  const byKey = (factor: number) => () => zoom(factor, middleOf(canvas.current));
  useKeys(
    {
      '+': byKey(KEY_ZOOM),
      '=': byKey(KEY_ZOOM),
      '-': byKey(1 / KEY_ZOOM),
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
