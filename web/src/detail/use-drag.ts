/**
 * The pointer over an image: pans, draws a box (by dragging, or by two clicks), moves and resizes the one that is chosen, and
 * puts its keypoints elsewhere.
 */
import { type PointerEvent, useEffect, useState } from 'react';
import type { ImageDetail, Region } from '../api/client.ts';
import {
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

export interface UseDragOptions {
  readonly image: ImageDetail;
  readonly region: Region | undefined;
  readonly drawing: boolean;
  readonly pan: (event: PointerEvent) => void;
  readonly placeOf: (event: PointerEvent) => Point;
  /** A box that was drawn (no id), moved or resized. */
  readonly onBox: (box: Box, id?: string) => void;
  readonly onKeypoints: (keypoints: Keypoints, id: string) => void;
}

export function useDrag({ image, region, drawing, pan, placeOf, onBox, onKeypoints }: UseDragOptions) {
  const [drag, setDrag] = useState<Drag | null>(null);
  const [draft, setDraft] = useState<Draft>({});
  /** Of a box that is drawn by two clicks, the first. */
  const [corner, setCorner] = useState<Point | null>(null);
  useEffect(() => {
    if (drawing) return;
    setCorner(null);
    setDraft({});
  }, [drawing]);

  const begin = (event: PointerEvent, next: Drag) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    event.stopPropagation();
    setDrag(next);
  };
  const end = () => {
    setDrag(null);
    setDraft({});
  };
  return {
    draft,
    isDrawing: drag?.kind === 'draw' || corner !== null,
    begin,
    onPointerDown(event: PointerEvent): void {
      const from = placeOf(event);
      if (drawing) begin(event, { kind: 'draw', from: corner ?? from });
      else if (region && inside(region.box, from)) begin(event, { kind: 'move', from, box: region.box });
      else begin(event, { kind: 'pan' });
    },
    onPointerMove(event: PointerEvent): void {
      if (drag?.kind === 'pan') pan(event);
      else if (drag) setDraft(draftOf(drag, placeOf(event), image));
      else if (corner) setDraft({ box: between(corner, placeOf(event)) });
    },
    onPointerUp(event: PointerEvent): void {
      if (!drag) return;
      const { box, keypoints } = drag.kind === 'draw' ? draftOf(drag, placeOf(event), image) : draft;
      end();
      if (keypoints && region) onKeypoints(keypoints, region.id);
      else if (box && isBox(box)) {
        setCorner(null);
        onBox(box, drag.kind === 'draw' ? undefined : region?.id);
      } else if (drag.kind === 'draw') setCorner(corner === null ? drag.from : null);
    },
    onPointerCancel: end,
  };
}
