/**
 * Which class a name in a file stands for: the one that has the name or had it, else the one whose name differs only by
 * letters' case and blanks, or that had such a name, else a new one. Spellings of one file that differ by no more are one
 * class too, but for single letters. Names are read by the one rule of `core/class-name.ts`; half a character in one becomes
 * U+FFFD. A file with a name that cannot be kept is refused as a whole, since nobody knows what was meant.
 */
import { foldClassName, isLetter, readClassName, readName } from '../../core/class-name.ts';
import { NONE_OF_THESE } from '../../core/labels.ts';
import { slipOf } from '../../core/nearest-names.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Reckoning } from '../../formats/reckoning.ts';
import type { ClassRecord } from '../../store/store.ts';

/** What is done about classes that are not there: nothing with them, a question, or they are made. */
export const CLASS_MODES = ['existing', 'ask', 'new'] as const;
export type ClassMode = (typeof CLASS_MODES)[number];

/** More classes than any file of labels has: a column of names was taken for one of classes. */
const MAX_CLASSES = 100_000;
/** New names that are compared with all known ones. */
const MAX_COMPARED = 500;

export interface NewClass {
  readonly name: string;
  /** Where it was said first. */
  readonly where: string;
  /** A class that is nearly called the same, which may be meant. */
  readonly near: string | null;
  /** Other spellings of it in the file. */
  readonly others: readonly string[];
}

/** A name as the file has it. */
interface Met {
  /** Where it was said first. */
  readonly where: string;
  /** How often, and of so many objects nothing else is said. */
  count: number;
  objects: number;
}

/** A name of the file that no class has, as it is kept. */
interface MetName extends Readonly<Met> {
  readonly name: string;
}

interface Refused {
  readonly where: string;
  readonly problem: string;
}

interface Spelling {
  readonly name: string;
  /** Labels that are spelled so. */
  count: number;
}

