/**
 * The report: one HTML file that is complete in itself. Its content security policy forbids every request and every
 * script and style but the two that are in it, named by their hashes; all data is escaped by `markup.ts`.
 */
import { html, Markup } from '../core/markup.ts';
import { pagePolicy } from '../core/page-policy.ts';
import { Pictures } from './picture.ts';
import type { ReportData, Section } from './report-data.ts';
import { SCRIPT } from './script.ts';
import { CLASSES, classLinks } from './sections/classes.ts';
import { GROUPS, QUALITY, QUARANTINE } from './sections/data.ts';
import { READING, RUNS } from './sections/runs.ts';
import { TRAINING } from './sections/training.ts';
import { TREE } from './sections/tree.ts';
import { STYLE } from './style.ts';
import { count, counted, percent, time } from './words.ts';

/** In the order of the page. */
function sectionsOf({ gathered }: ReportData): readonly Section[] {
  return [
    TREE,
    CLASSES,
    ...gathered.map(({ section }) => section),
    TRAINING,
    GROUPS,
    QUALITY,
    QUARANTINE,
    RUNS,
    READING,
  ];
}

/** The whole file, to be written as UTF-8. */
export function renderReport(data: ReportData): string {
  const pictures = new Pictures(data.pictures, data.shapes);
  const sections = sectionsOf(data).flatMap((section) => {
    const body = section.render(data, pictures);
    return body ? [{ ...section, body }] : [];
  });
  const style = [STYLE, pictures.style(), ...sections.map((section) => section.style ?? '')].join('');
  const script = [SCRIPT, ...sections.flatMap((section) => (section.script ? [`{${section.script}}`] : []))].join('\n');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${pagePolicy({ style, script })}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="labelsmith ${data.version}">
<title>${data.title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the classes</a>
${pictures.definitions()}
${hero(data)}
<div class="columns">
<nav aria-label="Contents">
<ul class="section-links">${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>\n`)}</ul>
${
  data.classes.length > 0 &&
  html`<search><label for="filter">Find a class <kbd>/</kbd></label><input id="filter" type="search" autocomplete="off" spellcheck="false"><output id="filtered" for="filter"></output></search>
${classLinks(data)}`
}
</nav>
<main id="main" tabindex="-1">
${sections.map(({ id, title, body }) => html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>\n${body}\n</section>\n`)}
</main>
</div>
<footer><p>Made by labelsmith ${data.version} at ${time(data.generatedAt)}</p></footer>
<dialog id="large" aria-label="Picture">
<div class="stage"></div>
<div class="caption"><p><strong class="file"></strong><br><span class="of"></span></p>
<p class="buttons"><button type="button" class="previous" aria-label="Previous picture">←</button><button type="button" class="next" aria-label="Next picture">→</button><button type="button" class="close" aria-label="Close">✕</button></p></div>
</dialog>
<script>${new Markup(script)}</script>
</body>
</html>
`.text;
}

function hero({ title, totals, classes, sources, generatedAt }: ReportData): Markup {
  // A class of two tasks is one class with two cards.
  const names = new Set(classes.map(({ name }) => name)).size;
  const share = totals.images > 0 ? totals.labelledImages / totals.images : 0;
  const tiles: readonly (readonly [number: string, what: string, more: string | null])[] = [
    [count(totals.images), 'images', totals.paths > totals.images ? `${count(totals.paths)} paths` : null],
    [percent(share), 'labelled', `${count(totals.labelledImages)} of ${counted(totals.images, 'image')}`],
    [count(names), names === 1 ? 'class' : 'classes', null],
    [count(totals.regions), totals.regions === 1 ? 'region' : 'regions', perImage(totals.regions, totals.images)],
    [count(totals.groups), totals.groups === 1 ? 'group' : 'groups', `${count(totals.groupedImages)} images alike`],
    [count(totals.quarantined), 'in quarantine', null],
  ];
  return html`<header class="hero"><div class="inner">
<p class="brand">labelsmith report</p>
<h1>${title}</h1>
<p class="sub">${time(generatedAt)}${sources.map((source) => html` · <span class="source">${source}</span>`)}</p>
<dl class="tiles">\n${tiles.map(([number, what, more]) => html`<div class="tile"><dt>${what}</dt><dd>${number}</dd>${more && html`<dd class="small">${more}</dd>`}</div>\n`)}</dl>
</div></header>`;
}

function perImage(regions: number, images: number): string | null {
  return images > 0 && regions > 0 ? `${(regions / images).toFixed(1)} an image` : null;
}
