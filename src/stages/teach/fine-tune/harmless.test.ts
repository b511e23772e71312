import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sidedNames } from './harmless.ts';

test('names of classes that speak of sides or directions say what is not done to pictures', () => {
  const table: readonly [readonly string[], boolean, boolean][] = [
    [['roses', 'tulips'], true, true],
    [['left_shoe', 'right_shoe'], false, false],
    [['Blinker links', 'Blinker rechts'], false, false],
    [['bright', 'copyright', 'leftover'], true, true],
    [['crack-vertical', 'crack-horizontal'], true, false],
  ];
  for (const [names, mirror, rotate] of table) assert.deepEqual(sidedNames(names), { mirror, rotate }, names.join());
});
