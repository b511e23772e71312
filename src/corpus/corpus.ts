/** The corpus of a workspace: seen as a tree, and changed by one recorded operation at a time. */
import { toClassName } from '../core/class-name.ts';
import type { CorpusChange, CorpusEvent, CorpusState, Reassignment } from '../core/corpus.ts';
import { currentLabels } from '../core/labels.ts';
import { LabelsmithError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { type ClassCounts, countClasses } from './counts.ts';
import { givenNames } from './given-names.ts';
import * as operations from './operations.ts';
import { CorpusIndex } from './state.ts';
import { type TaxonomyNode, taxonomyOf } from './taxonomy.ts';
import { wordNet } from './wordnet.ts';

/** Operations by name, with what each takes. Every one is a transaction with a place in the history. */
export type Operation =
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  /** What it comes to: a rename, or a merge where another class has the name. The history has it as that. */
  | { readonly kind: 'call'; readonly from: string; readonly to: string }
  | { readonly kind: 'merge'; readonly names: readonly string[]; readonly into: string }
  | { readonly kind: 'unmerge'; readonly name: string; readonly merged: string }
  | { readonly kind: 'alias'; readonly name: string; readonly synonym: string }
  | { readonly kind: 'nest'; readonly child: string; readonly parent: string | null }
  | {
      readonly kind: 'describe';
      readonly name: string;
      readonly description?: string | null;
      readonly synset?: string | null;
    }
  | { readonly kind: 'map'; readonly mapping: ReadonlyMap<string, string> }
  | { readonly kind: 'import'; readonly entries: readonly operations.TaxonomyEntry[] }
  /** A person's list: each item named is of the class `to` and not of `name`. */
  | { readonly kind: 'split'; readonly name: string; readonly items: readonly SplitItem[] }
  /** Items of the class in a task become the class `to`, as far as machines said it; origins stay. */
  | { readonly kind: 'split-into'; readonly name: string; readonly task: string; readonly items: readonly SplitItem[] }
  /** Items of the class become `TASK'S CLASS` + `name`, by what another task says of them; origins stay. */
  | { readonly kind: 'split-by-task'; readonly name: string; readonly by: string };

export interface SplitItem {
  readonly itemId: string;
  readonly to: string;
}

/** Does it, and gives null when there was nothing to do. */
export async function change(store: Store, operation: Operation, atMs = Date.now()): Promise<CorpusEvent | null> {
  const told = { name: operation.kind, arguments: argumentsOf(operation), atMs };
  return store.changeCorpus(told, (state) => changeOf(store, state, operation));
}

async function changeOf(store: Store, state: CorpusState, operation: Operation): Promise<CorpusChange> {
  switch (operation.kind) {
    case 'rename': {
      const { from, to } = operation;
      return { state: operations.rename(state, from, to), confirms: await confirms(store, state, [[from, to]]) };
    }
    case 'call':
      return call(store, state, operation);
    case 'merge':
      return { state: operations.merge(state, operation.names, operation.into) };
    case 'unmerge':
      return { state: operations.unmerge(state, operation.name, operation.merged) };
    case 'alias':
      return { state: operations.alias(state, operation.name, operation.synonym) };
    case 'nest':
      return { state: operations.nest(state, operation.child, operation.parent) };
    case 'describe': {
      const { name, synset } = operation;
      if (synset && !wordNet().synset(synset)) {
        throw new LabelsmithError('NOT_FOUND', `WordNet has no synset "${synset}".`, {
          hint: `Synsets are named like dog.n.01. Of "${name}": ${synsetsOf(name) || 'none'}.`,
        });
      }
      const { kind: _, name: __, ...changes } = operation;
      return { state: operations.describe(state, name, changes) };
    }
    case 'map': {
      const { mapping } = operation;
      return { state: operations.mapNames(state, mapping), confirms: await confirms(store, state, mapping) };
    }
    case 'import':
      return { state: operations.importTaxonomy(state, operation.entries) };
    case 'split':
      return splitByList(store, state, operation);
    case 'split-into':
      return splitInto(state, operation);
    case 'split-by-task':
      return splitByTask(store, state, operation);
    default:
      throw new Error(`Unknown operation ${JSON.stringify(operation satisfies never)}`);
  }
}

async function call(store: Store, state: CorpusState, { from, to }: Extract<Operation, { kind: 'call' }>) {
  const index = new CorpusIndex(state);
  const owner = index.find(toClassName(to));
  const isTaken = owner !== undefined && owner.id !== index.require(from).id;
  const as: Operation = isTaken ? { kind: 'merge', names: [from], into: owner.name } : { kind: 'rename', from, to };
  return { ...(await changeOf(store, state, as)), told: { name: as.kind, arguments: argumentsOf(as) } };
}

/** Whether a class gets the name that it has, and nobody had said so yet: then the name is a person's from now on. */
async function confirms(
  store: Store,
  state: CorpusState,
  names: Iterable<readonly [string, string]>,
): Promise<boolean> {
  const same = [...names].flatMap(([from, to]) => (from === to ? [from] : []));
  if (same.length === 0) return false;
  const index = new CorpusIndex(state);
  const known = await givenNames(store);
  return same.some((name) => index.find(name)?.name === name && !known.has(name));
}

function synsetsOf(name: string): string {
  return wordNet()
    .senses(name)
    .map(({ synset }) => synset.key)
    .join(', ');
}

/** What the history keeps of what was asked: everything but long lists, of which it keeps the length. */
function argumentsOf(operation: Operation): Record<string, unknown> {
  const { kind: _, ...rest } = operation;
  return Object.fromEntries(
    Object.entries(rest).map(([key, value]) => {
      if (value instanceof Map) return [key, Object.fromEntries(value)];
      if (key === 'items' || key === 'entries') return [key, (value as readonly unknown[]).length];
      return [key, value];
    }),
  );
}

/** Items a page of labels. */
const PAGE = 500;

async function splitByList(
  store: Store,
  state: CorpusState,
  { name, items }: Extract<Operation, { kind: 'split' }>,
): Promise<CorpusChange> {
  const from = new CorpusIndex(state).require(name);
  const next = operations.withClasses(state, [...new Set(items.map(({ to }) => to))].sort());
  const index = new CorpusIndex(next);
  const rules = new Map((await store.tasks()).map((task) => [task.name, task.rule]));
  const list: Reassignment[] = [];
  for (let start = 0; start < items.length; start += PAGE) {
    const page = items.slice(start, start + PAGE);
    const labels = await store.labelsOf(page.map(({ itemId }) => itemId));
    for (const { itemId, to } of page) {
      const target = index.require(to);
      if (target.id === from.id) continue;
      const byTask = Map.groupBy(labels.get(itemId) ?? [], ({ task }) => task);
      const tasks = [...byTask].filter(([task, own]) =>
        currentLabels(own, rules.get(task) ?? 'multi').some(({ className }) => className === from.name),
      );
      if (tasks.length === 0) {
        throw new LabelsmithError('NOT_FOUND', `The item ${itemId} is not labelled "${from.name}".`, {
          hint: `List items of "${from.name}" only: labelsmith corpus show "${from.name}", or export csv.`,
          details: { itemId },
        });
      }
      for (const [task] of tasks) list.push({ itemId, task, from: from.id, to: target.id });
    }
  }
  return { state: next, items: { how: 'word', list } };
}

function splitInto(
  state: CorpusState,
  { name, task, items }: Extract<Operation, { kind: 'split-into' }>,
): CorpusChange {
  const next = operations.withClasses(state, [...new Set(items.map(({ to }) => to))].sort());
  const index = new CorpusIndex(next);
  const from = index.require(name).id;
  const list = items.map(({ itemId, to }): Reassignment => ({ itemId, task, from, to: index.require(to).id }));
  return { state: next, items: { how: 'move', list } };
}

async function splitByTask(
  store: Store,
  state: CorpusState,
  { name, by }: Extract<Operation, { kind: 'split-by-task' }>,
): Promise<CorpusChange> {
  const from = new CorpusIndex(state).require(name);
  if (!(await store.tasks()).some((task) => task.name === by)) {
    throw new LabelsmithError('NOT_FOUND', `There is no task "${by}" to split by.`, {
      hint: `Tasks: ${(await store.tasks()).map((task) => task.name).join(', ')}; or --by FILE.csv.`,
    });
  }
  const found: { itemId: string; task: string; part: string }[] = [];
  for await (const image of store.dataset({ gone: true })) {
    for (const { id, labels } of [{ id: image.id, labels: image.labels }, ...image.regions]) {
      const part = labels.find(({ task, className }) => task === by && className !== from.name);
      if (!part) continue;
      for (const { task, className } of labels) {
        if (task !== by && className === from.name) found.push({ itemId: id, task, part: part.className });
      }
    }
  }
  const partName = (part: string) => `${from.name} ${part}`;
  const next = operations.withClasses(state, [...new Set(found.map(({ part }) => partName(part)))].sort());
  const index = new CorpusIndex(next);
  const list = found.map(({ itemId, task, part }): Reassignment => {
    return { itemId, task, from: from.id, to: index.require(partName(part)).id };
  });
  return { state: next, items: { how: 'move', list } };
}

export type CorpusNode = TaxonomyNode & ClassCounts;

/** The tree with counts: a pass over all labels. */
export async function corpusTree(store: Store, exemplars: number): Promise<CorpusNode[]> {
  const nodes = await taxonomy(store);
  const counts = await countClasses(store, nodes, exemplars);
  return nodes.map((node) => ({ ...node, ...(counts.get(node.name) as ClassCounts) }));
}

/** The tree without counts. */
export async function taxonomy(store: Pick<Store, 'corpus' | 'classes'>): Promise<TaxonomyNode[]> {
  const [state, records] = [await store.corpus(), await store.classes()];
  const detected = records.filter(({ counts }) => counts.some(({ origins }) => origins.detector !== undefined));
  const listed = withoutUnlisted(state, new Set(records.map(({ name }) => name)));
  return taxonomyOf(listed, new Set(detected.map(({ name }) => name)), wordNet());
}

/** The record keeps classes for the history's sake that are none any more; what others count as or stand below is one. */
function withoutUnlisted(state: CorpusState, listed: ReadonlySet<string>): CorpusState {
  const index = new CorpusIndex(state);
  const roots = new Set<number>();
  for (const one of state.classes.values()) {
    if (one.id === one.rootId && !listed.has(one.name)) continue;
    const root = index.root(one.id);
    for (const { id } of [root, ...index.ancestors(root)]) roots.add(id);
  }
  return { ...state, classes: new Map([...state.classes].filter(([, { rootId }]) => roots.has(rootId))) };
}
