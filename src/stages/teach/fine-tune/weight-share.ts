/**
 * How far the weights go from where they were to where training took them (WiSE-FT: Wortsman et al., "Robust fine-tuning of
 * zero-shot models", CVPR 2022): the share with the least loss on held-out labels, each under the network of its fold.
 *
 * Loss, since a hundred labels tell shares apart by it and not by how many are right; the base model on labelled items alone,
 * since it costs some hundred passes.
 */
import { sampleIndices, seededRandom } from '../../../core/random.ts';
import { fitTemperature, meanCrossEntropy } from '../../../math/calibration.ts';
import type { ComposedEmbedder } from '../../../models/tuning/tunable-embedder.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import { centreAndNormalise, meanOf, type VectorBlock } from '../../embed/recipe.ts';
import { crossValidate, type Folds } from '../cross-validation.ts';
import { type LearnSettings, learn, logitsOfRows } from '../methods.ts';
import type { Problem } from '../problem.ts';
import { embedRows } from './embed-rows.ts';
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
  readonly settings: LearnSettings;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** Labelled items that are asked, at most. */
const MAX_LABELS = 400;

export async function bestShare(pool: InferencePool, request: ShareRequest): Promise<number> {
  const { shares, problem, seed } = request;
  const [first] = shares;
  if (first === undefined) throw new RangeError('no shares');
  if (shares.length === 1) return first;
  const { labelled, labels, groups } = problem;
  const places = sampleIndices(labelled.length, MAX_LABELS, seededRandom(seed, 'weight-share'));
  const rows = Int32Array.from(places, (place) => labelled[place] ?? 0);
  const asked = {
    rows,
    labels: Int32Array.from(places, (place) => labels[place] ?? 0),
    groups: Array.from(rows, (row) => groups[row] ?? ''),
    classes: problem.classes,
    folds: { count: request.folds.count, of: Int32Array.from(places, (place) => request.folds.of[place] ?? 0) },
  };
  let best = { share: first, loss: Number.POSITIVE_INFINITY };
  for (const share of shares) {
    const loss = await lossWith(pool, request, asked, share);
    // Of equals the first, which is the one that goes less far.
    if (loss < best.loss) best = { share, loss };
  }
  return best.share;
}

interface Asked {
  readonly rows: Int32Array;
  readonly labels: Int32Array;
  readonly groups: readonly string[];
  readonly classes: number;
  readonly folds: Folds;
}

async function lossWith(
  pool: InferencePool,
  { blocks, embedderOf, open, settings, seed, signal }: ShareRequest,
  { rows, labels, groups, classes, folds }: Asked,
  share: number,
): Promise<number> {
  const columns = blocks.reduce((sum, block) => sum + block.columns, 0);
  const embedders = Array.from({ length: folds.count }, (_, fold) => ({ embedder: embedderOf(fold, share), rows }));
  const foldFeatures = await embedRows(pool, embedders, { columns, open, signal });
  for (const matrix of foldFeatures) centreAndNormalise(matrix, { blocks }, meanOf(matrix));
  const [features] = foldFeatures;
  if (!features) throw new RangeError('no folds');
  const labelled = Int32Array.from(rows, (_, place) => place);
  const problem: Problem = { features, foldFeatures, groups, labelled, labels, classes };
  const context = { pool, joined: null, principal: null, seed, signal };
  const { logits } = await crossValidate(problem, folds, async (training, held) => {
    const { head } = await learn(context, training, { ...settings, method: 'base', augment: false });
    return logitsOfRows(pool, head, training.features, held);
  });
  return meanCrossEntropy(logits, labels, fitTemperature(logits, labels));
}
