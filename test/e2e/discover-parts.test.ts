/** `discover --shard i/n` by the built command line: processes at once come to the export of one, and one that is killed is done again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCli, runJson } from '../cli.ts';
import { openCommandParts } from '../command-parts.ts';
import { inSlowRuns } from '../thorough.ts';

const DISCOVER = ['discover', '--model', 'means', '--k', '3', '--threads', '1'];

test('parts of discover: one makes the clusters, each assigns its files, and the result is that of one process', {
  skip: inSlowRuns,
}, async (t) => {
  const { options, exported, part, withOneKilled, blobsLeft, close } = await openCommandParts([
    'whole',
    'parts',
    'killed',
  ]);
  t.after(close);
  await runJson([...DISCOVER, '-w', 'whole'], options);
  const expected = await exported('whole');
  assert.ok(expected.split('\n').length > 10);

  await Promise.all([0, 1, 2].map((i) => part(DISCOVER, 'parts', `${i}/3`)));
  assert.equal(await exported('parts'), expected);

  // Begun again, as by a loop that goes on until there is nothing to do.
  const again = [...DISCOVER, '--shard', '1/3', '-w', 'parts'];
  const over = () => Promise.all([again, again].map((args) => runCli(args, options)));
  for (const { code, stdout } of await over()) {
    assert.equal(code, 0);
    assert.match(stdout, /^Nothing to do: all parts of discover are done and written down\.$/m);
  }
  assert.deepEqual(blobsLeft('parts', 'shard'), []);
  assert.equal(await exported('parts'), expected);
  // Other clusters since: it is not over any more.
  await runJson(['discover', '--model', 'means', '--k', '2', '--threads', '1', '-w', 'parts'], options);
  for (let i = 0; i < 3; i++) await part(DISCOVER, 'parts', `${i}/3`);
  assert.equal(await exported('parts'), expected);

  await withOneKilled(DISCOVER, 'killed');
  assert.equal(await exported('killed'), expected);

  const anew = await runCli([...DISCOVER, '--shard', '0/2', '--recluster', '-w', 'parts'], options);
  assert.equal(anew.code, 2);
  assert.match(anew.stderr, /--shard does what is missing, and --recluster means/);
});
