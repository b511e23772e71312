/**
 * The map of the data as `discover` left it: a dot for every item, coloured by its class, with the exemplars of clusters to
 * look at; what stands apart, and pairs that are nearly alike. Holds 6 bytes a dot, of at most 100,000.
 */
import { chunks } from '../../core/chunks.ts';
import { type ImageId, type ItemId, isImageId } from '../../core/ids.ts';
import { currentLabels } from '../../core/labels.ts';
import { html, type Markup } from '../../core/markup.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { savedModel } from '../../stages/discover/cluster-model.ts';
import { clustersNow } from '../../stages/discover/clusters-now.ts';
import {
  type DataMap,
  type Mark,
  type NearDuplicatePair,
  type Outlier,
  readMap,
} from '../../stages/discover/data-map.ts';
import type { Pictures } from '../picture.ts';
import { count, counted } from '../words.ts';
import type { Gather } from './section.ts';

const MAX_DOTS = 100_000;
/** Tasks whose maps are shown; each has a map of its own. */
const MAX_MAPS = 3;
const MAX_EXEMPLARS = 240;
/** Classes with a colour of their own; the others are grey. */
const COLOURED = 24;
const SHOWN_OUTLIERS = 24;
const SHOWN_PAIRS = 24;
const PAGE = 1000;
/** Places are whole numbers up to this. */
const SIDE = 65_535;

interface ReportMap {
  readonly task: string;
  readonly what: 'image' | 'region';
  readonly items: number;
  /** x and y of every dot, 0 to {@link SIDE}, [dots, 2]. */
  readonly places: Uint16Array;
  /** Index into `classes` of every dot; one more than the last for no class. */
  readonly classOf: Uint16Array;
  /** In order of size. */
  readonly classes: readonly { readonly name: string; readonly dots: number }[];
  /** Images to look at, where they stand. */
  readonly exemplars: readonly { readonly id: ItemId; readonly x: number; readonly y: number; readonly name: string }[];
  readonly outliers: readonly Outlier[];
  readonly outlierCount: number;
  readonly pairs: readonly NearDuplicatePair[];
  readonly pairCount: number;
}

export const gatherMap: Gather = async (workspace) => {
  const maps: ReportMap[] = [];
  const gone: string[] = [];
  for (const { name } of await workspace.store.tasks()) {
    if (maps.length === MAX_MAPS) break;
    try {
      const found = await readMap(workspace, name);
      if (found && found.count > 0) maps.push(await reportMap(workspace, name, found));
    } catch (error) {
      // Files of vectors may be deleted at any time; the rest of the report does not need them.
      if (!(error instanceof LabelsmithError)) throw error;
      gone.push(name);
    }
  }
  if (maps.length + gone.length === 0) return null;
  return {
    section: {
      id: 'map',
      title: 'Map of the data',
      render: (_, pictures) =>
        html`${maps.map((map) => mapBody(map, pictures, maps.length > 1))}${gone.map(
          (task) =>
            html`<p class="empty">Files of the map of task ${task} are gone or damaged: <code>labelsmith discover</code> makes it again.</p>`,
        )}`,
      style: STYLE,
      script: SCRIPT,
    },
    pictures: maps.flatMap(picturesOf),
  };
};

/** Regions have no pictures of their own. */
function picturesOf({ outliers, pairs, exemplars }: ReportMap): ImageId[] {
  const ids = [
    ...outliers.map(({ id }) => id),
    ...pairs.flatMap(({ a, b }) => [a, b]),
    ...exemplars.map(({ id }) => id),
  ];
  return ids.filter(isImageId);
}

async function reportMap({ store }: Workspace, task: string, map: DataMap): Promise<ReportMap> {
  const every = Math.ceil(map.count / MAX_DOTS);
  const wanted = new Map((await exemplarsOf(store, task)).map(({ id, name }) => [id, name]));
  const shown: { mark: Mark; name: string }[] = [];
  const dots: number[] = [];
  const names: string[] = [];
  let at = 0;
  for await (const marks of map.marks()) {
    const kept: Mark[] = [];
    for (const mark of marks) {
      const name = wanted.get(mark.id);
      if (name !== undefined) shown.push({ mark, name });
      if (at++ % every === 0) kept.push(mark);
    }
    for (const page of chunks(kept, PAGE)) {
      const ids = page.map(({ id }) => id);
      const labels = await store.labelsOf(ids, task);
      for (const { id, x, y } of page) {
        dots.push(x, y);
        names.push(currentLabels(labels.get(id) ?? [], 'single')[0]?.className ?? '');
      }
    }
  }
  const sizes = new Map<string, number>();
  for (const name of names) if (name !== '') sizes.set(name, (sizes.get(name) ?? 0) + 1);
  const classes = [...sizes]
    .map(([name, size]) => ({ name, dots: size }))
    .sort((a, b) => b.dots - a.dots || (a.name < b.name ? -1 : 1));
  const indexOf = new Map(classes.map(({ name }, i) => [name, i]));
  const toSide = scaleOf(dots);
  return {
    task,
    what: map.items === 'images' ? 'image' : 'region',
    items: map.count,
    places: Uint16Array.from(dots, toSide),
    classOf: Uint16Array.from(names, (name) => indexOf.get(name) ?? classes.length),
    classes,
    exemplars: shown.map(({ mark: { id, x, y }, name }) => ({ id, x: toSide(x, 0), y: toSide(y, 1), name })),
    outliers: map.outliers.slice(0, SHOWN_OUTLIERS),
    outlierCount: map.outlierCount,
    pairs: map.pairs.slice(0, SHOWN_PAIRS),
    pairCount: map.pairCount,
  };
}

