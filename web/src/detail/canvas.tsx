/** An image with its shapes: looked at closely, boxes drawn, moved, resized. */
import { type PointerEvent, useState } from 'react';
import type { ImageDetail, Region } from '../api/client.ts';
import { useKeys } from '../keys/keys.ts';
import { Shapes } from './shapes.tsx';
import { useZoom } from './use-zoom.ts';

type Box = Region['box'];
type Drag =
  | { readonly kind: 'pan' }
  | { readonly kind: 'draw'; readonly from: { readonly x: number; readonly y: number } }
  | { readonly kind: 'move'; readonly from: { readonly x: number; readonly y: number }; readonly box: Box }
  | { readonly kind: 'resize'; readonly corner: readonly [0 | 2, 1 | 3]; readonly box: Box };

interface CanvasProps {
  readonly image: ImageDetail;
  readonly chosen: string | null;
  readonly onChoose: (id: string | null) => void;
  readonly drawing: boolean;
  /** A box that was drawn (no id), moved or resized. */
  readonly onBox: (box: Box, id?: string) => void;
}

const CORNERS = [
  [0, 1],
  [2, 1],
  [0, 3],
  [2, 3],
] as const;
const MIN_PX = 3;

export function Canvas({ image, chosen, onChoose, drawing, onBox }: CanvasProps) {
  const { width, height } = image;
  const { frame, view, fit, zoom, pan, placeOf } = useZoom(width, height);
  const [drag, setDrag] = useState<Drag | null>(null);
  const [draft, setDraft] = useState<Box | null>(null);
  useKeys({ '+': () => zoom(1.4), '=': () => zoom(1.4), '-': () => zoom(1 / 1.4), 0: fit });
  const region = image.regions.find(({ id }) => id === chosen);
  const box = draft ?? region?.box;

  const begin = (event: PointerEvent, next: Drag) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    event.stopPropagation();
    setDrag(next);
  };
  const onPointerDown = (event: PointerEvent) => {
    const from = placeOf(event);
    if (drawing) begin(event, { kind: 'draw', from });
    else if (region && inside(region.box, from)) begin(event, { kind: 'move', from, box: region.box });
    else begin(event, { kind: 'pan' });
  };
  const onPointerMove = (event: PointerEvent) => {
    if (!drag) return;
    const { x, y } = placeOf(event);
    if (drag.kind === 'pan') pan(event);
    else if (drag.kind === 'draw') setDraft(between(drag.from, { x, y }));
    else if (drag.kind === 'move') setDraft(moved(drag.box, x - drag.from.x, y - drag.from.y, width, height));
    else {
      const [i, j] = drag.corner;
      const other = { x: drag.box[2 - i] ?? 0, y: drag.box[4 - j] ?? 0 };
      setDraft(between(other, { x, y }));
    }
  };
  const onPointerUp = () => {
    if (drag && drag.kind !== 'pan' && draft && draft[2] - draft[0] >= MIN_PX && draft[3] - draft[1] >= MIN_PX) {
      onBox(draft, drag.kind === 'draw' ? undefined : (chosen ?? undefined));
    }
    setDrag(null);
    setDraft(null);
  };
  const shown = draft ? image.regions.filter(({ id }) => drag?.kind === 'draw' || id !== chosen) : image.regions;
  const place = { transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})`, width, height };
  return (
    <div
      className={`canvas${drawing ? ' drawing' : ''}`}
      ref={frame}
      role="application"
      aria-label="The image; keys are in the list of ?"
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
    >
      <div className="layer" style={place}>
        <img src={`/api/images/${image.id}/picture?longest=2048`} alt={image.paths[0] ?? ''} draggable={false} />
        <Shapes regions={shown} scale={view.scale} {...{ width, height, chosen }} onChoose={onChoose} />
        {box && (
          <svg className="shapes over" viewBox={`0 0 ${width} ${height}`} aria-hidden>
            <rect
              className="draft"
              x={box[0]}
              y={box[1]}
              width={box[2] - box[0]}
              height={box[3] - box[1]}
              strokeWidth={2 / view.scale}
            />
            {!drawing &&
              CORNERS.map(([i, j]) => (
                <circle
                  key={`${i}${j}`}
                  className="corner"
                  cx={box[i]}
                  cy={box[j]}
                  r={6 / view.scale}
                  onPointerDown={(event) => region && begin(event, { kind: 'resize', corner: [i, j], box: region.box })}
                />
              ))}
          </svg>
        )}
      </div>
    </div>
  );
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function between(a: Point, b: Point): Box {
  return [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x), Math.max(a.y, b.y)];
}

function inside([x1, y1, x2, y2]: Box, { x, y }: Point): boolean {
  return x >= x1 && x <= x2 && y >= y1 && y <= y2;
}

function moved([x1, y1, x2, y2]: Box, dx: number, dy: number, width: number, height: number): Box {
  const right = Math.min(Math.max(dx, -x1), width - x2);
  const down = Math.min(Math.max(dy, -y1), height - y2);
  return [x1 + right, y1 + down, x2 + right, y2 + down];
}
