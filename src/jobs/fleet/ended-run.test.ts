import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import { LabelsmithError } from '../../errors.ts';
import { endedRun, errorInPlace } from './ended-run.ts';

test('an error that ends the run comes through the record with its code and its hint; others and results are none', () => {
  const gone = new LabelsmithError('NOT_FOUND', 'the vectors in 1.arrow cannot be read', {
    hint: 'Run labelsmith embed.',
    details: { scope: 'run', file: '1.arrow' },
  });
  const found = errorInPlace(deserialize(serialize(endedRun(gone))));
  assert.ok(found instanceof LabelsmithError);
  assert.deepEqual([found.code, found.message, found.hint], [gone.code, gone.message, gone.hint]);
  assert.equal(endedRun(new LabelsmithError('NETWORK', 'no answer')), undefined);
  assert.equal(endedRun(new Error('a bug')), undefined);
  for (const result of [undefined, null, 7, [], { labels: [] }]) assert.equal(errorInPlace(result), undefined);
});
