import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { add } from './commands/add.ts';
import { auto } from './commands/auto.ts';
import { refusalOf, wordsOf } from './detach.ts';

test('workers are given the command line again, with places as every machine finds them', () => {
  const typed = { args: { sources: ['s3://b/x', 'photos', '@list.txt'] }, options: { sync: true } };
  const here = { json: true, workspace: 'postgres://db/images', device: 'cpu', detach: true };
  assert.deepEqual(wordsOf(add, typed, { ...here, seed: '3', shardSize: '10' }), [
    ...['add', '--sync', '--seed=3', '--shard-size=10', '--'],
    ...['s3://b/x', resolve('photos'), `@${resolve('list.txt')}`],
  ]);
  assert.deepEqual(wordsOf(auto, { args: {}, options: { classes: 'a,b' } }, {}), ['auto', '--classes=a,b']);
});

test('a worker runs those commands alone that can be given to it', () => {
  assert.equal(refusalOf(['add', '--sync', '--', '/photos']), undefined);
  assert.equal(refusalOf(['export', 'csv', '/etc/x']), 'export is not run by workers');
  assert.match(refusalOf([]) ?? '', /is not run by workers/);
});
