/**
 * What a buyer of labels wants to know, one figure a question: how many of the machine's labels are right, and how often the
 * classifier is right on new images. Measured on the audit set where there is one, else on the labels by cross-validation.
 */
import type { ItemId } from '../../core/ids.ts';
import type { StatedShare } from '../../core/label-accuracy.ts';
import { argMaxRows } from '../../math/calibration.ts';
import type { Matrix } from '../../math/matrix.ts';
import {
  type PileAccuracy,
  type PileConfidence,
  pileAccuracy,
  pileConfidence,
} from '../../math/metrics/pile-accuracy.ts';
import type { RunStore } from '../../store/store.ts';
import type { TaskItems } from './items.ts';
import type { Problem } from './problem.ts';
import type { Annotation } from './said.ts';

export interface TaughtAccuracy {
  /** Of the classifier on images like those of the pile, labelled ones among them; null where nothing tells. */
  readonly newImages: StatedShare | null;
  /** Of the machine's labels, people's not counted; null where it gave none, and where nothing tells. */
  readonly labels:
    | (StatedShare & { readonly machine: number; readonly people: number; readonly imported: number })
    | null;
}

/** Fewer audit items than this say less than the labels do. */
const MIN_AUDIT = 10;

type AnnotatedItems = Pick<TaskItems, 'ids' | 'annotations' | 'randomAudit' | 'audit'>;

/** The audit items whose class somebody said, where there are enough of them to measure on; else null. */
export function measuringAudit(items: AnnotatedItems): KnownRow[] | null {
  const audit = auditedRows(items, items.randomAudit);
  return audit.length >= MIN_AUDIT ? audit : null;
}

export interface AccuracyQuestion {
  readonly items: AnnotatedItems;
  readonly labelledTask: {
    readonly classNames: readonly string[];
    readonly problem: Pick<Problem, 'labelled' | 'labels'>;
    /** See `LabelledTask`; default true. */
    readonly isMeasurable?: boolean;
  };
  /** Of every item, shape [n, classes]; of labelled ones by a model that had not seen their label. */
  readonly probabilities: Matrix;
  /** Chance of each labelled item to look like something that others of its classes taught, shape [labelled] (default 1). */
  readonly knownHeldOut?: Float64Array;
  /** The same of every item, by which its probabilities were scaled; shape [n] (default 1). */
  readonly known?: Float64Array;
  readonly threshold: number;
  /** Whether the machine labelled the rest. */
  readonly labelRest: boolean;
  readonly picked: boolean;
  /** Of the whole pile, where the items are a part of it. */
  readonly whole?: WholeQuestion;
}

export interface WholeQuestion {
  readonly all: PileConfidence;
  /** Items that the machine labels, if it labels the rest. */
  readonly given: PileConfidence;
  /** What people said of all items. */
  readonly annotations: Iterable<Annotation>;
}

/**
 * Items that look like nothing taught may be of other classes or not: a few labels that were drawn by chance cannot tell, and
 * have too few of both. So the interval on new images holds both answers, and the figure stands between them.
 *
 * On new images: from the items of `teach select --audit`, else from the labels. Of the labels: from those of these that the
 * model is sure of, or where they are more from all that audits checked.
 */
