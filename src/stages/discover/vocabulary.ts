/**
 * A vocabulary as vectors, and what of it items are near to: votes for words, which name clusters by the rule of `vote-names.ts`.
 *
 * A word is a name in one sentence. As in `match --classes`, half of what the items are to a word on average is taken off. Cost:
 * a pass of the text network a word, once a model and vocabulary (kept with the workspace), then 2 · columns flops a word
 * and item that is looked at. Resident: 4 bytes a number of the words' vectors, 83 MB for WordNet's 27,000 nouns of 768 numbers.
 */
import { z } from 'zod';
import { type BlobKind, getDescribed, putDescribed } from '../../blobs/described-blob.ts';
import { type ItemId, sha256Hex } from '../../core/ids.ts';
import type { ItemKind } from '../../core/labels.ts';
import { type VotedNames, votedNamesOf } from '../../corpus/voted-names.ts';
import { wordNet } from '../../corpus/wordnet.ts';
import { LabelsmithError } from '../../errors.ts';
import { readWholeFile } from '../../files/whole-file.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { exactIndex } from '../../math/knn/exact.ts';
import { type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import { openWords } from '../search/words.ts';
import type { VoteRule } from './vote-names.ts';

export interface Vocabulary {
  /** Shape [words, columns], rows of length 1. */
  readonly vectors: Matrix;
  readonly names: VotedNames;
  /** What a word must reach to be a name; without it words are candidates alone. */
  readonly rule?: VoteRule;
}

/** A vocabulary with the model that reads it. */
export interface OpenedVocabulary extends Vocabulary {
  readonly model: string;
}

export interface VocabularyOptions {
  readonly items: ItemKind;
  readonly threads: number;
  /** The share from which a word is a name, 0 to 1, whoever measured it. Default: as measured for the model, if it was. */
  readonly share?: number;
  readonly signal?: AbortSignal;
}

/**
 * The least shares at which names by words were right eight times of ten, by embedder: `npm run bench -- hub` prints a model's
 * line. No weights with a text side could be fetched where this was made, so there is none yet.
 */
const MEASURED_RULES: Readonly<Record<string, VoteRule>> = {};

/** Nouns for what can be seen. */
const FIELDS: ReadonlySet<string> = new Set(
  ['animal', 'artifact', 'body', 'food', 'object', 'person', 'plant', 'substance'].map((field) => `noun.${field}`),
);
const SENTENCE = (name: string) => `a photo of a ${name}.`;
/** Words of an item that count; the others' chances are next to nothing. */
const MOST = 32;
const SCALE = 100;
const MEAN_SHARE = 0.5;
/** Words encoded between two looks at whether the run was stopped. */
const BATCH = 256;

const KEPT: BlobKind<number> = { version: 1, header: z.number() };

/** @param what `wordnet`, or a file with a name a line */
export async function openVocabulary(
  workspace: Pick<Workspace, 'store' | 'models' | 'blobs'>,
  what: string,
  options: VocabularyOptions,
): Promise<OpenedVocabulary> {
  const words = what === 'wordnet' ? nounsThere() : await wordsIn(what);
  const names = votedNamesOf(wordNet(), words);
  const texts = words.map(({ name, synset }) => SENTENCE(name ?? synset?.words[0] ?? ''));
  const { encoder, recipe } = await openWords(workspace, options.items, options);
  const model = recipe.model;
  const rule =
    options.share === undefined ? MEASURED_RULES[model] : { minClassShare: options.share, minKindShare: options.share };
  try {
    const key = `words/${sha256Hex([encoder.key, ...texts].join('\n')).slice(0, 32)}.f32`;
    const bytes = texts.length * encoder.dimensions * 4;
    const kept = await getDescribed(workspace.blobs, key, KEPT);
    const vectors = newSharedMatrix(texts.length, encoder.dimensions);
    if (kept?.bytes.byteLength === bytes) {
      new Uint8Array(vectors.data.buffer).set(kept.bytes);
      return { vectors, names, model, rule };
    }
    for (let start = 0; start < texts.length; start += BATCH) {
      options.signal?.throwIfAborted();
      const part = await encoder.encode(texts.slice(start, start + BATCH));
      vectors.data.set(part.data, start * encoder.dimensions);
    }
    const copy = new Uint8Array(bytes);
    copy.set(new Uint8Array(vectors.data.buffer));
    await putDescribed(workspace.blobs, key, KEPT, { header: texts.length, bytes: copy });
    return { vectors, names, model, rule };
  } finally {
    await encoder.close();
  }
}

function nounsThere(): Parameters<typeof votedNamesOf>[1][number][] {
  return [...wordNet().nounsOf(FIELDS)].map((synset) => ({ synset }));
}

async function wordsIn(file: string): Promise<Parameters<typeof votedNamesOf>[1][number][]> {
  const bytes = await readWholeFile(file).catch((cause: unknown) => {
    if (cause instanceof LabelsmithError) throw cause;
    throw new LabelsmithError('NOT_FOUND', `The vocabulary ${file} cannot be read.`, {
      cause,
      hint: 'Name a file with a name a line, or wordnet.',
    });
  });
  const lines = bytes
    .toString()
    .split(/\r?\n/)
    .map((line) => line.trim());
  const names = [...new Set(lines.filter((line) => line !== '' && !line.startsWith('#')))].sort();
  if (names.length > 0) return names.map((name) => ({ name, synset: wordNet().senses(name)[0]?.synset }));
  throw new LabelsmithError('USAGE', `The vocabulary ${file} has no words.`);
}

/** Of each item the numbers of the words that fit best, the best first, then their chances among these. @param rows as the model gives them */
export async function votesOfWords(
  pool: InferencePool,
  { vectors }: Pick<Vocabulary, 'vectors'>,
  rows: ReadonlyMap<ItemId, Float32Array>,
): Promise<Map<ItemId, Float32Array>> {
  const { columns } = vectors;
  const queries = newSharedMatrix(rows.size, columns);
  const mean = new Float64Array(columns);
  const ids = [...rows.keys()];
  for (const [i, row] of [...rows.values()].entries()) {
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
    for (let j = 0; j < columns; j++) {
      queries.data[i * columns + j] = row[j] / length;
      mean[j] = mean[j] + row[j] / length / rows.size;
    }
  }
  for (let i = 0; i < queries.data.length; i++) {
    queries.data[i] = queries.data[i] - MEAN_SHARE * mean[i % columns];
  }
  const most = Math.min(MOST, vectors.rows);
  const { indices, similarities } = await exactIndex(pool, vectors).search(queries, most);
  return new Map(
    ids.map((id, i) => {
      const best = similarities[i * most];
      const shares = Array.from(similarities.subarray(i * most, (i + 1) * most), (one) =>
        Math.exp(SCALE * (one - best)),
      );
      const all = shares.reduce((sum, share) => sum + share, 0);
      return [
        id,
        Float32Array.from([...indices.subarray(i * most, (i + 1) * most), ...shares.map((one) => one / all)]),
      ];
    }),
  );
}
