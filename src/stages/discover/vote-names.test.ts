/** Votes as names: shares and what they must reach, by hand; ImageNet's tree from WordNet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imagenetNames } from '../../corpus/imagenet.ts';
import { IMAGENET_SYNSETS } from '../../corpus/imagenet-synsets.ts';
import type { VotedNames } from '../../corpus/voted-names.ts';
import { wordNet } from '../../corpus/wordnet.ts';
import { chooseNames, joinCandidates, NAMING_SCORE } from './evidence.ts';
import { voteCandidates } from './vote-names.ts';

/** Two cats and a hammer: places 0 to 2 are classes, 3 is the cats' kind, 4 the hammer's, and no other class's. */
const NAMES: VotedNames = {
  names: [
    { name: 'tabby', synset: 'tabby.n.01', classes: 1 },
    { name: 'Siamese cat', synset: 'siamese_cat.n.01', classes: 1 },
    { name: 'hammer', synset: 'hammer.n.02', classes: 1 },
    { name: 'cat', synset: 'cat.n.01', classes: 2 },
    { name: 'tool', synset: 'tool.n.01', classes: 1 },
  ],
  of: [
    [0, 3],
    [1, 3],
    [2, 4],
  ],
};

/** Each of the classes with its probability, best first. */
const vote = (...said: readonly (readonly [number, number])[]) =>
  Float32Array.from([...said.map(([number]) => number), ...said.map(([, probability]) => probability)]);

function candidates(...items: Float32Array[]) {
  return voteCandidates(new Int32Array(items.length), 1, { votes: items, names: NAMES })[0] ?? [];
}
const named = (...items: Float32Array[]) => chooseNames([candidates(...items)])[0];
const times = (count: number, item: Float32Array) => Array.from({ length: count }, () => item);

test('a class is given as a name where it has two thirds of the votes', () => {
  const [first] = candidates(...times(39, vote([0, 0.8], [2, 0.1])));
  assert.equal(first?.name, 'tabby');
  // 39 · .8 of 40, a cluster of 39 and one more.
  assert.ok(Math.abs((first?.score ?? 0) - 0.75 * 0.78) < 1e-6);
  assert.deepEqual(first?.evidence, [{ source: 'votes', count: 39, of: 39, outside: 0, lift: 1 }]);
  assert.equal(named(...times(39, vote([2, 0.6], [0, 0.2]))), 'unnamed-1');
});

test('where relatives disagree, what both are kinds of is the name, with them as its evidence', () => {
  const items = [...times(10, vote([0, 0.6], [1, 0.1])), ...times(9, vote([1, 0.6], [0, 0.1]))];
  const [first] = candidates(...items);
  assert.deepEqual([first?.name, first?.evidence[0]?.kinds], ['cat', ['tabby', 'Siamese cat']]);
  assert.equal(first?.evidence[0]?.count, 19);
  // One class that makes up nearly all of a kind must be as sure as when it stands alone.
  assert.equal(named(...times(39, vote([0, 0.56], [1, 0.02]))), 'unnamed-1');
});

test('a few items say less than many, and none nothing', () => {
  const item = vote([0, 0.8], [2, 0.1]);
  assert.equal(named(...times(3, item)), 'unnamed-1');
  assert.equal(named(...times(10, item)), 'tabby');
  assert.deepEqual(voteCandidates(Int32Array.of(0, 0), 1, { votes: [undefined, undefined], names: NAMES }), [[]]);
});

test('less is enough for a kind that is said of one cluster and of hardly anything else in the pile', () => {
  const namesOf = (...clusters: Float32Array[][]) => {
    const of = Int32Array.from(clusters.flatMap((items, cluster) => items.map(() => cluster)));
    return chooseNames(voteCandidates(of, clusters.length, { votes: clusters.flat(), names: NAMES }));
  };
  const pile = (hammer: number) =>
    namesOf(times(19, vote([0, 0.5], [2, hammer])), times(20, vote([2, 0.5])), times(19, vote()));
  // 19 · .5 of 20 is all that is said of cats, and tabbies alone; of tools, 20 · .5 + 19 · .1, 84 % are in the second cluster.
  assert.deepEqual(pile(0.1), ['cat', 'unnamed-2', 'unnamed-3']);
  // 91 %.
  assert.deepEqual(pile(0.05), ['cat', 'tool', 'unnamed-3']);
  const others = times(20, vote([2, 0.2]));
  // 19 · .36 of 20 is more than a third, 19 · .34 is less.
  assert.deepEqual(namesOf(times(19, vote([0, 0.36])), others), ['cat', 'unnamed-2']);
  assert.deepEqual(namesOf(times(19, vote([0, 0.34])), others), ['unnamed-1', 'unnamed-2']);
  // Beside what is more than half of the pile there is too little else.
  assert.deepEqual(namesOf(times(21, vote([0, 0.5])), others), ['unnamed-1', 'unnamed-2']);
});

