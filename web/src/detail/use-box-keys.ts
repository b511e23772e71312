/**
 * Boxes by keys: a cross that arrows move and Enter sets corners with while one is drawn, else the chosen box moved and resized.
 * Presses one after the other are one write, which leaving the box or the image, and undo, bring forward, and deleting the box drops.
 */
import { useEffect, useRef, useState } from 'react';
import type { ImageDetail, Region } from '../api/client.ts';
import { holdBack } from '../api/held-back.ts';
import { useKeys } from '../keys/keys.ts';
import { type Box, isBox, moved, type Point, resized } from './drag.ts';
import type { Drawing } from './use-drag.ts';

export interface BoxKeysOptions {
  readonly image: ImageDetail;
  readonly region: Region | undefined;
  readonly drawing: Drawing;
  /** A corner, or an outermost point. */
  readonly onPoint: (at: Point) => void;
  readonly onBox: (box: Box, id: string) => void;
}

/** Of the longer side of the image, a press. */
const STEP = 0.01;
const LONG_STEP = 0.1;
const QUIET_MS = 600;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] } as const;

interface Waiting {
  readonly write: () => void;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly forget: () => void;
}

export function useBoxKeys({ image, region, drawing, onPoint, onBox }: BoxKeysOptions) {
  const { width, height } = image;
  const [cross, setCross] = useState<Point | null>(null);
  const [draft, setDraft] = useState<{ readonly id: string; readonly box: Box } | null>(null);
  const waiting = useRef<Waiting>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another way of drawing begins anew.
  useEffect(() => setCross(null), [drawing]);
  /** What waited is not written, but by who asked. */
  const take = () => {
    const { current } = waiting;
    clearTimeout(current?.timer);
    current?.forget();
    waiting.current = undefined;
    return current;
  };
  const drop = () => {
    setDraft(null);
    return take();
  };
  // Until what was written stands in the record as it is read, so that the box does not go back in between.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is of the box that was read before.
  useEffect(() => {
    if (waiting.current === undefined) setDraft(null);
  }, [region?.box]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what waits is of the box before.
  useEffect(() => () => drop()?.write(), [region?.id]);

  const step = Math.max(width, height) * STEP;
  const moveCross = ([x, y]: readonly [number, number], by: number) => {
    const from = cross ?? { x: width / 2, y: height / 2 };
    const within = (value: number, most: number) => Math.min(Math.max(value, 0), most);
    setCross({ x: within(from.x + x * by, width), y: within(from.y + y * by, height) });
  };
  const change = (how: (box: Box) => Box) => {
    if (!region) return;
    const { id } = region;
    const box = how(draft?.id === id ? draft.box : region.box);
    if (!isBox(box)) return;
    take();
    setDraft({ id, box });
    const write = () => {
      take();
      onBox(box, id);
    };
    waiting.current = { write, timer: setTimeout(write, QUIET_MS), forget: holdBack(write) };
  };
  const arrows = (before: string, act: (way: readonly [number, number]) => void) =>
    Object.fromEntries(Object.entries(ARROWS).map(([name, way]) => [`${before}${name}`, () => act(way)]));
  const set = () => onPoint(cross ?? { x: width / 2, y: height / 2 });
  useKeys(
    {
      ...arrows('', (way) => moveCross(way, step)),
      ...arrows('Shift+', (way) => moveCross(way, step * (LONG_STEP / STEP))),
      Enter: set,
      Space: set,
    },
    drawing !== null,
  );
  useKeys(
    {
      ...arrows('Shift+', ([x, y]) => change((box) => moved(box, x * step, y * step, image))),
      ...arrows('Alt+Shift+', ([x, y]) => change((box) => resized(box, x * step, y * step, image))),
      Delete: drop,
      Backspace: drop,
    },
    drawing === null && region !== undefined,
  );
  return { cross, drop, box: draft?.id === region?.id ? draft?.box : undefined };
}
