/** What points are coloured by: what holds of them, their cluster, who said it, or how sure it is. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { SAID_BY } from '../browse/cell-view.tsx';
import { hueOf, pixelOf, type Rgb } from './draw.ts';
import { fetchClusters, type Points } from './points.ts';

export const COLOURINGS = [
  ['class', 'class'],
  ['cluster', 'cluster'],
  ['origin', 'who said it'],
  ['confidence', 'how sure'],
] as const;
export type Colouring = (typeof COLOURINGS)[number][0];

export interface Colours {
  /** A pixel of each point. */
  readonly colours: Uint32Array;
  readonly legend: readonly { readonly name: string; readonly colour: Rgb }[];
}

export function useColours(points: Points, task: string, by: Colouring): Colours {
  const { data: clusters } = useQuery({
    enabled: by === 'cluster',
    queryKey: ['record', 'map', task, 'clusters'],
    queryFn: ({ signal }) => fetchClusters(task, signal),
  });
  return useMemo(() => {
    const nobody = pixelOf(hueOf(-1));
    const coloured = (colourOf: (place: number) => number) => {
      const colours = new Uint32Array(points.count);
      for (let i = 0; i < points.count; i++) colours[i] = colourOf(i);
      return colours;
    };
    const named = (names: readonly string[], placeOf: (place: number) => number | undefined): Colours => {
      const hues = Uint32Array.from([-1, ...names.keys()], (place) => pixelOf(hueOf(place)));
      return {
        legend: names.map((name, place) => ({ name, colour: hueOf(place) })),
        colours: coloured((i) => hues[(placeOf(i) ?? -1) + 1] ?? nobody),
      };
    };
    switch (by) {
      case 'class':
        return named(points.classes, (i) => points.classOf[i]);
      case 'cluster':
        return named(clusters?.classes ?? [], (i) => clusters?.classOf[i]);
      case 'origin':
        return named(
          points.origins.map((origin) => SAID_BY[origin]),
          (i) => points.originOf[i],
        );
      case 'confidence':
        return {
          legend: SHARES.map((share) => ({ name: `${100 * share} % sure`, colour: sure(share) })),
          colours: coloured((i) => (points.originOf[i] === NOBODY ? nobody : pixelOf(sure(points.confidence[i] ?? 0)))),
        };
      default:
        return by satisfies never;
    }
  }, [points, clusters, by]);
}

/** In place of who says it, where nothing holds. */
const NOBODY = 255;
const SHARES = [0, 0.5, 1];
const sure = (share: number): Rgb => [Math.round(235 * (1 - share)), Math.round(90 + 90 * share), 120];
