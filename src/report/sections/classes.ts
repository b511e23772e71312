/** The classes: what was found, how often, how sure, and what it looks like. */
import { ORIGINS } from '../../core/labels.ts';
import { html, type Markup } from '../../core/markup.ts';
import type { Pictures } from '../picture.ts';
import type { Exemplar, ReportClass, ReportData, Section } from '../report-data.ts';
import { count, counted, percent } from '../words.ts';

export const CLASSES: Section = {
  id: 'classes',
  title: 'Classes',
  render: (data, pictures) => {
    if (data.classes.length === 0) {
      return html`<p class="empty">No image has a class yet. <code>labelsmith detect</code> finds everyday objects.</p>`;
    }
    const tasks = new Set(data.classes.map(({ task }) => task));
    return html`${data.classes.map((item, i) => classCard(item, i, pictures, tasks.size > 1))}
<p class="empty" id="no-class" hidden>No class has that in its name.</p>`;
  },
};

/** Links to the classes with their counts, for the side of the page. */
export function classLinks(data: ReportData): Markup {
  const most = Math.max(1, ...data.classes.map(({ images }) => images));
  const named = Map.groupBy(data.classes, ({ name }) => name);
  return html`<ol class="class-links">\n${data.classes.map(
    (item, i) =>
      html`<li data-name="${searchable(item)}"><a href="#${anchorOf(i)}"><span class="name">${item.name}${inSeveralTasks(named, item) && html` <small>${item.task}</small>`}</span><span class="number">${count(item.images)}</span>${bar(item.images / most)}</a></li>\n`,
  )}</ol>`;
}

/** Its name alone would not say which of its cards is meant. */
function inSeveralTasks(named: ReadonlyMap<string, readonly ReportClass[]>, { name }: ReportClass): boolean {
  return (named.get(name)?.length ?? 0) > 1;
}

function classCard(item: ReportClass, index: number, pictures: Pictures, withTask: boolean): Markup {
  const { name, regions, images, meanConfidence, origins } = item;
  const size = regions > 0 ? `${counted(regions, 'region')} in ${counted(images, 'image')}` : counted(images, 'image');
  const facts = [
    size,
    meanConfidence !== null && html`mean confidence ${meter(meanConfidence)} ${percent(meanConfidence)}`,
    item.parent !== null && `a kind of ${item.parent}`,
    item.synonyms.length > 0 && `also ${item.synonyms.join(', ')}`,
  ].filter((fact) => fact !== false);
  const said = ORIGINS.filter((origin) => origins[origin]);
  const typical = pictures.shots(item.typical.map((exemplar) => shotOf(exemplar, name, pictures)));
  const doubtful = pictures.shots(item.doubtful.map((exemplar) => shotOf(exemplar, name, pictures)));
  const heading = `${anchorOf(index)}-name`;
  return html`<article class="card class-card" id="${anchorOf(index)}" data-name="${searchable(item)}" aria-labelledby="${heading}">
<header><h3 id="${heading}">${name}</h3>
<p class="origins">${withTask && html`<span class="tag">task ${item.task}</span>`}${said.map((origin) => html`<span class="tag origin-${origin}">${origin} ${count(origins[origin] ?? 0)}</span>`)}</p></header>
<p class="facts">${facts.map((fact) => html`<span>${fact}</span>`)}</p>
${item.description !== null && html`<p>${item.description}</p>`}
${doubtful ? html`<h4>Typical</h4>` : null}${typical ?? html`<p class="empty">Pictures were left out to keep this file small.</p>`}
${doubtful && html`<h4>Least confident</h4>${doubtful}`}
</article>\n`;
}

function shotOf({ imageId, confidence, regions }: Exemplar, name: string, pictures: Pictures): Markup | null {
  return pictures.shot(imageId, name, { regions, confidence });
}

/** The anchor of the class at this place. */
export function anchorOf(index: number): string {
  return `class-${index + 1}`;
}

function searchable({ name, synonyms }: ReportClass): string {
  return [name, ...synonyms].join(' ').toLowerCase();
}

function bar(fraction: number): Markup {
  const width = Math.max(0.5, fraction * 100).toFixed(1);
  return html`<svg class="bar" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true"><rect width="${width}" height="3"/></svg>`;
}

function meter(fraction: number): Markup {
  return html`<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="6"/><rect width="${(fraction * 100).toFixed(1)}" height="6"/></svg>`;
}
