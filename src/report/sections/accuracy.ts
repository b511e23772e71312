/** How many of the labels are right, where that was measured: the figures of every command, a row a question. */
import { html } from '../../core/markup.ts';
import { accuracyRows } from '../../stages/audit/accuracy-text.ts';
import { knownAccuracies } from '../../stages/audit/known-accuracy.ts';
import type { Section } from '../report-data.ts';
import type { Gather } from './section.ts';

interface Row {
  readonly task: string;
  readonly text: string;
}

export const gatherAccuracy: Gather = async ({ store }) => {
  const known = await knownAccuracies(store);
  const rows = known.flatMap((one) => accuracyRows(one).map((text) => ({ task: one.task, text })));
  return rows.length === 0 ? null : { section: sectionOf(rows), pictures: [] };
};

function sectionOf(rows: readonly Row[]): Section {
  return {
    id: 'accuracy',
    title: 'Accuracy',
    render: () => html`<ul class="notes">
${rows.map(({ task, text }) => html`<li><strong>Task ${task}:</strong> ${text}</li>\n`)}</ul>`,
  };
}
