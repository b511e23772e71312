import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hypernymsOf } from '../../corpus/hypernyms.ts';
import { wordNet } from '../../corpus/wordnet.ts';
import { matrix } from '../../math/matrix.ts';
import { decideByWords, meansOf, rivalWords, sentencesOf, TEMPLATES } from './word-classes.ts';

const kinds = (name: string) => hypernymsOf(wordNet(), name);

test('no rival is a class, a kind of one, part of one, or what one is a kind of', () => {
  const rivals = rivalWords(['Dog', 'fruit', 'red car'], kinds);
  for (const word of ['dog', 'animal', 'fruit', 'car']) assert.ok(!rivals.includes(word), word);
  for (const word of ['cat', 'chair', 'mountain']) assert.ok(rivals.includes(word), word);
});

test('a class is the mean of its sentences, at length 1', () => {
  assert.deepEqual(sentencesOf('a {} b', ['x {}', '{}{}']), ['x a {} b', 'a {} ba {} b']);
  const means = meansOf(matrix(Float32Array.of(1, 0, 0, 1, 0, 1, 0, 1), 4, 2), 2);
  assert.deepEqual([...means.data], [Math.fround(Math.SQRT1_2), Math.fround(Math.SQRT1_2), 0, 1]);
  assert.ok(TEMPLATES.every((template) => template.includes('{}')));
});

test('the best class counts against the others and the best rival, less what the pile is to each word', () => {
  const rule = { classes: 2, means: Float64Array.of(0.2, 0.2, 0.2, 0.2), threshold: 0.5 };
  const sure = decideByWords([0.3, 0.2, 0.2, 0.25], rule);
  // exp(-5) and exp(-10) beside 1.
  const share = 1 / (1 + Math.exp(-10) + Math.exp(-5));
  assert.equal(sure.class, 0);
  assert.ok(Math.abs(sure.confidence - share) < 1e-6 && sure.accepted);
  const rival = decideByWords([0.3, 0.2, 0.31, 0.1], rule);
  assert.ok(rival.confidence < 0.5 && !rival.accepted, 'an everyday word fits better');
  const common = decideByWords([0.3, 0.28, 0.1, 0.1], { ...rule, means: Float64Array.of(0.3, 0.1, 0.1, 0.1) });
  assert.equal(common.class, 1, 'a word that is near to every image says less');
});
