/** The task that the pages are about: the one chosen, which is kept in the browser, or the one that had labels when they were opened. */
import { useSyncExternalStore } from 'react';
import { useClasses, useWorkspace } from '../api/queries.ts';
import { startingTask } from './starting-task.ts';

const KEY = 'labelsmith-task';
const watchers = new Set<() => void>();

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function setTask(name: string): void {
  localStorage.setItem(KEY, name);
  for (const watcher of watchers) watcher();
}

/** Of the classes that were read first: what is labelled since leads nobody away from what they look at. */
let starting: string | undefined;

function startingOnce(classes: Parameters<typeof startingTask>[0] | undefined): string {
  if (classes) starting ??= startingTask(classes);
  return starting ?? 'class';
}

export function useTask() {
  const { data } = useWorkspace();
  const { data: classes } = useClasses();
  const chosen = useSyncExternalStore(watch, () => localStorage.getItem(KEY));
  const tasks = data?.tasks ?? [];
  const named = (wanted: string | null) => tasks.find(({ name }) => name === wanted);
  const task = named(chosen) ?? named(startingOnce(classes)) ?? { name: 'class', rule: 'single', items: 'images' };
  return { task: task.name, items: task.items, tasks };
}

/** Classes that have labels in the task, the most frequent first. */
export function useTaskClasses(task: string) {
  const { data: classes = [] } = useClasses();
  return classes
    .flatMap(({ name, counts }) => {
      const own = counts.find((of) => of.task === task);
      return own && own.count > 0
        ? [{ name, count: own.count, origins: own.origins, meanConfidence: own.meanConfidence }]
        : [];
    })
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}

/** Labels of machines in the task that no person has confirmed, and how many of them are wrong by what they say. */
export function useUnconfirmed(task: string): { readonly left: number; readonly wrong: number } {
  const classes = useTaskClasses(task);
  let [left, wrong] = [0, 0];
  for (const { count, origins, meanConfidence } of classes) {
    left += count - (origins.human ?? 0) - (origins.imported ?? 0);
    // People are sure of what they say.
    wrong += count * (1 - meanConfidence);
  }
  return { left, wrong };
}
