/** A stated accuracy, what it was measured on, which labels it is of, and how it is said in words. */
import { formatCount, plural } from './count-text.ts';

export interface StatedShare {
  /** 0 to 1. */
  readonly accuracy: number;
  /** 95 %. */
  readonly interval: readonly [low: number, high: number];
  readonly measuredOn: 'audit' | 'cross-validation';
  /** Items that it rests on. */
  readonly count: number;
  /** Whether these were picked by `teach select` for what they would teach; the interval is wider then. Default false. */
  readonly picked?: boolean;
  /** Measured on the model before the audit's answers were learned from too (`teach rounds --final`). Default false. */
  readonly measuredBefore?: boolean;
}

/** A figure with its day. */
export interface DatedShare extends StatedShare {
  readonly atMs: number;
}

/** Of a task's labels by machines, or of those that were imported; people's are apart. */
export interface LabelAccuracy extends DatedShare {
  readonly task: string;
  readonly whose: 'machines' | 'imports';
  readonly labels: LabelNumbers;
  /** How often the classifier of the last training is right on images that it has not seen. */
  readonly newImages: DatedShare | null;
}

/** Labels of a task that stand, as an export has them. */
export interface LabelNumbers {
  /** Those that the figure was measured of: labels that were given later are not among them. */
  readonly measured: number;
  readonly machine: number;
  readonly imported: number;
  readonly people: number;
}

/** `83.1 % (95 %: 74.0 % to 90.2 %), on 60 labels by cross-validation`. */
export function accuracyText(stated: StatedShare): string {
  const { accuracy, interval, measuredOn, count, picked = false, measuredBefore = false } = stated;
  const [share, low, high] = [accuracy, ...interval].map((one) => `${(100 * one).toFixed(1)} %`);
  const on =
    measuredOn === 'audit'
      ? `${plural(count, 'answer')} of an audit`
      : `${plural(count, picked ? 'picked label' : 'label')} by cross-validation`;
  const before = measuredBefore ? ", measured before the audit's answers were learned from too" : '';
  return `${share} (95 %: ${low} to ${high}), on ${on}${before}`;
}

/** With its day: `…, 2026-11-27`. */
export function datedText(stated: DatedShare): string {
  return `${accuracyText(stated)}, ${dayOf(stated.atMs)}`;
}

export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

/** Whose labels it is of: `480 labels by machines`, `300 of 480 labels by machines (the others are newer and were not measured)`. */
export function measuredText({ whose, labels }: Pick<LabelAccuracy, 'whose' | 'labels'>): string {
  const all = whose === 'machines' ? labels.machine : labels.imported;
  const what = `${plural(all, 'label')} ${whose === 'machines' ? 'by machines' : 'that were imported'}`;
  if (labels.measured >= all) return what;
  return `${formatCount(labels.measured)} of ${what} (the others are newer and were not measured)`;
}

/** What is not in the figure: `20 by people and 3 imported`. Null where there is nothing. */
export function apartText({ whose, labels }: Pick<LabelAccuracy, 'whose' | 'labels'>): string | null {
  const { machine, imported, people } = labels;
  const other = whose === 'machines' ? `${formatCount(imported)} imported` : `${formatCount(machine)} by machines`;
  const parts = [
    ...(people > 0 ? [`${formatCount(people)} by people`] : []),
    ...((whose === 'machines' ? imported : machine) > 0 ? [other] : []),
  ];
  return parts.length === 0 ? null : parts.join(' and ');
}

/** All of it in sentences, without days: the same labels give the same text. */
export function accuracySentences(of: LabelAccuracy): string[] {
  const apart = apartText(of);
  return [
    `Accuracy of ${measuredText(of)} (task ${of.task}): ${accuracyText(of)}${apart ? `; ${apart} are apart` : ''}.`,
    ...(of.newImages ? [`On new images (task ${of.task}): ${accuracyText(of.newImages)}.`] : []),
  ];
}

/** As it is written into exports: without days, so that a workspace that was made twice gives the same bytes twice. */
export function writtenAccuracy({ atMs: _, newImages, ...of }: LabelAccuracy): Readonly<Record<string, unknown>> {
  if (newImages === null) return of;
  const { atMs: _day, ...share } = newImages;
  return { ...of, newImages: share };
}
