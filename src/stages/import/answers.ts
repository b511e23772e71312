/**
 * Answers of a sheet of `teach select`, gone through before any is taken in: an item has one class, so rows that
 * contradict each other are left out, and classes that nobody knows are told. Resident: some hundred bytes an answer.
 */
import type { ImportedImage } from '../../core/dataset.ts';
import { NONE_OF_THESE } from '../../core/labels.ts';
import { nearestNames } from '../../core/nearest-names.ts';
import { namesNow } from '../../corpus/class-names.ts';
import type { Store } from '../../store/store.ts';

export interface Answers {
  /** Where rows contradict each other, and how: `label.csv:2, label.csv:5: a.jpg is said to be daisy and rose`. */
  readonly contradictions: readonly string[];
  /** Where an item is said not to be of a class that nobody knows. */
  readonly unknown: readonly string[];
  /** Whether the entry is a row that contradicts itself or another. */
  isContradictory(entry: ImportedImage): boolean;
}

/** What is said of one item in one task: class → where. */
interface Annotation {
  readonly file: string;
  readonly task: string;
  readonly is: Map<string, string[]>;
  readonly not: Map<string, string[]>;
}

/** @param task in place of those that the rows name. */
export async function answersIn(
  store: Pick<Store, 'classes' | 'tasks'>,
  entries: AsyncIterable<ImportedImage>,
  task?: string,
): Promise<Answers> {
  const nameNow = await namesNow(store);
  const multi = new Set((await store.tasks()).flatMap(({ name, rule }) => (rule === 'multi' ? [name] : [])));
  const items = new Map<string, Annotation>();
  for await (const entry of entries) {
    // A file is a sheet as a whole or not at all.
    if (!entry.answer) break;
    const answer = answerOf(entry, task);
    const said = items.get(answer.key) ?? { file: entry.file, task: answer.task, is: new Map(), not: new Map() };
    items.set(answer.key, said);
    const note = (classes: Annotation['is'], className: string) => {
      const name = nameNow(className);
      classes.set(name, [...(classes.get(name) ?? []), entry.where]);
    };
    if (answer.is !== undefined) note(said.is, answer.is);
    if (answer.not !== undefined) note(said.not, answer.not);
  }

  const known = new Set([...(await store.classes()).map(({ name }) => name), NONE_OF_THESE]);
  for (const { is } of items.values()) for (const name of is.keys()) known.add(name);
  const contradictory = new Map<string, string>();
  const unknown: string[] = [];
  for (const [key, said] of items) {
    const why = contradictionIn(said, multi.has(said.task));
    if (why !== null) contradictory.set(key, why);
    for (const [name, where] of said.not) if (!known.has(name)) unknown.push(unknownClass(name, where, known));
  }
  return {
    contradictions: [...contradictory.values()],
    unknown,
    isContradictory: (entry) => entry.answer === true && contradictory.has(answerOf(entry, task).key),
  };
}

/** A row of a sheet is about one item: the image, or one region. */
function answerOf(entry: ImportedImage, task: string | undefined) {
  const [region] = entry.regions;
  const { labels, rejected } = region ?? entry;
  const [label, rejection] = [labels[0], rejected?.[0]];
  const ofTask = task ?? label?.task ?? rejection?.task ?? (region ? 'objects' : 'class');
  const key = JSON.stringify([ofTask, entry.file, region?.about ?? region?.box]);
  return { key, task: ofTask, is: label?.className, not: rejection?.className };
}

function contradictionIn({ file, is, not }: Annotation, several: boolean): string | null {
  const classes = [...is.keys()];
  const both = classes.filter((name) => not.has(name));
  const rivals = !several && classes.length > 1;
  if (both.length === 0 && !rivals) return null;
  const where = new Set([...is.values(), ...both.map((name) => not.get(name) as string[])].flat());
  const names = classes.map((name) => JSON.stringify(name)).join(' and ');
  const denied = both.map((name) => JSON.stringify(name)).join(' and ');
  const what = rivals ? `to be ${names}` : `to be ${denied} and not to be`;
  return `${[...where].join(', ')}: ${file} is said ${what}`;
}

function unknownClass(name: string, where: readonly string[], known: ReadonlySet<string>): string {
  const [nearest] = nearestNames(name, known, 1);
  const meant = nearest === undefined ? '' : `; is ${JSON.stringify(nearest)} meant?`;
  return `${where.join(', ')}: there is no class ${JSON.stringify(name)}${meant}`;
}
