/** A change of the corpus, in words. */
import type { CorpusEvent } from '../../core/corpus.ts';
import type { Output } from '../output.ts';
import { plural } from '../words.ts';

/** @param event null where there was nothing to do */
export function printChange(output: Output, event: CorpusEvent | null): void {
  output.line(
    event
      ? `Done${event.labels > 0 ? ` (${plural(event.labels, 'label')} changed)` : ''}; labelsmith corpus undo takes it back.`
      : 'Nothing to change.',
  );
}
