/** Zoom about the pointer and pan by dragging, as a transform of what is shown. */
import { type PointerEvent, useCallback, useEffect, useRef, useState } from 'react';

export interface View {
  /** Screen pixels a pixel of the image. */
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

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
  useEffect(() => {
    fit();
    const watcher = new ResizeObserver(fit);
    if (frame.current) watcher.observe(frame.current);
    return () => watcher.disconnect();
  }, [fit]);

  const zoom = useCallback((factor: number, at?: { readonly x: number; readonly y: number }) => {
    setView((before) => {
      const box = frame.current;
      const middle = at ?? { x: (box?.clientWidth ?? 0) / 2, y: (box?.clientHeight ?? 0) / 2 };
      const scale = Math.min(MAX_SCALE, Math.max(0.02, before.scale * factor));
      const ratio = scale / before.scale;
      return { scale, x: middle.x - (middle.x - before.x) * ratio, y: middle.y - (middle.y - before.y) * ratio };
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
    const clip = (value: number, most: number) => Math.min(Math.max(value, 0), most);
    return {
      x: clip((clientX - (rect?.left ?? 0) - view.x) / view.scale, width),
      y: clip((clientY - (rect?.top ?? 0) - view.y) / view.scale, height),
    };
  };
  const pan = ({ movementX, movementY }: PointerEvent) =>
    setView((before) => ({ ...before, x: before.x + movementX, y: before.y + movementY }));
  return { frame, view, fit, zoom, pan, placeOf };
}
