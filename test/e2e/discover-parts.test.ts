/** `discover --shard i/n` by the built command line: processes at once come to the export of one, and one that is killed is done again. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
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
const DISCOVER = ['discover', '--model', 'means', '--k', '3', '--threads', '1'];

async function exported(place: string): Promise<string> {
  const out = `${place}.jsonl`;
  await runJson(['export', 'jsonl', out, '--task', 'class', '-w', place], options());
  return readFile(join(ground.dir, out), 'utf8');
}

test('parts of discover: one makes the clusters, each assigns its files, and the result is that of one process', async () => {
  await runJson(['add', 'photos', '-w', 'whole'], options());
  await runJson(['embed', '--model', 'means', '--shard-size', '4', '-w', 'whole'], options());
  for (const place of ['parts', 'killed'])
    await cp(join(ground.dir, 'whole'), join(ground.dir, place), { recursive: true });
  await runJson([...DISCOVER, '-w', 'whole'], options());
  const expected = await exported('whole');
  assert.ok(expected.split('\n').length > 10);

  const parts = [0, 1, 2].map((i) => runCli([...DISCOVER, '--shard', `${i}/3`, '-w', 'parts'], options()));
  for (const { code, stderr } of await Promise.all(parts)) assert.equal(code, 0, stderr);
  assert.equal(await exported('parts'), expected);

  const dies = startCli([...DISCOVER, '--shard', '0/2', '-w', 'killed'], options());
  setTimeout(() => dies.kill('SIGKILL'), 1500);
  const other = await runCli([...DISCOVER, '--shard', '1/2', '-w', 'killed'], options());
  assert.equal(other.code, 0, other.stderr);
  if (dies.exitCode === null && dies.signalCode === null) await once(dies, 'close');
  const again = await runCli([...DISCOVER, '--shard', '0/2', '-w', 'killed'], options());
  assert.equal(again.code, 0, again.stderr);
  assert.equal(await exported('killed'), expected);

  const anew = await runCli([...DISCOVER, '--shard', '0/2', '--recluster', '-w', 'parts'], options());
  assert.equal(anew.code, 2);
  assert.match(anew.stderr, /--shard does what is missing, and --recluster means/);
});
