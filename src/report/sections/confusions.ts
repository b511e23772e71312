/** Classes that are mistaken for each other, with the closest calls. */

import { html, type Markup } from '../../core/markup.ts';
import type { ConfusingExample, ConfusingPair } from '../confusions.ts';
import { confusingPairs } from '../confusions.ts';
import type { Pictures } from '../picture.ts';
import type { Section } from '../report-data.ts';
import { count, counted, percent } from '../words.ts';
import type { Gather } from './section.ts';

export const gatherConfusions: Gather = async (workspace, options) => {
  const pairs = await confusingPairs(workspace, options);
  if (pairs.length === 0) return null;
  // The first of every pair before the second of any.
  const most = Math.max(...pairs.map(({ examples }) => examples.length));
  const pictures = Array.from({ length: most }, (_, rank) =>
    pairs.flatMap(({ examples }) => examples[rank]?.imageId ?? []),
  ).flat();
  return { section: sectionOf(pairs), pictures };
};

export function sectionOf(pairs: readonly ConfusingPair[]): Section {
  return {
    id: 'confusions',
    title: 'Confusing pairs',
    render: (
      _,
      pictures,
    ) => html`<p class="lead">Classes that are mistaken for each other, those most often first. Where the two mean the same, <code>labelsmith corpus merge</code> makes them one; where not, a few labels of people on such pictures teach the difference best.</p>
<div class="groups">\n${pairs.map((pair) => pairCard(pair, pictures))}</div>`,
  };
}

const HOW: Readonly<Record<ConfusingPair['how'], (n: number) => Markup>> = {
  candidates: (n) => html`${counted(n, 'place')} where the detector sees both`,
  'label-errors': (n) => html`${counted(n, 'label')} that a model takes for the other`,
  neighbours: (n) => html`${count(n)} ${n === 1 ? 'image' : 'images'} of a sample that look most like the other`,
};

function pairCard(pair: ConfusingPair, pictures: Pictures): Markup {
  const [a, b] = pair.classes;
  const shots = pictures.shots(pair.examples.map((example) => shotOf(pair, example, pictures)));
  return html`<article class="card group-card"><h3>${a} <span class="count">or</span> ${b}</h3><p class="facts"><span>${HOW[pair.how](pair.count)}</span><span class="tag">task ${pair.task}</span></p>${shots}</article>\n`;
}

function shotOf({ classes: [a, b] }: ConfusingPair, example: ConfusingExample, pictures: Pictures): Markup | null {
  const { imageId, scores, boxes, labelled } = example;
  const what = scores
    ? `${a} ${percent(scores[0])} or ${b} ${percent(scores[1])}`
    : labelled === null
      ? `${a} or ${b}`
      : `labelled ${labelled}, looks like ${labelled === a ? b : a}`;
  const regions = boxes ? [{ box: boxes[0] }, { box: boxes[1], other: true }] : [];
  return pictures.shot(imageId, what, { regions });
}
