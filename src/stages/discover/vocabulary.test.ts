/** Words as votes: made-up vectors in which each word has an axis of its own, and the kinds that WordNet puts above them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { votedNamesOf } from '../../corpus/voted-names.ts';
import { wordNet } from '../../corpus/wordnet.ts';
import { newSharedMatrix } from '../../math/matrix.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { chooseNames } from './evidence.ts';
import { votesOfWords } from './vocabulary.ts';
import { type VoteRule, voteCandidates } from './vote-names.ts';

const WORDS = ['poodle', 'beagle', 'violin', 'no such word', 'spoon'];
const names = votedNamesOf(
  wordNet(),
  WORDS.map((name) => ({ name, synset: wordNet().senses(name)[0]?.synset })),
);

/** Rows that are one word with a little of all. */
function items(words: readonly number[]): Map<string, Float32Array> {
  const row = (word: number) => Float32Array.from(WORDS, (_, j) => (j === word ? 3 : 0.1));
  return new Map(words.map((word, i) => [`${i}`, row(word)]));
}

async function candidates(
  t: { after(work: () => Promise<void>): void },
  clusters: readonly (readonly number[])[],
  proposed = false,
  rule?: VoteRule,
) {
  const pool = await InferencePool.create({ threads: 1 });
  t.after(() => pool.close());
  const vectors = newSharedMatrix(WORDS.length, WORDS.length);
  for (let i = 0; i < WORDS.length; i++) vectors.data[i * WORDS.length + i] = 1;
  const all = items(clusters.flat());
  const votes = await votesOfWords(pool, { vectors }, all);
  const of = Int32Array.from(clusters.flatMap((words, cluster) => words.map(() => cluster)));
  const itemVotes = { votes: [...all.keys()].map((id) => votes.get(id)), names, source: 'words', proposed } as const;
  return voteCandidates(of, clusters.length, itemVotes, rule);
}

test('a cluster has the name of its word, and several kinds of one thing the name of that', async (t) => {
  const [dogs, violins, unknown] = await candidates(t, [
    [0, 1, 0, 1, 0, 1],
    [2, 2, 2, 2, 2],
    [3, 3, 3, 3, 3],
  ]);
  assert.equal(dogs?.[0]?.name, 'dog');
  assert.deepEqual(dogs?.[0]?.evidence[0]?.kinds?.toSorted(), ['beagle', 'poodle']);
  assert.equal(violins?.[0]?.name, 'violin');
  assert.equal(violins?.[0]?.evidence[0]?.source, 'words');
  assert.equal(unknown?.[0]?.name, 'no such word', 'a word that WordNet has not stands for itself');
});

test('words that nobody measured are the same candidates in the same order, and name nothing', async (t) => {
  const clusters = [
    [0, 1, 0, 1, 0, 1],
    [2, 2, 2, 2, 2],
  ];
  const [given, proposed] = [await candidates(t, clusters), await candidates(t, clusters, true)];
  assert.deepEqual(chooseNames(given), ['dog', 'violin']);
  assert.deepEqual(chooseNames(proposed), ['unnamed-1', 'unnamed-2']);
  const namesIn = (found: typeof given) => found.map((own) => own.map(({ name }) => name));
  assert.deepEqual(namesIn(proposed), namesIn(given));
});

test('a share that is measured or asked for decides, however low it is', async (t) => {
  const mixed = [[0, 2, 2, 3, 0, 2, 2, 3], [1]];
  const share = (least: number) => ({ minClassShare: least, minKindShare: least });
  // Four violins of eight items and one more: 4/9.
  assert.deepEqual(chooseNames(await candidates(t, mixed, false, share(0.43)))[0], 'violin');
  assert.deepEqual(chooseNames(await candidates(t, mixed, false, share(0.46)))[0], 'unnamed-1');
});

test('a mixed cluster gets no name', async (t) => {
  const [mixed] = await candidates(t, [[0, 2, 3, 4, 0, 2, 3, 4], [1]]);
  assert.ok((mixed?.[0]?.score ?? 0) < 0.35, JSON.stringify(mixed));
});

test('WordNet’s nouns for what can be seen: each by the word that means it first, no single things', () => {
  const words = [...wordNet().nounsOf(new Set(['noun.animal', 'noun.artifact']))];
  const keys = new Set(words.map(({ key }) => key));
  for (const key of ['dog.n.01', 'violin.n.01', 'guitar.n.01', 'spoon.n.01']) assert.ok(keys.has(key), key);
  assert.equal(keys.size, words.length);
  assert.ok(words.every(({ words: [word] }) => word === word.toLowerCase() && word.split(' ').length <= 3));
  assert.ok(![...keys].some((key) => key.startsWith('eiffel')));
});
