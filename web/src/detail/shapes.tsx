/** Boxes, keypoints, polygons and masks of an image, over it, in its own pixels. */
import { useEffect, useRef } from 'react';
import type { Region } from '../api/client.ts';
import { drawMask, type Mask } from './masks.ts';

/** Told apart by their names too, which stand at each box. */
const COLOURS = ['#4c9bff', '#ffb020', '#37c978', '#ff6b81', '#b98cff', '#26c6da', '#f9e04b', '#ff8a3d'];

export function colourOf(name: string): string {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return COLOURS[sum % COLOURS.length] ?? '#4c9bff';
}

export function regionClass({ labels }: Region): string {
  const present = labels.filter(({ present }) => present);
  return (present.findLast(({ origin }) => origin === 'human') ?? present.at(-1))?.className ?? '';
}

interface ShapesProps {
  readonly regions: readonly Region[];
  readonly width: number;
  readonly height: number;
  /** Screen pixels a pixel of the image, so that lines keep their width. */
  readonly scale: number;
  readonly chosen: string | null;
  readonly onChoose: (id: string) => void;
}

export function Shapes({ regions, width, height, scale, chosen, onChoose }: ShapesProps) {
  const line = 2 / scale;
  return (
    <>
      {regions.map(({ id, mask, labels }) =>
        mask ? <MaskView key={id} mask={mask} colour={colourOf(labels[0]?.className ?? '')} /> : null,
      )}
      <svg className="shapes" viewBox={`0 0 ${width} ${height}`} aria-hidden>
        {regions.map((region) => {
          const [x1, y1, x2, y2] = region.box;
          const name = regionClass(region);
          const colour = colourOf(name);
          const at = { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
          return (
            <g key={region.id} stroke={colour} fill="none" strokeWidth={region.id === chosen ? 2 * line : line}>
              <rect {...at} className="box" onPointerDown={() => onChoose(region.id)} />
              {region.polygons?.map((polygon) => (
                <polygon key={polygon.join()} points={polygon.join(' ')} fill={colour} fillOpacity={0.2} />
              ))}
              {region.keypoints?.map(([x, y, seen], i) =>
                // biome-ignore lint/suspicious/noArrayIndexKey: a keypoint is its place in the skeleton.
                seen > 0 ? <circle key={i} cx={x} cy={y} r={2 * line} fill={colour} /> : null,
              )}
              <text
                x={x1 + 2 * line}
                y={Math.max(y1 - 2 * line, 7 * line)}
                fontSize={7 * line}
                fill={colour}
                stroke="none"
              >
                {name}
              </text>
            </g>
          );
        })}
      </svg>
    </>
  );
}

function MaskView({ mask, colour }: { readonly mask: Mask; readonly colour: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const rgb = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
    if (canvas.current) drawMask(canvas.current, mask, rgb);
  }, [mask, colour]);
  return <canvas ref={canvas} className="mask" aria-hidden />;
}
