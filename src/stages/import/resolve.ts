/**
 * From the names in a label file to the images of a workspace: by path, by ending, and where the named file itself can
 * be read, by its bytes.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { ImportedImage } from '../../core/dataset.ts';
import { FingerprintSet } from '../../core/fingerprints.ts';
import type { ImageRecord } from '../../core/image.ts';
import type { ReaderName, ReadOptions } from '../../formats/format.ts';
import { Reckoning } from '../../formats/reckoning.ts';
import { readFormat } from '../../formats/table.ts';
import type { Store } from '../../store/store.ts';
import { spelling } from './classes.ts';
import { FileMatcher, type Match, spellingsOf } from './match.ts';
import type { Note } from './notes.ts';

export interface ResolvedLabels {
  /**
   * Tasks in which some image has several classes, so that a rule of one class an image would lose some, and where the
   * first such image stands; null: unnamed.
   */
  readonly tasksOfMany: ReadonlyMap<string | null, string>;
  /** Rows that say another class of an image than one before, of tasks in which so few do that they are mistakes. */
  readonly contradicted: ReadonlyMap<string | null, ContradictedRows>;
  /** Goes through the file again, in its order. What is wrong in it is not told again. */
  read(): AsyncIterable<ImportedImage>;
  /** The image an entry stands for; null where none matches. */
  find(entry: ImportedImage): Promise<{ readonly image: ImageRecord | null; readonly match: Match }>;
}

export interface ContradictedRows {
  readonly count: number;
  /** The first of them. */
  readonly notes: readonly Note[];
}

/**
 * Reads the whole file once, so that what is wrong in it is known before anything is written, and gives further readings
 * with images. Resident: the stored paths (see `FileMatcher`), and 32 to 64 bytes a label of an image.
 */
export async function resolveLabels(
  store: Pick<Store, 'sourceRoots' | 'pathsOf' | 'image'>,
  format: ReaderName,
  path: string,
  options: ReadOptions & {
    /** The absolute folder that relative names count from. Default: the path, or the folder that it is in. */
    readonly base?: string;
  },
): Promise<ResolvedLabels> {
  const isFolder = (await stat(path).catch(() => null))?.isDirectory() ?? false;
  const base = options.base ?? (isFolder ? resolve(path) : dirname(resolve(path)));
  const stored: { imageId: string; path: string }[] = [];
  const roots = await store.sourceRoots();
  for (const root of roots) {
    for await (const page of store.pathsOf(root))
      for (const { imageId, path: at } of page) stored.push({ imageId, path: at });
  }
  const matcher = new FileMatcher(stored, [base, ...roots]);
  const classes = new ClassesOfTasks();
  for await (const entry of readFormat(format, path, options)) {
    matcher.expect(entry.file);
    // An answer is for a task of one class an item, and what contradicts is left out.
    if (!entry.answer) classes.add(entry);
  }

  return {
    ...classes.settle(),
    read: () => readFormat(format, path, { ...options, reckoning: new Reckoning(), onClass: undefined }),
    async find(entry) {
      const match = await matchEntry(matcher, entry, base);
      return { match, image: match.kind === 'matched' ? ((await store.image(match.imageId)) ?? null) : null };
    },
  };
}

/** Up to this share of a task's images, several classes of one are rows that contradict each other. */
const MAX_CONTRADICTED_SHARE = 0.1;
const MAX_CONTRADICTED_SHOWN = 20;

/** Whether several classes of an image are meant, in each task: one entry says them at once, or they are of many images. */
class ClassesOfTasks {
  readonly #said = new AnnotatedClasses();
  readonly #files = new FingerprintSet();
  readonly #several = new FingerprintSet();
  readonly #tasks = new Map<
    string | null,
    { files: number; several: number; isAtOnce: boolean; count: number; readonly notes: Note[] }
  >();

  add({ file, where, labels }: ImportedImage): void {
    const first = new Map<string, string>();
    for (const { task, className, annotator } of labels) {
      const of = this.#tasks.get(task) ?? { files: 0, several: 0, isAtOnce: false, count: 0, notes: [] };
      this.#tasks.set(task, of);
      if (this.#files.add(JSON.stringify([task, file]))) of.files++;
      // What another annotator says is a vote, and not a further class.
      const by = annotator == null ? file : `${file}\n${annotator}`;
      const name = spelling(className);
      const here = JSON.stringify([task, by]);
      if ((first.get(here) ?? name) !== name) of.isAtOnce = true;
      first.set(here, name);
      if (!this.#said.another(task, by, name)) continue;
      if (this.#several.add(JSON.stringify([task, file]))) of.several++;
      of.count++;
      if (of.notes.length < MAX_CONTRADICTED_SHOWN)
        of.notes.push(['class-contradicts', where, `${file} is ${JSON.stringify(className)}, and was another class`]);
    }
  }

  settle(): Pick<ResolvedLabels, 'tasksOfMany' | 'contradicted'> {
    const tasksOfMany = new Map<string | null, string>();
    const contradicted = new Map<string | null, ContradictedRows>();
    for (const [task, { files, several, isAtOnce, count, notes }] of this.#tasks) {
      if (several === 0) continue;
      if (isAtOnce || several > MAX_CONTRADICTED_SHARE * files) tasksOfMany.set(task, notes[0][1]);
      else contradicted.set(task, { count, notes });
    }
    return { tasksOfMany, contradicted };
  }
}

/**
 * Which classes were said of which files (or images); a file's rows may stand anywhere, as in a list that is sorted by
 * class. Resident: 16 to 32 bytes a file and a label.
 */
export class AnnotatedClasses {
  readonly #files = new FingerprintSet();
  readonly #labels = new FingerprintSet();

  /** Whether this is a class that was not said of the file before, and another one was. */
  another(task: string | null, file: string, className: string): boolean {
    const firstOfFile = this.#files.add(JSON.stringify([task, file]));
    return this.#labels.add(JSON.stringify([task, file, className])) && !firstOfFile;
  }
}

async function matchEntry(matcher: FileMatcher, entry: ImportedImage, base: string): Promise<Match> {
  const match = matcher.match(entry.file, entry.sha256, entry.otherNames);
  if (match.kind === 'matched') return match;
  for (const name of [entry.file, ...(entry.otherNames ?? [])].flatMap(spellingsOf)) {
    const sha256 = await sha256OfNamedFile(isAbsolute(name) ? name : join(base, name));
    const found = sha256 === null ? null : matcher.matchBytes(entry.file, sha256);
    if (found?.kind === 'matched') return found;
  }
  return match;
}

/** Null when there is no such file, as many formats name files that are not beside them, and for what is no file. */
async function sha256OfNamedFile(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    if (!(await stat(path)).isFile()) return null;
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  } catch {
    return null;
  }
  return hash.digest('hex');
}
