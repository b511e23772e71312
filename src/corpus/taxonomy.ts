/**
 * The tree of classes as people see it: what they said of parents and meanings, and WordNet where they said nothing.
 * Headings (`vehicle` over `car`) are part of the tree when something stands under them, and no classes of the corpus.
 */
import type { CorpusClass, CorpusState } from '../core/corpus.ts';
import { groundingOf } from './grounding.ts';
import { CorpusIndex } from './state.ts';
import { HEADING_BY_COCO_NAME, HEADING_BY_SYNSET, type Heading } from './supercategories.ts';
import type { Synset, WordNet } from './wordnet.ts';

export interface TaxonomyNode {
  readonly name: string;
  /** In order of name. */
  readonly synonyms: readonly string[];
  /** The name of the node above; null at the top. */
  readonly parent: string | null;
  readonly synset: string | null;
  /** What a person wrote, else WordNet's definition. */
  readonly description: string | null;
  /** Not a class of the corpus, only a level of the tree. */
  readonly heading: boolean;
  /** 0 at the top. */
  readonly depth: number;
}

/** Depth first, siblings in order of name: every node follows its parent. */
export function taxonomyOf(state: CorpusState, detected: ReadonlySet<string>, wordNet: WordNet): TaxonomyNode[] {
  const index = new CorpusIndex(state);
  const roots = index.roots();
  const grounded = new Map(
    roots.map((root) => {
      const synonyms = index.otherNames(root);
      const grounding = groundingOf(wordNet, { ...root, synonyms, detected: detected.has(root.name) });
      return [root.id, { synonyms, grounding }] as const;
    }),
  );
  const bySynset = new Map<number, CorpusClass>();
  for (const root of roots) {
    const synset = grounded.get(root.id)?.grounding?.synset;
    if (synset && !bySynset.has(synset.offset)) bySynset.set(synset.offset, root);
  }

  const nodes = new Map<string, Omit<TaxonomyNode, 'depth'>>();
  for (const root of roots) {
    const { synonyms, grounding } = grounded.get(root.id) as NonNullable<ReturnType<typeof grounded.get>>;
    nodes.set(root.name, {
      name: root.name,
      synonyms,
      parent: index.parent(root)?.name ?? null,
      synset: grounding?.synset.key ?? root.synset,
      description: root.description ?? grounding?.synset.definition ?? null,
      heading: false,
    });
  }
  const isAbove = (name: string, below: string) => {
    for (let at: string | null = name; at !== null; at = nodes.get(at)?.parent ?? null) if (at === below) return true;
    return false;
  };
  for (const root of roots) {
    const node = nodes.get(root.name) as TaxonomyNode;
    const grounding = grounded.get(root.id)?.grounding;
    if (node.parent !== null || root.placed || !grounding) continue;
    const cocoHeading = grounding.by === 'coco' ? HEADING_BY_COCO_NAME.get(grounding.name) : undefined;
    const above = cocoHeading ?? nearest(wordNet, grounding.synset, root, bySynset);
    if (above === null) continue;
    const parent = index.find(above.name)?.name ?? above.name;
    if (isAbove(parent, root.name)) continue;
    if (!nodes.has(parent)) nodes.set(parent, headingNode(above as Heading, wordNet));
    nodes.set(root.name, { ...node, parent });
  }
  return depthFirst([...nodes.values()]);
}

/** The nearest synset above that is a class of the corpus or a heading. A heading is never above its own synset. */
function nearest(
  wordNet: WordNet,
  synset: Synset,
  own: CorpusClass,
  bySynset: ReadonlyMap<number, CorpusClass>,
): CorpusClass | Heading | null {
  for (const above of wordNet.chain(synset)) {
    const entry = bySynset.get(above.offset);
    if (entry && entry.id !== own.id) return entry;
    const heading = HEADING_BY_SYNSET.get(above.key);
    if (heading && heading.synset !== synset.key && heading.name !== own.name) return heading;
  }
  return null;
}

function headingNode({ name, synset }: Heading, wordNet: WordNet): Omit<TaxonomyNode, 'depth'> {
  const description = synset === null ? null : (wordNet.synset(synset)?.definition ?? null);
  return { name, synonyms: [], parent: null, synset, description, heading: true };
}

function depthFirst(nodes: readonly Omit<TaxonomyNode, 'depth'>[]): TaxonomyNode[] {
  const below = Map.groupBy(nodes, (node) => node.parent);
  const list: TaxonomyNode[] = [];
  const visit = (parent: string | null, depth: number) => {
    const siblings = (below.get(parent) ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    for (const node of siblings) {
      list.push({ ...node, depth });
      visit(node.name, depth + 1);
    }
  };
  visit(null, 0);
  return list;
}
