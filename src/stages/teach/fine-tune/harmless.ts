/**
 * Which changes of a picture the classes bear, asked of the labelled images: a classifier on the features as they are is
 * cross-validated on pictures as they are, mirrored, and turned by some degrees. A change after which fewer held-out pictures
 * are right than chance explains is not made. Where names say that classes differ by side or direction, neither is.
 *
 * Where the features do not tell classes apart that differ by it, nothing is seen; then the names alone warn.
 */
import { inLanes } from '../../../core/lanes.ts';
import { sampleIndices, seededRandom } from '../../../core/random.ts';
import { type AugmentOptions, mirroredSquare, turnedSquare } from '../../../images/augment.ts';
import { argMaxRows } from '../../../math/calibration.ts';
import { fitLinearHead, logitsOf, oneHot } from '../../../math/heads/linear-head.ts';
import { gatherRows, type Matrix, newSharedMatrix } from '../../../math/matrix.ts';
import { featureGraph } from '../../../models/tuning/training-graph.ts';
import type { TunableEmbedder } from '../../../models/tuning/tunable-embedder.ts';
import type { InferencePool } from '../../../onnx/pool.ts';
import { float32Data, uint8 } from '../../../onnx/tensor.ts';
import { isAsGood } from '../backbones.ts';
import { foldsOf } from '../cross-validation.ts';
import type { Problem } from '../problem.ts';
import type { TuningImage } from './tuning-image.ts';

export interface HarmlessRequest {
  readonly embedder: TunableEmbedder;
  readonly problem: Problem;
  /** By index, where they are known. */
  readonly classNames: readonly string[];
  open(row: number): Promise<TuningImage | undefined>;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** Labelled images that are asked, at most. */
const MAX_IMAGES = 200;
const DEGREES = 15;
const FOLDS = 3;
const C = 10;
const LANES = 4;

/** Words for sides and directions, in some languages. */
const SIDED =
  /(^|[^\p{L}])(left|right|links|rechts|gauche|droite|izquierda|derecha|sinistra|destra|lewy|prawy|clockwise|anticlockwise|counterclockwise|ccw|cw)([^\p{L}]|$)/iu;
const STANDING =
  /(^|[^\p{L}])(horizontal|vertical|upright|tilted|rotated|upside|slanted|leaning|north|south|east|west)([^\p{L}]|$)/iu;

export function sidedNames(classNames: readonly string[]): Required<AugmentOptions> {
  const named = (words: RegExp) => classNames.some((name) => words.test(name.replaceAll('_', ' ')));
  return { mirror: !named(SIDED), rotate: !named(SIDED) && !named(STANDING) };
}

export async function harmlessChanges(
  pool: InferencePool,
  request: HarmlessRequest,
): Promise<Required<AugmentOptions>> {
  const { problem, classNames, seed } = request;
  const names = sidedNames(classNames);
  if (!names.mirror && !names.rotate) return names;
  const places = sampleIndices(problem.labelled.length, MAX_IMAGES, seededRandom(seed, 'harmless'));
  const rows = Int32Array.from(places, (place) => problem.labelled[place] ?? 0);
  const asked: Problem = {
    labelled: rows.map((_, i) => i),
    labels: Int32Array.from(places, (place) => problem.labels[place] ?? 0),
    groups: Array.from(rows, (row) => problem.groups[row] ?? ''),
    classes: problem.classes,
    features: newSharedMatrix(0, 0),
  };
  const [plain, mirrored, turned] = await featuresOf(pool, request, rows);
  if (!plain || !mirrored || !turned) throw new RangeError('three kinds of features');
  const correct = await heldOut(pool, asked, [plain, mirrored, turned], request);
  const [before, afterMirror, afterTurn] = correct;
  if (!before || !afterMirror || !afterTurn) throw new RangeError('three kinds of predictions');
  return { mirror: names.mirror && isAsGood(afterMirror, before), rotate: names.rotate && isAsGood(afterTurn, before) };
}

/** Features of length 1 of each image as it is, mirrored and turned: shape [rows, dimensions] each. */
async function featuresOf(
  pool: InferencePool,
  { embedder, open, seed, signal }: HarmlessRequest,
  rows: Int32Array,
): Promise<Matrix[]> {
  const { network, pixels, input } = embedder;
  const [cut] = network.cuts;
  if (!cut) throw new RangeError('a network without a cut');
  const model = await pool.load(featureGraph(network, { cut, items: 1, pixels }), {
    key: `features:${embedder.id}:${cut.value}`,
  });
  const matrices = [0, 1, 2].map(() => newSharedMatrix(rows.length, network.dimensions));
  await inLanes(rows.entries(), LANES, async ([i, row]) => {
    signal?.throwIfAborted();
    const image = await open(row);
    if (!image) return;
    const picture = await image.picture();
    const degrees = seededRandom(seed, `turn:${i}`)() < 0.5 ? DEGREES : -DEGREES;
    const { width: size } = input;
    const seen = [
      await image.pixels(input),
      await mirroredSquare(picture, size),
      await turnedSquare(picture, degrees, size),
    ];
    for (const [kind, data] of seen.entries()) {
      const { features } = await pool.run(model, { x: uint8(data, [1, input.height, size, 3]) });
      matrices[kind]?.data.set(float32Data(features, 'features'), i * network.dimensions);
    }
  });
  await pool.unload(model);
  return matrices;
}

/** For each kind of features, 1 where the held-out item is right by a classifier of the first kind's. */
async function heldOut(
  pool: InferencePool,
  asked: Problem,
  kinds: readonly Matrix[],
  { seed, signal }: HarmlessRequest,
): Promise<Uint8Array[]> {
  const { labels, classes } = asked;
  const folds = foldsOf(asked, FOLDS, seed);
  const correct = kinds.map(() => new Uint8Array(labels.length));
  const [first] = kinds;
  if (!first) throw new RangeError('no features');
  for (let fold = 0; fold < folds.count; fold++) {
    const all = [...labels.keys()];
    const [held, training] = [all.filter((i) => folds.of[i] === fold), all.filter((i) => folds.of[i] !== fold)];
    if (held.length === 0 || training.length === 0) continue;
    const targets = oneHot(
      training.map((i) => labels[i] ?? 0),
      classes,
    );
    const weights = new Float32Array(training.length).fill(1);
    const head = await fitLinearHead(pool, { features: gatherRows(first, training), targets, weights }, { C, signal });
    for (const [kind, features] of kinds.entries()) {
      const best = argMaxRows(await logitsOf(pool, head, gatherRows(features, held)));
      for (const [at, i] of held.entries()) (correct[kind] ?? [])[i] = Number(best[at] === labels[i]);
    }
  }
  return correct;
}
