/** `match --shard i/n` by the built command line: processes at once come to the labels and predictions of one, and one that is killed is done again. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runCli, runJson, startCli } from '../cli.ts';
import { type Ground, prepare } from '../contracts/stage/every-stage.ts';

let ground: Ground;
before(async () => {
  ground = await prepare(6);
});
after(() => rm(ground.dir, { recursive: true, force: true }));

const options = () => ({ cwd: ground.dir, env: { LABELSMITH_CACHE: ground.cacheDir, LABELSMITH_OFFLINE: '1' } });
const MATCH = ['match', 'refs', '--threads', '1'];

async function exported(place: string): Promise<string> {
  const out = `${place}.jsonl`;
  await runJson(['export', 'jsonl', out, '--task', 'class', '-w', place], options());
  return readFile(join(ground.dir, out), 'utf8');
}

/** Names say the content: of images, and of what is thought of each. */
function vectorFiles(place: string): string[] {
  return globSync('**/*.arrow', { cwd: join(ground.dir, place, 'vectors') }).sort();
}

function partsLeft(place: string): string[] {
  return globSync('**/*.shard', { cwd: join(ground.dir, place, 'cache', 'blobs') });
}

test('parts of match: each its files of vectors, and the result is that of one process', async () => {
  await runJson(['add', 'photos', '-w', 'whole'], options());
  await runJson(['embed', '--model', 'means', '--shard-size', '4', '-w', 'whole'], options());
  for (const place of ['parts', 'killed', 'rest'])
    await cp(join(ground.dir, 'whole'), join(ground.dir, place), { recursive: true });
  await runJson([...MATCH, '-w', 'whole'], options());
  const expected = await exported('whole');
  assert.ok(expected.split('\n').filter((line) => line.includes('"reference"')).length > 10);

  const parts = [0, 1, 2].map((i) => runCli([...MATCH, '--shard', `${i}/3`, '-w', 'parts'], options()));
  for (const { code, stderr } of await Promise.all(parts)) assert.equal(code, 0, stderr);
  assert.equal(await exported('parts'), expected);
  assert.deepEqual(vectorFiles('parts'), vectorFiles('whole'));

  const dies = startCli([...MATCH, '--shard', '0/2', '-w', 'killed'], options());
  setTimeout(() => dies.kill('SIGKILL'), 1500);
  const other = await runCli([...MATCH, '--shard', '1/2', '-w', 'killed'], options());
  assert.equal(other.code, 0, other.stderr);
  if (dies.exitCode === null && dies.signalCode === null) await once(dies, 'close');
  const again = await runCli([...MATCH, '--shard', '0/2', '-w', 'killed'], options());
  assert.equal(again.code, 0, again.stderr);
  assert.equal(await exported('killed'), expected);

  // A part that never comes back.
  const alone = await runCli([...MATCH, '--shard', '1/2', '-w', 'rest'], options());
  assert.equal(alone.code, 0, alone.stderr);
  assert.ok(partsLeft('rest').length > 0);
  const early = await runCli(['export', 'jsonl', 'early.jsonl', '--task', 'class', '-w', 'rest'], options());
  assert.equal(early.code, 1, 'nothing is labelled yet');
  await runJson([...MATCH, '-w', 'rest'], options());
  assert.equal(await exported('rest'), expected);
  assert.deepEqual(partsLeft('rest'), []);
  assert.deepEqual(vectorFiles('rest'), vectorFiles('whole'));
});
