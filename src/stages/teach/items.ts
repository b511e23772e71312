/** The items of a task with their vectors, their groups, and what people said of them: the store's side of learning. */

import { chunks } from '../../core/chunks.ts';
import { plural } from '../../core/count-text.ts';
import type { ItemId } from '../../core/ids.ts';
import type { Task } from '../../core/labels.ts';
import { requireTask } from '../../corpus/tasks.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Matrix } from '../../math/matrix.ts';
import type { Store, VectorShard } from '../../store/store.ts';
import {
  centreAndNormalise,
  type EmbeddingRecipe,
  requireRecipe,
  type SpaceMean,
  savedMean,
  takeMean,
} from '../embed/recipe.ts';
import type { Problem } from './problem.ts';
import { type Annotation, annotationOf, type SaidOfTask } from './said.ts';

/** Every item of a task, without its vector. */
export interface PileItems extends TaskVectors {
  /** Ascending. Resident: about 150 bytes an item. */
  readonly ids: readonly ItemId[];
  /** Group of each item. */
  readonly groups: readonly string[];
  /** What is known of each item. */
  readonly annotations: readonly Annotation[];
  /** Items that are never trained on. */
  readonly audit: ReadonlySet<ItemId>;
}

export interface TaskItems {
  readonly task: Task;
  readonly recipe: EmbeddingRecipe;
  readonly mean: SpaceMean;
  /** Ascending. Resident: about 150 bytes an item beside its vector. */
  readonly ids: readonly ItemId[];
  /** Finished vectors, shape [ids, columns]. */
  readonly features: Matrix;
  /** Group of each item. */
  readonly groups: readonly string[];
  /** What is known of each item. */
  readonly annotations: readonly Annotation[];
  /** Items that are never trained on, and those of them that were drawn with equal chance. */
  readonly audit: ReadonlySet<ItemId>;
  readonly randomAudit: ReadonlySet<ItemId>;
  /** Other tasks that have labels of whatever origin. */
  readonly otherTasks: readonly string[];
  /** Where the pile is so large that these are the labelled items and some of the others. */
  readonly whole?: WholePile;
}

/** What a task's items are seen by. */
export interface TaskVectors extends Pick<TaskItems, 'task' | 'recipe' | 'mean'> {
  readonly shards: readonly VectorShard[];
}

/** A pile of which a part is in memory. */
export interface WholePile extends TaskVectors {
  /** Items that have a vector. */
  readonly count: number;
  readonly said: SaidOfTask;
  /** Labelled items that may be learned from, and how many of them have their vectors here. */
  readonly learnable: readonly ItemId[];
  readonly learned: number;
  /** See `ManyItemsOptions`. */
  readonly itemsAPart?: number;
}

const PAGE = 512;

/** The task of that name, which has to have one class an item. */
export async function singleTask(store: Pick<Store, 'tasks'>, name: string): Promise<Task> {
  const task = await requireTask(store, name);
  if (task.rule === 'single') return task;
  throw new LabelsmithError('UNSUPPORTED', `The task "${name}" allows several classes an item; teach learns one.`, {
    hint:
      task.items === 'regions'
        ? 'labelsmith teach select --items regions --task NAME --out ask asks which one class each region has, in a task of its own.'
        : 'Give each image the class that is to be learned: labelsmith import FORMAT PATH --task class keeps the last said of each image, and teach select --task NAME asks for one.',
  });
}

/** @param weights what each part of a vector counts, in place of the recipe's own. */
export async function taskVectors(
  { store, vectors }: Pick<Workspace, 'store' | 'vectors'>,
  taskName: string,
  weights?: readonly number[],
): Promise<TaskVectors> {
  const task = await singleTask(store, taskName);
  const saved = await requireRecipe(store, task.items);
  const blocks = saved.blocks.map((block, i) => ({ ...block, weight: weights?.[i] ?? block.weight }));
  const recipe = { ...saved, blocks };
  const shards = await store.vectorShards(recipe.space, task.items);
  if (shards.length === 0) {
    throw new LabelsmithError('NOT_FOUND', `No ${task.items} have embeddings here.`, {
      hint: `Run labelsmith embed${task.items === 'regions' ? ' --items regions' : ''} first.`,
    });
  }
  // Not all was embedded yet, so what is taken now is for this run alone.
  const mean = (await savedMean(store, recipe.space)) ?? (await takeMean(vectors, recipe, shards));
  return { task, recipe, mean, shards };
}

