import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { LabelsmithError } from '../errors.ts';
import { fraction, wholeNumber } from './text-values.ts';
import { argument, choicesOf, defaultOf, flag, option, valuesOf } from './values.ts';

const TABLE = {
  sync: flag('--sync', ''),
  count: option('-n, --count <n>', '', wholeNumber(1).default(50)),
  as: option('--as <kind>', '', z.enum(['csv', 'folders']).default('csv')),
  margin: option('--margin <m>', '', fraction().optional()),
};
const ARGUMENTS = {
  files: argument('<file...>', '', z.array(z.string())),
  n: argument('[n]', '', wholeNumber(1).default(1)),
};

const refusal = (given: Record<string, unknown>) => {
  try {
    valuesOf(TABLE, given);
  } catch (error) {
    assert.ok(error instanceof LabelsmithError && error.code === 'USAGE');
    return [error.message, error.hint];
  }
  assert.fail('nothing was refused');
};

test('values are typed, and defaults are filled in', () => {
  const values = valuesOf(TABLE, { count: '7' });
  const [count, as]: [number, 'csv' | 'folders'] = [values.count, values.as];
  assert.deepEqual({ ...values, count, as }, { sync: false, count: 7, as: 'csv', margin: undefined });
  assert.deepEqual(valuesOf(ARGUMENTS, { files: ['a', 'b'] }), { files: ['a', 'b'], n: 1 });
});

test('a refusal names the option, what it takes and what came', () => {
  assert.deepEqual(refusal({ count: 'x' }), [
    '--count takes a whole number of at least 1, not "x".',
    'See: labelsmith --help',
  ]);
  assert.deepEqual(refusal({ as: 'folder' }), ['--as takes csv or folders, not "folder".', 'Did you mean folders?']);
  assert.deepEqual(refusal({ margin: '2' }), [
    '--margin takes a number from 0 to 1, not "2".',
    'See: labelsmith --help',
  ]);
});

test('what is missing is said to be missing', () => {
  const table = { to: option('--to <dir>', '', z.string({ error: 'a folder' })) };
  assert.throws(() => valuesOf(table, {}), { message: '--to takes a folder, and is missing.' });
});

test('an empty text is refused, but where it says something', () => {
  const empty = { hint: /variable of the shell/ };
  const workspace = option('-w, --workspace <dir>', '', z.string().default('.labelsmith'));
  assert.throws(() => valuesOf({ workspace }, { workspace: '' }), {
    message: '--workspace is given an empty text.',
    ...empty,
  });
  assert.throws(() => valuesOf(ARGUMENTS, { files: ['a', ''] }), { message: 'FILE is given an empty text.', ...empty });
  const description = { ...option('--description <text>', '', z.string().optional()), mayBeEmpty: true };
  assert.deepEqual(valuesOf({ description }, { description: '' }), { description: '' });
});

test('the help can tell defaults and choices', () => {
  assert.deepEqual(
    Object.values(TABLE).map(({ schema }) => [defaultOf(schema), choicesOf(schema)]),
    [
      [false, undefined],
      [50, undefined],
      ['csv', ['csv', 'folders']],
      [undefined, undefined],
    ],
  );
});
