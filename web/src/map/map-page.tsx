/** Where everything stands: near each other is what looks alike. Draw around some of it to label it. */
import { useQuery } from '@tanstack/react-query';
import { type PointerEvent, useEffect, useMemo, useRef, useState, type WheelEvent } from 'react';
import { Link } from 'wouter';
import type { ItemRef } from '../api/client.ts';
import { useWrites } from '../api/writes.ts';
import { many } from '../app/many.ts';
import { useTell } from '../app/told.tsx';
import { ClassPicker } from '../classes/class-picker.tsx';
import { useTask, useTaskClasses } from '../classes/use-task.ts';
import { DetailView } from '../detail/detail-view.tsx';
import { useKeys } from '../keys/keys.ts';
import { type Place, placeAt, type View } from '../view/view.ts';
import { COLOURINGS, type Colouring, type Colours, useColours } from './colours.ts';
import { drawPoints, fewInSight, inSight, strideOf } from './draw.ts';
import { type Choice, choiceOf, fetchPoints, insideOf, type Points } from './points.ts';
import { useMapView } from './use-map-view.ts';

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
        <Plane key={task} points={points} task={task} />
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
  const [by, setBy] = useState<Colouring>('class');
  const { colours, legend } = useColours(points, task, by);
  const [typing, setTyping] = useState(0);
  const [outline, setOutline] = useState<readonly Place[]>([]);
  const [chosen, setChosen] = useState<Choice | null>(null);
  /** What is empty is no choice. */
  const choose = (choice: Choice) => setChosen(choice.places.length > 0 ? choice : null);
  const [opened, setOpened] = useState<number | null>(null);
  const { view, fit, zoom, pan } = useMapView(points, canvas, opened === null);
  useEffect(() => {
    if (canvas.current && view) drawPoints(canvas.current, points, { view, colours, chosen });
  }, [points, view, colours, chosen]);

  const at = ({ nativeEvent: { offsetX, offsetY } }: PointerEvent | WheelEvent) => ({ x: offsetX, y: offsetY });
  const onPointerMove = (event: PointerEvent) => {
    if (!view || event.buttons !== 1) return;
    if (event.shiftKey) pan(event.movementX, event.movementY);
    else setOutline([...outline, at(event)]);
  };
  const onPointerUp = () => {
    if (!view || isClick(outline)) {
      setOutline([]);
      setChosen(null);
      return;
    }
    choose(
      insideOf(
        points,
        outline.map((place) => placeAt(view, place)),
      ),
    );
    setOutline([]);
  };
  const onWheel = (event: WheelEvent) => zoom(Math.exp(-event.deltaY / 400), at(event));
  const chooseInSight = () => {
    if (!view || !canvas.current) return;
    const { clientWidth: width, clientHeight: height } = canvas.current;
    choose(choiceOf(points.count, inSight(points, view, { width, height })));
  };
  useKeys(
    {
      a: chooseInSight,
      l: () => setTyping(typing + 1),
      Escape: () => setChosen(null),
    },
    opened === null,
  );
  const stride = strideOf(points.count);
  return (
    <>
      <div className="plane">
        <canvas
          ref={canvas}
          aria-label={`${points.count.toLocaleString()} images in ${points.classes.length} classes`}
          role="img"
          onPointerDown={(event) => setOutline([at(event)])}
          onPointerMove={onPointerMove}
          onPointerUp={onPointerUp}
          onWheel={onWheel}
        />
        {view && canvas.current && <Pictures points={points} view={view} canvas={canvas.current} />}
        <svg className="lasso" aria-hidden>
          <polygon points={outline.map(({ x, y }) => `${x},${y}`).join(' ')} />
        </svg>
      </div>
      <aside>
        <div className="row">
          <ColourChoice by={by} onChoose={setBy} />
          <button type="button" onClick={fit}>
            Whole map
          </button>
        </div>
        <p className="hint">
          Draw around some to choose them, or <kbd>a</kbd> all in sight. The wheel or <kbd>+</kbd> zooms, to pictures
          where few are in sight; Shift and dragging, or arrows, move.
          {stride > 1 &&
            ` One in ${stride} of ${many(points.count, 'image')} is drawn; all that are drawn around are chosen.`}
        </p>
        {chosen && (
          <Chosen
            points={points}
            places={chosen.places}
            task={task}
            typing={typing}
            onOpen={setOpened}
            onDone={() => setChosen(null)}
          />
        )}
        <Legend legend={legend} />
      </aside>
      {opened !== null && chosen?.places[opened] !== undefined && (
        <DetailView
          item={itemOf(points, chosen.places[opened])}
          task={task}
          onClose={() => setOpened(null)}
          onStep={(step) => setOpened(Math.min(chosen.places.length - 1, Math.max(0, opened + step)))}
        />
      )}
    </>
  );
}

interface ColourChoiceProps {
  readonly by: Colouring;
  readonly onChoose: (by: Colouring) => void;
}

function ColourChoice({ by, onChoose }: ColourChoiceProps) {
  return (
    <label className="choice">
      <span>Colour</span>
      <select
        value={by}
        onChange={({ target }) => onChoose(COLOURINGS.find(([one]) => one === target.value)?.[0] ?? 'class')}
      >
        {COLOURINGS.map(([one, name]) => (
          <option key={one} value={one}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Legend({ legend }: Pick<Colours, 'legend'>) {
  return (
    <ul className="legend">
      {legend.map(({ name, colour }) => (
        <li key={name}>
          <svg width="12" height="12" aria-hidden>
            <rect width="12" height="12" rx="3" fill={`rgb(${colour.join(',')})`} />
          </svg>{' '}
          {name}
        </li>
      ))}
    </ul>
  );
}

interface PicturesProps {
  readonly points: Points;
  readonly view: View;
  readonly canvas: HTMLCanvasElement;
}

/** What is in sight as pictures, where it is few. The whole of a small map is few too, and stays points. */
function Pictures({ points, view, canvas: { clientWidth: width, clientHeight: height } }: PicturesProps) {
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
            left: (points.x[place] ?? 0) * view.scale + view.x,
            top: (points.y[place] ?? 0) * view.scale + view.y,
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
  readonly places: Int32Array;
  readonly task: string;
  /** Another number: a name is typed. */
  readonly typing: number;
  readonly onOpen: (place: number) => void;
  readonly onDone: () => void;
}

function Chosen({ points, places, task, typing, onOpen, onDone }: ChosenProps) {
  const { label } = useWrites();
  const tell = useTell();
  const proposals = useTaskClasses(task).map(({ name, count }) => ({ name, what: `${count} here` }));
  const say = async (className: string) => {
    const items = Array.from(places, (place) => itemOf(points, place));
    if (!(await label(task, className, items))) return;
    tell(`${many(items.length, 'item')}: ${className}`);
    onDone();
  };
  return (
    <section aria-label="What is chosen">
      <strong>{places.length.toLocaleString()} chosen</strong>
      <ClassPicker
        key={typing}
        label="Label them"
        placeholder="l Label them…"
        autoFocus={typing > 0}
        proposals={proposals}
        onPick={(name) => void say(name)}
      />
      <div className="strip">
        {[...places.subarray(0, SHOWN)].map((place, i) => (
          <button type="button" key={place} onClick={() => onOpen(i)} aria-label={`Open image ${i + 1}`}>
            <img src={`/api/images/${points.id(place)}/thumbnail`} alt="" />
          </button>
        ))}
      </div>
    </section>
  );
}
