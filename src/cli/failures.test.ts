import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelsmithError } from '../errors.ts';
import { failureDocument, failureText } from './failures.ts';

const system = (code: string, path?: string) => Object.assign(new Error(`${code}: whatever`), { code, path });

test('errors of the system are sentences, with what to do', () => {
  assert.equal(
    failureText(system('EACCES', '/data/x')),
    'labelsmith: /data/x: permission denied\n  Choose a place that you may read and write, or ask for the right to it.',
  );
  assert.equal(failureText(system('ENOENT', '/data/x')), 'labelsmith: /data/x: no such file or folder');
  assert.match(failureText(system('ENOSPC')), /^labelsmith: the disk is full\n/);
  assert.deepEqual(failureDocument(system('ENOMEM')), {
    error: {
      code: 'BUSY',
      message: 'there is not enough memory',
      hint: 'Close other programs, or use fewer --threads.',
      details: {},
    },
  });
});

test('our own errors as they are, and what is neither is a bug', () => {
  assert.equal(failureText(new LabelsmithError('USAGE', 'no', { hint: 'Do.' })), 'labelsmith: no\n  Do.');
  assert.match(failureText(new TypeError('x is undefined')), /this is a bug.*\nTypeError: x is undefined/);
  assert.deepEqual(failureDocument('text'), { error: { code: 'BUG', message: 'text' } });
});
