/**
 * Operations on the corpus: pure functions from one state to the next. What cannot be done is refused with a reason;
 * a state that comes out equal means that there was nothing to do.
 *
 * Every name that was known stays known: a renamed class keeps its old name as a synonym, a merged one its own as a name
 * of the class it went into. So a detector that still says the old name labels the class of today.
 */
import { readClassName, toClassName } from '../core/class-name.ts';
import type { CorpusClass, CorpusState } from '../core/corpus.ts';
import { LabelsmithError } from '../errors.ts';
import { CorpusIndex } from './state.ts';

class Changeset {
  readonly classes: Map<number, CorpusClass>;
  readonly synonyms: Map<string, number>;

  constructor(state: CorpusState) {
    this.classes = new Map(state.classes);
    this.synonyms = new Map(state.synonyms);
  }

  index(): CorpusIndex {
    return new CorpusIndex(this);
  }

  set(entry: CorpusClass, changes: Partial<CorpusClass>): CorpusClass {
    const next = { ...(this.classes.get(entry.id) as CorpusClass), ...changes };
    this.classes.set(entry.id, next);
    return next;
  }

  create(name: string, changes: Partial<CorpusClass> = {}): CorpusClass {
    const id = this.index().nextId();
    const plain = toClassName(name);
    const entry = {
      id,
      name: plain,
      rootId: id,
      parentId: null,
      placed: false,
      description: null,
      synset: null,
      ...changes,
    };
    this.classes.set(id, entry);
    return entry;
  }

  /** `to` becomes the name of the class `root`; the old one stays known. It must be free or the class's own. */
  rename(root: CorpusClass, to: string): void {
    const name = toClassName(to);
    if (root.name === name) return;
    const owner = this.index().owner(name);
    if (owner !== undefined && owner.name === name) {
      // The name of a class that was merged into this one: they swap, so that both stay known.
      this.set(owner, { name: root.name });
    } else {
      this.synonyms.delete(name);
      this.synonyms.set(root.name, root.id);
    }
    this.set(root, { name });
  }

  /** All of `sources` count as `target` from now on. */
  merge(sources: readonly CorpusClass[], target: CorpusClass): void {
    const gone = new Set(sources.map(({ id }) => id).filter((id) => id !== target.id));
    // Seen from the target, the highest parent that goes hands over its place, so that no ring comes about.
    const chain = this.index().ancestors(target);
    const highest = chain.findLastIndex(({ id }) => gone.has(id));
    if (highest >= 0) {
      const { parentId, placed } = chain[highest];
      this.set(target, { parentId, placed });
    }
    for (const entry of this.classes.values()) {
      if (gone.has(entry.rootId)) this.set(entry, { rootId: target.id });
    }
  }
}

export function rename(state: CorpusState, from: string, newName: string): CorpusState {
  const to = toClassName(newName);
  const changeset = new Changeset(state);
  const index = changeset.index();
  const entry = index.require(from);
  const owner = index.find(to);
  if (owner !== undefined && owner.id !== entry.id) {
    throw new LabelsmithError('REFUSED', `"${to}" is ${nameOf(owner, to)} already.`, {
      hint: `To make the two one: labelsmith corpus merge "${from}" --into "${to}".`,
    });
  }
  changeset.rename(entry, to);
  return changeset;
}

/** `into` is made when there is no such class; it then stands where the others stood, if they stood together. */
export function merge(state: CorpusState, names: readonly string[], into: string): CorpusState {
  const changeset = new Changeset(state);
  const index = changeset.index();
  const sources = [...new Map(names.map((name) => index.require(name)).map((entry) => [entry.id, entry])).values()];
  const known = index.find(into);
  if (known) {
    changeset.merge(sources, known);
    return changeset;
  }
  const parents = new Set(sources.map((entry) => index.parent(entry)?.id ?? null));
  const [parentId = null] = parents.size === 1 ? parents : [];
  const placed = sources.every((entry) => entry.placed) && parents.size === 1;
  changeset.merge(sources, changeset.create(into, { parentId, placed }));
  return changeset;
}