/** The exemplars of clusters, the first of every one before the second of any. */
async function exemplarsOf(store: Workspace['store'], task: string): Promise<{ id: ItemId; name: string }[]> {
  const model = await savedModel(store, task);
  if (model?.items !== 'images') return [];
  const clusters = await clustersNow(store, model);
  const most = Math.max(0, ...clusters.map(({ exemplars }) => exemplars.length));
  return Array.from({ length: most }, (_, rank) =>
    clusters.flatMap(({ exemplars, name }) => (exemplars[rank] ? [{ id: exemplars[rank], name }] : [])),
  )
    .flat()
    .slice(0, MAX_EXEMPLARS);
}

/** Both axes by one scale, so that distances stay what they are; even indices are x. */
function scaleOf(dots: readonly number[]): (value: number, index: number) => number {
  const [low, high] = [
    [Infinity, Infinity],
    [-Infinity, -Infinity],
  ] as [number[], number[]];
  for (const [i, value] of dots.entries()) {
    low[i % 2] = Math.min(low[i % 2], value);
    high[i % 2] = Math.max(high[i % 2], value);
  }
  const span = Math.max(1e-9, ...[0, 1].map((axis) => high[axis] - low[axis]));
  const middle = [0, 1].map((axis) => (low[axis] + high[axis]) / 2);
  return (value, index) => {
    const place = ((value - middle[index % 2]) / span + 0.5) * SIDE;
    return Math.round(Math.min(SIDE, Math.max(0, place)));
  };
}

function mapBody(map: ReportMap, pictures: Pictures, withTask: boolean): Markup {
  const { items, what, classes, places, classOf, exemplars } = map;
  const dots = classOf.length;
  const shots = exemplars.flatMap(({ id, x, y, name }) => {
    const shot = pictures.shot(id, name);
    return shot ? [{ shot, place: [x, y] }] : [];
  });
  const all = dots < items ? `${count(dots)} of ${counted(items, what)}` : counted(items, what);
  const said = `${all} in ${counted(classes.length, 'class', 'classes')}`;
  return html`${withTask && html`<h3>Task ${map.task}</h3>`}
<p class="lead">Each dot is one ${what}; those that look alike stand near each other (UMAP). Distances between far dots and the shape of heaps mean nothing.</p>
<div class="map card" data-places="${base64(places)}" data-classes="${base64(classOf)}" data-names="${JSON.stringify(classes.map(({ name }) => name))}" data-coloured="${COLOURED}" data-exemplars="${JSON.stringify(shots.map(({ place }) => place))}">
<canvas role="img" aria-label="Map: ${said}"></canvas>
<p class="facts"><span>${said}</span><output></output></p>
<ul class="legend">${classes.slice(0, COLOURED).map(({ name, dots: size }, i) => html`<li data-class="${i}"><svg viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="5" fill="${colour(i)}"/></svg>${name} <span class="number">${count(size)}</span></li>`)}${classes.length > COLOURED && html`<li>${counted(classes.length - COLOURED, 'class', 'classes')} more in grey</li>`}</ul>
${shots.length > 0 && html`<ul class="shots exemplars">\n${shots.map(({ shot }) => shot)}</ul>`}
</div>
${oddities(map, pictures)}`;
}

