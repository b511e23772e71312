/** What a file says of its classes beside their names: skeletons, and the classes above them. */
import { readClassName } from '../../core/class-name.ts';
import { change } from '../../corpus/corpus.ts';
import type { ImportedClass } from '../../formats/format.ts';
import type { Store } from '../../store/store.ts';
import type { NewClass } from './classes.ts';

/** The last word of a class counts. Where a class stands in the corpus is people's: only new ones are put somewhere. */
export async function putToldClasses(
  store: Store,
  told: readonly ImportedClass[],
  newClasses: readonly NewClass[],
): Promise<void> {
  if (told.length === 0) return;
  // Not `classes`, which counts all labels.
  const { classes } = await store.corpus();
  const known = new Set([...classes.values()].filter(({ id, rootId }) => id === rootId).map(({ name }) => name));
  const details = told.flatMap(({ className, skeleton }) =>
    skeleton !== undefined && known.has(className) ? [[className, { skeleton }] as const] : [],
  );
  if (details.length > 0) await store.putClassDetails(new Map(details));
  const above = parentsOf(told, new Set(newClasses.map(({ name }) => name).filter((name) => known.has(name))));
  if (above.size === 0) return;
  const entry = { synonyms: [], synset: null, description: null, where: 'the imported file' };
  const made = [...new Set(above.values())].filter((name) => !known.has(name) && !above.has(name));
  const entries = [
    ...made.map((name) => ({ ...entry, name, parent: null })),
    ...[...above].map(([name, parent]) => ({ ...entry, name, parent })),
  ];
  await change(store, { kind: 'import', entries });
}

/** Of classes that are new; without those that would stand above themselves. */
function parentsOf(told: readonly ImportedClass[], added: ReadonlySet<string>): Map<string, string> {
  const above = new Map<string, string>();
  for (const { className, supercategory } of told) {
    if (supercategory === undefined || !added.has(className)) continue;
    const reading = readClassName(supercategory);
    if (reading.kind === 'name') above.set(className, reading.name);
  }
  for (const name of [...above.keys()]) {
    const seen = new Set([name]);
    for (let parent = above.get(name); parent !== undefined; parent = above.get(parent)) {
      if (seen.has(parent)) {
        above.delete(name);
        break;
      }
      seen.add(parent);
    }
  }
  return above;
}
