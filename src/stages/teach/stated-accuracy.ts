/**
 * What a buyer of labels wants to know, one figure a question: how many of the machine's labels are right, and how often the
 * classifier is right on new images. Measured on the audit set where there is one, else on the labels by cross-validation.
 */
import { argMaxRows } from '../../math/calibration.ts';
import type { Matrix } from '../../math/matrix.ts';
import { type KnownItems, type PileAccuracy, pileAccuracy } from '../../math/metrics/pile-accuracy.ts';
import type { RunStore } from '../../store/store.ts';
import type { TaskItems } from './items.ts';
import type { Problem } from './problem.ts';

export interface StatedAccuracy extends PileAccuracy {
  readonly measuredOn: 'audit' | 'cross-validation';
  /** Whether the labels it rests on were picked by `teach select`; its interval is wider then. */
  readonly picked: boolean;
}

export interface TaughtAccuracy {
  /** Of the classifier on images like those of the pile. */
  readonly newImages: StatedAccuracy | null;
  /** Of the machine's labels, people's not counted; null where it gave none. */
  readonly labels: (StatedAccuracy & { readonly machine: number; readonly people: number }) | null;
}

/** Fewer audit items than this say less than the labels do. */
const MIN_AUDIT = 10;

type AnnotatedItems = Pick<TaskItems, 'ids' | 'annotations' | 'randomAudit'>;

/** The audit items whose class somebody said, where there are enough of them to measure on; else null. */
export function measuringAudit(items: AnnotatedItems): KnownRow[] | null {
  const audit = knownRows(items, ({ id }) => items.randomAudit.has(id));
  return audit.length >= MIN_AUDIT ? audit : null;
}

export interface AccuracyQuestion {
  readonly items: AnnotatedItems;
  readonly labelledTask: { readonly classNames: readonly string[]; readonly problem: Pick<Problem, 'labelled'> };
  /** Of every item, shape [n, classes]; of labelled ones by a model that had not seen their label. */
  readonly probabilities: Matrix;
  /** Chance of each labelled item to look like something that others of its classes taught, shape [labelled] (default 1). */
  readonly knownHeldOut?: Float64Array;
  readonly threshold: number;
  /** Whether the machine labelled the rest. */
  readonly labelRest: boolean;
  readonly picked: boolean;
}

export function taughtAccuracy(question: AccuracyQuestion): TaughtAccuracy {
  const { items, labelledTask, probabilities, knownHeldOut, threshold, labelRest, picked } = question;
  const { classNames, problem } = labelledTask;
  const best = argMaxRows(probabilities);
  const heldOut = new Map(Array.from(problem.labelled, (row, place) => [row, knownHeldOut?.[place] ?? 1]));
  // A labelled item counts as it would without its label.
  const confidenceOf = (row: number) =>
    probabilities.data[row * probabilities.columns + best[row]] * (heldOut.get(row) ?? 1);
  const audit = measuringAudit(items);
  const audited = audit !== null;
  const judged = audit ?? knownRows(items, ({ row }) => heldOut.has(row));
  const stated = (pile: readonly number[], from: readonly KnownRow[]): StatedAccuracy | null => {
    const sample: KnownItems = {
      confidence: from.map(({ row }) => confidenceOf(row)),
      correct: from.map(({ row, className }) => Number(classNames[best[row]] === className)),
      drawn: audited ? 'audit' : picked ? 'picked' : 'random',
    };
    const found = pileAccuracy(pile.map(confidenceOf), sample);
    return found && { ...found, measuredOn: audited ? 'audit' : 'cross-validation', picked: picked && !audited };
  };
  const open = [...items.annotations.keys()].filter((row) => isOpen(items.annotations[row].kind));
  const everyone = open.length > 0 ? open : [...items.annotations.keys()];
  const given = labelRest ? open.filter((row) => confidenceOf(row) >= threshold) : [];
  const sure = judged.filter(({ row }) => confidenceOf(row) >= threshold);
  const labels = stated(given, sure);
  const people = items.annotations.filter(({ kind }) => kind === 'class').length;
  return {
    newImages: stated(everyone, judged),
    labels: labels && { ...labels, machine: given.length, people },
  };
}

export interface KnownRow {
  readonly row: number;
  readonly className: string;
}

function knownRows(items: AnnotatedItems, wanted: (item: { row: number; id: string }) => boolean): KnownRow[] {
  return items.annotations.flatMap((annotation, row) =>
    annotation.kind === 'class' && wanted({ row, id: items.ids[row] })
      ? [{ row, className: annotation.className }]
      : [],
  );
}

/** Whether the machine may label it: nobody has said what it is. */
function isOpen(kind: TaskItems['annotations'][number]['kind']): boolean {
  return kind === 'nothing' || kind === 'not';
}

/** Whether `teach select` chose items of this task for people to label. */
export async function wasPicked(store: Pick<RunStore, 'runs'>, task: string): Promise<boolean> {
  const runs = await store.runs({ stage: 'teach select' });
  return runs.some(({ settings, counts }) => settings.task === task && (counts.selected ?? 0) > 0);
}