/** Takes a class that was merged, with its labels, out of the one it counts as. */
export function unmerge(state: CorpusState, name: string, merged: string): CorpusState {
  const changeset = new Changeset(state);
  const index = changeset.index();
  const root = index.require(name);
  const entry = index.owner(merged);
  if (entry === undefined || entry.rootId !== root.id || entry.id === root.id || entry.name !== merged) {
    const parts = [...state.classes.values()].filter(({ id, rootId }) => rootId === root.id && id !== root.id);
    throw new LabelsmithError('NOT_FOUND', `No class "${merged}" was merged into "${root.name}".`, {
      hint:
        parts.length > 0
          ? `Merged into it: ${parts
              .map((part) => part.name)
              .sort()
              .join(', ')}.`
          : 'Nothing was merged into it; to split by a list: labelsmith corpus split NAME --by FILE.csv.',
    });
  }
  changeset.set(entry, { rootId: entry.id });
  // Where it stood may have become its own place below itself.
  const after = changeset.index();
  const own = after.root(entry.id);
  if ([own, ...after.ancestors(own)].some((one) => after.parent(one)?.id === own.id))
    changeset.set(own, { parentId: null });
  return changeset;
}

export function alias(state: CorpusState, name: string, otherName: string): CorpusState {
  const synonym = toClassName(otherName);
  const changeset = new Changeset(state);
  const index = changeset.index();
  const entry = index.require(name);
  // Another way to write the class's own name is kept: it is how a model may write it.
  if (index.owner(synonym)?.rootId === entry.id) return state;
  const owner = index.find(synonym);
  if (owner !== undefined && owner.id !== entry.id) {
    throw new LabelsmithError('REFUSED', `"${synonym}" is ${nameOf(owner, synonym)} already.`, {
      hint: `To make the two one: labelsmith corpus merge "${synonym}" --into "${entry.name}".`,
    });
  }
  changeset.synonyms.set(synonym, entry.id);
  return changeset;
}

/** Puts a class under a parent, which is made when there is none of that name; null puts it at the top. */
export function nest(state: CorpusState, child: string, parent: string | null): CorpusState {
  const changeset = new Changeset(state);
  const entry = changeset.index().require(child);
  if (parent === null) {
    changeset.set(entry, { parentId: null, placed: true });
    return changeset;
  }
  const above = changeset.index().find(parent) ?? changeset.create(parent);
  if (
    above.id === entry.id ||
    changeset
      .index()
      .ancestors(above)
      .some(({ id }) => id === entry.id)
  ) {
    throw new LabelsmithError(
      'REFUSED',
      `"${entry.name}" cannot be under "${above.name}", which is the same or below it.`,
    );
  }
  changeset.set(entry, { parentId: above.id, placed: true });
  return changeset;
}

export function describe(
  state: CorpusState,
  name: string,
  changes: { readonly description?: string | null; readonly synset?: string | null },
): CorpusState {
  const changeset = new Changeset(state);
  changeset.set(changeset.index().require(name), changes);
  return changeset;
}

/**
 * Gives classes the names of a mapping, all at once: one class a name is a rename, several are a merge. A name that is
 * not known yet becomes a synonym of its class, so that the mapping holds for what is detected later.
 */
export function mapNames(state: CorpusState, mapping: ReadonlyMap<string, string>): CorpusState {
  const changeset = new Changeset(state);
  const problems = [...mapping].flatMap(([from, to]) => {
    const names = [from, to].flatMap((name) => {
      const reading = readClassName(name);
      return reading.kind === 'name' ? [] : [`"${from}" to "${to}": the class name ${reading.problem}.`];
    });
    const further = mapping.get(to);
    const isChain = from !== to && further !== undefined && further !== to;
    return isChain ? [...names, `The mapping gives "${to}" to "${from}", and "${further}" to "${to}".`] : names;
  });
  if (problems.length > 0) {
    const hint =
      'Nothing was applied. A name cannot be given and taken in one mapping of the corpus; use detect --mapping, which maps the model’s names.';
    const message =
      problems.length === 1 ? problems[0] : `The mapping has ${problems.length} problems:\n  ${problems.join('\n  ')}`;
    throw new LabelsmithError('REFUSED', message, { hint, details: { problems } });
  }
  for (const [from, to] of mapping) {
    if (from === to) continue;
    const index = changeset.index();
    const target = index.find(to);
    const found = index.find(from);
    // A way to write the target's own name is another word for it.
    const source = found?.id === target?.id && index.owner(from) === undefined ? undefined : found;
    if (source && target) changeset.merge([source], target);
    else if (source) {
      changeset.rename(source, to);
    } else {
      changeset.synonyms.set(toClassName(from), (target ?? changeset.create(to)).id);
    }
  }
  return changeset;
}

