/** Matches items with classes that are words: see `word-classes.ts`. Resident: a vector a text, 8 bytes a text and the texts' graph. */
import { hypernymsOf } from '../../corpus/hypernyms.ts';
import { wordNet } from '../../corpus/wordnet.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { Matrix } from '../../math/matrix.ts';
import { cosinesTo, openWords, type WordSpace } from '../search/words.ts';
import type { RowMatcher } from './row-matcher.ts';
import { decideByWords, meansOf, rivalWords, sentencesOf, WORD_THRESHOLD } from './word-classes.ts';

export interface WordMatching {
  /** Sorted, none twice. */
  readonly classNames: readonly string[];
  readonly templates: readonly string[];
  readonly threshold?: number;
}

/** Encodes the words, and takes the mean of what the pile is to them in one pass over the vectors. */
export async function wordMatcher(
  workspace: Pick<Workspace, 'store' | 'models' | 'vectors'>,
  { classNames, templates, threshold = WORD_THRESHOLD }: WordMatching,
  options: { readonly threads: number },
): Promise<RowMatcher & Pick<WordSpace, 'recipe' | 'shards'>> {
  const { recipe, shards, encoder } = await openWords(workspace, 'images', options);
  const rivals = rivalWords(classNames, (name) => hypernymsOf(wordNet(), name));
  const texts = await textVectors(encoder, [...classNames, ...rivals], templates).finally(() => encoder.close());
  const means = await meanCosines(workspace, shards, texts);
  const rule = { classes: classNames.length, means, threshold };
  return {
    recipe,
    shards,
    classNames,
    async matchRows(_ids, rows) {
      const cosines = cosinesTo(texts, rows);
      return Array.from({ length: rows.rows }, (_, i) =>
        decideByWords(cosines.subarray(i * texts.rows, (i + 1) * texts.rows), rule),
      );
    },
  };
}

async function textVectors(
  encoder: WordSpace['encoder'],
  names: readonly string[],
  templates: readonly string[],
): Promise<Matrix> {
  const other = templates.find((template) => !template.includes('{}'));
  if (other !== undefined || templates.length === 0) {
    throw new LabelsmithError('USAGE', `The template ${JSON.stringify(other ?? '')} has no {} for the name.`, {
      hint: 'Write it as --template "an X-ray of a {}".',
    });
  }
  const sentences = names.flatMap((name) => sentencesOf(name, templates));
  return meansOf(await encoder.encode(sentences), templates.length);
}

async function meanCosines(
  { vectors }: Pick<Workspace, 'vectors'>,
  shards: WordSpace['shards'],
  texts: Matrix,
): Promise<Float64Array> {
  const sums = new Float64Array(texts.rows);
  let count = 0;
  for await (const part of vectors.stream(shards)) {
    const cosines = cosinesTo(texts, part.vectors);
    for (let i = 0; i < cosines.length; i++) sums[i % texts.rows] = sums[i % texts.rows] + cosines[i];
    count += part.vectors.rows;
  }
  return sums.map((sum) => sum / Math.max(1, count));
}
