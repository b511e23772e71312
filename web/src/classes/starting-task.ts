/** The task that the pages begin with where nobody chose one. Pure. */

interface Counted {
  readonly counts: readonly { readonly task: string; readonly count: number }[];
}

/** `class`, but where only other tasks have labels, as boxes that were imported: then the one with most. */
export function startingTask(classes: readonly Counted[]): string {
  const labels = new Map<string, number>();
  for (const { counts } of classes) {
    for (const { task, count } of counts) labels.set(task, (labels.get(task) ?? 0) + count);
  }
  if ((labels.get('class') ?? 0) > 0) return 'class';
  const [most] = [...labels].filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return most?.[0] ?? 'class';
}
