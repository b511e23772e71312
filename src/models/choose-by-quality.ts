/** Which detector and which masks go with a quality that somebody asks for: the hub's where they can be had. */
import { HUB_FIRST, type Quality } from './choose-embedder.ts';
import { firstOfHub, type HubReach } from './hub/reachable.ts';
import { sentenceOf } from './missed.ts';
import type { PrepareOptions } from './prepare.ts';

export interface QualityChoice {
  /** Undefined of masks: what needs no model. */
  readonly id: string | undefined;
  /** Why this one, as the rest of a sentence. */
  readonly because: string;
}

/** @param otherwise what is taken where no better one is to be had */
export async function chooseByQuality(
  role: 'detector' | 'segmenter',
  quality: Quality,
  otherwise: string | undefined,
  options: PrepareOptions,
  reach?: HubReach,
): Promise<QualityChoice> {
  const names = HUB_FIRST[quality][role];
  if (names.length === 0) return { id: otherwise, because: `what goes with --quality ${quality}` };
  const { id, missed } = await firstOfHub(names, { ...options, onNotice: undefined }, reach);
  const because = missed.length > 0 ? sentenceOf(missed) : 'the best of those known, by what publishers state';
  return { id: id ?? otherwise, because };
}
