import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseNames, nameCandidates, type TermTable } from './evidence.ts';
import { pathTerms, wordsOf } from './words.ts';

const CLUSTERS = Int32Array.from({ length: 60 }, (_, i) => Math.floor(i / 20));
const CLUSTERS_OF_15 = Int32Array.from({ length: 60 }, (_, i) => Math.floor(i / 15));
const table = (source: TermTable['source'], termsOf: (item: number) => string[] | undefined): TermTable => ({
  source,
  terms: Array.from({ length: 60 }, (_, i) => termsOf(i)),
});

test('a prefix that several clusters share names none of them, and a word does; one that is of one cluster names it', () => {
  const prefix = table('path', (i) => (i < 30 ? ['img'] : ['mimg']));
  const best = (of: TermTable, cluster: number) => nameCandidates(CLUSTERS_OF_15, 4, [of])[cluster]?.[0]?.name;
  assert.deepEqual([best(prefix, 2), best({ ...prefix, vague: new Set(['mimg', 'img']) }, 2)], ['mimg', undefined]);
  const own = table('path', (i) => (i < 14 || i === 40 ? ['rechner'] : ['mimg']));
  assert.equal(best({ ...own, vague: new Set(['mimg', 'rechner']) }, 0), 'rechner');
});

test('what is in every cluster names none; what is in one names it, with counts and lift', () => {
  const [first, second] = nameCandidates(CLUSTERS, 3, [
    table('detector', (i) => (i < 18 ? ['person', 'dog'] : ['person'])),
  ]);
  assert.deepEqual(
    first?.map(({ name }) => name),
    ['dog'],
  );
  const [evidence] = first?.[0]?.evidence ?? [];
  assert.deepEqual(evidence, { source: 'detector', count: 18, of: 20, outside: 0, lift: 3 });
  assert.deepEqual(second, []);
});

test('kinds of one thing that are together are named by it, the nearest that fits, with the kinds', () => {
  const hypernymsOf = (name: string) =>
    ({ car: ['motor vehicle', 'vehicle'], bus: ['vehicle'], dog: ['animal'] })[name] ?? [];
  const mixed = table('detector', (i) => (i >= 20 ? ['dog'] : i % 2 === 0 ? ['car'] : ['bus']));
  const [first, second] = nameCandidates(CLUSTERS, 3, [mixed], hypernymsOf);
  assert.deepEqual(
    first?.map(({ name }) => name),
    ['vehicle', 'bus', 'car'],
  );
  assert.deepEqual(first?.[0]?.evidence, [
    { source: 'detector', count: 20, of: 20, outside: 0, lift: 3, kinds: ['bus', 'car'] },
  ]);
  // Nothing is gained by calling dogs animals.
  assert.deepEqual(
    second?.map(({ name }) => name),
    ['dog'],
  );
  const one = table('detector', (i) => (i < 18 ? ['car'] : i < 20 ? ['bus'] : []));
  assert.equal(nameCandidates(CLUSTERS, 3, [one], hypernymsOf)[0]?.[0]?.name, 'car', 'nearly all are of one kind');
  assert.deepEqual(
    nameCandidates(CLUSTERS, 3, [mixed])[0]?.map(({ name }) => name),
    ['bus', 'car'],
    'without knowledge of kinds there are none',
  );
});

test('two sources for one name count more than each, and trusted ones more than others', () => {
  const of = (...tables: TermTable[]) => nameCandidates(CLUSTERS, 3, tables)[1]?.[0]?.score ?? 0;
  const inSecond = (i: number) => (CLUSTERS[i] === 1 ? ['cat'] : []);
  const [path, detector] = [table('path', inSecond), table('detector', inSecond)];
  assert.ok(of(path) > of(detector));
  assert.ok(of(path, detector) > of(path));
  assert.ok(of(path, detector) < 1);
});

test('items that were not looked at count neither way', () => {
  const some = table('keyword', (i) => (i % 4 > 0 ? undefined : CLUSTERS[i] === 2 ? ['rose'] : []));
  const best = nameCandidates(CLUSTERS, 3, [some])[2]?.[0];
  assert.deepEqual([best?.name, best?.evidence[0]?.count, best?.evidence[0]?.of], ['rose', 5, 5]);
});

test('names are given once; with nothing good it is unnamed with its number', () => {
  const candidate = (name: string, score: number) => ({ name, score, evidence: [] });
  assert.deepEqual(
    chooseNames([
      [candidate('dog', 0.6), candidate('puppy', 0.55)],
      [],
      [candidate('dog', 0.9)],
      [candidate('cat', 0.1)],
      [candidate('dog', 0.5), candidate('thing', 0.36)],
    ]),
    ['puppy', 'unnamed-2', 'dog', 'unnamed-4', 'dog 2'],
  );
});

test('a number that stands for something else already is not given again', () => {
  const nothing = [[], [], []];
  assert.deepEqual(chooseNames(nothing, new Set(['unnamed-2', 'unnamed-4'])), ['unnamed-1', 'unnamed-5', 'unnamed-3']);
  const dogs = [0.9, 0.8].map((score) => [{ name: 'dog', score, evidence: [] }]);
  assert.deepEqual(chooseNames(dogs, new Set(['dog 2'])), ['dog', 'dog 3']);
});

test('words of paths: cameras, numbers and hashes say nothing', () => {
  assert.deepEqual(wordsOf('blueBird_01-DSC0042'), ['blue', 'bird']);
  assert.deepEqual(wordsOf('deadbeefcafe'), []);
  assert.deepEqual(pathTerms('/data/photos/dollar_bill/image_0001.jpg', '/data/photos'), {
    folders: ['dollar_bill', 'dollar', 'bill'],
    file: [],
  });
  assert.deepEqual(pathTerms('/p/zip.zip!/train/Rosen/IMG_3.JPG', '/p/zip.zip'), { folders: ['Rosen'], file: [] });
  assert.deepEqual(pathTerms('/p/my very long holiday in rome/red-bus.jpg', '/p'), {
    folders: ['very', 'long', 'holiday', 'rome'],
    file: ['red', 'bus'],
  });
});