/** What the record has of a task as a whole. */
export async function taskRecord(
  store: Pick<Store, 'auditedItems' | 'heldOutItems' | 'classes'>,
  { name }: Pick<Task, 'name'>,
): Promise<Pick<TaskItems, 'audit' | 'randomAudit' | 'otherTasks'>> {
  const audit = await store.auditedItems(name);
  const randomAudit = await store.heldOutItems(name);
  const counts = (await store.classes()).flatMap((one) => one.counts);
  return { audit, randomAudit, otherTasks: otherTasksOf(counts, name) };
}

/** Every item, with its vector. */
export async function everyItem(
  { store, vectors: vectorStore }: Pick<Workspace, 'store' | 'vectors'>,
  { task, recipe, mean, shards }: TaskVectors,
): Promise<TaskItems> {
  const { ids, vectors } = await vectorStore.readAll(shards);
  centreAndNormalise(vectors, recipe, mean.values);
  const groups = await groupsOf(store, ids, task);
  const annotations = await annotationsOf(store, ids, task);
  return { ...(await taskRecord(store, task)), task, recipe, mean, ids, features: vectors, groups, annotations };
}

/** Every item, in one pass over the files of their vectors, of which one is in memory. */
export async function everyItemBare(
  { store, vectors }: Pick<Workspace, 'store' | 'vectors'>,
  taskVectors: TaskVectors,
): Promise<PileItems> {
  const { task, shards } = taskVectors;
  const ids: ItemId[] = [];
  for await (const part of vectors.stream(shards)) for (const id of part.ids) ids.push(id);
  ids.sort();
  const groups = await groupsOf(store, ids, task);
  const annotations = await annotationsOf(store, ids, task);
  return { ...taskVectors, ids, groups, annotations, audit: await store.auditedItems(task.name) };
}

async function annotationsOf(
  store: Pick<Store, 'labelsOf'>,
  ids: readonly ItemId[],
  { name }: Pick<Task, 'name'>,
): Promise<Annotation[]> {
  const annotations: Annotation[] = [];
  for (const page of chunks(ids, PAGE)) {
    const labels = await store.labelsOf(page, name);
    for (const id of page) annotations.push(annotationOf(labels.get(id) ?? []));
  }
  return annotations;
}

/** The group of each item's image, in the order of `ids`. */
export async function groupsOf(
  store: Pick<Store, 'images' | 'regionsOf'>,
  ids: readonly ItemId[],
  task: Pick<Task, 'items'>,
): Promise<string[]> {
  const groupOf = new Map<ItemId, string>();
  for await (const page of store.images({ gone: true })) {
    if (task.items === 'images') for (const { id, groupId } of page) groupOf.set(id, groupId);
    else {
      const groups = new Map(page.map(({ id, groupId }) => [id, groupId]));
      for (const [imageId, regions] of await store.regionsOf(page.map(({ id }) => id))) {
        for (const region of regions) groupOf.set(region.id, groups.get(imageId) ?? imageId);
      }
    }
  }
  return ids.map((id) => groupOf.get(id) ?? id);
}

/** What may be learned from, and what stood in the way of more. */
export interface LabelledTask {
  readonly problem: Problem;
  /** By class index, in order of name. */
  readonly classNames: readonly string[];
  readonly counts: {
    readonly items: number;
    readonly labelled: number;
    readonly audit: number;
    readonly none: number;
    readonly contradictions: number;
  };
  /** Whether some class has two examples that are no copies: else no label can be judged by a model that saw its class. */
  readonly isMeasurable: boolean;
  readonly warnings: readonly string[];
  /** Those of them that say what was left out. */
  readonly leftOut: readonly string[];
}

const SHOWN = 5;

/**
 * The problem that a task's labels pose, or an error that says what is missing. Audit items and their groups take no part,
 * but with `auditToo`, after which nothing can be measured on them any more.
 */
