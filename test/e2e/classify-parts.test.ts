/** `classify` and its `--shard i/n` by the built command line: parts at once, one of them killed, one that never comes, end with what one process writes. */
import assert from 'node:assert/strict';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli, runJson } from '../cli.ts';
import { openCommandParts } from '../command-parts.ts';
import { inSlowRuns } from '../thorough.ts';

const CLASSIFY = ['classify', 'class.onnx', '--threads', '1', '--shard-size', '4'];

test('parts of classify: the labels and predictions of one process', { skip: inSlowRuns }, async (t) => {
  const places = ['taught', 'whole', 'parts', 'killed', 'rest', 'late', 'odd'] as const;
  const { dir, options, exported, part, withOneKilled, vectorFiles, blobsLeft, close } = await openCommandParts(places);
  t.after(close);
  const rows = ['red', 'green', 'blue'].flatMap((name) => [0, 3, 4].map((n) => `photos/${name}/${n}.jpg,${name}`));
  await writeFile(join(dir, 'labels.csv'), ['file,class', ...rows, ''].join('\n'));
  await runJson(['import', 'csv', 'labels.csv', '--as', 'human', '-w', 'taught'], options);
  const { model } = await runJson<{ model: string }>(['teach', 'rounds', '--threads', '1', '-w', 'taught'], options);
  await copyFile(model, join(dir, 'class.onnx'));

  const left = () => blobsLeft('rest', '{shard,onnx}');
  const counts = await runJson<{ classified: number; labelled: number }>([...CLASSIFY, '-w', 'whole'], options);
  assert.equal(counts.classified, 21, 'six of each class, and one of each in worse quality');
  assert.ok(counts.labelled > 10, `${counts.labelled} labels`);
  const expected = await exported('whole');
  const again = await runJson<{ classified: number }>([...CLASSIFY, '-w', 'whole'], options);
  assert.equal(again.classified, 0, 'a second run does what is missing');

  await Promise.all([0, 1, 2].map((i) => part(CLASSIFY, 'parts', `${i}/3`)));
  assert.equal(await exported('parts'), expected);
  assert.deepEqual(vectorFiles('parts'), vectorFiles('whole'));

  await withOneKilled(CLASSIFY, 'killed');
  assert.equal(await exported('killed'), expected);

  // One whose shards are others.
  const other = ['classify', 'class.onnx', '--threads', '1', '--shard-size', '5', '--shard', '0/2', '-w', 'odd'];
  assert.doesNotMatch((await runCli(other, options)).stderr, /none of these/);
  const { stderr } = await runCli([...CLASSIFY, '--shard', '1/2', '-w', 'odd'], options);
  // Of five, five and one image; the last image by itself is a shard of fours too.
  assert.match(
    stderr,
    /^2 shards that parts have done with another --shard-size, .* are not used: give all parts the same --shard-size/m,
  );
  // A part that never comes back.
  await part(CLASSIFY, 'rest', '1/2');
  assert.ok(left().length > 0);
  await runJson([...CLASSIFY, '-w', 'rest'], options);
  assert.equal(await exported('rest'), expected);
  assert.deepEqual(left(), []);
  assert.deepEqual(vectorFiles('rest'), vectorFiles('whole'));

  // One that begins when all is written down leaves it.
  await Promise.all([0, 1].map((i) => part(CLASSIFY, 'late', `${i}/2`)));
  const { stdout } = await runCli([...CLASSIFY, '--shard', '0/2', '-w', 'late'], options);
  assert.equal(stdout, 'Nothing to do: no item is left that this classifier has not seen (task class).\n');
  assert.equal(await exported('late'), expected);
});

test('classify without a classifier, and with one that is not there, says how to get one', async (t) => {
  const { options, close } = await openCommandParts(['one']);
  t.after(close);
  const missing = await runCli(['classify', '-w', 'one'], options);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /There is no classifier "class"/);
});
