/** What the data itself is like: copies and groups, doubtful quality, and files that could not be read. */
import type { QualityFlag } from '../../core/image.ts';
import { html, type Markup } from '../../core/markup.ts';
import type { SimilarPair } from '../../store/store.ts';
import type { Pictures } from '../picture.ts';
import type { ReportCopies, ReportGroup, Section } from '../report-data.ts';
import { count, counted } from '../words.ts';

const KIND_WORDS: Readonly<Record<SimilarPair['kind'], string>> = {
  copy: 'copies: mirrored, turned, cropped or with other looks',
  'near-duplicate': 'look alike',
  burst: 'taken in one burst',
  sequence: 'frames of one sequence',
};

export const GROUPS: Section = {
  id: 'groups',
  title: 'Duplicates and groups',
  render: ({ groups, copies, totals }, pictures) => {
    if (groups.length === 0 && copies.length === 0) return null;
    const more = totals.groups - groups.length;
    return html`<p class="lead">Images of a group always stay on one side of a split, so that a test never shows what was trained on. Nothing was deleted.</p>
${groups.length > 0 && html`<div class="groups">\n${groups.map((group) => groupCard(group, pictures))}</div>`}
${more > 0 && html`<p class="more">and ${counted(more, 'smaller group')}</p>`}
${
  copies.length > 0 &&
  html`<h3>Same bytes under several names</h3><p class="lead">${counted(totals.duplicatePaths, 'path')} of ${count(totals.paths)} hold bytes that another path holds too; each such image counts once.</p>
<div class="scroll"><table><thead><tr><th scope="col">Copies</th><th scope="col">Paths</th></tr></thead><tbody>\n${copies.map(copiesRow)}</tbody></table></div>`
}`;
  },
};

function groupCard({ count: size, kinds, members }: ReportGroup, pictures: Pictures): Markup | null {
  const shots = pictures.shots(members.map((id) => pictures.shot(id, 'member of a group')));
  if (!shots) return null;
  const words = kinds.map((kind) => KIND_WORDS[kind]).join(', ');
  return html`<article class="card group-card"><p class="facts"><strong>${counted(size, 'image')}</strong>${words && html`<span>${words}</span>`}</p>${shots}</article>\n`;
}

function copiesRow({ count: copies, paths }: ReportCopies): Markup {
  const more = copies - paths.length;
  return html`<tr><td class="number">${count(copies)}</td><td class="paths">${paths.map((path) => html`<div>${path}</div>`)}${more > 0 && html`<div class="more">and ${count(more)} more</div>`}</td></tr>\n`;
}

const FLAG_WORDS: Readonly<Record<QualityFlag, readonly [title: string, meaning: string]>> = {
  dark: ['Dark', 'hardly any light'],
  bright: ['Bright', 'mostly white'],
  blurred: ['Blurred', 'few sharp edges'],
  uniform: ['Uniform', 'almost one colour'],
  tiny: ['Tiny', 'too few pixels to tell much'],
  'odd-shape': ['Odd shape', 'very long or very tall'],
  rescaled: ['Rescaled', 'more than 8 bits, scaled by what the file holds'],
  bands: ['More bands', 'more bands than colours; the first are shown'],
  gaps: ['Gaps', 'pixels that stand for no measurement (no data, NaN), shown black'],
};

export const QUALITY: Section = {
  id: 'quality',
  title: 'Quality',
  render: ({ quality }, pictures) => {
    if (quality.length === 0) return null;
    return html`<p class="lead">Flags come from simple figures of each image. They hide nothing: flagged images are labelled like all others.</p>
<div class="groups">\n${quality.map(({ flag, count: size, examples }) => {
      const [title, meaning] = FLAG_WORDS[flag];
      return html`<article class="card group-card"><p class="facts"><strong>${title}</strong><span>${meaning}</span><span>${counted(size, 'image')}</span></p>${pictures.shots(
        examples.map((id) => pictures.shot(id, title.toLowerCase())),
      )}</article>\n`;
    })}</div>`;
  },
};

export const QUARANTINE: Section = {
  id: 'quarantine',
  title: 'Quarantine',
  render: ({ quarantine: { total, reasons, rows } }) => {
    if (total === 0) return null;
    const more = total - rows.length;
    return html`<p class="lead">${total === 1 ? '1 file' : `${count(total)} files`} could not be used and ${total === 1 ? 'was' : 'were'} set aside. They stay where they are.</p>
<p class="origins">${reasons.map(({ reason, count: n }) => html`<span class="tag">${reason} ${count(n)}</span>`)}</p>
<div class="scroll"><table><thead><tr><th scope="col">File</th><th scope="col">Reason</th><th scope="col">What happened</th></tr></thead><tbody>
${rows.map(({ path, reason, message }) => html`<tr><td class="paths">${path}</td><td><span class="tag">${reason}</span></td><td>${message}</td></tr>\n`)}</tbody></table></div>
${more > 0 && html`<p class="more">and ${count(more)} more: <code>labelsmith status --quarantine</code> lists all.</p>`}`;
  },
};