export function labelledTaskOf(items: TaskItems, { auditToo = false } = {}): LabelledTask {
  const { ids, annotations, features, groups, task, otherTasks } = items;
  const audit: TaskItems['audit'] = auditToo ? new Set() : items.audit;
  const labelled: number[] = [];
  const names: string[] = [];
  const contradictions: string[] = [];
  let [inAudit, none] = [0, 0];
  // Nearly the same picture as an audit item would give its answer away.
  const auditGroups = new Set<string>();
  for (let row = 0; row < ids.length; row++) if (audit.has(ids[row])) auditGroups.add(groups[row]);
  for (let row = 0; row < ids.length; row++) {
    const annotation = annotations[row];
    const id = ids[row];
    switch (annotation.kind) {
      case 'class':
        if (auditGroups.has(groups[row])) inAudit++;
        else {
          labelled.push(row);
          names.push(annotation.className);
        }
        break;
      case 'contradiction':
        contradictions.push(`${id.slice(0, 12)} is said to be ${annotation.classNames.join(' and ')}`);
        break;
      case 'none':
        none++;
        break;
      case 'not':
      case 'nothing':
        break;
      default:
        annotation satisfies never;
    }
  }
  const classNames = [...new Set(names)].sort();
  const indexOf = new Map(classNames.map((name, index) => [name, index]));
  const labels = Int32Array.from(names, (name) => indexOf.get(name) as number);
  const counts = {
    items: ids.length,
    labelled: labels.length,
    audit: inAudit,
    none,
    contradictions: contradictions.length,
  };
  refuseUnteachable(task.name, classNames, counts, contradictions, otherTasks);
  const warnings: string[] = [];
  if (contradictions.length > 0) {
    const more = contradictions.length > SHOWN ? `, and ${contradictions.length - SHOWN} more` : '';
    warnings.push(
      `${plural(contradictions.length, 'item has', 'items have')} two classes from one source and ${contradictions.length === 1 ? 'was' : 'were'} left out: ${contradictions.slice(0, SHOWN).join('; ')}${more}`,
    );
  }
  const leftOut = [...warnings];
  const pictures = classNames.map(() => new Set<string>());
  for (const [i, label] of labels.entries()) pictures[label].add(groups[labelled[i]]);
  const lone = classNames.filter((_, index) => pictures[index].size === 1);
  if (lone.length > 0) {
    warnings.push(
      `one example, or copies of one, is all there is of ${lone.map((name) => JSON.stringify(name)).join(', ')}: accuracy cannot be estimated for ${lone.length === 1 ? 'it' : 'them'}; label more`,
    );
  }
  const problem = { features, groups, labelled: Int32Array.from(labelled), labels, classes: classNames.length };
  return { problem, classNames, counts, isMeasurable: lone.length < classNames.length, warnings, leftOut };
}

function refuseUnteachable(
  task: string,
  classNames: readonly string[],
  counts: LabelledTask['counts'],
  contradictions: readonly string[],
  otherTasks: readonly string[],
): void {
  if (classNames.length >= 2) return;
  if (classNames.length === 1) {
    throw new LabelsmithError(
      'UNSUPPORTED',
      `All ${counts.labelled} labels of the task "${task}" are of one class, ${JSON.stringify(classNames[0])}.`,
      {
        hint: 'Label a few items of a second class; what is neither may be a class too, such as "other".',
      },
    );
  }
  if (counts.audit > 0) {
    throw new LabelsmithError(
      'UNSUPPORTED',
      `All ${counts.audit} labelled items of the task "${task}" are in the audit set, which is never trained on.`,
      {
        hint: 'Label others: labelsmith teach select -n 50 --out label.csv says which. Where none are left, teach select -n 0 --drop-audit takes back audit items that nobody has labelled.',
      },
    );
  }
  if (contradictions.length > 0) {
    throw new LabelsmithError(
      'UNSUPPORTED',
      `Every labelled item of the task "${task}" has two classes at once: ${contradictions.slice(0, SHOWN).join('; ')}.`,
      {
        hint: 'Import one class an item; the task has the rule single.',
      },
    );
  }
  throw nobodyLabelled(task, otherTasks);
}

/** Before anything is embedded for it: with no label there is nothing to learn from. */
export async function refuseUnlabelled(store: Pick<Store, 'classes'>, taskName: string): Promise<void> {
  const counts = (await store.classes()).flatMap((one) => one.counts);
  const said = counts.some(
    ({ task, origins }) => task === taskName && (origins.human ?? 0) + (origins.imported ?? 0) > 0,
  );
  if (!said) throw nobodyLabelled(taskName, otherTasksOf(counts, taskName));
}

function otherTasksOf(counts: readonly { readonly task: string }[], taskName: string): string[] {
  return [...new Set(counts.map(({ task }) => task))].filter((name) => name !== taskName).sort();
}

function nobodyLabelled(task: string, otherTasks: readonly string[]): LabelsmithError {
  const elsewhere =
    otherTasks.length > 0
      ? `There are labels in other tasks (${otherTasks.join(', ')}): import FORMAT PATH --task ${task} puts those of whole images here; of boxes, labelsmith export folders DIR --task ${otherTasks[0]} and then labelsmith import folders DIR --as human --task ${task} give each image one class. Or: `
      : '';
  return new LabelsmithError('NOT_FOUND', `Nobody has labelled anything in the task "${task}".`, {
    hint: `${elsewhere}labelsmith teach select -n 50 --out label.csv says what to label first; labelsmith import csv label.csv --as human takes it back.`,
  });
}

/** Whether people answered any item that is held out, so that there is more to learn from in the end. */
export function hasAuditAnswers(items: TaskItems, { problem }: LabelledTask): boolean {
  return labelledTaskOf(items, { auditToo: true }).problem.labelled.length > problem.labelled.length;
}
