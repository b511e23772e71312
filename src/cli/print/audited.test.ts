import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOutput } from '../output.ts';
import { printAudited } from './audited.ts';

test('classes of which nothing was checked are told in one line, not a row each', () => {
  const lines: string[] = [];
  const stdout = { isTTY: false, columns: 80, write: (text: string) => lines.push(text) };
  const row = (className: string, population: number, checked: number) => ({
    className,
    population,
    checked,
    right: checked,
    accuracy: null,
  });
  printAudited(createOutput({ json: false, quiet: false }, stdout, stdout), {
    audit: 1,
    task: 'objects',
    origin: null,
    population: 1300,
    drawn: 12,
    checked: 12,
    right: 12,
    atMs: 0,
    stands: true,
    known: null,
    strata: [],
    accuracy: { estimate: 1, low: 0.8, high: 1 },
    classes: [row('cup', 60, 12), row('kite', 40, 0), row('skis', 1200, 0)],
  });
  const text = lines.join('');
  assert.match(text, /^cup /m);
  assert.doesNotMatch(text, /kite|skis/);
  assert.match(text, /^Nothing was checked of 2 classes with 1,240 labels\.$/m);
});
