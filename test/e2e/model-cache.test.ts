/** A model in the cache that is damaged, or is not there and there is no network: what to do is said, and doing it helps. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli, runFailing, runJson, scratch } from '../cli.ts';
import { photographs } from '../fixtures/photographs.ts';
import { copyModel } from '../model-files.ts';
import { imagesIn, statusIn } from '../workspace.ts';

function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0x5a, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 64);
  writeFileSync(path, bytes);
}

/** A registry that no one answers at: port 9 is `discard`, which nothing listens to. */
const OFFLINE = { npm_config_registry: 'http://127.0.0.1:9' };

test('a damaged model in the cache', async (t) => {
  const dir = await scratch(t);
  await photographs(join(dir, 'photos'), ['other_2.jpg']);
  await runJson(['add', 'photos'], { cwd: dir });
  await runJson(['detect'], { cwd: dir });
  const expected = await imagesIn(dir);
  const cache = join(dir, 'cache');
  const sources = await copyModel('centernet', cache);
  const env = { LABELSMITH_CACHE: cache, ...OFFLINE };
  const folder = join(cache, 'models/centernet');
  const converted = readdirSync(folder).filter((name) => name.endsWith('.onnx'));

  await t.test('converted: noticed, put aside, made again from its source without network', async () => {
    for (const name of converted) damage(join(folder, name));
    const { code, stderr } = await runCli(['detect', '--force'], { cwd: dir, env });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /converted centernet in the model cache was damaged; it is put aside/);
    assert.deepEqual(await imagesIn(dir), expected, 'and finds the same');
    assert.equal(readdirSync(join(cache, 'corrupt')).length, 1);
  });

  await t.test('its record: made again', async () => {
    for (const name of readdirSync(folder)) if (name.endsWith('.json')) writeFileSync(join(folder, name), '{"sha');
    assert.equal((await runJson(['detect', '--force'], { cwd: dir, env })).detected, 1);
  });

  await t.test('a source, without network: noticed, and the message says which file goes where', async () => {
    damage(sources[1]);
    const { code, text } = await runFailing(['detect', '--force'], { cwd: dir, env });
    assert.equal(code, 'NETWORK');
    assert.ok(text.includes(`${sources[1]}`), text);
    assert.deepEqual(await imagesIn(dir), expected, 'labels stay as they were');
  });

  await t.test('a source, with network: fetched again', async () => {
    const { code, stderr } = await runCli(['detect', '--force'], { cwd: dir, env: { LABELSMITH_CACHE: cache } });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Fetching @vladmandic\/human/);
    assert.deepEqual(await imagesIn(dir), expected);
  });
});

test('no network on first use: says what to do, and doing it helps', async (t) => {
  const dir = await scratch(t);
  await photographs(join(dir, 'photos'), ['other_2.jpg']);
  const cache = join(dir, 'cache');
  const env = { LABELSMITH_CACHE: cache, ...OFFLINE };
  const startedAt = performance.now();
  const { code, text } = await runFailing(['auto', 'photos'], { cwd: dir, env });
  assert.ok(performance.now() - startedAt < 20_000, 'it does not try for minutes');
  assert.equal(code, 'NETWORK');
  assert.match(text, /not in the model cache, and cannot ask http:\/\/127\.0\.0\.1:9/);
  assert.match(text, /labelsmith models pull centernet/);
  assert.ok(text.includes(cache), 'names the folder');
  assert.equal((await statusIn(dir)).images, 1, 'what add did is kept');

  // As told: pull where there is network (here: out of the shared cache), and put it where the message says.
  await copyModel('centernet', cache);
  const { detected } = await runJson(['detect'], { cwd: dir, env });
  assert.equal(detected, 1);

  await t.test('nothing but add, export, status and report is needed offline', async () => {
    await runJson(['models', 'list'], { cwd: dir, env });
    await runJson(['report', 'report.html'], { cwd: dir, env });
    const doctor = await runCli(['doctor', '--json'], { cwd: dir, env });
    assert.ok(doctor.code === 0 || doctor.code === 1);
    assert.doesNotMatch(doctor.stderr, /bug/);
  });
});