/** A class as a taxonomy gives it. */
export interface TaxonomyEntry {
  readonly name: string;
  readonly synonyms: readonly string[];
  /** The name of another entry or of a class of the corpus. */
  readonly parent: string | null;
  readonly synset: string | null;
  readonly description: string | null;
  /** Where it stands in its file, for messages. */
  readonly where: string;
}

/**
 * Takes a taxonomy in: each entry becomes one class with the entry's name, all its synonyms and its place. Classes that
 * bear any of its names become that class; classes that no entry names stay as they are.
 */
export function importTaxonomy(state: CorpusState, entries: readonly TaxonomyEntry[]): CorpusState {
  refuseContradictions(entries);
  const changeset = new Changeset(state);
  const taken = new Map<number, TaxonomyEntry>();
  for (const entry of entries) {
    const names = [entry.name, ...entry.synonyms];
    const index = changeset.index();
    const bearers = new Map(
      names.flatMap((name) => {
        const found = index.find(name);
        return found ? [[found.id, found] as const] : [];
      }),
    );
    for (const bearer of bearers.values()) {
      const other = taken.get(bearer.id);
      if (other) {
        throw new LabelsmithError(
          'REFUSED',
          `${entry.where}: "${entry.name}" and "${other.name}" are one class here.`,
          {
            hint: `Split it first: labelsmith corpus split "${bearer.name}" --merged "${entry.name}".`,
          },
        );
      }
    }
    const named = index.find(entry.name);
    const target = named ?? [...bearers.values()][0] ?? changeset.create(entry.name);
    changeset.merge([...bearers.values()], target);
    changeset.rename(changeset.classes.get(target.id) as CorpusClass, entry.name);
    for (const name of entry.synonyms) {
      const { id } = changeset.index().find(name) ?? target;
      if (id === target.id && changeset.index().owner(name) === undefined)
        changeset.synonyms.set(toClassName(name), id);
    }
    changeset.set(target, {
      synset: entry.synset ?? target.synset,
      description: entry.description ?? target.description,
    });
    taken.set(target.id, entry);
  }
  for (const id of taken.keys())
    changeset.set(changeset.classes.get(id) as CorpusClass, { parentId: null, placed: true });
  for (const [id, { parent, where, name }] of taken) {
    if (parent === null) continue;
    const above = changeset.index().find(parent);
    if (!above) throw new LabelsmithError('BAD_FILE', `${where}: the parent "${parent}" of "${name}" is no class.`);
    if (
      above.id === id ||
      changeset
        .index()
        .ancestors(above)
        .some((one) => one.id === id)
    ) {
      throw new LabelsmithError('BAD_FILE', `${where}: "${name}" and its parent "${parent}" are each above the other.`);
    }
    changeset.set(changeset.classes.get(id) as CorpusClass, { parentId: above.id });
  }
  return changeset;
}

function refuseContradictions(entries: readonly TaxonomyEntry[]): void {
  const owners = new Map<string, TaxonomyEntry>();
  for (const entry of entries) {
    for (const given of [entry.name, ...entry.synonyms]) {
      const name = toClassName(given);
      const other = owners.get(name);
      if (other && other !== entry) {
        throw new LabelsmithError('BAD_FILE', `${entry.where}: "${name}" is a name of "${other.name}" too.`, {
          hint: 'Every name and synonym may stand for one class only.',
        });
      }
      owners.set(name, entry);
    }
  }
}

/** A class of its own for each new name, below or beside nothing. Names that are there stay. */
export function withClasses(state: CorpusState, names: readonly string[]): CorpusState {
  const changeset = new Changeset(state);
  for (const name of names) if (changeset.index().find(name) === undefined) changeset.create(name);
  return changeset;
}

function nameOf(owner: CorpusClass, name: string): string {
  return owner.name === name ? 'a class' : `a name of the class "${owner.name}"`;
}
