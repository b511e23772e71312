/** A change of the corpus, in words. */
import type { CorpusEvent } from '../../core/corpus.ts';
import { plural } from '../../core/count-text.ts';
import type { Output } from '../output.ts';
import { oneLine } from '../words.ts';

/** Pairs that are told of a change of many names; `--json` has all of them. */
const MAX_PAIRS = 5;

/** What was done to the classes, as one would say it: `rename "a" to "b"`; of a mapping its first pairs. */
export function changeText({ operation, arguments: given }: Pick<CorpusEvent, 'operation' | 'arguments'>): string {
  const say = SENTENCES.get(operation);
  return oneLine(say === undefined ? `${operation} ${argumentsText(given)}` : say((key) => valueText(given[key])));
}

type Told = (key: string) => string;

const SENTENCES: ReadonlyMap<string, (told: Told) => string> = new Map(
  Object.entries({
    rename: (told: Told) =>
      told('from') === told('to') ? `confirm the name ${told('to')}` : `rename ${told('from')} to ${told('to')}`,
    merge: (told: Told) => `merge ${told('names')} into ${told('into')}`,
    unmerge: (told: Told) => `part ${told('merged')} from ${told('name')} again`,
    alias: (told: Told) => `${told('synonym')} as another word for ${told('name')}`,
    nest: (told: Told) =>
      told('parent') === '' ? `put ${told('child')} at the top` : `put ${told('child')} under ${told('parent')}`,
    describe: (told: Told) => `describe ${told('name')}`,
    map: (told: Told) => `rename ${told('mapping')}`,
    import: (told: Told) => `take in a taxonomy of ${told('entries')} classes`,
    split: (told: Told) => `split ${told('name')}, ${told('items')} items`,
    'split-into': (told: Told) => `split ${told('name')} in the task ${told('task')}, ${told('items')} items`,
    'split-by-task': (told: Told) => `split ${told('name')} by the task ${told('by')}`,
  }),
);

function argumentsText(given: CorpusEvent['arguments']): string {
  return Object.entries(given)
    .map(([key, value]) => `${key} ${valueText(value)}`)
    .join(', ');
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(valueText).join(' + ');
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  const pairs = Object.entries(value).map(([from, to]) => `${JSON.stringify(from)} → ${valueText(to)}`);
  const more = pairs.length - MAX_PAIRS;
  return pairs.slice(0, MAX_PAIRS).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** @param event null where there was nothing to do */
export function printChange(output: Output, event: CorpusEvent | null): void {
  if (event === null) {
    output.line('Nothing to change.');
    return;
  }
  const labels = event.labels > 0 ? ` (${plural(event.labels, 'label')} changed)` : '';
  output.line(`Done: ${changeText(event)}${labels}; labelsmith corpus undo takes it back.`);
}