function oddities({ what, outliers, outlierCount, pairs, pairCount }: ReportMap, pictures: Pictures): Markup {
  const odd = pictures.shots(
    outliers.map(({ id, factor }) =>
      pictures.shot(id, `${factor.toFixed(1)} times as far from its neighbours as ${what}s here usually are`),
    ),
  );
  const alike = pairs.flatMap(({ a, b, similarity }) => {
    const both = pictures.shots([pictures.shot(a, 'one of a pair'), pictures.shot(b, 'one of a pair')]);
    if (!both) return [];
    return [
      html`<article class="card group-card"><p class="facts"><span>similarity ${similarity.toFixed(3)}</span></p>${both}</article>\n`,
    ];
  });
  return html`${
    outlierCount > 0 &&
    html`<h3>Standing apart</h3><p class="lead">${counted(outlierCount, what)} much farther from ${outlierCount === 1 ? 'its' : 'their'} neighbours than ${what}s here usually are: rare things, or things that do not belong here.</p>
${odd}${more(outlierCount - outliers.length)}`
  }
${
  pairCount > 0 &&
  html`<h3>Nearly alike</h3><p class="lead">${counted(pairCount, 'pair')} that ${pairCount === 1 ? 'is' : 'are'} much more alike than neighbours here are: the same thing again, mirrored, cropped or recoloured. Nothing was deleted.</p>
${alike.length > 0 && html`<div class="groups">\n${alike}</div>`}${more(pairCount - pairs.length)}`
}`;
}

function more(left: number): Markup | null {
  return left > 0 ? html`<p class="more">and ${count(left)} more</p>` : null;
}

/** Hues far from each other for numbers near each other: the golden angle. The script says the same. */
function colour(index: number): string {
  return `hsl(${Math.round((index * 137.508) % 360)} 65% 50%)`;
}

function base64({ buffer, byteOffset, byteLength }: Uint16Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

const STYLE = `
#map .map { position: relative; }
#map canvas { display: block; width: 100%; aspect-ratio: 4 / 3; touch-action: none; cursor: crosshair; background: var(--sunk); border-radius: 10px; }
#map output { font-weight: 600; }
#map .legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 8px 0; font-size: 12.5px; color: var(--muted); }
#map .legend li { display: flex; align-items: center; gap: 5px; cursor: default; }
#map .legend svg { width: 10px; height: 10px; flex: none; }
#map .exemplars { min-height: 190px; }
`;

/** Bytes are little-endian, as in the browsers there are. */
const SCRIPT = `
for (const map of document.querySelectorAll('#map .map')) {
  const words = (text) => new Uint16Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const places = words(map.dataset.places);
  const classes = words(map.dataset.classes);
  const names = JSON.parse(map.dataset.names);
  const exemplars = JSON.parse(map.dataset.exemplars);
  const coloured = Number(map.dataset.coloured);
  const shots = [...map.querySelectorAll('.exemplars > li')];
  const canvas = map.querySelector('canvas');
  const told = map.querySelector('output');
  const context = canvas.getContext('2d');
  const colour = (c) => c < coloured && c < names.length ? 'hsl(' + Math.round((c * 137.508) % 360) + ' 65% 50%)' : '#8888';
  const margin = 12;
  let width = 0;
  let height = 0;
  let side = 0;
  let only = -1;
  const x = (value) => (width - side) / 2 + (value / 65535) * side;
  const y = (value) => (height - side) / 2 + (value / 65535) * side;
  const draw = () => {
    const ratio = devicePixelRatio || 1;
    width = canvas.clientWidth;
    height = canvas.clientHeight;
    side = Math.max(1, Math.min(width, height) - 2 * margin);
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const size = Math.max(1.5, Math.min(6, 220 / Math.sqrt(classes.length)));
    const order = [...Array(names.length + 1).keys()].reverse();
    const members = order.map(() => []);
    for (let i = 0; i < classes.length; i++) members[classes[i]].push(i);
    for (const c of order) {
      context.fillStyle = colour(c);
      context.globalAlpha = only < 0 || only === c ? 0.75 : 0.06;
      for (const i of members[c]) {
        context.fillRect(x(places[2 * i]) - size / 2, y(places[2 * i + 1]) - size / 2, size, size);
      }
    }
    context.globalAlpha = 1;
  };
  const nearest = (n, at, px, py) => {
    let best = -1;
    let least = Infinity;
    for (let i = 0; i < n; i++) {
      const [dx, dy] = [x(at(i, 0)) - px, y(at(i, 1)) - py];
      const square = dx * dx + dy * dy;
      if (square < least) {
        least = square;
        best = i;
      }
    }
    return best;
  };
  const look = (shown) => shots.forEach((shot, i) => { shot.hidden = i !== shown; });
  canvas.addEventListener('pointermove', (event) => {
    const [px, py] = [event.offsetX, event.offsetY];
    const dot = nearest(classes.length, (i, axis) => places[2 * i + axis], px, py);
    told.value = dot < 0 ? '' : (names[classes[dot]] ?? 'no class');
    look(nearest(exemplars.length, (i, axis) => exemplars[i][axis], px, py));
  });
  for (const entry of map.querySelectorAll('.legend [data-class]')) {
    entry.addEventListener('pointerenter', () => { only = Number(entry.dataset.class); draw(); });
    entry.addEventListener('pointerleave', () => { only = -1; draw(); });
  }
  look(0);
  new ResizeObserver(draw).observe(canvas);
}
`;
