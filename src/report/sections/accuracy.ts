/** How many of the machine labels are right, where that was measured: a row a task. */
import { accuracyText, type LabelAccuracy } from '../../core/label-accuracy.ts';
import { html } from '../../core/markup.ts';
import { knownAccuracy } from '../../stages/audit/known-accuracy.ts';
import type { Section } from '../report-data.ts';
import type { Gather } from './section.ts';

export const gatherAccuracy: Gather = async ({ store }) => {
  const known: LabelAccuracy[] = [];
  for (const { name } of await store.tasks()) {
    const of = await knownAccuracy(store, name);
    if (of) known.push(of);
  }
  return known.length === 0 ? null : { section: sectionOf(known), pictures: [] };
};

function sectionOf(known: readonly LabelAccuracy[]): Section {
  return {
    id: 'accuracy',
    title: 'Accuracy',
    render: () => html`<p class="lead">Of the labels by machines; those of people are apart.</p>
<ul class="notes">
${known.map((of) => html`<li><strong>Task ${of.task}:</strong> ${accuracyText(of)}.</li>\n`)}</ul>`,
  };
}
