/** "How many more labels", in words. */
import { formatCount } from '../../core/count-text.ts';
import type { LearningCurve } from '../../stages/teach/learning-curve.ts';
import { formatPercent } from '../words.ts';

/** What this very run has tried already, and need not be told to try. */
export interface TriedAlready {
  readonly search?: boolean;
  readonly fineTune?: boolean;
}

/** Null where the goal is reached. */
export function moreLabelsText(
  { goal, more, moreInterval, limit }: Pick<LearningCurve, 'goal' | 'more' | 'moreInterval' | 'limit'>,
  tried: TriedAlready = {},
): string | null {
  const wanted = formatPercent(goal, 0);
  if (more === 0) return null;
  const [low, high] = moreInterval ?? [null, null];
  if (more === null) {
    const perhaps = low === null ? '' : 'perhaps ';
    return `${wanted} is ${perhaps}out of reach with these features: about ${formatPercent(limit, 0)} if all were labelled${butMaybe(low)}.${otherFeatures(tried)}`;
  }
  const upTo = high === null ? '; perhaps it is out of reach' : ` and at most ${formatCount(high)}`;
  const between = low === null ? '' : ` (95 %: at least ${formatCount(low)}${upTo})`;
  return `For ${wanted}, about ${formatCount(more)} more labels like these${between}.`;
}

/** @param low labels that may be enough at the least, at 95 %; null where none are */
function butMaybe(low: number | null): string {
  if (low === null) return '';
  return `, though ${low === 0 ? 'these labels' : `${formatCount(low)} more labels`} may be enough (95 %)`;
}

function otherFeatures({ search, fineTune }: TriedAlready): string {
  const better = 'labelsmith models pull --quality balanced fetches better ones, where there are any';
  const ways = [
    search ? `better embedders (${better})` : `--search wide (of the embedders on this machine; ${better})`,
    ...(fineTune ? [] : ['--fine-tune auto']),
  ];
  return ` Other features: ${ways.join(', ')}.`;
}
