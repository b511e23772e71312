/** `match --shard i/n` by the built command line: processes at once come to the labels and predictions of one, and one that is killed is done again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCli, runJson } from '../cli.ts';
import { openCommandParts } from '../command-parts.ts';
import { inSlowRuns } from '../thorough.ts';

const MATCH = ['match', 'refs', '--threads', '1'];

test('parts of match: each its files of vectors, and the result is that of one process', {
  skip: inSlowRuns,
}, async (t) => {
  const { options, exported, part, withOneKilled, vectorFiles, blobsLeft, close } = await openCommandParts([
    'whole',
    'parts',
    'killed',
    'rest',
  ]);
  t.after(close);
  await runJson([...MATCH, '-w', 'whole'], options);
  const expected = await exported('whole');
  assert.ok(expected.split('\n').filter((line) => line.includes('"reference"')).length > 10);

  await Promise.all([0, 1, 2].map((i) => part(MATCH, 'parts', `${i}/3`)));
  assert.equal(await exported('parts'), expected);
  assert.deepEqual(vectorFiles('parts'), vectorFiles('whole'));
  const again = await runCli([...MATCH, '--shard', '1/3', '-w', 'parts'], options);
  assert.match(again.stdout, /^Nothing to do: all parts of match are done and written down\.$/m);
  assert.deepEqual(blobsLeft('parts', 'shard'), []);
  // Other labels since: it is not over any more.
  await runJson([...MATCH, '--threshold', '0.99', '-w', 'parts'], options);
  assert.notEqual(await exported('parts'), expected);
  for (let i = 0; i < 3; i++) await part(MATCH, 'parts', `${i}/3`);
  assert.equal(await exported('parts'), expected);

  await withOneKilled(MATCH, 'killed');
  assert.equal(await exported('killed'), expected);

  // A part that never comes back.
  await part(MATCH, 'rest', '1/2');
  assert.ok(blobsLeft('rest', 'shard').length > 0);
  const early = await runCli(['export', 'jsonl', 'early.jsonl', '--task', 'class', '-w', 'rest'], options);
  assert.equal(early.code, 1, 'nothing is labelled yet');
  await runJson([...MATCH, '-w', 'rest'], options);
  assert.equal(await exported('rest'), expected);
  assert.deepEqual(blobsLeft('rest', 'shard'), []);
  assert.deepEqual(vectorFiles('rest'), vectorFiles('whole'));
});
