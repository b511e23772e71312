/** What corrections of a file are made of, and how they are counted. */
import type { ImportedLabel } from '../../core/dataset.ts';
import type { RegionId, RunId } from '../../core/ids.ts';
import { currentLabels, type Label, type TaskRule } from '../../core/labels.ts';
import type { Keeps } from '../../formats/format.ts';
import type { ReasonKey } from '../../formats/reckoning.ts';
import type { NewLabel, StoredRegion } from '../../store/store.ts';
import type { ShownImage } from '../export/shown.ts';
import type { Base } from './base.ts';
import { type Note, namesIn } from './notes.ts';
import type { PlannedEntry } from './plan.ts';
import type { RowOptions } from './rows.ts';
import type { DisagreementRule } from './votes.ts';

export interface CorrectionCounts {
  added: number;
  /** Moved, or of another class. */
  changed: number;
  removed: number;
  /** As they were, and people's word from now on. */
  confirmed: number;
  /** As they were, or corrected before: nothing was done about them. */
  unchanged: number;
}

export interface Corrections {
  /** Regions. */
  readonly objects: CorrectionCounts;
  /** Classes of whole images. */
  readonly labels: CorrectionCounts;
}

export function noCorrections(): Corrections {
  const none = () => ({ added: 0, changed: 0, removed: 0, confirmed: 0, unchanged: 0 });
  return { objects: none(), labels: none() };
}

/** @param times 1 to add, -1 to take off */
export function addCorrections(to: Corrections, of: Corrections, times: 1 | -1): void {
  for (const what of ['objects', 'labels'] as const)
    for (const name of Object.keys(of[what]) as (keyof CorrectionCounts)[]) to[what][name] += times * of[what][name];
}

export interface CorrectionRows {
  readonly regions: StoredRegion[];
  readonly labels: NewLabel[];
  readonly removed: RegionId[];
  /** Left as they were. */
  readonly kept: RegionId[];
}

/** Of one image and its entry in the file. */
export interface CorrectionContext {
  readonly entry: PlannedEntry;
  readonly options: RowOptions;
  readonly keeps: Keeps;
  readonly base: Base['kind'];
  /** What the file is compared with. */
  readonly shown: ShownImage;
  /** Whether the export was of a task on whole images alone, so that it says nothing of what it lacks of regions. */
  readonly isOfImages: boolean;
  /** Of what was shown: regions, by id, of which it is not known whether they were in the file. */
  readonly maybeNewer: ReadonlySet<RegionId>;
  /** Imports that took in this copy of the export before. */
  readonly earlierRuns: ReadonlySet<RunId>;
  /** What was left as it was is the person's word too. */
  readonly confirmAll: boolean;
  /** What holds where two people say different things. */
  readonly disagreement: DisagreementRule;
  /** Tasks that regions of the file are about, and tasks on whole images that it is about. */
  readonly regionTasks: ReadonlySet<string>;
  readonly imageTasks: ReadonlySet<string>;
  readonly ruleOf: (task: string) => TaskRule;
  /** Of the image, deleted ones too; and labels of them and of the image. */
  readonly regions: readonly StoredRegion[];
  readonly labelsOf: (itemId: string) => readonly Label[];
  readonly corrections: Corrections;
  /** For the reckoning. */
  readonly note: (...note: Note) => void;
}

/** Labels that hold in any of these tasks. */
export function holding(
  labels: readonly Label[],
  tasks: ReadonlySet<string>,
  ruleOf: (task: string) => TaskRule = () => 'multi',
): Label[] {
  return [...tasks].flatMap((task) =>
    currentLabels(
      labels.filter((label) => label.task === task),
      ruleOf(task),
    ),
  );
}

type Annotation = Pick<ImportedLabel, 'className' | 'task' | 'annotator'> & Partial<ImportedLabel>;

/** A person's word; a model's where the file has it as a prediction. @param task where neither the options nor the file name one */
export function personLabel(itemId: string, label: Annotation, { options }: CorrectionContext, task: string): NewLabel {
  const said =
    label.isPrediction === true
      ? { origin: label.origin ?? ('model' as const), confidence: label.confidence ?? 1 }
      : { origin: 'human' as const, confidence: 1 };
  return {
    itemId,
    task: options.task ?? label.task ?? task,
    className: label.className,
    present: true,
    ...said,
    runId: options.runId,
    ...(label.annotator == null ? {} : { annotator: label.annotator }),
  };
}

export function absentLabel(
  itemId: string,
  { className, task }: Pick<Label, 'className' | 'task'>,
  { options }: CorrectionContext,
): NewLabel {
  return { itemId, task, className, present: false, origin: 'human', confidence: 1, runId: options.runId };
}

/** Tells of something on the image, with what people said of it. */
export function tell(
  { entry, note }: CorrectionContext,
  reason: ReasonKey,
  labels: readonly Pick<Label, 'className' | 'annotator'>[],
  what = '',
): void {
  note(reason, entry.where, `${entry.file}: ${what}${namesIn(labels).join(', ')}`);
}
