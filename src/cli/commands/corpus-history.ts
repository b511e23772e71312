/** `corpus undo` and `corpus history`: what was done to the classes, and taking it back. */
import type { CorpusEvent } from '../../core/corpus.ts';
import { command } from '../command.ts';
import { wholeNumber } from '../text-values.ts';
import { argument } from '../values.ts';
import { oneLine } from '../words.ts';
import { withWorkspace } from '../workspace.ts';

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
    rename: (told: Told) => `rename ${told('from')} to ${told('to')}`,
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

export const corpusUndo = command({
  name: 'corpus undo',
  summary: 'takes back the last change of the corpus, or the last n',
  args: { count: argument('[n]', 'changes to undo (default: 1)', wholeNumber(1).default(1)) },
  examples: [
    ['labelsmith corpus undo', 'once more takes back the one before'],
    ['labelsmith corpus undo 3', 'the last three'],
  ],
  run({ args: { count }, ...context }) {
    const { output } = context;
    return withWorkspace(context, async (workspace) => {
      const undone: CorpusEvent[] = [];
      while (undone.length < count) {
        const event = await workspace.store.undoCorpusChange();
        if (!event) break;
        undone.push(event);
        output.line(`Took back: ${changeText(event)}`);
      }
      output.document({ undone });
      if (undone.length === 0) output.line('There is nothing to take back.');
      return undone.length > 0 ? 0 : 1;
    });
  },
});

export const corpusHistory = command({
  name: 'corpus history',
  summary: 'every change of the corpus, the newest first',
  examples: [['labelsmith corpus history', 'what was done, and what was taken back']],
  run(context) {
    const { output } = context;
    return withWorkspace(context, async (workspace) => {
      const events = await workspace.store.corpusHistory();
      output.document({ events });
      for (const event of events) {
        const at = new Date(event.atMs).toISOString().slice(0, 19).replace('T', ' ');
        output.line(`${at}  ${changeText(event)}${event.undone ? '  (undone)' : ''}`);
      }
      return 0;
    });
  },
});
