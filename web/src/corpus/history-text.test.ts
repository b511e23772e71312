import assert from 'node:assert/strict';
import { test } from 'node:test';
import { historyName, historyText, historyTime } from './history-text.ts';

const TOLD: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
  ['label', { class: 'cat', present: true }, 'cat'],
  ['label', { class: 'cat', present: false }, 'not cat'],
  ['label', { filter: { task: 'class' }, className: 'cat', present: true }, 'cat'],
  ['label', { class: '(none of these)', present: true }, 'none of these'],
  ['label', {}, 'several classes'],
  ['confirm', { class: 'cat', items: 1, exceptions: 0 }, 'cat: 1 item'],
  ['confirm', { class: 'cat', items: 47, exceptions: 2 }, 'cat: 47 items, 2 not'],
  ['rename', { from: 'unnamed-1', to: 'cat' }, 'unnamed-1 to cat'],
  ['rename', { from: 'cat', to: 'cat' }, 'cat, confirmed'],
  ['merge', { names: ['tom', 'cat'], into: 'cat' }, 'tom into cat'],
  ['split-into', { name: 'cat', task: 'class', items: 11 }, 'cat: 11 items'],
  ['split-by-task', { name: 'car', by: 'colour' }, 'car by the task colour'],
  ['unmerge', { name: 'cat', merged: 'tom' }, 'tom from cat again'],
  ['describe', { name: 'cat', description: 'A small animal.' }, 'cat'],
  ['nest', { child: 'cat', parent: 'animal' }, 'cat under animal'],
  ['nest', { child: 'cat', parent: null }, 'cat to the top'],
  ['alias', { name: 'cat', synonym: 'puss' }, 'puss means cat'],
  ['audit answer', { audit: 1, class: 'cat', answer: { right: false, trueClass: null } }, 'it is not cat'],
  ['import', { path: 'labels.csv', rows: 3 }, 'labels.csv, 3'],
];

test('operations are told as one would say them', () => {
  for (const [name, asked, told] of TOLD) assert.equal(historyText({ name, arguments: asked }), told, name);
});

test('a split is called one, whatever it went by; what was done on another day says which', () => {
  assert.deepEqual(['split-into', 'split-by-task', 'merge'].map(historyName), ['split', 'split', 'merge']);
  const noon = new Date(2026, 10, 27, 12);
  const hour = 3_600_000;
  assert.equal(historyTime(noon.getTime() - hour, noon), new Date(2026, 10, 27, 11).toLocaleTimeString());
  assert.equal(historyTime(noon.getTime() - 24 * hour, noon), new Date(2026, 10, 26, 12).toLocaleString());
});
