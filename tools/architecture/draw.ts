/**
 * The house as one SVG picture. The same imports give the same bytes.
 *
 * Rooms stand on floors: a room stands one floor above the highest one that it imports from. An arrow is an import that no
 * way over other rooms stands for (the transitive reduction, Aho, Garey and Ullman 1972); each room lists all of its own.
 * The picture paints its own ground, light or dark as its reader's system is.
 */
import type { Room } from './layout.ts';

const ROOM_WIDTH = 250;
const ROOM_HEIGHT = 90;
const SHAFT_WIDTH = 2;
const GAP_X = 26;
const GAP_Y = 46;
const MARGIN = 28;
/** Letters in a line of what a room imports. */
const LINE_LETTERS = 42;
const SWEEPS = 8;

const STYLE = `
  svg { font: 12px ui-sans-serif, system-ui, sans-serif; --ground: #fbfaf7; --room: #fff; --line: #8a8f98; --ink: #1f2328; --soft: #5b626d; --arrow: #3f6fb5; }
  @media (prefers-color-scheme: dark) { svg { --ground: #15181c; --room: #1f242b; --line: #58606b; --ink: #e6e9ee; --soft: #a3abb7; --arrow: #7fb0f5; } }
  .ground { fill: var(--ground); }
  .room { fill: var(--room); stroke: var(--line); }
  .name { font-weight: 600; font-size: 15px; fill: var(--ink); }
  .owns { fill: var(--ink); }
  .from { font-size: 10.5px; fill: var(--soft); }
  .arrow { fill: none; stroke: var(--arrow); stroke-width: 1.4; opacity: 0.75; }
  .head { fill: var(--arrow); }
`;

