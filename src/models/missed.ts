/** Models that were not to be had, as they are told. */

/** A model that was not to be had. */
export interface Missed {
  readonly id: string;
  /** The rest of the sentence. */
  readonly why: string;
}

/** Each reason once, with all that it kept away. */
export function sentenceOf(missed: readonly Missed[]): string {
  const byReason = Map.groupBy(missed, ({ why }) => why);
  return [...byReason].map(([why, of]) => `${of.map((one) => one.id).join(' and ')} ${why}`).join('; ');
}
