/**
 * What a detector is fed for the words that it is to find: vectors of them, or all of them in one sentence.
 *
 * Guarantees: what is fed depends on the names, the sentences they stand in and the model alone; words that the network cannot
 * take are refused by name before an image is looked at.
 */
import { sha256Hex } from '../core/ids.ts';
import { LabelsmithError } from '../errors.ts';
import { cacheDirectory } from '../fetch/cache.ts';
import { type CachedFile, fetchFiles } from '../fetch/fetch.ts';
import { newSharedMatrix } from '../math/matrix.ts';
import { InferencePool } from '../onnx/pool.ts';
import type { Tensors } from '../onnx/session.ts';
import { float32, float32Data, type Tensor } from '../onnx/tensor.ts';
import type { DetectorEntry } from './bundle.ts';
import { COMPOSER_VERSION } from './compose-model.ts';
import { composeWordVectors, WORD_INPUTS } from './compose-words.ts';
import { PHRASE_TOKENS } from './detectors/phrases.ts';
import { readTokenizer, type TextTokenizer } from './hub/tokenizer-files.ts';
import { readOnnx } from './onnx-files.ts';
import type { OpenOptions } from './open-model.ts';
import { type TextProcessor, tokensOf } from './text-tokens.ts';
import { keptNumbers } from './word-cache.ts';

export interface Vocabulary {
  /** What to find, by its name; none twice. */
  readonly classNames: readonly string[];
  /** Sentences with `{}` for the name (default {@link DEFAULT_TEMPLATES}); a class is the mean of them. */
  readonly templates?: readonly string[];
}

/** As the publishers of OWL show it. */
export const DEFAULT_TEMPLATES: readonly string[] = ['a photo of a {}'];

export interface WordFeeds {
  /** Names the words by content, behind the model's own key. */
  readonly key: string;
  readonly feeds: Tensors;
}

/** @param prepared key of the model that will be fed */
export async function wordFeeds(
  entry: DetectorEntry,
  vocabulary: Vocabulary,
  options: Omit<OpenOptions, 'pool'>,
): Promise<WordFeeds> {
  const { classNames } = vocabulary;
  const text = entry.graphs?.text;
  if (!entry.words || text?.takes.kind !== 'text') {
    throw new LabelsmithError('BAD_MODEL', `${entry.id} has no tokenizer`);
  }
  if (classNames.length === 0) throw noWords(entry.id);
  const { processor } = text.takes;
  const cacheDir = options.cacheDir ?? cacheDirectory();
  const files = await fetchFiles(text.source.files, { ...options, cacheDir, modelName: entry.id });
  const pathOf = (place: number) => files[place]?.path ?? '';
  const tokenizer = await readTokenizer(pathOf(processor.tokenizerFile), pathOf(processor.tokenizerConfigFile));
  const given: Given = { entry, tokenizer, processor, files };
  if (entry.words.kind === 'sentence') {
    return { key: keyOf([classNames]), feeds: sentenceFeeds(given, classNames) };
  }
  const { templates = DEFAULT_TEMPLATES } = vocabulary;
  return { key: keyOf([classNames, templates]), feeds: await vectorFeeds(given, classNames, templates, options) };
}

/** A detector of words without any. */
export function noWords(id: string): LabelsmithError {
  return new LabelsmithError('USAGE', `${id} finds what it is told in words, and was told none`, {
    hint: `Say what to find: --model ${id} --classes "forklift,pallet".`,
  });
}

function keyOf(words: unknown): string {
  return `words=${sha256Hex(JSON.stringify(words)).slice(0, 16)}`;
}

interface Given {
  readonly entry: DetectorEntry;
  readonly tokenizer: TextTokenizer;
  readonly processor: TextProcessor;
  /** Of the text graph: its own, then the tokenizer's. */
  readonly files: readonly CachedFile[];
}

/** Sentences that go through the text side at once. */
const TEXTS_A_RUN = 64;

/** The mean of a class's sentences, each at length 1, at length 1. */
async function vectorFeeds(
  { entry, tokenizer, processor, files }: Given,
  classNames: readonly string[],
  templates: readonly string[],
  options: Omit<OpenOptions, 'pool'>,
): Promise<Tensors> {
  const other = templates.find((template) => !template.includes('{}'));
  if (other !== undefined || templates.length === 0) {
    throw new LabelsmithError('USAGE', `template ${JSON.stringify(other ?? '')} has no {} for the name of a class`);
  }
  const sentences = classNames.flatMap((name) => templates.map((template) => template.replaceAll('{}', name)));
  const made = [
    COMPOSER_VERSION,
    files.map(({ sha256 }) => sha256),
    processor,
    sentences,
    templates.length,
    options.device,
  ];
  const key = sha256Hex(JSON.stringify(made)).slice(0, 32);
  const cacheDir = options.cacheDir ?? cacheDirectory();
  const data = await keptNumbers(cacheDir, key, async () => {
    const rows = await vectorsOf({ entry, tokenizer, processor, files }, sentences, options);
    return meanVectors(rows, templates.length);
  });
  const vectors = newSharedMatrix(classNames.length, data.length / classNames.length);
  vectors.data.set(data);
  return { [WORD_INPUTS.vectors]: float32(vectors.data, [1, vectors.rows, vectors.columns]) };
}

