import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hypernymsOf } from './hypernyms.ts';
import { wordNet } from './wordnet.ts';

/** WordNet 3.1's own tree, as `wn car -hypen` prints it. */
test('what things are kinds of, the nearest first, without what nearly everything is', () => {
  const kinds = (name: string) => hypernymsOf(wordNet(), name);
  for (const name of ['car', 'truck', 'bicycle']) assert.ok(kinds(name).includes('wheeled vehicle'), `${kinds(name)}`);
  // A bus is public transport there, and no vehicle.
  for (const name of ['car', 'bus', 'boat']) assert.ok(kinds(name).includes('conveyance'), `${name}: ${kinds(name)}`);
  assert.ok(kinds('car').indexOf('motor vehicle') < kinds('car').indexOf('vehicle'));
  for (const name of ['dog', 'cat', 'horse']) assert.ok(kinds(name).includes('mammal'), name);
  for (const name of ['car', 'dog', 'apple', 'cup']) {
    for (const general of ['entity', 'object', 'whole', 'artifact', 'organism'])
      assert.ok(!kinds(name).includes(general));
  }
});

test('a name without a clear meaning is a kind of nothing', () => {
  for (const name of ['', 'unnamed-3', 'qwertz', 'dsc', 'image_0001'])
    assert.deepEqual(hypernymsOf(wordNet(), name), []);
});