/** @param imports of each room, in the order of `rooms`, of rooms before it only */
export function drawHouse(rooms: readonly Room[], imports: ReadonlyMap<string, readonly string[]>): string {
  const standing = rooms.filter(({ name }) => imports.has(name));
  const house = placed(standing, imports);
  const arrows = house.ways.map((way) => arrow(way.map((spot) => house.spots.get(spot)!)));
  const drawn = standing.map((room) => drawRoom(room, house.spots.get(room.name)!, imports.get(room.name) ?? []));
  const { width, height } = house;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    '<title id="title">The folders of src, each standing on those that it imports from</title>',
    `<style>${STYLE}</style>`,
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>',
    `<rect class="ground" width="${width}" height="${height}" rx="12"/>`,
    ...arrows,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

/** The middle of a room, or of the shaft that an arrow goes through on a floor where it does not stop. */
interface Spot {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

interface House {
  readonly width: number;
  readonly height: number;
  readonly spots: ReadonlyMap<string, Spot>;
  /** Of each arrow: the room it comes from, the shafts on its way down, the room it leads to. */
  readonly ways: readonly (readonly string[])[];
}

/** Layers with shafts for what passes through, ordered by the mean place of their neighbours (Sugiyama et al. 1981). */
function placed(rooms: readonly Room[], imports: ReadonlyMap<string, readonly string[]>): House {
  const floorOf = new Map<string, number>();
  for (const { name } of rooms) {
    floorOf.set(name, Math.max(-1, ...(imports.get(name) ?? []).map((below) => floorOf.get(below) ?? -1)) + 1);
  }
  const floors: string[][] = Array.from({ length: Math.max(...floorOf.values()) + 1 }, () => []);
  for (const [name, floor] of floorOf) floors[floor]?.push(name);
  const ways = rooms.flatMap(({ name }) =>
    directImports(name, imports).map((target) => {
      const [top = 0, bottom = 0] = [floorOf.get(name), floorOf.get(target)];
      const shafts = Array.from({ length: top - bottom - 1 }, (_, i) => ({
        floor: top - 1 - i,
        name: `${name}>${target}@${top - 1 - i}`,
      }));
      for (const shaft of shafts) floors[shaft.floor]?.push(shaft.name);
      return [name, ...shafts.map((shaft) => shaft.name), target];
    }),
  );
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const order = sweep % 2 === 0 ? floors.keys() : [...floors.keys()].reverse();
    for (const floor of order) sortByNeighbours(floors, floor, ways);
  }
  const widthOf = (name: string) => (floorOf.has(name) ? ROOM_WIDTH : SHAFT_WIDTH);
  const widths = floors.map((names) => names.reduce((sum, name) => sum + widthOf(name) + GAP_X, -GAP_X));
  const width = 2 * MARGIN + Math.max(...widths);
  const height = 2 * MARGIN + floors.length * (ROOM_HEIGHT + GAP_Y) - GAP_Y;
  const spots = new Map<string, Spot>();
  for (const [floor, names] of floors.entries()) {
    let x = (width - (widths[floor] ?? 0)) / 2;
    for (const name of names) {
      const y = height - MARGIN - ROOM_HEIGHT / 2 - floor * (ROOM_HEIGHT + GAP_Y);
      spots.set(name, { x: x + widthOf(name) / 2, y, width: widthOf(name) });
      x += widthOf(name) + GAP_X;
    }
  }
  return { width, height, spots, ways };
}

/** Orders a floor by where the neighbours of its spots are on the other floors, as shares of their floor's length. */
function sortByNeighbours(floors: string[][], floor: number, ways: readonly (readonly string[])[]): void {
  const share = new Map(floors.flatMap((names) => names.map((name, i) => [name, (i + 0.5) / names.length] as const)));
  const wish = new Map(
    (floors[floor] ?? []).map((name) => {
      const near = ways.flatMap((way) => {
        const at = way.indexOf(name);
        return at < 0 ? [] : [way[at - 1], way[at + 1]].flatMap((other) => (other === undefined ? [] : [other]));
      });
      const shares = near.map((other) => share.get(other) ?? 0.5);
      const mean = shares.reduce((sum, one) => sum + one, 0) / shares.length;
      return [name, shares.length === 0 ? (share.get(name) ?? 0.5) : mean] as const;
    }),
  );
  // The sort is stable: equals stay in the order of the list.
  floors[floor]?.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
}

/** Imports that are not reached over another one. */
function directImports(name: string, imports: ReadonlyMap<string, readonly string[]>): string[] {
  const own = imports.get(name) ?? [];
  const reached = new Set<string>();
  const visit = (room: string) => {
    for (const below of imports.get(room) ?? []) {
      if (reached.has(below)) continue;
      reached.add(below);
      visit(below);
    }
  };
  for (const below of own) visit(below);
  return own.filter((below) => !reached.has(below));
}

/** From the bottom of the first spot to the top of the last, straight through the shafts between them. */
function arrow(way: readonly Spot[]): string {
  const [from, to] = [way[0]!, way.at(-1)!];
  const towards = (spot: Spot, other: Spot) => {
    const reach = 0.3 * ROOM_WIDTH;
    return spot.x + Math.max(-reach, Math.min(reach, (other.x - spot.x) / 4));
  };
  const half = ROOM_HEIGHT / 2;
  let [x, y] = [towards(from, way[1] ?? to), from.y + half];
  let path = `M${round(x)} ${round(y)}`;
  for (const shaft of way.slice(1, -1)) {
    path += `${curve(x, y, shaft.x, shaft.y - half)}V${round(shaft.y + half)}`;
    [x, y] = [shaft.x, shaft.y + half];
  }
  path += curve(x, y, towards(to, way.at(-2) ?? from), to.y - half);
  return `<path class="arrow" marker-end="url(#head)" d="${path}"/>`;
}

function curve(x1: number, y1: number, x2: number, y2: number): string {
  const middle = (y1 + y2) / 2;
  return `C${[x1, middle, x2, middle, x2, y2].map(round).join(' ')}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function drawRoom({ name, owns }: Room, middle: Spot, imports: readonly string[]): string {
  const [x, y] = [round(middle.x - ROOM_WIDTH / 2), round(middle.y - ROOM_HEIGHT / 2)];
  const lines = wrapped(imports.length === 0 ? 'imports nothing' : `imports ${imports.join(', ')}`);
  return [
    `<g><rect class="room" x="${x}" y="${y}" width="${ROOM_WIDTH}" height="${ROOM_HEIGHT}" rx="7"/>`,
    `<text class="name" x="${x + 12}" y="${y + 21}">${name}/</text>`,
    `<text class="owns" x="${x + 12}" y="${y + 38}">${owns}</text>`,
    ...lines.map((line, i) => `<text class="from" x="${x + 12}" y="${y + 55 + 13 * i}">${line}</text>`),
    '</g>',
  ].join('');
}

function wrapped(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last !== '' && last.length + 1 + word.length > LINE_LETTERS) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}
