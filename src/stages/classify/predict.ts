/** A trained classifier on images anywhere: a stream in, a stream out, in the order of the source; no workspace. */
import { basename, relative, resolve } from 'node:path';
import { LabelsmithError } from '../../errors.ts';
import { csvRow, fileCell, textCell } from '../../formats/csv-table.ts';
import { DEFAULT_MAX_BYTES } from '../../images/decode.ts';
import { pixelsFor } from '../../images/pixels-for.ts';
import { isAboutOneFile } from '../../jobs/read-errors.ts';
import type { RunOptions } from '../../jobs/run.ts';
import { argMax } from '../../math/calibration.ts';
import { withSlashes } from '../../sources/names.ts';
import { openSource } from '../../sources/open.ts';
import type { Source, SourceEntry, SourceItem } from '../../sources/source.ts';
import type { Classifier } from './classifier-file.ts';

export interface Predicted {
  readonly className: string;
  /** Of the best class, calibrated as the classifier was. */
  readonly confidence: number;
  /** By index of `info.classNames`. */
  readonly probabilities: Float32Array;
}

export type Prediction =
  | ({ readonly kind: 'done'; readonly path: string } & Predicted)
  | { readonly kind: 'failed'; readonly path: string; readonly message: string };

/**
 * Holds as many decoded images as the classifier's threads can use. Ends early, without error, when `signal` aborts or
 * after `limit` files of the source, those that cannot be read among them. Whoever leaves the loop waits for the images
 * under way, so the classifier may be closed at once.
 */
export async function* predictFiles(
  classifier: Pick<Classifier, 'classify' | 'info' | 'capacity'>,
  source: Pick<Source, 'list'>,
  { signal, limit = Number.POSITIVE_INFINITY }: Pick<RunOptions, 'signal' | 'limit'> = {},
): AsyncGenerator<Prediction> {
  refuseRegions(classifier.info);
  const waiting: Promise<Prediction>[] = [];
  let left = limit;
  try {
    for await (const item of source.list()) {
      if (signal?.aborted) break;
      const prediction = predictOne(classifier, item);
      // One that fails before its turn is told of in its turn.
      prediction.catch(() => {});
      waiting.push(prediction);
      if (waiting.length > classifier.capacity + 2) yield await (waiting.shift() as Promise<Prediction>);
      if (--left <= 0) break;
    }
    while (waiting.length > 0) yield await (waiting.shift() as Promise<Prediction>);
  } finally {
    await Promise.allSettled(waiting);
  }
}

/** What a classifier says of a file, named as it is below the folder that was asked for. */
export type FilePrediction =
  | { readonly kind: 'done'; readonly file: string; readonly class: string; readonly confidence: number }
  | { readonly kind: 'failed'; readonly file: string; readonly message: string };

/** The first line of predictions as CSV. */
export const PREDICTION_COLUMNS = 'file,class,confidence\n';

/** A line of CSV with its end; empty for a file that could not be read. */
export function predictionRow(prediction: FilePrediction): string {
  if (prediction.kind === 'failed') return '';
  const { file, class: className, confidence } = prediction;
  return csvRow([fileCell(file), textCell(className), String(confidence)]);
}

/** The name of a path below a source, with `/` between its parts on every system, as in the record. @param root absolute */
export function fileBelow(root: string, path: string): string {
  return withSlashes(relative(root, path)) || basename(path);
}

/** @param threshold below this confidence the class is empty */
export function filePrediction(
  file: string,
  prediction: { readonly kind: 'failed'; readonly message: string } | ({ readonly kind: 'done' } & Predicted),
  threshold: number,
): FilePrediction {
  if (prediction.kind === 'failed') return { kind: 'failed', file, message: prediction.message };
  const { className, confidence } = prediction;
  return {
    kind: 'done',
    file,
    class: confidence < threshold ? '' : className,
    confidence: Number(confidence.toFixed(6)),
  };
}

/**
 * The same of a folder, or anything that `add` takes.
 * @param threshold below this confidence the class is empty
 */
export async function* predictBelow(
  classifier: Pick<Classifier, 'classify' | 'info' | 'capacity'>,
  spec: string,
  { threshold = 0, ...options }: Pick<RunOptions, 'signal' | 'limit'> & { readonly threshold?: number },
): AsyncGenerator<FilePrediction> {
  const root = resolve(spec);
  const source = await openSource(spec, { cwd: process.cwd() });
  for await (const prediction of predictFiles(classifier, source, options)) {
    yield filePrediction(fileBelow(root, prediction.path), prediction, threshold);
  }
}

/** One image. @param bytes of a file: JPEG, PNG or what else can be decoded. */
export async function predictImage(
  { classify, info }: Pick<Classifier, 'classify' | 'info'>,
  bytes: Uint8Array,
): Promise<Predicted> {
  refuseRegions(info);
  const probabilities = await classify(await pixelsFor(bytes, info.input));
  const best = argMax(probabilities);
  return { className: info.classNames[best], confidence: probabilities[best], probabilities };
}

async function predictOne(classifier: Pick<Classifier, 'classify' | 'info'>, item: SourceItem): Promise<Prediction> {
  const { path } = item.kind === 'entry' ? item.entry : item.problem;
  return { path, ...(await predictRead(classifier, item)) };
}

/** What was listed: bytes to be read, or why there are none. */
type ReadableItem =
  | { readonly kind: 'entry'; readonly entry: Pick<SourceEntry, 'read'> }
  | { readonly kind: 'problem'; readonly problem: { readonly message: string } };

/** What is wrong with the file alone is its result. */
export async function predictRead(
  classifier: Pick<Classifier, 'classify' | 'info'>,
  item: ReadableItem,
): Promise<({ readonly kind: 'done' } & Predicted) | { readonly kind: 'failed'; readonly message: string }> {
  if (item.kind === 'problem') return { kind: 'failed', message: item.problem.message };
  try {
    return { kind: 'done', ...(await predictImage(classifier, await item.entry.read(DEFAULT_MAX_BYTES))) };
  } catch (error) {
    if (!isAboutOneFile(error)) throw error;
    return { kind: 'failed', message: error.message };
  }
}

/** Without boxes there is nothing to look at: a whole image is not what such a classifier was taught. */
export function refuseRegions({ items, task }: Classifier['info']): void {
  if (items === 'images') return;
  throw new LabelsmithError('UNSUPPORTED', `The classifier of "${task}" tells regions apart, not whole images.`, {
    hint: 'labelsmith auto FOLDER --classifier FILE finds regions with a detector and labels those.',
  });
}