test('of what may be the name the least general is, unless what is more general has more', () => {
  const names: VotedNames = {
    names: ['cornet', 'trombone', 'flute', 'brass', 'wind instrument'].map((name, place) => {
      return { name, synset: `${name}.n.01`, classes: [1, 1, 1, 2, 3][place] ?? 1 };
    }),
    of: [
      [0, 3, 4],
      [1, 3, 4],
      [2, 4],
    ],
  };
  const nameOf = (...said: readonly (readonly [number, number])[]) => {
    const votes = times(99, vote(...said));
    return chooseNames(voteCandidates(new Int32Array(99), 1, { votes, names }))[0];
  };
  // 99 of 100 parts: brass .594, wind instrument .643, of which nine tenths are .579.
  assert.equal(nameOf([0, 0.4], [1, 0.2], [2, 0.05]), 'brass');
  // .594 of .792 is too little.
  assert.equal(nameOf([0, 0.4], [1, 0.2], [2, 0.2]), 'wind instrument');
  // Two thirds are enough, whatever the others have.
  assert.equal(nameOf([0, 0.4], [1, 0.29], [2, 0.2]), 'brass');
  assert.equal(nameOf([0, 0.69], [2, 0.29]), 'cornet');
  assert.equal(nameOf([0, 0.6], [1, 0.2]), 'brass');
});

test('what is not sure enough is a candidate all the same, and no name', () => {
  const found = candidates(...times(39, vote([2, 0.5], [0, 0.3])));
  assert.deepEqual(
    found.map(({ name }) => name),
    ['hammer', 'tabby'],
  );
  for (const { score } of found) assert.ok(score < NAMING_SCORE);
});

test('what votes and words of paths both say is one candidate, surer than either', () => {
  const path = [{ name: 'tabby', score: 0.6, evidence: [] }];
  const votes = [{ name: 'tabby', score: 0.5, evidence: [] }];
  assert.deepEqual(joinCandidates(path, votes), [{ name: 'tabby', score: 0.8, evidence: [] }]);
  assert.deepEqual(joinCandidates(path, []), path);
});

test('ImageNet has 1,000 classes, each with its name and what helps of what it is a kind of', () => {
  const { names, of } = imagenetNames(wordNet());
  assert.deepEqual([IMAGENET_SYNSETS.length, new Set(IMAGENET_SYNSETS).size, of.length], [1000, 1000, 1000]);
  const nameOf = (place: number | undefined) => (place === undefined ? undefined : names[place]?.name);
  // The published list of the classes: 0 is the tench, 134 the bird and 517 the machine, 999 toilet tissue.
  assert.deepEqual(
    [0, 134, 401, 517, 999].map((c) => nameOf(of[c]?.[0])),
    ['tench', 'crane', 'accordion', 'crane', 'toilet tissue'],
  );
  assert.deepEqual(
    [names[of[134]?.[0] as number]?.synset, names[of[517]?.[0] as number]?.synset],
    ['crane.n.05', 'crane.n.04'],
  );
  // Of the 1,000 classes 118 are dogs: numbers 151 to 268 of the list.
  const dog = names.find(({ synset }) => synset === 'dog.n.01');
  assert.equal(dog?.classes, 118);
  for (const c of [151, 200, 268]) assert.ok(of[c]?.some((place) => names[place] === dog));
  // Crayfish (124) and scorpion (71).
  const common = of[124]?.filter((place) => of[71]?.includes(place)).map(nameOf);
  assert.deepEqual(common, ['arthropod', 'invertebrate']);
  assert.ok(!of.flat().some((place) => ['entity', 'device', 'artifact', 'person'].includes(nameOf(place) ?? '')));
});
