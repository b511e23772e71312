/** What items may be instead of the class that they are taken for, as the task's model sees it. They are no labels. */
import type { ItemId } from '../core/ids.ts';
import type { Workspace } from '../jobs/workspace.ts';
import { openPredictions } from '../stages/predictions.ts';

export interface Alternatives {
  readonly itemId: ItemId;
  /** The most likely first, at most {@link MAX_ALTERNATIVES}. */
  readonly classes: { readonly className: string; readonly confidence: number }[];
}

const MAX_ALTERNATIVES = 2;
/** Less likely ones are guessed at random. */
const MIN_CONFIDENCE = 0.02;

/**
 * Items that no model has looked at are left out, and those that are held out: a guess would sway who is asked about them.
 *
 * @param className what they are taken for. Neither it nor what a person said that an item is not is an alternative
 */
export async function alternativesTo(
  workspace: Pick<Workspace, 'store' | 'vectors'>,
  { task, className, itemIds }: { readonly task: string; readonly className: string; readonly itemIds: ItemId[] },
): Promise<Alternatives[]> {
  const { store } = workspace;
  const predictions = await openPredictions(workspace, task);
  if (!predictions) return [];
  const held = await store.auditedItems(task);
  const asked = itemIds.filter((id) => !held.has(id));
  const [rows, labels] = await Promise.all([predictions.probabilities(asked), store.labelsOf(asked, task)]);
  return asked.flatMap((itemId) => {
    const refused = new Set([className]);
    for (const { present, origin, className: name } of labels.get(itemId) ?? []) {
      if (!present && origin === 'human') refused.add(name);
    }
    const classes = [...(rows.get(itemId) ?? [])]
      .map((confidence, c) => ({ className: predictions.classNames[c] ?? '', confidence }))
      .filter((one) => one.confidence >= MIN_CONFIDENCE && !refused.has(one.className))
      .sort((a, b) => b.confidence - a.confidence || (a.className < b.className ? -1 : 1));
    return classes.length > 0 ? [{ itemId, classes: classes.slice(0, MAX_ALTERNATIVES) }] : [];
  });
}
