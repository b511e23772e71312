/** Where everything stands: near each other is what looks alike. Draw around some of it to label it. */
import { useQuery } from '@tanstack/react-query';
import { type PointerEvent, useCallback, useEffect, useMemo, useRef, useState, type WheelEvent } from 'react';
import { Link } from 'wouter';
import { MAX_ITEMS } from '../../../src/server/limits.ts';
import type { ItemRef } from '../api/client.ts';
import { useWrites } from '../api/writes.ts';
import { many } from '../app/many.ts';
import { ClassPicker } from '../classes/class-picker.tsx';
import { useTask, useTaskClasses } from '../classes/use-task.ts';
import { DetailView } from '../detail/detail-view.tsx';
import { drawPoints, fewInSight, fitted, hueOf, type MapView, placeAt, type Rgb, strideOf } from './draw.ts';
import { fetchPoints, insideOf, type Place, type Points } from './points.ts';

const NOTHING: ReadonlySet<number> = new Set();
const SHOWN = 24;
/** So few points in sight are shown as pictures. */
const MAX_PICTURES = 60;

export default function MapPage() {
  const { task } = useTask();
  const { data: points, error } = useQuery({
    queryKey: ['record', 'map', task],
    queryFn: ({ signal }) => fetchPoints(task, signal),
    retry: false,
  });
  return (
    <main className="page map">
      <h1 className="unseen">Map</h1>
      {points ? (
        <Plane key={task} {...{ points, task }} />
      ) : (
        <p className="empty">
          {error?.message ?? '…'} {error && <Link href="/">Clusters come with one: find them on the page Start</Link>}
        </p>
      )}
    </main>
  );
}

