/** Which class names are let through to a detector. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CorpusClass, CorpusState } from '../core/corpus.ts';
import { DEFAULT_ACCEPT_RULES } from './accept.ts';
import { refuseUnknownClasses } from './rules.ts';

const MODEL = ['person', 'car', 'dog'];

function corpus(): CorpusState {
  const entry = (id: number, name: string): CorpusClass => ({
    id,
    name,
    rootId: id,
    parentId: null,
    description: null,
    synset: null,
    placed: false,
  });
  return { classes: new Map([[1, entry(1, 'human')]]), synonyms: new Map([['person', 1]]) };
}

const check = (changes: Partial<typeof DEFAULT_ACCEPT_RULES>) =>
  refuseUnknownClasses(corpus(), { ...DEFAULT_ACCEPT_RULES, ...changes }, MODEL);

test('names of the model, of the mapping and of the corpus are known', () => {
  check({ classes: null });
  check({ classes: ['person', 'dog'] });
  check({ classes: ['human'] });
  check({ classes: ['vehicle'], mapping: { car: 'vehicle' } });
  check({ classThresholds: { dog: 0.5 } });
});

test('one unknown name is enough for a refusal that names the nearest known ones', () => {
  assert.throws(() => check({ classes: ['persn', 'dog'] }), { code: 'USAGE', hint: 'Did you mean person?' });
  assert.throws(() => check({ classThresholds: { dogg: 0.5 } }), { code: 'USAGE', message: /--threshold.*dogg/ });
  assert.throws(() => check({ classes: ['xylophone'] }), { code: 'USAGE', hint: 'It finds car, dog, person.' });
  const mapped = { classes: ['car'], mapping: { car: 'vehicle' } };
  assert.throws(() => check(mapped), { code: 'USAGE', hint: /vehicle/ });
});
