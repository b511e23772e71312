import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../test/properties.ts';
import { foldClassName, MAX_NAME_LENGTH, readClassName, toClassName } from './class-name.ts';
import { NONE_OF_THESE } from './labels.ts';

/** What is kept of a text; null where it is refused. */
const kept = (text: string) => {
  const reading = readClassName(text);
  return reading.kind === 'name' ? reading.name : null;
};

test('what is kept is what can be seen', () => {
  const cases: readonly (readonly [text: string, name: string | null])[] = [
    ['dog', 'dog'],
    [' dog\t', 'dog'],
    ['hot  \u00a0 dog', 'hot dog'],
    ['hot\r\ndog', 'hot dog'],
    ['hot\u3000dog', 'hot dog'],
    ['\ufeffdog', 'dog'],
    ['d\u200bog\u0000', 'dog'],
    ['\u202egod\u202c', 'god'],
    ['a \u200b b', 'a b'],
    ['Mu\u0308ller', 'M\u00fcller'],
    ['\u1112\u1161\u11ab', '\ud55c'],
    // Joiners are part of what is seen.
    ['\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645', '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645'],
    ['👩\u200d🚀', '👩\u200d🚀'],
    ['a/b\\c', 'a/b\\c'],
    ['CON', 'CON'],
    ['caf\u00e9', 'café'],
    ['cafe\u00ad\u0301', 'café'],
    ['cafe\ufeff\u0301', 'café'],
    ['Dog', 'Dog'],
    ['', null],
    [' \t\u200b', null],
    ['\ud800', null],
    ['dog\udc00', null],
    [NONE_OF_THESE, null],
    [` ${NONE_OF_THESE}`, null],
    ['x'.repeat(MAX_NAME_LENGTH), 'x'.repeat(MAX_NAME_LENGTH)],
    ['x'.repeat(MAX_NAME_LENGTH + 1), null],
  ];
  for (const [text, name] of cases) assert.equal(kept(text), name, JSON.stringify(text));
});

test('a refusal says what it is about, in characters that can be printed', () => {
  assert.throws(() => toClassName('\ud800'), {
    code: 'USAGE',
    message: 'The class name "\\ud800" holds half a character (a lone surrogate).',
  });
  assert.throws(() => toClassName(' '), { code: 'USAGE', message: 'The class name is empty.' });
});

test('whatever comes, a kept name stays as it is, and folds as what it was made of', () => {
  // Marks that combine, letters whose cases are several or none, and characters that go.
  const odd = fc.constantFrom(
    ...'\u0345\u1e9e\u00df\u0130\u0131\u03a3\u03c2\u0149\u0390\u1fb3\u0301\u0323\u00ad\ufeff\u200b \u00a0\u180eaA',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.string(),
    fc.string({ unit: odd, maxLength: 8 }),
  );
  fc.assert(
    fc.property(text, (one) => {
      const name = kept(one);
      if (name === null) return;
      assert.equal(kept(name), name);
      assert.equal(name, name.normalize('NFC'));
      assert.doesNotMatch(name, /\p{Cc}|^\s|\s$|\s\s/u);
      assert.equal(foldClassName(name), foldClassName(one));
      assert.equal(foldClassName(foldClassName(name)), foldClassName(name));
    }),
    { numRuns: 2000 },
  );
});

test('nearly the same: case, blanks and Unicode form aside', () => {
  const same = [
    ['Traffic Light', 'traffic  light', 'trafficlight', ' TRAFFIC LIGHT'],
    ['STRASSE', 'straße', 'STRAẞE'],
    ['Straße', 'STRASSE', 'strasse'],
    ['Mu\u0308ller', 'M\u00dcLLER'],
    // Full-width letters and half-width katakana of East Asian input (Unicode's chart UFF00), a ligature, a joiner.
    ['red shoe', '\uff52\uff45\uff44 shoe', 'red\u200dshoe'],
    ['\u30ab\u30e1\u30e9', '\uff76\uff92\uff97'],
    ['floor', '\ufb02oor'],
  ];
  for (const names of same) assert.equal(new Set(names.map(foldClassName)).size, 1, names.join());
  assert.notEqual(foldClassName('traffic light'), foldClassName('traffic-light'));
  assert.notEqual(foldClassName('part 1 1'), foldClassName('part 11'), 'two numbers are not one');
  assert.equal(foldClassName('part 1 \u200b 1'), foldClassName('Part  1\u00a01'));
  assert.equal(foldClassName('part 1'), foldClassName('part1'));
  assert.notEqual(
    foldClassName('\u{1f469}\u200d\u{1f467}'),
    foldClassName('\u{1f469}\u{1f467}'),
    'a family, two people',
  );
  assert.notEqual(foldClassName('m\u00b2'), foldClassName('m2'));
});
