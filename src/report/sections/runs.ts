/** What was done to get here: every run with its settings, so that it can be done again. And how to read the numbers. */

import { html, type Markup } from '../../core/markup.ts';
import type { RunRecord } from '../../store/store.ts';
import type { Section } from '../report-data.ts';
import { count, duration, time } from '../words.ts';

export const RUNS: Section = {
  id: 'runs',
  title: 'Runs',
  render: ({ runs }) => {
    if (runs.length === 0) return null;
    return html`<div class="scroll"><table><thead><tr><th scope="col">Stage</th><th scope="col">Started</th><th scope="col">Took</th><th scope="col">Counts</th><th scope="col">How</th></tr></thead><tbody>
${runs.map(runRow)}</tbody></table></div>`;
  },
};

function runRow(run: RunRecord): Markup {
  const { startedAtMs, endedAtMs, counts } = run;
  return html`<tr><td><strong>${run.stage}</strong>${run.status !== 'done' && html` <span class="tag warn">${run.status}</span>`}</td>
<td class="nowrap">${time(new Date(startedAtMs).toISOString())}</td>
<td class="number nowrap">${endedAtMs === null ? '–' : duration(endedAtMs - startedAtMs)}</td>
<td>${Object.entries(counts).map(([name, n]) => html`<span class="count">${name} <b>${count(n)}</b></span> `)}</td>
<td><details><summary>settings</summary><dl>
${run.modelKey !== null && html`<dt>model</dt><dd>${run.modelKey}</dd>`}<dt>seed</dt><dd>${run.seed}</dd><dt>threads</dt><dd>${run.threads}</dd>
${Object.entries(run.settings).map(([name, value]) => html`<dt>${name}</dt><dd>${shown(value)}</dd>`)}
${Object.entries(run.versions).map(([name, version]) => html`<dt>${name}</dt><dd>${version}</dd>`)}
</dl></details></td></tr>\n`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '–');
}

export const READING: Section = {
  id: 'reading',
  title: 'How to read this',
  render: ({ classes, picturesLeftOut }) => {
    const origins = new Set(classes.flatMap((item) => Object.keys(item.origins)));
    return html`<ul class="notes">
${origins.has('detector') && html`<li><strong>Confidence is the detector’s own score.</strong> It ranks what was found and is not a probability: of a hundred regions at 60% it may be fifty or eighty that are right. <code>labelsmith audit</code> measures how many are, with an interval.</li>\n`}
${origins.has('cluster') && html`<li><strong>Clusters group what looks alike.</strong> Their names are proposals until a person has confirmed them.</li>\n`}
<li><strong>Typical pictures of a class</strong> stand for what it holds: the first looks most like all the others, each next one shows what those before it do not. They are chosen among a random sample by embeddings where there are some, else among the most confident by perceptual hash. Beside them are the least confident ones. Each comes from another group.</li>
<li><strong>People win:</strong> what a person said outranks every machine label and no later run changes it.</li>
${picturesLeftOut > 0 && html`<li>${count(picturesLeftOut)} further pictures were left out to keep this file small.</li>\n`}
<li>This file is complete in itself and loads nothing from anywhere.</li>
</ul>`;
  },
};
