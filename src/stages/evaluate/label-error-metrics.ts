/** How well wrong labels are found, where TRUTH says which are wrong: ranking of people's and imported labels by doubt. */
import { type ItemId, isImageId } from '../../core/ids.ts';
import { isMachine } from '../../core/labels.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { auroc, averagePrecision } from '../../math/metrics/ranking.ts';
import { labelErrorsIn } from '../teach/label-errors.ts';
import type { Truth } from './ground-truth.ts';

export interface LabelErrorMetrics {
  /** Labels of people and imports that TRUTH names, and how many of them it contradicts. */
  readonly labels: number;
  readonly wrong: number;
  /** Chance that a wrong label ranks above a right one. */
  readonly auroc: number;
  /** Average precision. */
  readonly auprc: number;
}

/** Null where TRUTH contradicts none of the labels, or all of them. */
export async function labelErrorMetrics(
  workspace: Workspace,
  task: string,
  truth: Truth,
): Promise<LabelErrorMetrics | null> {
  const imageOf = (itemId: ItemId) => (isImageId(itemId) ? truth.images.get(itemId) : undefined);
  const doubts = (await labelErrorsIn(workspace, task, [...truth.images.keys()])).filter(({ itemId, origin }) => {
    return !isMachine(origin) && (imageOf(itemId)?.classes.length ?? 0) > 0;
  });
  const wrong = doubts.map(({ itemId, className }) =>
    Number(!imageOf(itemId)?.classes.some((index) => truth.classNames[index] === className)),
  );
  const doubt = doubts.map(({ selfConfidence }) => 1 - selfConfidence);
  const area = auroc(wrong, doubt);
  const precision = averagePrecision(wrong, doubt);
  if (area === null || precision === null) return null;
  return { labels: doubts.length, wrong: wrong.reduce((sum, w) => sum + w, 0), auroc: area, auprc: precision };
}

export function formatLabelErrors({ labels, wrong, auroc: area, auprc }: LabelErrorMetrics): string {
  return `\nLabel errors: ${wrong} of ${labels} labels are wrong; found with AUROC ${area.toFixed(3)}, AUPRC ${auprc.toFixed(3)}.`;
}
