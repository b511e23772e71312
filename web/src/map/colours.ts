/** What points are coloured by: what holds of them, their cluster, who said it, or how sure it is. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { SAID_BY } from '../browse/cell-view.tsx';
import { hueOf, type Rgb } from './draw.ts';
import { fetchClusters, type Points } from './points.ts';

export const COLOURINGS = [
  ['class', 'class'],
  ['cluster', 'cluster'],
  ['origin', 'who said it'],
  ['confidence', 'how sure'],
] as const;
export type Colouring = (typeof COLOURINGS)[number][0];

export interface Colours {
  readonly colourOf: (place: number) => Rgb;
  /** Of the legend; the colour of each is that of its place. */
  readonly names: readonly string[];
}

export function useColours(points: Points, task: string, by: Colouring): Colours {
  const { data: clusters } = useQuery({
    enabled: by === 'cluster',
    queryKey: ['record', 'map', task, 'clusters'],
    queryFn: ({ signal }) => fetchClusters(task, signal),
  });
  return useMemo(() => {
    const named = (names: readonly string[], placeOf: (place: number) => number | undefined): Colours => {
      const hues = [-1, ...names.keys()].map(hueOf);
      return { names, colourOf: (i) => hues[(placeOf(i) ?? -1) + 1] ?? hueOf(-1) };
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
        return { names: [], colourOf: (i) => sure(points.confidence[i] ?? 0) };
      default:
        return by satisfies never;
    }
  }, [points, clusters, by]);
}

const sure = (share: number): Rgb => [Math.round(235 * (1 - share)), Math.round(90 + 90 * share), 120];
