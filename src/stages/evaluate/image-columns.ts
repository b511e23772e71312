/** What is said of the images of a truth, as columns: labels, predictions and clusters. Resident: 41 bytes an image. */
import { isMachine } from '../../core/labels.ts';
import type { Predictions } from './evaluation.ts';
import type { Truth, TruthImage } from './ground-truth.ts';

export const NONE = -1;

/** Class names as numbers: those of the truth first, others as they come. */
export class ClassNames {
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
export interface ImageColumns {
  /** The true class that counts: the one a label names, else the first; −1 where TRUTH says none. */
  readonly truth: Int32Array;
  /** The label that counts: the true one if it is among them, else the best; −1 where there is none. */
  readonly label: Int32Array;
  readonly confidence: Float64Array;
  /** 1 where that label is a machine's. */
  readonly machine: Uint8Array;
  /** The class of the guess, and how good it is; −1 where there is none. */
  readonly guess: Int32Array;
  readonly guessScore: Float64Array;
  readonly cluster: Int32Array;
  /** Whether a label or guess came from anything but clusters, whose classes need not have true names. */
  named: boolean;
}

export async function collectLabels(
  truth: Truth,
  pages: Predictions['labels'],
  names: ClassNames,
): Promise<ImageColumns> {
  const n = truth.images.size;
  const columns: ImageColumns = {
    truth: new Int32Array(n).fill(NONE),
    label: new Int32Array(n).fill(NONE),
    confidence: new Float64Array(n),
    machine: new Uint8Array(n),
    guess: new Int32Array(n).fill(NONE),
    guessScore: new Float64Array(n).fill(Number.NEGATIVE_INFINITY),
    cluster: new Int32Array(n).fill(NONE),
    named: false,
  };
  for (const image of truth.images.values()) columns.truth[image.order] = image.classes[0] ?? NONE;
  const clusters = new Map<string, number>();
  for await (const page of pages) {
    for (const prediction of page) {
      const image = truth.images.get(prediction.imageId);
      if (!image) continue;
      const { order, classes } = image;
      const given = prediction.labels.map((label) => names.add(label.className));
      const correct = given.findIndex((index) => classes.includes(index));
      const at = Math.max(correct, 0);
      if (given.length > 0) {
        columns.label[order] = given[at];
        columns.confidence[order] = prediction.labels[at].confidence ?? 1;
        columns.machine[order] = Number(isMachine(prediction.labels[at].origin));
        if (correct >= 0) columns.truth[order] = given[at];
        if (correct >= 0 || prediction.labels.some((label) => label.origin !== 'cluster')) columns.named = true;
      }
      if (prediction.guess) {
        const { className, confidence, origin } = prediction.guess;
        offerPrediction(columns, image, names.add(className), confidence ?? 0);
        if (origin !== 'cluster') columns.named = true;
      }
      if (prediction.cluster !== null) {
        const index = clusters.get(prediction.cluster) ?? clusters.size;
        clusters.set(prediction.cluster, index);
        columns.cluster[order] = index;
      }
    }
  }
  return columns;
}

export function offerPrediction(columns: ImageColumns, image: TruthImage, classIndex: number, score: number): void {
  if (score <= columns.guessScore[image.order]) return;
  columns.guess[image.order] = classIndex;
  columns.guessScore[image.order] = score;
}
