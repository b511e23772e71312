/**
 * Compares predictions with the truth: classification, clustering, detection, each where there is something to compare.
 * Pure: predictions come in as pages, in any order, an image at most once a stream. The numbers are fractions, 0 to 1.
 */
import type { Detections } from '../../core/boxes.ts';
import type { LabelValue } from '../../core/dataset.ts';
import type { ImageId } from '../../core/ids.ts';
import { sampleIndices, seededRandom } from '../../core/random.ts';
import {
  accuracy,
  accuracyOfAll,
  type ClassScores,
  classScores,
  coverage,
  expectedCalibrationError,
  macroF1,
} from '../../math/metrics/classification.ts';
import { type ClusteringMetrics, clusteringMetrics, silhouette } from '../../math/metrics/clustering.ts';
import { DetectionEvaluation, type DetectionMetrics, type TruthBoxes } from '../../math/metrics/detection.ts';
import { BOX_FIELDS, type Truth, type TruthImage } from './ground-truth.ts';

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
}

export interface Predictions {
  /** Images of TRUTH that are left out have no label; images that TRUTH does not name are passed over. */
  readonly labels: AsyncIterable<readonly ImagePrediction[]>;
  readonly candidates: CandidateSource | null;
  /** Vectors of images as the workspace compares them, of those that have one; without it there is no silhouette. */
  readonly vectorsOf?: (ids: readonly ImageId[]) => Promise<ReadonlyMap<ImageId, Float32Array>>;
}

const CONFUSIONS_SHOWN = 10;
/** Distances between so many images take a second. */
const SILHOUETTE_SAMPLE = 1000;
const NONE = -1;

/**
 * Resident besides the truth: 40 bytes an image, and 33 a candidate whose class TRUTH names.
 */
export async function evaluate(
  truth: Truth,
  predictions: Predictions,
): Promise<{ evaluation: Evaluation; details: EvaluationDetails }> {
  const names = new ClassNames(truth.classNames);
  const said = await collectLabels(truth, predictions.labels, names);
  const found = await collectCandidates(truth, predictions.candidates, names, said);
  const { part: classification, judged } = classify(truth, said);
  return {
    evaluation: {
      images: truth.images.size,
      unmatched: truth.unmatched,
      ...(classification && { classification }),
      ...optional('clustering', await compareClusters(truth, said, predictions.vectorsOf)),
      ...(found.metrics && {
        detection: { mAP: found.metrics.mAP, AP50: found.metrics.AP50, AP75: found.metrics.AP75 },
      }),
    },
    details: {
      classNames: names.list,
      classes: classification ? classScores(judged) : [],
      confusions: classification ? confusions(judged, names.list) : [],
      detection: found.metrics,
      imagesWithoutCandidates: found.missing,
    },
  };
}

function optional<K extends string, V>(key: K, value: V | null): { [key in K]?: V } {
  return value === null ? {} : ({ [key]: value } as { [key in K]: V });
}

/** Class names as numbers: those of the truth first, others as they come. */
class ClassNames {
  readonly list: string[];
  readonly #index: Map<string, number>;

  constructor(names: readonly string[]) {
    this.list = [...names];
    this.#index = new Map(names.map((name, i) => [name, i]));
  }

  find(name: string): number {
    return this.#index.get(name) ?? NONE;
  }

  add(name: string): number {
    let index = this.#index.get(name);
    if (index === undefined) {
      index = this.list.length;
      this.list.push(name);
      this.#index.set(name, index);
    }
    return index;
  }
}

/** Columns by the image's order in the truth. */
interface Annotation {
  /** The true class that counts: the one a label names, else the first; −1 where TRUTH says none. */
  readonly truth: Int32Array;
  /** The label that counts: the true one if it is among them, else the best; −1 where there is none. */
  readonly label: Int32Array;
  readonly confidence: Float64Array;
  /** The class of the guess, and how good it is; −1 where there is none. */
  readonly guess: Int32Array;
  readonly guessScore: Float64Array;
  readonly cluster: Int32Array;
  /** Whether a label or guess came from anything but clusters, whose classes need not have true names. */
  named: boolean;
}

