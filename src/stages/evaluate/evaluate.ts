/**
 * Compares predictions with the truth: classification, clustering, detection, each where there is something to compare.
 * Pure: predictions come in as pages, in any order, an image at most once a stream. The numbers are fractions, 0 to 1.
 */
import { classScores } from '../../math/metrics/classification.ts';
import { classify, confusions } from './classification.ts';
import { compareClusters } from './clusters.ts';
import { collectCandidates } from './detections.ts';
import type { Evaluation, EvaluationDetails, Predictions } from './evaluation.ts';
import type { Truth } from './ground-truth.ts';
import { ClassNames, collectLabels } from './image-columns.ts';

export type { Evaluation, EvaluationDetails } from './evaluation.ts';

export async function evaluate(
  truth: Truth,
  predictions: Predictions,
): Promise<{ evaluation: Evaluation; details: EvaluationDetails }> {
  const names = new ClassNames(truth.classNames);
  const columns = await collectLabels(truth, predictions.labels, names);
  const found = await collectCandidates(truth, predictions.candidates, names, columns);
  const { part: classification, judged } = classify(truth, columns);
  const clustering = await compareClusters(truth, columns, predictions.vectorsOf);
  return {
    evaluation: {
      images: truth.images.size,
      unmatched: truth.unmatched,
      ...(classification && { classification }),
      ...(clustering && { clustering }),
      ...(found.metrics && {
        detection: { mAP: found.metrics.mAP, AP50: found.metrics.AP50, AP75: found.metrics.AP75 },
      }),
    },
    details: {
      classNames: names.list,
      classes: classification ? classScores(judged) : [],
      confusions: classification ? confusions(judged, names.list) : [],
      detection: found.metrics,
      boxesOf: predictions.candidates?.labelled ? 'labels' : 'detector',
      imagesWithoutCandidates: found.missing,
    },
  };
}
