/** Labels, their origins, and which of an item's labels counts. */
import type { ItemId, RunId } from './ids.ts';

/** Who said it, most trusted first: a person outranks everything, a cluster nothing. */
export const ORIGINS = ['human', 'imported', 'model', 'reference', 'detector', 'cluster'] as const;
export type Origin = (typeof ORIGINS)[number];

/** The class name under which "none of these" is recorded, per task. Never a class of the corpus. */
export const NONE_OF_THESE = '(none of these)';

export interface Label {
  readonly itemId: ItemId;
  readonly task: string;
  /** The class's name in the corpus. */
  readonly className: string;
  /** False is "not this": it silences machine labels of that class on that item. */
  readonly present: boolean;
  readonly origin: Origin;
  /** 0 to 1, calibrated where there was something to calibrate on; 1 from people. */
  readonly confidence: number;
  readonly runId: RunId | null;
  /** Who said it, where that was told: what two people say of one item stands side by side. Default: nobody is named. */
  readonly annotator?: string | null;
  /** Grows with every write; decides between labels of one origin. */
  readonly sequence: number;
}

/** Labels that one change may write: sequences of a change lie between those of the change before and the one after. */
export const SEQUENCES_A_CHANGE = 2 ** 24;

const RANK: Readonly<Record<Origin, number>> = Object.fromEntries(ORIGINS.map((origin, i) => [origin, i])) as Record<
  Origin,
  number
>;

export function originRank(origin: Origin): number {
  return RANK[origin];
}

/** Machine origins: what a stage may replace when it is run again. */
export function isMachine(origin: Origin): boolean {
  return origin !== 'human' && origin !== 'imported';
}

/**
 * The labels of one item in one task that hold, best first.
 *
 * A person's "not this" silences machine labels of its class, "none of these" silences all machine labels; either also
 * takes back what the person said before. In a
 * `single` task the first one is the item's class: best origin, then the newest, then the most confident, then by name.
 */
export function currentLabels(labels: readonly Label[], rule: TaskRule): Label[] {
  const silencedAt = new Map<string, number>();
  let noneAt = Number.NEGATIVE_INFINITY;
  for (const label of labels) {
    if (label.origin !== 'human') continue;
    const { className, present, sequence } = label;
    if (!present) silencedAt.set(className, Math.max(sequence, silencedAt.get(className) ?? sequence));
    else if (className === NONE_OF_THESE) noneAt = Math.max(sequence, noneAt);
  }
  const takenBackAt = (className: string) => Math.max(noneAt, silencedAt.get(className) ?? Number.NEGATIVE_INFINITY);
  const holding = labels.filter(
    ({ present, className, origin, sequence }) =>
      present &&
      className !== NONE_OF_THESE &&
      (origin === 'human' ? sequence > takenBackAt(className) : takenBackAt(className) === Number.NEGATIVE_INFINITY),
  );
  holding.sort(
    (a, b) =>
      RANK[a.origin] - RANK[b.origin] ||
      b.sequence - a.sequence ||
      b.confidence - a.confidence ||
      (a.className < b.className ? -1 : 1),
  );
  if (rule === 'single') return holding.slice(0, 1);
  const seen = new Set<string>();
  return holding.filter((label) => !seen.has(label.className) && seen.add(label.className));
}

export type TaskRule = 'single' | 'multi';
export const ITEM_KINDS = ['images', 'regions'] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

export interface Task {
  readonly name: string;
  readonly rule: TaskRule;
  readonly items: ItemKind;
}

/** The tasks every workspace has. */
export const BUILT_IN_TASKS: readonly Task[] = [
  { name: 'objects', rule: 'multi', items: 'regions' },
  { name: 'class', rule: 'single', items: 'images' },
];
