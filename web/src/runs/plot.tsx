/** Curves and points over two axes, drawn by uPlot; the figures are read aloud as text. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** `curve` joins its points; `points` stand alone; `guide` is what the others are compared with. */
  readonly kind: 'curve' | 'points' | 'guide';
}

export interface PlotProps {
  readonly name: string;
  readonly x: { readonly name: string; readonly range?: readonly [number, number]; readonly isShare: boolean };
  readonly y: { readonly name: string; readonly range: readonly [number, number] };
  readonly lines: readonly Line[];
}

const [WIDTH, HEIGHT] = [380, 270];
const percent = (share: number) => `${Math.round(share * 100)} %`;

export function Plot({ name, x, y, lines }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const asked = JSON.stringify({ x, y, lines });
  useEffect(() => {
    const box = place.current;
    if (!box) return undefined;
    const told: Pick<PlotProps, 'x' | 'y' | 'lines'> = JSON.parse(asked);
    const draw = () => new uPlot(optionsOf(told, box), dataOf(told.lines), box);
    let plot = draw();
    // Colours are those of the page, which may go from light to dark.
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const again = () => {
      plot.destroy();
      plot = draw();
    };
    scheme.addEventListener('change', again);
    return () => {
      scheme.removeEventListener('change', again);
      plot.destroy();
    };
  }, [asked]);
  return (
    <figure>
      <figcaption>{name}</figcaption>
      <div ref={place} role="img" aria-label={`${name}. ${lines.map((line) => textOf(line, x.isShare)).join('. ')}`} />
    </figure>
  );
}

function textOf({ name, points, kind }: Line, isShare: boolean): string {
  if (kind === 'guide') return '';
  const told = points.map(([a, b]) => `${isShare ? percent(a) : a.toLocaleString()}: ${percent(b)}`);
  return `${name}: ${told.join(', ')}`;
}

/** uPlot has one list of x for all lines: each has gaps where the others stand. */
function dataOf(lines: readonly Line[]): uPlot.AlignedData {
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const rows = lines.map(({ points }) => {
    const byX = new Map(points);
    return xs.map((x) => byX.get(x) ?? null);
  });
  return [xs, ...rows];
}

function optionsOf({ x, y, lines }: Pick<PlotProps, 'x' | 'y' | 'lines'>, box: HTMLElement): uPlot.Options {
  const style = getComputedStyle(box);
  const colour = (name: string) => {
    // A canvas knows no variables, and a colour of two schemes only once it is somebody's.
    const probe = box.appendChild(document.createElement('i'));
    probe.style.color = `var(${name})`;
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
  const [ink, line, main, quiet] = ['--ink', '--line', '--main', '--quiet'].map(colour);
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const font = `12px ${style.fontFamily}`;
  const share = (_: uPlot, values: readonly number[]) => values.map(percent);
  return {
    width: WIDTH,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, ...(x.range ? { range: [...x.range] } : {}) },
      y: { range: [...y.range] },
    },
    axes: [
      { ...axis, font, label: x.name, labelFont: font, labelSize: 20, ...(x.isShare ? { values: share } : {}) },
      { ...axis, font, label: y.name, labelFont: font, labelSize: 20, size: 56, values: share },
    ],
    series: [
      {},
      ...lines.map(({ name, kind }): uPlot.Series => {
        const isGuide = kind === 'guide';
        return {
          label: name,
          stroke: isGuide ? quiet : main,
          width: kind === 'points' ? 0 : isGuide ? 1 : 2,
          spanGaps: true,
          ...(isGuide ? { dash: [5, 5] } : {}),
          points: { show: !isGuide, size: 7, fill: main, stroke: main },
        };
      }),
    ],
  };
}
