/** What the models of a pack say of one image, as a line of the results: JSON Lines, as `labelsmith import` reads them. */
import { sha256Hex } from '../../../core/ids.ts';
import { accept } from '../../../corpus/accept.ts';
import { LabelsmithError } from '../../../errors.ts';
import { decodeForModel } from '../../../images/pillow/decode.ts';
import { pixelsFor } from '../../../images/pixels-for.ts';
import { sniffFormat } from '../../../images/sniff.ts';
import { argMax } from '../../../math/calibration.ts';
import { detectionsInImage } from '../../../models/detectors/in-image.ts';
import type { EdgeModel } from './edge-model.ts';
import type { PackedModel } from './pack-info.ts';

interface EdgeLabel {
  readonly class: string;
  readonly confidence: number;
  readonly origin: 'model' | 'detector';
  readonly task: string;
}

interface EdgeRegion {
  readonly id: string;
  readonly box: readonly number[];
  readonly score: number;
  readonly labels: readonly EdgeLabel[];
}

export interface EdgeResult {
  /** By content: names of a device mean nothing elsewhere. */
  readonly file: string;
  readonly sha256: string;
  readonly width?: number;
  readonly height?: number;
  readonly labels: readonly EdgeLabel[];
  readonly regions: readonly EdgeRegion[];
  /** Some model is not sure. */
  readonly unsure: boolean;
  /** Of classifiers that were not sure: their best class. */
  readonly guesses: readonly { readonly class: string; readonly confidence: number; readonly task: string }[];
}

type Found = Pick<EdgeResult, 'labels' | 'regions' | 'unsure' | 'guesses'> &
  Partial<Pick<EdgeResult, 'width' | 'height'>>;

/** Below a detector's threshold, but at this share of it or more, an object may be one. */
const UNSURE_SHARE = 2 / 3;

/** Fails with what is wrong with the file. */
export async function labelImage(models: readonly EdgeModel[], bytes: Uint8Array): Promise<EdgeResult> {
  const format = sniffFormat(bytes);
  if (format === 'heic') throw new LabelsmithError('UNSUPPORTED', 'HEIC is not read on a device');
  const sha256 = sha256Hex(bytes);
  const found: Found[] = [];
  for (const model of models) found.push(await labelBy(model, bytes, sha256));
  const size = found.find(({ width }) => width !== undefined);
  return {
    file: `${sha256}.${format ?? 'image'}`,
    sha256,
    ...(size === undefined ? {} : { width: size.width, height: size.height }),
    labels: found.flatMap(({ labels }) => labels),
    regions: found.flatMap(({ regions }) => regions),
    unsure: found.some(({ unsure }) => unsure),
    guesses: found.flatMap(({ guesses }) => guesses),
  };
}

function labelBy({ model, run }: EdgeModel, bytes: Uint8Array, sha256: string): Promise<Found> {
  switch (model.kind) {
    case 'classifier':
      return classify(model, run, bytes);
    case 'detector':
      return detect(model, run, bytes, sha256);
    default:
      return model satisfies never;
  }
}

async function classify(
  { classNames, input, threshold, task }: Extract<PackedModel, { kind: 'classifier' }>,
  run: EdgeModel['run'],
  bytes: Uint8Array,
): Promise<Found> {
  const { probabilities = new Float32Array() } = await run(await pixelsFor(bytes, input));
  const best = argMax(probabilities);
  const [name = '', confidence = 0] = [classNames[best], probabilities[best]];
  const said = { class: name, confidence: rounded(confidence, 6), task };
  const isSure = confidence >= threshold;
  return {
    labels: isSure ? [{ ...said, origin: 'model' }] : [],
    regions: [],
    unsure: !isSure,
    guesses: isSure ? [] : [said],
  };
}

async function detect(
  { classNames, input, rules, task, key }: Extract<PackedModel, { kind: 'detector' }>,
  run: EdgeModel['run'],
  bytes: Uint8Array,
  sha256: string,
): Promise<Found> {
  const { pixels, ...frame } = await decodeForModel(bytes, input);
  const { boxes = new Float32Array(), scores = new Float32Array(), classes = new Float32Array() } = await run(pixels);
  const candidates = detectionsInImage({ boxes, scores, classes }, frame);
  const { regions, imageLabels } = accept(sha256, key, candidates, classNames, rules);
  const nearly = accept(sha256, key, candidates, classNames, lowered(rules));
  const label = (name: string, confidence: number): EdgeLabel => {
    return { class: name, confidence: rounded(confidence, 6), origin: 'detector', task };
  };
  return {
    width: frame.width,
    height: frame.height,
    guesses: [],
    labels: imageLabels.map(({ className, confidence }) => label(className, confidence)),
    regions: regions.map(({ id, box, score, className }) => {
      return {
        id,
        box: box.map((corner) => rounded(corner, 3)),
        score: rounded(score, 6),
        labels: [label(className, score)],
      };
    }),
    unsure: nearly.regions.length > regions.length,
  };
}

function lowered(rules: Extract<PackedModel, { kind: 'detector' }>['rules']) {
  const classThresholds = Object.fromEntries(
    Object.entries(rules.classThresholds).map(([name, threshold]) => [name, threshold * UNSURE_SHARE]),
  );
  return { ...rules, threshold: rules.threshold * UNSURE_SHARE, classThresholds };
}

function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
