/** `corpus undo` and `corpus history`: what was done to the classes, and taking it back. */
import type { CorpusEvent } from '../../core/corpus.ts';
import { plural } from '../../core/count-text.ts';
import { tasksToCutAgain, undoCorpusChange } from '../../stages/discover/relabel.ts';
import { command } from '../command.ts';
import { changeText } from '../print/corpus-change.ts';
import { wholeNumber } from '../text-values.ts';
import { argument } from '../values.ts';
import { formatTime, oneLine } from '../words.ts';
import { withWorkspace } from '../workspace.ts';

/** Operations among which the newest that is not undone is looked for. */
const NEWEST = 100;

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
      const newest = (await workspace.store.operations({ limit: NEWEST })).find((one) => !one.undone);
      while (undone.length < count) {
        const event = await undoCorpusChange(workspace.store);
        if (!event) break;
        undone.push(event);
        output.line(`Took back: ${changeText(event)}`);
      }
      const cutAgain = undone.length === 0 ? [] : await tasksToCutAgain(workspace.store);
      output.document({ undone, cutAgain });
      if (undone.length === 0) output.line('There is nothing to take back.');
      else if (undone.length < count)
        output.line(`That is all: ${count} were asked for, and ${allThereWas(undone.length)}.`);
      if (cutAgain.length > 0) {
        output.line(
          `Clusters were made around what was taken back (${plural(cutAgain.length, 'task')}: ${cutAgain.map(oneLine).join(', ')}); they follow at the next labelsmith discover.`,
        );
      }
      if (newest?.kind === 'items') {
        output.warn(
          `The newest thing that people did, "${newest.name}" of ${plural(newest.labels, 'label')}, changed no class and stays; Undo in labelsmith review takes it back.`,
        );
      }
      return undone.length > 0 ? 0 : 1;
    });
  },
});

const allThereWas = (count: number) => (count === 1 ? 'there was 1 change' : `there were ${count} changes`);

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
        output.line(`${formatTime(event.atMs)}  ${changeText(event)}${event.undone ? '  (undone)' : ''}`);
      }
      return 0;
    });
  },
});
