/** The tree of classes with counts: what there is, from the general to the special. Folds without a script. */
import { html, type Markup } from '../../core/markup.ts';
import type { ReportData, ReportTreeNode, Section } from '../report-data.ts';
import { count, counted } from '../words.ts';
import { anchorOf } from './classes.ts';

/** A larger tree opens with its top levels only. */
const MAX_OPEN = 150;

export const TREE: Section = {
  id: 'tree',
  title: 'Tree of classes',
  render: (data) => {
    // One level is the list of classes again.
    if (!data.tree.some(({ depth }) => depth > 0)) return null;
    const anchors = new Map<string, string>();
    for (const [i, { name }] of data.classes.entries()) if (!anchors.has(name)) anchors.set(name, anchorOf(i));
    const childrenOf = Map.groupBy(data.tree, ({ parent }) => parent);
    const whole = data.tree.length <= MAX_OPEN;
    return html`<p class="lead">Counts are of images with the class or anything below it, each once.</p>
<div class="card tree">${branch(childrenOf, null, { data, anchors, open: whole })}</div>`;
  },
};

interface Branches {
  readonly data: ReportData;
  readonly anchors: ReadonlyMap<string, string>;
  readonly open: boolean;
}

function branch(
  childrenOf: ReadonlyMap<string | null, readonly ReportTreeNode[]>,
  parent: string | null,
  shown: Branches,
): Markup {
  const nodes = [...(childrenOf.get(parent) ?? [])].sort((a, b) => b.images - a.images || (a.name < b.name ? -1 : 1));
  return html`<ul>\n${nodes.map((node) => {
    const below = childrenOf.has(node.name);
    const open = shown.open || node.depth === 0;
    return below
      ? html`<li><details${open && html` open`}><summary>${line(node, shown)}</summary>${branch(childrenOf, node.name, shown)}</details></li>\n`
      : html`<li>${line(node, shown)}</li>\n`;
  })}</ul>`;
}

function line({ name, heading, images, regions, description }: ReportTreeNode, { anchors }: Branches): Markup {
  const anchor = anchors.get(name);
  const label = anchor ? html`<a href="#${anchor}">${name}</a>` : heading ? html`<em>${name}</em>` : html`${name}`;
  return html`<span class="node"${description !== null && html` title="${description}"`}>${label} <span class="number">${counted(images, 'image')}${regions > 0 && `, ${count(regions)} ${regions === 1 ? 'region' : 'regions'}`}</span></span>`;
}
