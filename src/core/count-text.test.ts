import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countedName } from './count-text.ts';

test('a count by the name of its field: one of a thing is singular, bytes are read as sizes', () => {
  const expected: readonly (readonly [string, number, string])[] = [
    ['images', 1, '1 image'],
    ['images', 1204, '1,204 images'],
    ['similarPairs', 1, '1 similar pair'],
    ['similarPairs', 2, '2 similar pairs'],
    ['copies', 1, '1 copy'],
    ['classes', 1, '1 class'],
    ['boxes', 1, '1 box'],
    ['labelled', 1, '1 labelled'],
    ['stillQuarantined', 3, '3 still quarantined'],
    ['bytesSent', 545_682, '545.7 kB sent'],
  ];
  for (const [name, count, words] of expected) assert.equal(countedName(name, count), words);
});
