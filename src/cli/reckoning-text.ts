/** The reckoning of what was read, for people: short, by reason, with the first places of each. */

import { formatCount } from '../core/count-text.ts';
import type { Problem, ReckoningReport } from '../formats/reckoning.ts';
import type { Output } from './output.ts';
import { oneLine } from './words.ts';

/** Places shown of each reason; `--json` has more. */
const PLACES_SHOWN = 3;

export function printReckoning({ problems }: ReckoningReport, output: Pick<Output, 'warn'>): void {
  for (const problem of problems) {
    output.warn(headOf(problem));
    const { examples, count } = problem;
    const shown = examples.slice(0, PLACES_SHOWN);
    for (const { where, what } of shown) output.warn(`  ${oneLine(what === undefined ? where : `${where}: ${what}`)}`);
    if (examples.length > shown.length)
      output.warn(`  … and ${formatCount(count - shown.length)} more (--json lists them)`);
  }
}

function headOf({ count, thing, outcome, text }: Problem): string {
  const what =
    count === 1 ? thing.replace(/e?s$/, (end) => (thing === 'classes' ? '' : end === 'es' ? 'e' : '')) : thing;
  return `${formatCount(count)} ${what}${outcome === 'told' ? '' : ` ${outcome}`}: ${text}`;
}
