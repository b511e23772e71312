/** What is told of an entry of a file, and how it names labels and who said them. */
import type { Label } from '../../core/labels.ts';
import type { ReasonKey } from '../../formats/reckoning.ts';

/** Why, where, and what: see `Reckoning.note`. */
export type Note = readonly [reason: ReasonKey, where: string, what: string];

/** Each once, as `"class" (annotator)`. */
export function namesIn(labels: readonly Pick<Label, 'className' | 'annotator'>[]): string[] {
  const names = labels.map(
    ({ className, annotator }) => JSON.stringify(className) + (annotator == null ? '' : ` (${annotator})`),
  );
  return [...new Set(names)];
}
