/** Looking things up in the corpus: by any name a class has, and along its tree. */
import type { CorpusClass, CorpusState } from '../core/corpus.ts';
import { NONE_OF_THESE } from '../core/labels.ts';
import { nearestNames } from '../core/nearest-names.ts';
import { LabelsmithError } from '../errors.ts';

/** Longer names do not fit a file name of 255 bytes in UTF-8, which exports into class folders need. */
const MOST_CLASS_NAME = 200;
/** Names in a hint. */
const MOST_SUGGESTIONS = 5;

export class CorpusIndex {
  readonly state: CorpusState;
  readonly #idByName: ReadonlyMap<string, number>;

  constructor(state: CorpusState) {
    this.state = state;
    this.#idByName = new Map([
      ...state.synonyms,
      ...[...state.classes.values()].map(({ id, name }) => [name, id] as const),
    ]);
  }

  /** The row that holds a name or synonym, a merged one as it is. */
  owner(name: string): CorpusClass | undefined {
    return this.state.classes.get(this.#idByName.get(name) ?? -1);
  }

  /** The class that a name, a name of a merged class or a synonym stands for. */
  find(name: string): CorpusClass | undefined {
    const owner = this.owner(name);
    return owner && this.state.classes.get(owner.rootId);
  }

  require(name: string): CorpusClass {
    const found = this.find(name);
    if (found) return found;
    const near = this.#similar(name);
    throw new LabelsmithError('NOT_FOUND', `There is no class "${name}".`, {
      hint: near.length > 0 ? `Did you mean ${near.join(', ')}?` : 'labelsmith corpus list shows the classes.',
      details: { name },
    });
  }

  root(id: number): CorpusClass {
    const entry = this.state.classes.get(id);
    const root = entry && this.state.classes.get(entry.rootId);
    if (!root) throw new Error(`Class ${id} is not in the corpus`);
    return root;
  }

  parent(entry: CorpusClass): CorpusClass | null {
    return entry.parentId === null ? null : this.root(entry.parentId);
  }

  /** Parents from the nearest to the top. A damaged tree (a ring) ends where it would begin again. */
  ancestors(entry: CorpusClass): CorpusClass[] {
    const list: CorpusClass[] = [];
    const seen = new Set([entry.id]);
    for (let at = this.parent(entry); at !== null && !seen.has(at.id); at = this.parent(at)) {
      seen.add(at.id);
      list.push(at);
    }
    return list;
  }

  /** Every class that was not merged, in order of name. */
  roots(): CorpusClass[] {
    return [...this.state.classes.values()]
      .filter(({ id, rootId }) => id === rootId)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** All names of a class but its own: synonyms, names of classes merged into it and their synonyms. In order. */
  otherNames(root: CorpusClass): string[] {
    const { classes, synonyms } = this.state;
    const names: string[] = [];
    for (const { id, rootId, name } of classes.values()) if (rootId === root.id && id !== root.id) names.push(name);
    for (const [name, id] of synonyms) if (classes.get(id)?.rootId === root.id) names.push(name);
    return names.sort();
  }

  nextId(): number {
    return Math.max(0, ...this.state.classes.keys()) + 1;
  }

  #similar(name: string): string[] {
    return nearestNames(name, this.#idByName.keys(), MOST_SUGGESTIONS).map((known) => `"${known}"`);
  }
}

export function refuseBadName(name: string): void {
  if (name === NONE_OF_THESE) throw new LabelsmithError('USAGE', `"${name}" cannot be the name of a class.`);
  if (name.trim() === '' || name.length > MOST_CLASS_NAME || /\p{Cc}/u.test(name)) {
    throw new LabelsmithError(
      'USAGE',
      `A class name has 1 to ${MOST_CLASS_NAME} printable characters, not ${JSON.stringify(name.slice(0, 300))}.`,
    );
  }
}
