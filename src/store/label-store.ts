/** Labels of any origin, and the tasks they belong to. A part of the store's contract (`store.ts`). */
import type { ItemId } from '../core/ids.ts';
import type { Label, Origin, Task } from '../core/labels.ts';
import type { WriteOptions } from './operation-store.ts';

export interface LabelStore {
  /**
   * Writes labels of any origin. A machine label replaces the machine labels of its origin on that item and task when
   * `replace` is set; a human or imported label in a single task stands beside older ones and wins by being newer. What
   * one origin (of people: one annotator) says of one class of one item in one task is kept once, the latest. A human or imported label on a region
   * freezes the region; a human one may end labels of the image as `deleteRegionsAsHuman` does. Classes are created as
   * needed. Runs and tasks that do not exist are refused with `NOT_FOUND`.
   */
  putLabels(labels: readonly NewLabel[], options?: WriteOptions & { readonly replace?: boolean }): Promise<void>;
  /** All labels of these items, every origin, present and absent, oldest first. */
  labelsOf(items: readonly ItemId[], task?: string): Promise<Map<ItemId, Label[]>>;
  /** Of each item with a label of this origin in the task, the id of the class that it is written as, whatever that was merged into. */
  writtenClassesOf(items: readonly ItemId[], task: string, origin: Origin): Promise<Map<ItemId, number>>;
  /** Removes machine labels of one origin in a task from these items (all items when undefined). */
  clearMachineLabels(task: string, origin: Origin, items?: readonly ItemId[]): Promise<number>;
  tasks(): Promise<Task[]>;
  ensureTask(task: Task): Promise<void>;
}

/** A label to write; the record gives it its place in the sequence. */
export type NewLabel = Omit<Label, 'sequence'>;
