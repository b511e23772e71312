/** An image with its shapes: looked at closely, boxes drawn, moved, resized, keypoints moved. */
import type { PointerEvent } from 'react';
import type { ImageDetail, Region } from '../api/client.ts';
import { useKeys } from '../keys/keys.ts';
import { KEY_ZOOM } from '../view/view.ts';
import type { Box, Corner, Keypoints, Point } from './drag.ts';
import { Shapes } from './shapes.tsx';
import { useBoxKeys } from './use-box-keys.ts';
import { type UseDragOptions, useDrag } from './use-drag.ts';
import { useZoom } from './use-zoom.ts';

interface CanvasProps extends Pick<UseDragOptions, 'image' | 'drawing' | 'onBox' | 'onKeypoints'> {
  readonly chosen: string | null;
  readonly onChoose: (id: string | null) => void;
}

const CORNERS: readonly Corner[] = [
  [0, 1],
  [2, 1],
  [0, 3],
  [2, 3],
];

export function Canvas({ image, chosen, onChoose, drawing, onBox, onKeypoints }: CanvasProps) {
  const { width, height } = image;
  const { frame, view, fit, zoom, pan, placeOf } = useZoom(width, height);
  useKeys({ '+': () => zoom(KEY_ZOOM), '=': () => zoom(KEY_ZOOM), '-': () => zoom(1 / KEY_ZOOM), 0: fit });
  const read = image.regions.find(({ id }) => id === chosen);
  const byKeys = useBoxKeys({ image, region: read, drawing, onPoint: (at) => drag.clickAt(at), onBox });
  const region = read && byKeys.box ? { ...read, box: byKeys.box } : read;
  const drag = useDrag({
    image,
    region,
    drawing,
    pan,
    placeOf,
    onBox: (box, id) => {
      // It began where keys had put the box.
      byKeys.drop();
      onBox(box, id);
    },
    onKeypoints,
  });
  const { draft: dragged, clicks, isDrawing, begin, clickAt: _, ...pointer } = drag;
  const draft = byKeys.box && !dragged.box && !dragged.keypoints ? { box: byKeys.box } : dragged;
  const box = draft.box ?? region?.box;
  const keypoints = draft.keypoints ?? region?.keypoints ?? [];
  const shown = shownOf(image, { chosen, draft, isDrawing });
  const place = { transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})`, width, height };
  return (
    <div
      className={`canvas${drawing ? ' drawing' : ''}`}
      ref={frame}
      role="application"
      aria-label="The image; keys are in the list of ?"
      {...pointer}
    >
      <div className="layer" style={place}>
        <img src={`/api/images/${image.id}/picture?longest=2048`} alt={image.paths[0] ?? ''} draggable={false} />
        <Shapes regions={shown} scale={view.scale} width={width} height={height} chosen={chosen} onChoose={onChoose} />
        {(box || clicks.length > 0 || byKeys.cross) && (
          <svg className="shapes over" viewBox={`0 0 ${width} ${height}`} aria-hidden>
            {box && (
              <rect
                className="draft"
                x={box[0]}
                y={box[1]}
                width={box[2] - box[0]}
                height={box[3] - box[1]}
                strokeWidth={2 / view.scale}
              />
            )}
            {clicks.map(({ x, y }) => (
              <circle key={`${x} ${y}`} className="click" cx={x} cy={y} r={4 / view.scale} />
            ))}
            {byKeys.cross && <Cross at={byKeys.cross} width={width} height={height} />}
            {!drawing && region && box && (
              <Handles box={box} region={region} keypoints={keypoints} begin={begin} radius={6 / view.scale} />
            )}
          </svg>
        )}
      </div>
    </div>
  );
}

interface CrossProps {
  readonly at: Point;
  readonly width: number;
  readonly height: number;
}

/** Where Enter sets a point. */
function Cross({ at: { x, y }, width, height }: CrossProps) {
  return <path className="cross" d={`M0 ${y}H${width}M${x} 0V${height}`} vectorEffect="non-scaling-stroke" />;
}

interface Shown {
  readonly chosen: string | null;
  readonly draft: { readonly box?: Box; readonly keypoints?: Keypoints };
  readonly isDrawing: boolean;
}

/** What is under the pointer is drawn as it will be, and not as it was. */
function shownOf({ regions }: ImageDetail, { chosen, draft, isDrawing }: Shown): readonly Region[] {
  if (isDrawing) return regions;
  if (draft.box) return regions.filter(({ id }) => id !== chosen);
  const { keypoints } = draft;
  return keypoints ? regions.map((one) => (one.id === chosen ? { ...one, keypoints } : one)) : regions;
}

interface HandlesProps {
  readonly box: Box;
  readonly region: Region;
  readonly keypoints: Keypoints;
  readonly radius: number;
  readonly begin: ReturnType<typeof useDrag>['begin'];
}

/** What can be taken hold of: the corners, and the keypoints that are somewhere. */
function Handles({ box, region, keypoints, radius, begin }: HandlesProps) {
  const resize = (corner: Corner) => (event: PointerEvent) => begin(event, { kind: 'resize', corner, box: region.box });
  const put = (at: number) => (event: PointerEvent) =>
    begin(event, { kind: 'keypoint', place: at, keypoints: region.keypoints ?? [] });
  return (
    <>
      {CORNERS.map(([i, j]) => (
        <circle key={`${i}${j}`} className="corner" cx={box[i]} cy={box[j]} r={radius} onPointerDown={resize([i, j])} />
      ))}
      {keypoints.map(([x, y, seen], at) =>
        seen > 0 ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: a keypoint is its place in the skeleton.
          <circle key={at} className="keypoint" cx={x} cy={y} r={radius} onPointerDown={put(at)} />
        ) : null,
      )}
    </>
  );
}
