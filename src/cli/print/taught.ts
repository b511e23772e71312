/** What `teach` learned, and how good it is, in words. */

import { plural } from '../../core/count-text.ts';
import { accuracyText, apartText } from '../../core/label-accuracy.ts';
import type { GateReport } from '../../stages/teach/fine-tune/exit-gate.ts';
import { roundText } from '../../stages/teach/fine-tune/steps.ts';
import type { TeachResult } from '../../stages/teach/teach-result.ts';
import type { Output } from '../output.ts';
import { oneLine, table } from '../words.ts';
import { moreLabelsText } from './more-labels.ts';

/** Pairs of classes that are printed; `--json` has them all. */
const MAX_CONFUSIONS = 10;

export function printTaught(output: Output, result: TeachResult, labelRest: boolean): void {
  const { counts, accuracy, evaluation, method } = result;
  output.summary(
    `Learned ${plural(counts.classes, 'class', 'classes')} from ${plural(counts.labelled, 'label')} (${method}).`,
  );
  output.summary(
    accuracy.newImages
      ? `Accuracy on new images: ${accuracyText(accuracy.newImages)}.`
      : 'Accuracy on new images: not known, with one example a class.',
  );
  const tried = { search: result.backbones.length > 0, fineTune: result.fineTuning !== null };
  const more = evaluation.learningCurve && moreLabelsText(evaluation.learningCurve, tried);
  if (more) output.summary(more);
  if (accuracy.newImages && evaluation.confusions.length > 0) {
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
    output.summary(`Embedder: ${result.embedder}, fine-tuned on these labels (${keptDepth(result)}).`);
  if (result.fineTuning) printGate(output, result.fineTuning);
  if (result.keptEmbedder)
    output.summary(
      `Kept as ${result.keptEmbedder}: labelsmith embed --model ${result.keptEmbedder}, and discover, match and similar see with it.`,
    );
  output.summary(`Classifier: ${result.model}`);
  for (const warning of result.warnings) output.note(`note: ${warning}`);
}

function keptDepth({ fineTuned, fineTuning }: TeachResult): string | null {
  const kept = fineTuning?.depths.find((one) => one.kept);
  return kept ? roundText({ step: kept.depth, round: kept.round }) : fineTuned;
}

/** What decided over each depth: all on the same folds, which are not those of the steps above. */
function printGate(output: Output, { folds, labels, frozen, depths }: GateReport): void {
  output.summary(
    `The embedder, each way on the same ${folds} folds of ${plural(labels, 'label')}, which decide over what is kept:`,
  );
  const rows = depths.map(({ depth, round, figures, kept, why }) => [
    roundText({ step: depth, round }),
    figures ? String(figures.right) : '–',
    figures ? figures.loss.toFixed(3) : '–',
    `${kept ? 'kept' : 'not kept'}: ${oneLine(why)}`,
  ]);
  const first = ['as it is', String(frozen.right), frozen.loss.toFixed(3), ''];
  for (const line of table([['depth', 'right held out', 'loss', ''], first, ...rows])) output.summary(`  ${line}`);
}