async function collectLabels(truth: Truth, pages: Predictions['labels'], names: ClassNames): Promise<Annotation> {
  const n = truth.images.size;
  const said: Annotation = {
    truth: new Int32Array(n).fill(NONE),
    label: new Int32Array(n).fill(NONE),
    confidence: new Float64Array(n),
    guess: new Int32Array(n).fill(NONE),
    guessScore: new Float64Array(n).fill(Number.NEGATIVE_INFINITY),
    cluster: new Int32Array(n).fill(NONE),
    named: false,
  };
  for (const image of truth.images.values()) said.truth[image.order] = image.classes[0] ?? NONE;
  const clusters = new Map<string, number>();
  for await (const page of pages) {
    for (const prediction of page) {
      const image = truth.images.get(prediction.imageId);
      if (!image) continue;
      const { order, classes } = image;
      const given = prediction.labels.map((label) => names.add(label.className));
      const right = given.findIndex((index) => classes.includes(index));
      const at = Math.max(right, 0);
      if (given.length > 0) {
        said.label[order] = given[at];
        said.confidence[order] = prediction.labels[at].confidence ?? 1;
        if (right >= 0) said.truth[order] = given[at];
        if (right >= 0 || prediction.labels.some((label) => label.origin !== 'cluster')) said.named = true;
      }
      if (prediction.guess) {
        const { className, confidence, origin } = prediction.guess;
        offerGuess(said, image, names.add(className), confidence ?? 0);
        if (origin !== 'cluster') said.named = true;
      }
      if (prediction.cluster !== null) {
        const index = clusters.get(prediction.cluster) ?? clusters.size;
        clusters.set(prediction.cluster, index);
        said.cluster[order] = index;
      }
    }
  }
  return said;
}

function offerGuess(said: Annotation, image: TruthImage, classIndex: number, score: number): void {
  if (score <= said.guessScore[image.order]) return;
  said.guess[image.order] = classIndex;
  said.guessScore[image.order] = score;
}

/** One pass over the candidates: detection metrics where TRUTH has boxes, guesses at the images' classes where asked. */
async function collectCandidates(
  truth: Truth,
  source: CandidateSource | null,
  names: ClassNames,
  said: Annotation,
): Promise<{ metrics: DetectionMetrics | null; missing: number }> {
  const wanted = source !== null && (truth.boxes > 0 || source.asGuess);
  if (!wanted) return { metrics: null, missing: 0 };
  const evaluation = new DetectionEvaluation();
  const indexOf = source.classNames.map((name) => names.find(name));
  const seen = new Uint8Array(truth.images.size);
  let count = 0;
  for await (const page of source.pages) {
    for (const { imageId, detections } of page) {
      const image = truth.images.get(imageId);
      if (!image) continue;
      seen[image.order] = 1;
      count++;
      if (truth.boxes > 0) {
        const classes = Int32Array.from(detections.classes, (c) => indexOf[c] ?? NONE);
        evaluation.add(image.order, truthBoxes(image), { ...detections, classes });
      }
      const best = source.asGuess ? mostConfident(detections) : NONE;
      if (best >= 0) {
        offerGuess(said, image, names.add(source.classNames[detections.classes[best]]), detections.scores[best]);
        said.named = true;
      }
    }
  }
  if (count === 0 || truth.boxes === 0) return { metrics: null, missing: 0 };
  const nothing = { count: 0, boxes: [], scores: [], classes: [] };
  for (const image of truth.images.values()) {
    if (!seen[image.order]) evaluation.add(image.order, truthBoxes(image), nothing);
  }
  return { metrics: evaluation.result(), missing: truth.images.size - count };
}

function mostConfident(detections: Detections): number {
  let best = NONE;
  for (let i = 0; i < detections.count; i++) {
    if (best < 0 || detections.scores[i] > detections.scores[best]) best = i;
  }
  return best;
}

