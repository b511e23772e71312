/** Zoom about the pointer and pan by dragging, as a transform of what is shown. */
import { type PointerEvent, useCallback, useEffect, useRef, useState } from 'react';
import { middleOf, type Place, panned, placeAt, useFit, type View, zoomed } from '../view/view.ts';

const MIN_SCALE = 0.02;
const MAX_SCALE = 20;

export function useZoom(width: number, height: number) {
  const frame = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<View>({ scale: 1, x: 0, y: 0 });
  const fit = useCallback(() => {
    const box = frame.current;
    if (!box || width === 0) return;
    const scale = Math.min(box.clientWidth / width, box.clientHeight / height);
    setView({ scale, x: (box.clientWidth - width * scale) / 2, y: (box.clientHeight - height * scale) / 2 });
  }, [width, height]);
  useFit(frame, fit);

  const zoom = useCallback((factor: number, at?: Place) => {
    setView((before) => {
      const scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, before.scale * factor));
      return zoomed(before, scale / before.scale, at ?? middleOf(frame.current));
    });
  }, []);
  // React listens to wheels passively, which cannot keep the page from scrolling.
  useEffect(() => {
    const box = frame.current;
    if (!box) return undefined;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const { left, top } = box.getBoundingClientRect();
      zoom(Math.exp(-event.deltaY / 400), { x: event.clientX - left, y: event.clientY - top });
    };
    box.addEventListener('wheel', onWheel, { passive: false });
    return () => box.removeEventListener('wheel', onWheel);
  }, [zoom]);

  /** The place in the image, in its pixels. */
  const placeOf = ({ clientX, clientY }: { readonly clientX: number; readonly clientY: number }) => {
    const rect = frame.current?.getBoundingClientRect();
    const { x, y } = placeAt(view, { x: clientX - (rect?.left ?? 0), y: clientY - (rect?.top ?? 0) });
    return { x: Math.min(Math.max(x, 0), width), y: Math.min(Math.max(y, 0), height) };
  };
  const pan = ({ movementX, movementY }: PointerEvent) => setView((before) => panned(before, movementX, movementY));
  return { frame, view, fit, zoom, pan, placeOf };
}
