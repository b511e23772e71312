/** A curve of shares from 0 to 1 over shares from 0 to 1. */
interface ChartProps {
  readonly name: string;
  readonly x: string;
  readonly y: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

const [WIDTH, HEIGHT, LEFT, FOOT] = [320, 220, 34, 24];
const at = ([x, y]: readonly [number, number]) =>
  `${LEFT + x * (WIDTH - LEFT - 6)},${(1 - y) * (HEIGHT - FOOT - 6) + 6}`;

export function Chart({ name, x, y, points }: ChartProps) {
  const told = points.map(([a, b]) => `${Math.round(a * 100)} %: ${Math.round(b * 100)} %`).join(', ');
  return (
    <figure>
      <figcaption>{name}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${name}: ${told}`}>
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <polyline className="axis" points={`${at([0, share])} ${at([1, share])}`} />
            <text x={2} y={Number(at([0, share]).split(',')[1]) + 4}>
              {share * 100} %
            </text>
          </g>
        ))}
        <polyline className="curve" points={points.map(at).join(' ')} />
        <text x={WIDTH - 6} y={HEIGHT - 4} textAnchor="end">
          {x}
        </text>
        <text x={LEFT + 4} y={16}>
          {y}
        </text>
      </svg>
    </figure>
  );
}