/** What the network makes of each sentence. */
async function vectorsOf(
  { entry, tokenizer, processor, files }: Given,
  sentences: readonly string[],
  options: Omit<OpenOptions, 'pool'>,
): Promise<Float32Array[]> {
  const network = await readOnnx(files.slice(0, processor.tokenizerFile).map(({ path }) => path));
  const pool = await InferencePool.create({ threads: 1, device: options.device });
  try {
    const model = await pool.load(composeWordVectors(entry, network), { key: `${entry.id}:text` });
    const rows: Float32Array[] = [];
    for (let i = 0; i < sentences.length; i += TEXTS_A_RUN) {
      const ids = sentences.slice(i, i + TEXTS_A_RUN).map((one) => tokensOf(one, tokenizer, processor));
      const masks = sentences.slice(i, i + TEXTS_A_RUN).map((one, row) => {
        const own = tokensOf(one, tokenizer, { ...processor, padId: null }).length;
        return ids[row].map((_, at) => (at < own ? 1 : 0));
      });
      const { vectors } = await pool.run(model, {
        [WORD_INPUTS.ids]: wholeNumbers(ids),
        [WORD_INPUTS.mask]: wholeNumbers(masks),
      });
      const values = float32Data(vectors, 'vectors');
      const length = values.length / ids.length;
      for (let row = 0; row < ids.length; row++) rows.push(values.slice(row * length, (row + 1) * length));
    }
    return rows;
  } finally {
    await pool.close();
  }
}

/** Shape [classes, columns]. */
function meanVectors(rows: readonly Float32Array[], each: number): Float32Array {
  const columns = rows[0]?.length ?? 0;
  const classes = rows.length / each;
  const means = new Float32Array(classes * columns);
  for (let c = 0; c < classes; c++) {
    const sum = new Float64Array(columns);
    for (const row of rows.slice(c * each, (c + 1) * each)) {
      const length = Math.hypot(...row) || 1;
      for (let j = 0; j < columns; j++) sum[j] += row[j] / length;
    }
    const length = Math.hypot(...sum) || 1;
    means.set(
      sum.map((value) => value / length),
      c * columns,
    );
  }
  return means;
}

/** What ends a label for the network, wherever it stands. */
const LABEL_ENDS = /[.?]/g;

/** All names in one sentence, in lower case, each with a full stop behind it; and which of its tokens are which name. */
function sentenceFeeds({ entry, tokenizer, processor }: Given, classNames: readonly string[]): Tensors {
  const idsOf = (text: string) => tokensOf(text, tokenizer, { ...processor, maxTokens: Number.MAX_SAFE_INTEGER });
  const phrases = classNames.map((name) => name.replaceAll(LABEL_ENDS, ' ').trim());
  const ids = idsOf(`${phrases.join('. ')}.`);
  if (ids.length > processor.maxTokens) {
    throw new LabelsmithError(
      'USAGE',
      `${classNames.length} classes are ${ids.length} tokens for ${entry.id}, which takes ${processor.maxTokens} at once`,
      { hint: 'Detect in several runs, each with some of the classes.' },
    );
  }
  const around = idsOf('').length;
  const places: number[][] = [];
  // One token starts the sentence, and one ends it.
  let at = around > 0 ? 1 : 0;
  for (const [i, phrase] of phrases.entries()) {
    const count = idsOf(phrase).length - around;
    if (count < 1) {
      throw new LabelsmithError('USAGE', `${JSON.stringify(classNames[i])} has no letter that ${entry.id} can read`);
    }
    places.push(Array.from({ length: count }, (_, k) => at + k));
    at += count + 1;
  }
  if (at + (around > 1 ? 1 : 0) !== ids.length) {
    throw new LabelsmithError(
      'BAD_MODEL',
      `the tokenizer of ${entry.id} reads names otherwise in a sentence than alone`,
    );
  }
  const longest = Math.max(...places.map(({ length }) => length));
  const filled = places.map((row) => Array.from({ length: longest }, (_, k) => row[k] ?? row[0]));
  const given = {
    [WORD_INPUTS.ids]: wholeNumbers([ids]),
    [WORD_INPUTS.mask]: wholeNumbers([ids.map(() => 1)]),
    [WORD_INPUTS.types]: wholeNumbers([ids.map(() => 0)]),
  };
  return { ...given, [PHRASE_TOKENS]: wholeNumbers(filled) };
}

/** Rows of one length. */
function wholeNumbers(rows: readonly (readonly number[])[]): Tensor {
  const flat = rows.flat();
  return { dtype: 'int64', data: BigInt64Array.from(flat, BigInt), dims: [rows.length, rows[0]?.length ?? 0] };
}