export function taughtAccuracy(question: AccuracyQuestion): TaughtAccuracy {
  const { items, labelledTask, probabilities, knownHeldOut, known, threshold, labelRest, picked, whole } = question;
  const { classNames, problem, isMeasurable = true } = labelledTask;
  const best = argMaxRows(probabilities);
  const heldOut = new Map(Array.from(problem.labelled, (row, place) => [row, knownHeldOut?.[place] ?? 1]));
  // A labelled item counts as it would without its label.
  const confidenceOf = (row: number) =>
    probabilities.data[row * probabilities.columns + best[row]] * (heldOut.get(row) ?? 1);
  const isSure = ({ row }: { readonly row: number }) => confidenceOf(row) >= threshold;
  const taught = Array.from(problem.labelled, (row, place) => ({ row, className: classNames[problem.labels[place]] }));
  // An answer that came from its group is sure, and was not scaled.
  const unscaled = (row: number) =>
    Math.min(1, probabilities.data[row * probabilities.columns + best[row]] / (known?.[row] || 1));
  const accuracyBy = (confidence: (row: number) => number, pile: Pile, { rows, drawn }: Sample) =>
    pileAccuracy('mean' in pile ? pile : pileConfidence(pile.map(confidence)), {
      confidence: rows.map(({ row }) => confidence(row)),
      correct: rows.map(({ row, className }) => Number(classNames[best[row]] === className)),
      drawn: drawn === 'checked' ? 'random' : drawn,
    });
  const stated = (pile: Pile, sample: Sample, isAllTaught = false): StatedShare | null => {
    const { drawn } = sample;
    const found = accuracyBy(confidenceOf, pile, sample);
    const other = isAllTaught ? accuracyBy(unscaled, pile, sample) : null;
    const measuredOn = drawn === 'audit' || drawn === 'checked' ? 'audit' : 'cross-validation';
    return found && { ...between(found, other ?? found), measuredOn, picked: drawn === 'picked' };
  };
  const audit = measuringAudit(items);
  const sample: Sample = audit
    ? { rows: audit, drawn: 'audit' }
    : { rows: taught, drawn: picked ? 'picked' : 'random' };
  const sure: Sample = { ...sample, rows: sample.rows.filter(isSure) };
  const checked: Sample = { rows: auditedRows(items, items.audit).filter(isSure), drawn: 'checked' };
  const fewer = audit ? sure.rows.length : MIN_AUDIT - 1;
  const rows = [...items.annotations.keys()];
  const open = labelRest ? rows.filter((row) => isOpen(items.annotations[row].kind) && isSure({ row })) : [];
  const given: Pile = whole && labelRest ? whole.given : open;
  const tells = audit !== null || isMeasurable;
  const measuredOn = checked.rows.length > fewer ? checked : tells ? sure : null;
  const labels = measuredOn && stated(given, measuredOn);
  const said = [...(whole?.annotations ?? items.annotations)];
  const imported = said.filter((one) => one.kind === 'class' && one.origin === 'imported').length;
  // Of two classes that contradict each other the newer one holds.
  const held = said.filter(({ kind }) => kind === 'class' || kind === 'contradiction').length;
  const machine = 'mean' in given ? given.size : given.length;
  return {
    newImages: tells ? stated(whole?.all ?? rows, sample, known !== undefined && sample.drawn === 'random') : null,
    labels: labels && { ...labels, machine, people: held - imported, imported },
  };
}

/** Rows of the items, or what a pile that they are a part of comes to. */
type Pile = readonly number[] | PileConfidence;

function between(one: PileAccuracy, other: PileAccuracy): PileAccuracy {
  const [low, high] = [0, 1].map((end) => [one.interval[end], other.interval[end]]);
  return {
    ...one,
    accuracy: (one.accuracy + other.accuracy) / 2,
    interval: [Math.min(...low), Math.max(...high)],
  };
}

/** Items whose class is known; `checked` are those of audits that were drawn among labels of an earlier model. */
interface Sample {
  readonly rows: readonly KnownRow[];
  readonly drawn: 'audit' | 'checked' | 'random' | 'picked';
}

export interface KnownRow {
  readonly row: number;
  /** Null: people said that it is not what was asked, or none of the classes; so a model's label is wrong. */
  readonly className: string | null;
}

function auditedRows({ ids, annotations }: AnnotatedItems, audit: ReadonlySet<ItemId>): KnownRow[] {
  return annotations.flatMap((annotation, row): KnownRow[] => {
    if (!audit.has(ids[row])) return [];
    if (annotation.kind === 'class') return [{ row, className: annotation.className }];
    return annotation.kind === 'none' || annotation.kind === 'not' ? [{ row, className: null }] : [];
  });
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

/** The figures of the model before it learned from the audit's answers too, for the one after. */
export function measuredBefore({ newImages, labels }: TaughtAccuracy, machine: number): TaughtAccuracy {
  return {
    newImages: newImages && { ...newImages, measuredBefore: true },
    labels: labels && { ...labels, machine, measuredBefore: true },
  };
}
