import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes } from '../core/byte-size.ts';
import { plural } from '../core/count-text.ts';
import { formatDuration, oneLine, printable, table } from './words.ts';

test('text from outside stays on its line and turns nothing', () => {
  const cases: readonly (readonly [text: string, shown: string])[] = [
    ['two words.jpg', 'two words.jpg'],
    ['雪 é \u{1f600}.jpg', '雪 é \u{1f600}.jpg'],
    ['a\nb\r\tc', 'a\\nb\\r\\tc'],
    ['\x1b[2J\x07\x7f', '\\x1B[2J\\x07\\x7F'],
    ['\x9b31m', '\\x9B31m'],
    ['photo\u202egpj.exe', 'photo\\u202Egpj.exe'],
  ];
  for (const [text, shown] of cases) assert.equal(oneLine(text), shown);
  assert.equal(printable('first\nsec\x1bond'), 'first\nsec\\x1Bond');
});

test('numbers as people read them', () => {
  assert.deepEqual([0, 9_949, 12_400, 200_000, 7_500_000].map(formatDuration), [
    '0.0 s',
    '9.9 s',
    '12 s',
    '3 min 20 s',
    '2 h 5 min',
  ]);
  assert.deepEqual([512, 4000, 1.25e9].map(formatBytes), ['512 B', '4.0 kB', '1.3 GB']);
  assert.deepEqual([plural(1, 'image'), plural(1204, 'image')], ['1 image', '1,204 images']);
  assert.deepEqual(
    table([
      ['class', 'images'],
      ['cat', 5],
      ['elephant', 1200],
    ]),
    ['class     images', 'cat            5', 'elephant   1,200'],
  );
});