function truthBoxes({ boxes }: TruthImage): TruthBoxes {
  const count = boxes.length / BOX_FIELDS;
  const column = (field: number) => Float64Array.from({ length: count }, (_, i) => boxes[i * BOX_FIELDS + field]);
  return {
    count,
    boxes: Float64Array.from({ length: 4 * count }, (_, i) => boxes[Math.floor(i / 4) * BOX_FIELDS + (i % 4)]),
    areas: column(4),
    classes: column(5),
    crowds: column(6),
  };
}

interface JudgedImages {
  readonly truth: number[];
  readonly predicted: number[];
}

function classify(truth: Truth, said: Annotation): { part: ClassificationPart | null; judged: JudgedImages } {
  const judged: JudgedImages = { truth: [], predicted: [] };
  const forced: JudgedImages = { truth: [], predicted: [] };
  const confidences: number[] = [];
  const rights: number[] = [];
  for (const { order, classes } of truth.images.values()) {
    if (classes.length === 0) continue;
    const label = said.label[order];
    const guess = label >= 0 ? label : said.guess[order];
    judged.truth.push(said.truth[order]);
    judged.predicted.push(label);
    // A guess at any of an image's true classes is right, as a label would be.
    forced.truth.push(classes.includes(guess) ? guess : said.truth[order]);
    forced.predicted.push(guess);
    if (label >= 0) {
      confidences.push(said.confidence[order]);
      rights.push(Number(label === said.truth[order]));
    }
  }
  const share = coverage(judged);
  const forcedAccuracy = accuracyOfAll(forced);
  if (!said.named || share === null || forcedAccuracy === null) return { part: null, judged };
  const part: ClassificationPart = {
    accuracy: accuracy(judged),
    coverage: share,
    accuracyForced: forcedAccuracy,
    macroF1: macroF1(judged),
    ece: expectedCalibrationError(confidences, rights),
  };
  return { part, judged };
}

/** Over the images with one true class that are in a cluster; null where there are none. */
async function compareClusters(
  truth: Truth,
  said: Annotation,
  vectorsOf: Predictions['vectorsOf'],
): Promise<ClusteringPart | null> {
  const ids: ImageId[] = [];
  const classes: number[] = [];
  const clusters: number[] = [];
  for (const [id, image] of truth.images) {
    if (image.classes.length !== 1 || said.cluster[image.order] < 0) continue;
    ids.push(id);
    classes.push(image.classes[0]);
    clusters.push(said.cluster[image.order]);
  }
  if (classes.length === 0) return null;
  const metrics = clusteringMetrics(classes, clusters);
  const score = vectorsOf ? await silhouetteOf(ids, clusters, vectorsOf) : null;
  return { ...metrics, ...optional('silhouette', score) };
}

async function silhouetteOf(
  ids: readonly ImageId[],
  clusters: readonly number[],
  vectorsOf: NonNullable<Predictions['vectorsOf']>,
): Promise<number | null> {
  const sample = sampleIndices(ids.length, SILHOUETTE_SAMPLE, seededRandom(0, 'evaluate:silhouette'));
  const vectors = await vectorsOf(Array.from(sample, (i) => ids[i]));
  const found = [...sample].flatMap((i) => {
    const vector = vectors.get(ids[i]);
    return vector ? [{ vector, cluster: clusters[i] }] : [];
  });
  if (found.length === 0) return null;
  const columns = found[0].vector.length;
  const data = new Float32Array(found.length * columns);
  for (const [i, { vector }] of found.entries()) data.set(vector, i * columns);
  return silhouette(
    data,
    columns,
    found.map(({ cluster }) => cluster),
    { sample: SILHOUETTE_SAMPLE },
  );
}

function confusions(judged: JudgedImages, names: readonly string[]): EvaluationDetails['confusions'] {
  const counts = new Map<number, number>();
  for (const [i, t] of judged.truth.entries()) {
    const p = judged.predicted[i];
    if (p >= 0 && p !== t) counts.set(t * names.length + p, (counts.get(t * names.length + p) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, CONFUSIONS_SHOWN)
    .map(([key, count]) => ({
      truth: names[Math.floor(key / names.length)],
      predicted: names[key % names.length],
      count,
    }));
}
