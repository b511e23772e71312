/**
 * How far the weights go from where they were to where training took them (WiSE-FT: Wortsman et al., "Robust fine-tuning of
 * zero-shot models", CVPR 2022): the share with the least loss on held-out labels, each under the network of its fold.
 *
 * Loss, since a hundred labels tell shares apart by it and not by how many are right. By the teacher's method, on images without a
 * label too: it is what the exit gate goes by, and vectors that a method on labels alone likes best may be worse to it.
 */
import { sampleIndices, seededRandom } from '../../../core/random.ts';
import { fitTemperature, meanCrossEntropy } from '../../../math/calibration.ts';
import type { Matrix } from '../../../math/matrix.ts';
import type { ComposedEmbedder } from '../../../models/tuning/tunable-embedder.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import type { VectorBlock } from '../../embed/recipe.ts';
import type { Folds } from '../cross-validation.ts';
import { crossValidateMethod } from '../learn-rounds.ts';
import type { LearnSettings } from '../methods.ts';
import { type Problem, sampledRows, subsample, withLabels } from '../problem.ts';
import { centredVectors } from './embed-rows.ts';
import type { TuningImage } from './tuning-image.ts';

export interface ShareRequest {
  readonly problem: Problem;
  /** Of the labelled rows. */
  readonly folds: Folds;
  readonly blocks: readonly VectorBlock[];
  readonly shares: readonly number[];
  /** The embedder of a fold whose weights went so far. */
  embedderOf(fold: number, share: number): ComposedEmbedder;
  open(row: number): Promise<TuningImage | undefined>;
  /** How the teacher learns. */
  readonly settings: LearnSettings;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** Labelled items that are asked, at most. */
const MAX_LABELS = 400;
/** Rows that are embedded once a fold and share, with those without a label, at most. */
export const SHARE_ROWS = 1000;
/** Networks that are held at once: an image is read, and what they have in common computed, once for all of these. */
const MAX_NETWORK_BYTES = 2 ** 28;

export interface ChosenShare {
  readonly share: number;
  /** What was embedded to find it, ascending; none where there was nothing to choose. */
  readonly rows: Int32Array;
  /** Of these rows, one of each fold, centred. */
  readonly foldFeatures: readonly Matrix[];
}

export async function bestShare(pool: InferencePool, request: ShareRequest): Promise<ChosenShare> {
  const { shares, problem, seed, embedderOf } = request;
  const [first] = shares;
  if (first === undefined) throw new RangeError('no shares');
  if (shares.length === 1) return { share: first, rows: new Int32Array(), foldFeatures: [] };
  const places = [...sampleIndices(problem.labelled.length, MAX_LABELS, seededRandom(seed, 'weight-share'))];
  const some = withLabels(problem, places);
  const asked: Asked = {
    rows: sampledRows(some, SHARE_ROWS, seed),
    problem: subsample(some, SHARE_ROWS, seed),
    folds: { count: request.folds.count, of: Int32Array.from(places, (place) => request.folds.of[place] ?? 0) },
  };
  const networks = shares.map((share) => ({
    share,
    ofFolds: Array.from({ length: request.folds.count }, (_, fold) => embedderOf(fold, share)),
  }));
  const bytes = networks[0]?.ofFolds.reduce((sum, { model }) => sum + model.length, 0) ?? 0;
  const atOnce = Math.max(1, Math.floor(MAX_NETWORK_BYTES / bytes));
  let best = { share: first, foldFeatures: [] as readonly Matrix[], loss: Number.POSITIVE_INFINITY };
  for (let from = 0; from < networks.length; from += atOnce) {
    const some = networks.slice(from, from + atOnce);
    const vectors = await centredVectors(
      pool,
      some.flatMap(({ ofFolds }) => ofFolds),
      asked.rows,
      request,
    );
    for (const [i, { share, ofFolds }] of some.entries()) {
      const foldFeatures = vectors.slice(i * ofFolds.length, (i + 1) * ofFolds.length);
      const loss = await lossWith(pool, request, asked, foldFeatures);
      // Of equals the first, which is the one that goes less far.
      if (loss < best.loss) best = { share, foldFeatures, loss };
    }
  }
  return { share: best.share, rows: asked.rows, foldFeatures: best.foldFeatures };
}

interface Asked {
  /** Ascending. */
  readonly rows: Int32Array;
  /** Of these rows. */
  readonly problem: Problem;
  readonly folds: Folds;
}

/** @param foldFeatures of the rows that are asked, one of each fold */
async function lossWith(
  pool: InferencePool,
  { settings, seed, signal }: ShareRequest,
  { problem, folds }: Asked,
  foldFeatures: readonly Matrix[],
): Promise<number> {
  const [features] = foldFeatures;
  if (!features) throw new RangeError('no folds');
  const ofFolds = { ...problem, features, foldFeatures, augmentations: undefined };
  const { logits } = await crossValidateMethod(pool, ofFolds, folds, { ...settings, augment: false }, { seed, signal });
  return meanCrossEntropy(logits, problem.labels, fitTemperature(logits, problem.labels));
}
