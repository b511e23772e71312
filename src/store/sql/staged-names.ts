/** Names that staged rows use: the numbers of the record, and below zero those of names that are new. */
import { toClassName, toName } from '../../core/class-name.ts';
import { NONE_OF_THESE, type Task } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { StagedImport } from '../import-store.ts';
import { type Dictionary, findTask } from './dictionary.ts';
import { NO_ANNOTATOR_ID, NONE_CLASS_ID } from './tables.ts';
import { isNobody } from './work.ts';

export class StagedNames {
  readonly added: { readonly kind: 'class' | 'annotator' | 'task'; readonly number: number; readonly name: string }[] =
    [];
  readonly #staged: StagedImport;
  readonly #dictionary: Dictionary;

  constructor(staged: StagedImport, dictionary: Dictionary) {
    this.#staged = staged;
    this.#dictionary = dictionary;
  }

  /** With the new tasks in it. */
  dictionary(): Dictionary {
    const news = [...this.#staged.tasks.values()].map((task) => [task.id, task] as const);
    return { ...this.#dictionary, taskById: new Map([...this.#dictionary.taskById, ...news]) };
  }

  addTask(task: Task): void {
    const { tasks } = this.#staged;
    if (findTask(this.#dictionary, task.name) !== undefined || tasks.has(task.name)) return;
    const id = -tasks.size - 1;
    tasks.set(task.name, { ...task, id });
    this.added.push({ kind: 'task', number: id, name: toName(task.name, 'task') });
  }

  taskId(name: string): number {
    const id = findTask(this.#dictionary, name)?.id ?? this.#staged.tasks.get(name)?.id;
    if (id === undefined) throw new LabelsmithError('NOT_FOUND', `There is no task "${name.toWellFormed()}"`);
    return id;
  }

  classId(name: string): number {
    if (name === NONE_OF_THESE) return NONE_CLASS_ID;
    const { classIds } = this.#dictionary;
    return classIds.get(name) ?? classIds.get(toClassName(name)) ?? this.#new('class', toClassName(name));
  }

  annotatorId(name: string | null | undefined): number {
    if (isNobody(name)) return NO_ANNOTATOR_ID;
    const { annotatorIds } = this.#dictionary;
    const kept = toName(name, 'annotator');
    return annotatorIds.get(name) ?? annotatorIds.get(kept) ?? this.#new('annotator', kept);
  }

  #new(kind: 'class' | 'annotator', name: string): number {
    const names = this.#staged.names[kind];
    const known = names.get(name);
    if (known !== undefined) return known;
    const number = -names.size - 1;
    names.set(name, number);
    this.added.push({ kind, number, name });
    return number;
  }
}
