/** `corpus undo` and `corpus history`: what was done to the classes, and taking it back. */
import type { CorpusEvent } from '../../core/corpus.ts';
import { command } from '../command.ts';
import { wholeNumber } from '../text-values.ts';
import { argument } from '../values.ts';
import { oneLine } from '../words.ts';
import { withWorkspace } from '../workspace.ts';

/** Pairs that are told of a change of many names; `--json` has all of them. */
const MAX_PAIRS = 5;

/** What a change was asked, as one would say it: `from a, to b`; of a mapping its first pairs. */
export function argumentsText(given: CorpusEvent['arguments']): string {
  return oneLine(
    Object.entries(given)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([key, value]) => (key === 'mapping' ? '' : `${key} `) + valueText(value))
      .join(', '),
  );
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueText).join(' + ');
  if (typeof value !== 'object' || value === null) return String(value);
  const pairs = Object.entries(value).map(([from, to]) => `${from} → ${valueText(to)}`);
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
        output.line(`Took back: ${event.operation} ${argumentsText(event.arguments)}`);
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
      for (const { atMs, operation: name, arguments: given, undone } of events) {
        output.line(
          `${new Date(atMs).toISOString().slice(0, 19)}  ${name} ${argumentsText(given)}${undone ? '  (undone)' : ''}`,
        );
      }
      return 0;
    });
  },
});
