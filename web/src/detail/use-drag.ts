/**
 * The pointer over an image: pans, draws a box (by dragging, by clicks on two corners, or by clicks on its four outermost
 * points), moves and resizes the one that is chosen, and puts its keypoints elsewhere.
 */
import { type PointerEvent, useEffect, useState } from 'react';
import type { ImageDetail, Region } from '../api/client.ts';
import {
  around,
  type Box,
  between,
  type Draft,
  type Drag,
  draftOf,
  inside,
  isBox,
  type Keypoints,
  type Point,
} from './drag.ts';

/** By two corners, or by the four outermost points of the thing in any order (extreme clicking: Papadopoulos et al., 2017). */
export type Drawing = 'corners' | 'outermost' | null;

const CLICKS = { corners: 2, outermost: 4 } as const;

export interface UseDragOptions {
  readonly image: ImageDetail;
  readonly region: Region | undefined;
  readonly drawing: Drawing;
  readonly pan: (event: PointerEvent) => void;
  readonly placeOf: (event: PointerEvent) => Point;
  /** A box that was drawn (no id), moved or resized. */
  readonly onBox: (box: Box, id?: string) => void;
  readonly onKeypoints: (keypoints: Keypoints, id: string) => void;
}

export function useDrag({ image, region, drawing, pan, placeOf, onBox, onKeypoints }: UseDragOptions) {
  const [drag, setDrag] = useState<Drag | null>(null);
  const [draft, setDraft] = useState<Draft>({});
  /** Of a box that is drawn by clicks, those so far. */
  const [clicks, setClicks] = useState<readonly Point[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another way of drawing begins anew.
  useEffect(() => {
    setClicks([]);
    setDraft({});
  }, [drawing]);

  // Until what was put elsewhere stands there as it is read, so that it does not go back in between.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is of what was read before.
  useEffect(() => setDraft({}), [region?.id, region?.box, region?.keypoints]);

  const begin = (event: PointerEvent, next: Drag) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    event.stopPropagation();
    setDrag(next);
  };
  const end = () => {
    setDrag(null);
    setDraft({});
  };
  const drawn = (from: Point, to: Point) => {
    const dragged = between(from, to);
    const isDragged = clicks.length === 0 && isBox(dragged);
    const all = [...clicks, to];
    const isWhole = isDragged || all.length >= CLICKS[drawing ?? 'corners'];
    setClicks(isWhole ? [] : all);
    const box = isDragged ? dragged : around(all);
    if (isWhole && isBox(box)) onBox(box);
  };
  return {
    draft,
    clicks,
    isDrawing: drag?.kind === 'draw' || clicks.length > 0,
    begin,
    clickAt: (at: Point) => drawn(at, at),
    onPointerDown(event: PointerEvent): void {
      const from = placeOf(event);
      if (drawing) begin(event, { kind: 'draw', from });
      else if (region && inside(region.box, from)) begin(event, { kind: 'move', from, box: region.box });
      else begin(event, { kind: 'pan' });
    },
    onPointerMove(event: PointerEvent): void {
      if (drag?.kind === 'pan') pan(event);
      else if (drag && clicks.length === 0) setDraft(draftOf(drag, placeOf(event), image));
      else if (clicks.length > 0) setDraft({ box: around([...clicks, placeOf(event)]) });
    },
    onPointerUp(event: PointerEvent): void {
      if (!drag) return;
      setDrag(null);
      if (drag.kind !== 'draw' && draft.keypoints && region) onKeypoints(draft.keypoints, region.id);
      else if (drag.kind !== 'draw' && draft.box && isBox(draft.box)) onBox(draft.box, region?.id);
      else setDraft({});
      if (drag.kind === 'draw') drawn(drag.from, placeOf(event));
    },
    onPointerCancel: end,
  };
}