function Plane({ points, task }: { readonly points: Points; readonly task: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [view, setView] = useState<MapView | null>(null);
  const [by, setBy] = useState<'class' | 'confidence'>('class');
  const [outline, setOutline] = useState<readonly Place[]>([]);
  const [chosen, setChosen] = useState(NOTHING);
  const [opened, setOpened] = useState<number | null>(null);
  const colourOf = useMemo(() => {
    const hues = [-1, ...points.classes.keys()].map(hueOf);
    const byClass = (i: number): Rgb => hues[(points.classOf[i] ?? -1) + 1] ?? hueOf(-1);
    const sure = (i: number): Rgb => {
      const share = points.confidence[i] ?? 0;
      return [Math.round(235 * (1 - share)), Math.round(90 + 90 * share), 120];
    };
    return by === 'class' ? byClass : sure;
  }, [points, by]);
  const fit = useCallback(() => {
    const box = canvas.current;
    if (!box) return;
    box.width = box.clientWidth;
    box.height = box.clientHeight;
    setView(fitted(points, box.width, box.height));
  }, [points]);
  useEffect(() => {
    fit();
    const watcher = new ResizeObserver(fit);
    if (canvas.current) watcher.observe(canvas.current);
    return () => watcher.disconnect();
  }, [fit]);
  useEffect(() => {
    if (canvas.current && view) drawPoints(canvas.current, points, { view, colourOf, chosen });
  }, [points, view, colourOf, chosen]);

  const at = ({ nativeEvent: { offsetX, offsetY } }: PointerEvent | WheelEvent) => ({ x: offsetX, y: offsetY });
  const onPointerMove = (event: PointerEvent) => {
    if (!view || event.buttons !== 1) return;
    if (event.shiftKey) {
      setView({ ...view, left: view.left + event.movementX, top: view.top + event.movementY });
    } else setOutline([...outline, at(event)]);
  };
  const onPointerUp = () => {
    if (!view || isClick(outline)) {
      setOutline([]);
      setChosen(NOTHING);
      return;
    }
    setChosen(
      new Set(
        insideOf(
          points,
          outline.map(({ x, y }) => placeAt(view, x, y)),
        ),
      ),
    );
    setOutline([]);
  };
  const onWheel = (event: WheelEvent) => {
    if (!view) return;
    const { x, y } = at(event);
    const factor = Math.exp(-event.deltaY / 400);
    setView({ scale: view.scale * factor, left: x - (x - view.left) * factor, top: y - (y - view.top) * factor });
  };
  const places = useMemo(() => [...chosen], [chosen]);
  const stride = strideOf(points.count);
  return (
    <>
      <div className="plane">
        <canvas
          ref={canvas}
          aria-label={`${points.count.toLocaleString()} images in ${points.classes.length} classes`}
          role="img"
          onPointerDown={(event) => setOutline([at(event)])}
          {...{ onPointerMove, onPointerUp, onWheel }}
        />
        {view && canvas.current && <Pictures {...{ points, view }} canvas={canvas.current} />}
        <svg className="lasso" aria-hidden>
          <polygon points={outline.map(({ x, y }) => `${x},${y}`).join(' ')} />
        </svg>
      </div>
      <aside>
        <div className="row">
          <label className="choice">
            <span>Colour</span>
            <select value={by} onChange={(event) => setBy(event.target.value === 'class' ? 'class' : 'confidence')}>
              <option value="class">class</option>
              <option value="confidence">how sure</option>
            </select>
          </label>
          <button type="button" onClick={fit}>
            Whole map
          </button>
        </div>
        <p className="hint">
          Draw around some to choose them. The wheel zooms, to pictures where few are in sight; Shift and dragging
          moves.
          {stride > 1 &&
            ` One in ${stride} of ${many(points.count, 'image')} is drawn; all that are drawn around are chosen.`}
        </p>
        {chosen.size > 0 && (
          <Chosen {...{ points, places, task }} onOpen={setOpened} onDone={() => setChosen(NOTHING)} />
        )}
        {by === 'class' && <Legend classes={points.classes} />}
      </aside>
      {opened !== null && places[opened] !== undefined && (
        <DetailView
          item={itemOf(points, places[opened])}
          {...{ task }}
          onClose={() => setOpened(null)}
          onStep={(step) => setOpened(Math.min(places.length - 1, Math.max(0, opened + step)))}
        />
      )}
    </>
  );
}

function Legend({ classes }: { readonly classes: readonly string[] }) {
  return (
    <ul className="legend">
      {classes.map((name, place) => (
        <li key={name}>
          <svg width="12" height="12" aria-hidden>
            <rect width="12" height="12" rx="3" fill={`rgb(${hueOf(place).join(',')})`} />
          </svg>{' '}
          {name}
        </li>
      ))}
    </ul>
  );
}

interface PicturesProps {
  readonly points: Points;
  readonly view: MapView;
  readonly canvas: HTMLCanvasElement;
}

/** What is in sight as pictures, where it is few. The whole of a small map is few too, and stays points. */
function Pictures({ points, view, canvas: { width, height } }: PicturesProps) {
  const near = useMemo(
    () => (points.count > MAX_PICTURES ? fewInSight(points, view, { width, height, most: MAX_PICTURES }) : []),
    [points, view, width, height],
  );
  return (
    <div className="near" aria-hidden>
      {near.map((place) => (
        <img
          key={place}
          src={`/api/images/${points.id(place)}/thumbnail`}
          alt=""
          style={{
            left: (points.x[place] ?? 0) * view.scale + view.left,
            top: (points.y[place] ?? 0) * view.scale + view.top,
          }}
        />
      ))}
    </div>
  );
}

function isClick(outline: readonly Place[]): boolean {
  return outline.length < 3;
}

function itemOf(points: Points, place: number): ItemRef {
  const id = points.id(place);
  return { itemId: id, imageId: id };
}

interface ChosenProps {
  readonly points: Points;
  readonly places: readonly number[];
  readonly task: string;
  readonly onOpen: (place: number) => void;
  readonly onDone: () => void;
}

function Chosen({ points, places, task, onOpen, onDone }: ChosenProps) {
  const { label } = useWrites();
  const proposals = useTaskClasses(task).map(({ name, count }) => ({ name, what: `${count} here` }));
  const say = async (className: string) => {
    for (let i = 0; i < places.length; i += MAX_ITEMS) {
      const items = places.slice(i, i + MAX_ITEMS).map((place) => itemOf(points, place));
      if (!(await label(task, className, items))) return;
    }
    onDone();
  };
  return (
    <section aria-label="What is chosen">
      <strong>{places.length.toLocaleString()} chosen</strong>
      <ClassPicker label="Label them" placeholder="Label them…" {...{ proposals }} onPick={(name) => void say(name)} />
      <div className="strip">
        {places.slice(0, SHOWN).map((place, i) => (
          <button type="button" key={place} onClick={() => onOpen(i)} aria-label={`Open image ${i + 1}`}>
            <img src={`/api/images/${points.id(place)}/thumbnail`} alt="" />
          </button>
        ))}
      </div>
    </section>
  );
}
