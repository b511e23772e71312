/** Words as they are typed. The nouns are WordNet's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wordsLike } from './words.ts';

const NOTHING = { corpus: async () => ({ classes: new Map(), synonyms: new Map() }) };

test('nouns are found by how they begin, the one that is typed whole first', async () => {
  const names = async (begins: string) => (await wordsLike(NOTHING, begins)).map(({ name }) => name);
  assert.ok((await names('headph')).includes('headphone'));
  assert.equal((await names('dog'))[0], 'dog');
  assert.ok((await names('dog')).length > 3);
  assert.ok((await names('grand pi')).includes('grand piano'));
  assert.deepEqual(await names('qqqq'), []);
});
