/** Looking things up in the corpus: by any name a class has, and along its tree. */
import { foldClassName, isLetter, readClassName } from '../core/class-name.ts';
import type { CorpusClass, CorpusState } from '../core/corpus.ts';
import { nearestNames } from '../core/nearest-names.ts';
import { LabelsmithError } from '../errors.ts';

/** Names in a hint. */
const MAX_SUGGESTIONS = 5;

export class CorpusIndex {
  readonly state: CorpusState;
  readonly #idByName: ReadonlyMap<string, number>;
  #byFolded: ReadonlyMap<string, readonly CorpusClass[]> | undefined;
  /** All names, those of merged classes and synonyms too. */
  #namesByFolded: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(state: CorpusState) {
    this.state = state;
    this.#idByName = new Map([
      ...state.synonyms,
      ...[...state.classes.values()].map(({ id, name }) => [name, id] as const),
    ]);
  }

  /** The row that holds a name or synonym, a merged one as it is. A name may be given otherwise than it is kept. */
  owner(name: string): CorpusClass | undefined {
    const id = this.#idByName.get(name) ?? this.#idOfSame(name);
    return id === undefined ? undefined : this.state.classes.get(id);
  }

  #idOfSame(name: string): number | undefined {
    const reading = readClassName(name);
    return reading.kind === 'name' ? this.#idByName.get(reading.name) : undefined;
  }

  /**
   * The class that a name, a name of a merged class or a synonym stands for; else the only one that has, or else had, a name
   * which differs by letters' case, blanks or Unicode form alone. Single letters are what they are.
   */
  find(name: string): CorpusClass | undefined {
    const owner = this.owner(name);
    if (owner !== undefined) return this.state.classes.get(owner.rootId);
    const folded = foldClassName(name);
    return isLetter(folded) ? undefined : this.alike(folded);
  }

  /** The only class whose name is folded to this one (`foldClassName`); where none is, the only one with another such name. */
  alike(folded: string): CorpusClass | undefined {
    this.#byFolded ??= Map.groupBy(this.roots(), (one) => foldClassName(one.name));
    const named = this.#byFolded.get(folded);
    const [only, another] = named ?? this.#rootsKnownAs(folded);
    return another === undefined ? only : undefined;
  }

  #rootsKnownAs(folded: string): readonly CorpusClass[] {
    if (isLetter(folded)) return [];
    this.#namesByFolded ??= Map.groupBy(this.#idByName.keys(), foldClassName);
    const names = this.#namesByFolded.get(folded) ?? [];
    return [...new Set(names.flatMap((name) => this.owner(name)?.rootId ?? []))].map((id) => this.root(id));
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

  /** For a class that is new: below 0, until the store gives it a number of its own. */
  nextId(): number {
    return Math.min(0, ...this.state.classes.keys()) - 1;
  }

  #similar(name: string): string[] {
    return nearestNames(name, this.#idByName.keys(), MAX_SUGGESTIONS).map((known) => `"${known}"`);
  }
}