/** Names of one file. First they are met, all of them, then `settle` is called, then `nameOf` and `taskOf` answer. */
export class FileNames {
  /** The class of each name that one has or had. */
  readonly #known = new Map<string, string>();
  /** Classes by their folded names. */
  readonly #folded = new Map<string, Set<string>>();
  /** Classes by the folded names that they had. */
  readonly #foldedBefore = new Map<string, Set<string>>();
  readonly #met = new Map<string, Met>();
  readonly #tasks = new Map<string, string>();
  readonly #annotators = new Map<string, string | null>();
  readonly #mended: {
    readonly reason: 'half-character' | 'annotator-dropped';
    readonly where: string;
    readonly text: string;
  }[] = [];
  /** Names that cannot be kept. */
  readonly #refused: Refused[] = [];
  /** The class of each name of the file; null: none. */
  readonly #settled = new Map<string, string | null>();

  constructor(records: readonly ClassRecord[]) {
    for (const { name, synonyms } of records)
      for (const synonym of synonyms) {
        this.#known.set(synonym, name);
        addTo(this.#foldedBefore, foldClassName(synonym), name);
      }
    for (const { name } of records) {
      this.#known.set(name, name);
      addTo(this.#folded, foldClassName(name), name);
    }
  }

  meetTask(text: string, where: string): void {
    if (this.#tasks.has(text)) return;
    if (!text.isWellFormed())
      this.#mended.push({ reason: 'half-character', where, text: `the task ${JSON.stringify(text)}` });
    const reading = readName(text.toWellFormed());
    this.#tasks.set(text, reading.kind === 'name' ? reading.name : '');
    if (reading.kind === 'refused') this.#refused.push({ where, problem: `the task name ${reading.problem}` });
  }

  meetAnnotator(text: string, where: string): void {
    if (this.#annotators.has(text)) return;
    const reading = readName(text.toWellFormed());
    this.#annotators.set(text, reading.kind === 'name' ? reading.name : null);
    if (reading.kind === 'refused') this.#mended.push({ reason: 'annotator-dropped', where, text: reading.problem });
    else if (!text.isWellFormed())
      this.#mended.push({ reason: 'half-character', where, text: `the annotator ${JSON.stringify(text)}` });
  }

  /** @param ofObject it is all that is said of an object, which has no place without it */
  meetClass(text: string, where: string, ofObject = false): void {
    const met = this.#met.get(text);
    if (met !== undefined) {
      met.count++;
      if (ofObject) met.objects++;
      return;
    }
    if (this.#met.size === MAX_CLASSES)
      throw new LabelsmithError('BAD_FILE', `${where}: there are more than ${MAX_CLASSES} classes in it`, {
        hint: 'Is the column of the classes the right one?',
        details: { where },
      });
    this.#met.set(text, { where, count: 1, objects: Number(ofObject) });
  }

  /** Decides about all names, and gives those of new classes in order of name. */
  settle(mode: ClassMode, reckoning: Reckoning): NewClass[] {
    const { names, spellings } = this.#readAll();
    if (this.#refused.length > 0) throw namesRefused(this.#refused);
    for (const { reason, where, text } of this.#mended) reckoning.note(reason, where, text);
    const added = new Map<string, NewClass>();
    for (const [text, met] of names) {
      const { name, where, count } = met;
      const alike = spellings.get(foldClassName(name)) ?? [];
      const { meant, isHere } = this.#meantBy(name, alike);
      if (isHere) {
        reckoning.note('class-unified', where, `${JSON.stringify(name)} is ${JSON.stringify(meant)} here`, count);
        this.#settled.set(text, meant);
        continue;
      }
      if (mode === 'existing') {
        // Its objects go with it.
        reckoning.note('class-not-there', where, JSON.stringify(name), count - met.objects);
        reckoning.note('object-class-not-there', where, JSON.stringify(name), met.objects);
        this.#settled.set(text, null);
        continue;
      }
      if (meant !== name)
        reckoning.note('class-spellings', where, `${JSON.stringify(name)} is ${JSON.stringify(meant)}`, count);
      this.#settled.set(text, meant);
      if (!added.has(meant)) {
        const near = this.#nearTo(meant, alike, added.size);
        const others = isLetter(meant) ? [] : alike.map((one) => one.name).filter((one) => one !== meant);
        added.set(meant, { name: meant, where, near, others });
      }
    }
    const news = [...added.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { name, where, near } of news)
      if (near !== null)
        reckoning.note(
          'class-near-miss',
          where,
          `${JSON.stringify(name)} is new; did you mean ${JSON.stringify(near)}?`,
        );
    if (mode === 'ask' && news.length > 0) throw newClassesRefused(news);
    return news;
  }

  /** Settles names of classes that are here, and gives the others, and by folded names how often each spelling was met. */
  #readAll(): { readonly names: ReadonlyMap<string, MetName>; readonly spellings: ReadonlyMap<string, Spelling[]> } {
    const names = new Map<string, MetName>();
    const spellings = new Map<string, Spelling[]>();
    for (const [text, met] of this.#met) {
      const { where, count } = met;
      const whole = text.toWellFormed();
      const reading =
        text.trim() === NONE_OF_THESE ? ({ kind: 'name', name: NONE_OF_THESE } as const) : readClassName(whole);
      if (reading.kind === 'refused') {
        this.#refused.push({ where, problem: `the class name ${reading.problem}` });
        continue;
      }
      if (whole !== text)
        this.#mended.push({ reason: 'half-character', where, text: `the class ${JSON.stringify(text)}` });
      const { name } = reading;
      const folded = foldClassName(name);
      const alike = spellings.get(folded) ?? [];
      const before = alike.find((one) => one.name === name);
      if (before === undefined) alike.push({ name, count });
      else before.count += count;
      spellings.set(folded, alike);
      const known = name === NONE_OF_THESE ? name : this.#known.get(name);
      if (known !== undefined) this.#settled.set(text, known);
      else names.set(text, { name, ...met });
    }
    return { names, spellings };
  }

  /**
   * The class that a new name stands for: the only one here that is spelled alike, or that another spelling of the file had
   * as a name; else the only one that once had a name spelled alike; else the spelling that the file has most often. Several
   * classes here that are spelled alike are meant apart, and so are letters.
   */
  #meantBy(name: string, alike: readonly Spelling[]): { readonly meant: string; readonly isHere: boolean } {
    const apart = { meant: name, isHere: false };
    const here = new Set(this.#folded.get(foldClassName(name)));
    if (isLetter(name) && (here.size !== 1 || alike.length > 1)) return apart;
    for (const one of alike) {
      const known = this.#known.get(one.name);
      if (known !== undefined) here.add(known);
    }
    if (here.size === 0 && !isLetter(name))
      for (const one of this.#foldedBefore.get(foldClassName(name)) ?? []) here.add(one);
    if (here.size > 1) return apart;
    const [only] = here;
    if (only !== undefined) return { meant: only, isHere: true };
    const [first, ...others] = alike;
    return { meant: others.reduce((most, one) => (one.count > most.count ? one : most), first).name, isHere: false };
  }

  /** A class that is there, or another one of the file, which is nearly called so. */
  #nearTo(name: string, alike: readonly Spelling[], compared: number): string | null {
    const here = this.#folded.get(foldClassName(name)) ?? [];
    const other = [...here, ...(isLetter(name) ? alike.map((one) => one.name) : [])].find((one) => one !== name);
    if (other !== undefined) return other;
    return compared < MAX_COMPARED ? slipOf(name, this.#known.keys()) : null;
  }

  /** Null where the name cannot be kept. */
  annotatorOf(text: string): string | null {
    const name = this.#annotators.get(text);
    return name === undefined ? text : name;
  }

  taskOf(text: string): string {
    return this.#tasks.get(text) ?? text;
  }

  /** Whether labels of this class are taken. */
  has(text: string): boolean {
    return typeof this.#settled.get(text) === 'string';
  }

  /** The class that a name of the file stands for; null where its labels are left out. */
  nameOf(text: string): string | null {
    const name = this.#settled.get(text);
    if (name === undefined) throw new Error(`the file changed while it was read: it has another class now, ${text}`);
    return name;
  }
}

function addTo(sets: Map<string, Set<string>>, key: string, value: string): void {
  sets.set(key, (sets.get(key) ?? new Set()).add(value));
}

/** Equal for names of one file that are one class. */
export function spelling(className: string): string {
  return isLetter(className) ? className : foldClassName(className);
}

function namesRefused(refused: readonly Refused[]): LabelsmithError {
  const [first, ...others] = refused;
  const more =
    others.length === 0
      ? ''
      : ` (and ${others.length} more: ${others
          .slice(0, 4)
          .map(({ where }) => where)
          .join(', ')}${others.length > 4 ? ' …' : ''})`;
  return new LabelsmithError('BAD_FILE', `${first.where}: ${first.problem}${more}`, {
    hint: 'Nothing was taken in. Is the column of the classes the right one?',
    details: { refused: refused.slice(0, 100).map(({ where, problem }) => ({ where, problem })) },
  });
}

function newClassesRefused(news: readonly NewClass[]): LabelsmithError {
  const shown = news.slice(0, 20).map(({ name, near, others }) => {
    const also = [
      ...(near === null ? [] : [`${near}?`]),
      ...(others.length === 0 ? [] : [`also ${others.join(', ')}`]),
    ];
    return also.length === 0 ? name : `${name} (${also.join('; ')})`;
  });
  const more = news.length > shown.length ? `, and ${news.length - shown.length} more` : '';
  return new LabelsmithError(
    'REFUSED',
    `${news.length === 1 ? 'One class is' : `${news.length} classes are`} not there yet: ${shown.join(', ')}${more}`,
    {
      hint: 'Run it again with --classes new to make them, or with --classes existing to leave their labels out.',
      details: { newClasses: news.map(({ name, near, others }) => ({ name, near, others })) },
    },
  );
}
