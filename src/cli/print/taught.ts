/** What `teach` learned, and how good it is, in words. */

import { formatCount, plural } from '../../core/count-text.ts';
import { accuracyText, apartText } from '../../core/label-accuracy.ts';
import type { LearningCurve } from '../../stages/teach/learning-curve.ts';
import type { TeachResult } from '../../stages/teach/teach-result.ts';
import type { Output } from '../output.ts';
import { formatPercent, oneLine, table } from '../words.ts';

/** Pairs of classes that are printed; `--json` has them all. */
const MAX_CONFUSIONS = 10;

export function printTaught(output: Output, result: TeachResult, labelRest: boolean): void {
  const { counts, accuracy, evaluation, method } = result;
  output.summary(
    `Learned ${plural(counts.classes, 'class', 'classes')} from ${plural(counts.labelled, 'label')} (${method}).`,
  );
  if (accuracy.newImages) output.summary(`Accuracy on new images: ${accuracyText(accuracy.newImages)}.`);
  if (evaluation.learningCurve) printCurve(output, evaluation.learningCurve);
  if (evaluation.confusions.length > 0) {
    output.summary();
    const rows = evaluation.confusions
      .slice(0, MAX_CONFUSIONS)
      .map(({ truth, predicted, count }) => [oneLine(truth), oneLine(predicted), count]);
    for (const line of table([['class', 'taken for', 'items'], ...rows])) output.summary(`  ${line}`);
    output.summary();
  }
  if (labelRest) {
    output.summary(`Labelled ${plural(counts.labels, 'item')}; ${plural(counts.unsure, 'item')} left for people.`);
    if (accuracy.labels) {
      const { machine } = accuracy.labels;
      const apart = apartText({ whose: 'machines', labels: { ...accuracy.labels, measured: machine } });
      output.summary(
        `Accuracy of the ${plural(machine, 'machine label')}: ${accuracyText(accuracy.labels)}${apart === null ? '' : `; ${apart} are apart`}.`,
      );
    }
  }
  if (result.backbones.length > 0)
    output.summary(`Embedder: ${result.embedder}, of ${plural(result.backbones.length, 'way')} to a vector.`);
  if (result.fineTuned)
    output.summary(`Embedder: ${result.embedder}, fine-tuned on these labels (${result.fineTuned}).`);
  if (result.keptEmbedder)
    output.summary(
      `Kept as ${result.keptEmbedder}: labelsmith embed --model ${result.keptEmbedder}, and discover, match and similar see with it.`,
    );
  output.summary(`Classifier: ${result.model}`);
  for (const warning of result.warnings) output.note(`note: ${warning}`);
}

function printCurve(output: Output, { goal, more, moreInterval, limit }: LearningCurve): void {
  const wanted = formatPercent(goal, 0);
  if (more === 0) return;
  if (more === null) {
    output.summary(
      `${wanted} is out of reach with these features: about ${formatPercent(limit, 0)} if all were labelled. Other features: --search wide, --fine-tune auto.`,
    );
    return;
  }
  const [low, high] = moreInterval ?? [null, null];
  const upTo = high === null ? '; perhaps it is out of reach' : ` and at most ${formatCount(high)}`;
  const between = low === null ? '' : ` (95 %: at least ${formatCount(low)}${upTo})`;
  output.summary(`For ${wanted}, about ${formatCount(more)} more labels like these${between}.`);
}
