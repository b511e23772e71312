/** What is compared with the truth, and what comes of it. The numbers are fractions, 0 to 1. */
import type { Detections } from '../../core/boxes.ts';
import type { LabelValue } from '../../core/dataset.ts';
import type { ImageId, ItemId } from '../../core/ids.ts';
import type { ClassScores } from '../../math/metrics/classification.ts';
import type { ClusteringMetrics } from '../../math/metrics/clustering.ts';
import type { DetectionMetrics } from '../../math/metrics/detection.ts';

/** What `evaluate --json` prints. */
export interface Evaluation {
  /** Images that TRUTH names and that are known here, each once. */
  readonly images: number;
  /** Files that TRUTH names and that match no image. */
  readonly unmatched: number;
  readonly classification?: ClassificationPart;
  readonly clustering?: ClusteringPart;
  readonly detection?: Pick<DetectionMetrics, 'mAP' | 'AP50' | 'AP75'>;
}

/** Over the images for which TRUTH says a class. `accuracy`, `macroF1` and `ece` are null where none has a label. */
export interface ClassificationPart {
  /** Of the labels that machines gave: what they are worth, whatever people have labelled beside them. */
  readonly machine: LabelsRight;
  /** Of those by people and imports. */
  readonly people: LabelsRight;
  /** Share of right labels among the images that have one. An image with several is right if one of them is true. */
  readonly accuracy: number | null;
  /** Share of the images with a label. */
  readonly coverage: number;
  /** Share of right guesses among all images, the best guess counting where there is no label, and none as wrong. */
  readonly accuracyForced: number;
  /** Mean F1 of the true classes of the images that have a label. */
  readonly macroF1: number | null;
  /** Expected calibration error, 15 bins of equal width. */
  readonly ece: number | null;
}

/** Labels of images, one an image, and the share of them that is right: null where there are none. */
export interface LabelsRight {
  readonly labels: number;
  readonly accuracy: number | null;
}

export interface ClusteringPart extends ClusteringMetrics {
  /**
   * Mean silhouette of the clusters, −1 to 1, on the vectors of 1000 images at most; needs no truth. Left out where there
   * are no vectors or only one cluster.
   */
  readonly silhouette?: number;
}

/** What is behind the numbers, for tables. */
export interface EvaluationDetails {
  readonly classNames: readonly string[];
  readonly classes: readonly ClassScores[];
  /** Most frequent first: images of class `truth` that were labelled `predicted`. */
  readonly confusions: readonly { readonly truth: string; readonly predicted: string; readonly count: number }[];
  readonly detection: DetectionMetrics | null;
  /** What `detection` is of: a detector's candidates, or boxes with the labels that hold for them. */
  readonly boxesOf: 'detector' | 'labels';
  /** Truth images the detector left no record for; they count as images where nothing was found. */
  readonly imagesWithoutCandidates: number;
}

/** What is said of one image in the task. */
export interface ImagePrediction {
  readonly imageId: ImageId;
  /** Labels that hold, best first. */
  readonly labels: readonly Pick<LabelValue, 'className' | 'confidence' | 'origin'>[];
  /** The best machine guess whatever its confidence, used where no label holds. */
  readonly guess: Pick<LabelValue, 'className' | 'confidence' | 'origin'> | null;
  /** Name of the cluster it is in. */
  readonly cluster: string | null;
}

export interface CandidateSource {
  /** By index of `Detections.classes`. */
  readonly classNames: readonly string[];
  /** Everything the detector kept, accepted or not. */
  readonly pages: AsyncIterable<readonly { readonly imageId: ImageId; readonly detections: Detections }[]>;
  /** Whether the best candidate is a guess at the image's class, as in a task that is derived from regions. */
  readonly asGuess: boolean;
  /** They are boxes with the labels that hold for them, and no detector's candidates. */
  readonly labelled?: true;
}

export interface Predictions {
  /** Images of TRUTH that are left out have no label; images that TRUTH does not name are passed over. */
  readonly labels: AsyncIterable<readonly ImagePrediction[]>;
  readonly candidates: CandidateSource | null;
  /** Vectors of images as the workspace compares them, of those that have one; without it there is no silhouette. */
  readonly vectorsOf?: (ids: readonly ImageId[]) => Promise<ReadonlyMap<ItemId, Float32Array>>;
}
