/**
 * Corrected classes of one image, by comparison of three, as `merge-regions.ts` does it for regions: what differs from what the
 * export showed is the person's word. Classes of tasks on regions follow from the regions. Pure.
 */
import { currentLabels, type Label } from '../../core/labels.ts';
import type { NewLabel } from '../../store/store.ts';
import type { ShownImage } from '../export/shown.ts';
import { absentLabel, type CorrectionContext, holding, personLabel, tell } from './corrections.ts';

type Shown = ShownImage['labels'][number];
type Given = CorrectionContext['entry']['labels'][number];

/** What holds of the image by now in tasks of whole images. */
export function labelsShownNow(held: readonly Label[]): Shown[] {
  return held.map(({ task, className }) => ({ task, className }));
}

export function mergedLabels(context: CorrectionContext): NewLabel[] {
  const { entry, options, keeps, shown, imageTasks } = context;
  if (keeps.imageLabels === 'none') return [];
  const taskOf = (label: Given) => options.task ?? label.task ?? options.imageTask;
  const before = shown.labels.filter(({ task }) => options.task === undefined || task === options.task);
  const isShown = (label: Given) =>
    before.find(({ className, task }) => className === label.className && (label.task ?? task) === task);
  const given = entry.labels.filter((label) => isShown(label) !== undefined || imageTasks.has(taskOf(label)));
  const left = given.flatMap((label) => isShown(label) ?? []);
  const added = given.filter((label) => isShown(label) === undefined);
  const gone = before.filter((one) => !left.includes(one) && imageTasks.has(one.task));
  const labels: NewLabel[] = [];
  const tasks = new Set([...added.map(taskOf), ...gone.map(({ task }) => task)]);
  for (const task of tasks) {
    const change = {
      task,
      added: added.filter((label) => taskOf(label) === task),
      gone: gone.filter((one) => one.task === task),
      left: left.filter((one) => one.task === task),
    };
    labels.push(...changedIn(change, context));
  }
  labels.push(...leftAlone(left, context));
  tellFollowing(
    entry.labels.filter((label) => !given.includes(label)),
    before.filter((one) => !left.includes(one) && !imageTasks.has(one.task)),
    context,
  );
  return labels;
}

/** Tells of classes that were written or removed of an image in a task of boxes, where its boxes in the file do not say the same. */
function tellFollowing(added: readonly Given[], gone: readonly Shown[], context: CorrectionContext): void {
  const { entry, base, keeps, shown } = context;
  const drawn = new Set(entry.regions.flatMap(({ labels }) => labels.map(({ className }) => className)));
  const wasDrawn = new Set(shown.regions.flatMap(({ classes }) => classes));
  const extra = added.filter(({ className }) => !drawn.has(className));
  if (extra.length > 0) tell(context, 'class-of-boxes', extra);
  // What a format with the best class alone lacks says nothing.
  if (base !== 'export' || keeps.imageLabels !== 'all') return;
  const removed = gone.filter(({ className }) => drawn.has(className) || !wasDrawn.has(className));
  if (removed.length > 0) tell(context, 'class-of-boxes', removed, 'removed ');
}

interface Change {
  readonly task: string;
  readonly added: readonly Given[];
  readonly gone: readonly Shown[];
  readonly left: readonly Shown[];
}

function changedIn({ task, added, gone, left }: Change, context: CorrectionContext): NewLabel[] {
  const { entry, base, keeps, options, corrections, ruleOf } = context;
  const item = entry.image.id;
  const counts = corrections.labels;
  const isSingle = ruleOf(task) === 'single';
  const held = holding(context.labelsOf(item), new Set([task]), ruleOf);
  const labels: NewLabel[] = [];
  const names = new Set(added.map(({ className }) => className));
  // What a format with the best class alone lacks, it lacks because another stands there, or nothing does.
  const isSaid = keeps.imageLabels === 'all' || (base === 'export' && left.length === 0);
  const removed =
    isSaid && base !== 'unknown' ? held.filter(({ className }) => gone.some((one) => one.className === className)) : [];
  if (base === 'unknown' && keeps.imageLabels === 'all') {
    const kept = held.filter(({ className }) => gone.some((one) => one.className === className));
    if (kept.length > 0 && !(isSingle && added.length > 0)) tell(context, 'unknown-export', kept);
  }
  tellContradiction({ held, names, gone, isSingle }, context);
  for (const label of removed) if (!(isSingle && added.length > 0)) labels.push(absentLabel(item, label, context));
  const fresh = added.filter(
    ({ className }) => !held.some((label) => label.className === className && label.origin === 'human'),
  );
  for (const label of added) labels.push(personLabel(item, label, context, options.imageTask));
  const swapped =
    isSingle || keeps.imageLabels === 'best'
      ? Math.min(fresh.length, Math.max(gone.length, isSingle ? held.length : 0), 1)
      : 0;
  counts.changed += swapped;
  counts.added += fresh.length - swapped;
  counts.unchanged += added.length - fresh.length;
  counts.removed += isSingle && added.length > 0 ? 0 : Math.max(0, removed.length - swapped);
  return labels;
}

/** Another person said something else since the export, or before, where none is known. */
function tellContradiction(
  {
    held,
    names,
    gone,
    isSingle,
  }: {
    readonly held: readonly Label[];
    readonly names: ReadonlySet<string>;
    readonly gone: readonly Shown[];
    readonly isSingle: boolean;
  },
  context: CorrectionContext,
): void {
  const since = held.filter(({ origin, className }) => {
    if (origin !== 'human' || names.has(className)) return false;
    const wasShown = gone.some((one) => one.className === className);
    if (context.base === 'export') return isSingle && names.size > 0 && !wasShown;
    return wasShown;
  });
  if (since.length > 0) tell(context, 'person-contradicted', since, 'it was ');
}

/** What was shown and is still there. */
function leftAlone(left: readonly Shown[], context: CorrectionContext): NewLabel[] {
  const { entry, confirmAll, corrections, imageTasks, options, ruleOf } = context;
  const counts = corrections.labels;
  return left.flatMap((one) => {
    const task = imageTasks.has(one.task) ? one.task : options.imageTask;
    const held = holding(context.labelsOf(entry.image.id), new Set([task]), ruleOf);
    const now = held.find(({ className }) => className === one.className);
    const others = held.filter(({ origin }) => origin === 'human');
    const given = entry.labels.find(({ className }) => className === one.className);
    const back = () =>
      personLabel(entry.image.id, { ...one, annotator: given?.annotator ?? null, task }, context, task);
    if (now === undefined && isMovedBack({ ...one, task }, context)) {
      counts.changed++;
      return [back()];
    }
    if (now === undefined && others.length > 0 && ruleOf(task) === 'single')
      tell(context, 'changed-since-export', [one]);
    const isChanged = now === undefined && (others.length > 0 || task === one.task);
    if (!confirmAll || isChanged || now?.origin === 'human') {
      counts.unchanged++;
      return [];
    }
    counts.confirmed++;
    return [back()];
  });
}

/** All that speaks against what was shown came from this copy, which has it again. */
function isMovedBack({ task, className }: Shown, { entry, earlierRuns, labelsOf, ruleOf }: CorrectionContext): boolean {
  const said = labelsOf(entry.image.id).filter((label) => label.task === task && label.origin === 'human');
  const others = ruleOf(task) === 'single' ? currentLabels(said, 'single') : [];
  const against = [...others, ...said.filter((label) => !label.present && label.className === className)];
  return against.length > 0 && against.every(({ runId }) => runId !== null && earlierRuns.has(runId));
}
