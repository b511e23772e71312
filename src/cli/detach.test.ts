import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { add } from './commands/add.ts';
import { auto } from './commands/auto.ts';
import { exportCommand } from './commands/export.ts';
import { refusalOf, wordsOf } from './detach.ts';

test('workers are given the command line again, with places as every machine finds them', () => {
  const typed = { args: { sources: ['s3://b/x', 'photos', '@list.txt'] }, options: { sync: true } };
  const here = { json: true, workspace: 'postgres://db/images', device: 'cpu', detach: true };
  assert.deepEqual(wordsOf(add, typed, { ...here, seed: '3', shardSize: '10' }), [
    ...['add', '--sync', '--seed=3', '--shard-size=10', '--'],
    ...['s3://b/x', resolve('photos'), `@${resolve('list.txt')}`],
  ]);
  const out = { args: { format: 'jsonl', out: 's3://b/out' }, options: { task: 'class' } };
  assert.deepEqual(wordsOf(exportCommand, out, { shardSize: '10' }), [
    ...['export', '--task=class', '--shard-size=10', '--', 'jsonl', 's3://b/out'],
  ]);
  assert.deepEqual(wordsOf(auto, { args: {}, options: { classes: 'a,b' } }, {}), ['auto', '--classes=a,b']);
});

test('a worker runs those commands alone that can be given to it', () => {
  assert.equal(refusalOf(['add', '--sync', '--', '/photos']), undefined);
  assert.equal(refusalOf(['review', '--port=1']), 'review is not run by workers');
  assert.equal(refusalOf(['export', '--shard-size=9', '--', 'csv', 's3://b/x']), undefined);
  for (const end of [
    ['csv', '/etc/x'],
    ['--', 'csv', '/etc/x'],
    ['--', 'csv', 'file:///etc/x'],
    ['csv', '/x', '--task=s3://b/x'],
  ])
    assert.equal(refusalOf(['export', ...end]), 'export is run by workers to object storage alone');
  assert.match(refusalOf([]) ?? '', /is not run by workers/);
});
