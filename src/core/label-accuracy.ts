/** A stated accuracy, what it was measured on, and how it is said in words. */

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

/** Of a task's machine labels; people's are apart. */
export interface LabelAccuracy extends StatedShare {
  readonly task: string;
}

/** `83.1 % (95 %: 74.0 % to 90.2 %), on 60 labels by cross-validation`. */
export function accuracyText(stated: StatedShare): string {
  const { accuracy, interval, measuredOn, count, picked = false, measuredBefore = false } = stated;
  const [share, low, high] = [accuracy, ...interval].map((one) => `${(100 * one).toFixed(1)} %`);
  const on =
    measuredOn === 'audit'
      ? `${count} answers of an audit`
      : `${count} ${picked ? 'picked labels' : 'labels'} by cross-validation`;
  const before = measuredBefore ? ", measured before the audit's answers were learned from too" : '';
  return `${share} (95 %: ${low} to ${high}), on ${on}${before}`;
}
