/** What `teach` learned, and how good it is, in words. */
import type { Account } from '../../stages/teach/evaluation.ts';
import type { TeachResult } from '../../stages/teach/teach.ts';
import type { Output } from '../output.ts';
import { formatCount, formatPercent, oneLine, plural, table } from '../words.ts';

export function printTaught(output: Output, result: TeachResult, labelRest: boolean): void {
  const { counts, crossValidated, account, technique } = result;
  output.summary(
    `Learned ${plural(counts.classes, 'class', 'classes')} from ${plural(counts.labelled, 'label')} (${technique}).`,
  );
  const [low, high] = crossValidated.interval;
  output.summary(
    `Accuracy ${formatPercent(crossValidated.accuracy)} cross-validated on the labels (95 %: ${formatPercent(low)} to ${formatPercent(high)}).`,
  );
  if (account.measuredOn === 'audit') printAudit(output, account);
  const curve = account.learningCurve;
  if (curve && curve.more !== null && curve.more > 0) {
    output.summary(`For ${formatPercent(curve.goal, 0)}, about ${formatCount(curve.more)} more labels like these.`);
  }
  if (account.confusions.length > 0) {
    output.summary();
    const rows = account.confusions.map(({ truth, predicted, count }) => [oneLine(truth), oneLine(predicted), count]);
    for (const line of table([['class', 'taken for', 'items'], ...rows])) output.summary(`  ${line}`);
    output.summary();
  }
  if (labelRest) {
    output.summary(`Labelled ${plural(counts.labels, 'item')}; ${plural(counts.unsure, 'item')} left for people.`);
  }
  if (result.backbones.length > 0)
    output.summary(`Embedder: ${result.embedder}, of ${plural(result.backbones.length, 'way')} to a vector.`);
  output.summary(`Classifier: ${result.model}`);
  for (const warning of result.warnings) output.note(`note: ${warning}`);
}

function printAudit(output: Output, { accuracy, interval: [low, high], count, ece, eceByChance }: Account): void {
  output.summary(
    `Accuracy ${formatPercent(accuracy)} on ${plural(count, 'audit item')} (95 %: ${formatPercent(low)} to ${formatPercent(high)}), calibration error ${ece.toFixed(3)} (exactly right confidences would show ${eceByChance.toFixed(3)}).`,
  );
}
