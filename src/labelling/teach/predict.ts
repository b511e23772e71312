/** A trained classifier on images anywhere: a stream in, a stream out, in the order of the source; no workspace. */
import { DEFAULT_MAX_BYTES } from '../../images/decode.ts';
import type { Source, SourceItem } from '../../sources/source.ts';
import { pixelsFor } from '../embed.ts';
import { isAboutOneFile } from '../unreadable.ts';
import type { Classifier } from './classifier-file.ts';

export type Prediction =
  | {
      readonly kind: 'done';
      readonly path: string;
      readonly className: string;
      /** Of the best class, calibrated as the classifier was. */
      readonly confidence: number;
      /** By index of `info.classNames`. */
      readonly probabilities: Float32Array;
    }
  | { readonly kind: 'failed'; readonly path: string; readonly message: string };

/** Holds as many decoded images as the classifier's threads can use. Ends early, without error, when `signal` aborts. */
export async function* predictFiles(
  classifier: Pick<Classifier, 'classify' | 'info' | 'capacity'>,
  source: Pick<Source, 'list'>,
  signal?: AbortSignal,
): AsyncGenerator<Prediction> {
  const waiting: Promise<Prediction>[] = [];
  for await (const item of source.list()) {
    if (signal?.aborted) break;
    waiting.push(predictOne(classifier, item));
    if (waiting.length > classifier.capacity + 2) yield await (waiting.shift() as Promise<Prediction>);
  }
  for (const next of waiting) yield await next;
}

async function predictOne(
  { classify, info }: Pick<Classifier, 'classify' | 'info'>,
  item: SourceItem,
): Promise<Prediction> {
  if (item.kind === 'problem') return { kind: 'failed', path: item.problem.path, message: item.problem.message };
  const { path } = item.entry;
  let pixels: Uint8Array;
  try {
    pixels = await pixelsFor(await item.entry.read(DEFAULT_MAX_BYTES), info.input);
  } catch (error) {
    if (!isAboutOneFile(error)) throw error;
    return { kind: 'failed', path, message: error.message };
  }
  const probabilities = await classify(pixels);
  let best = 0;
  for (let c = 1; c < probabilities.length; c++)
    if ((probabilities[c] as number) > (probabilities[best] as number)) best = c;
  const className = info.classNames[best] as string;
  return { kind: 'done', path, className, confidence: probabilities[best] as number, probabilities };
}
