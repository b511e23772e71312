/**
 * A pack for a device, as its users have it: packed, unpacked where nothing but Node is, run, brought to another machine over
 * ssh, and its results taken back. What the device says is what the workspace says.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { runCli, runJson, scratch } from '../cli.ts';
import {
  comparedClasses,
  comparedRegions,
  drawings,
  KINDS,
  type Predicted,
  type Row,
  rowsOf,
} from '../fixtures/edge-results.ts';
import { photographs } from '../fixtures/photographs.ts';
import { startSftp, withoutSshd } from '../fixtures/sftp-server.ts';

/** Only Node, with no variable of this machine's. */
function onDevice(folder: string, ...args: readonly string[]): string {
  const ran = spawnSync(process.execPath, ['run.mjs', ...args], { cwd: folder, env: {}, encoding: 'utf8' });
  assert.equal(ran.status, 0, ran.stderr + ran.stdout);
  return ran.stdout;
}

test('a pack labels on a device as the workspace does; its results come back; over ssh it is checked before it takes its place', {
  timeout: 600_000,
}, async (t) => {
  const dir = await scratch(t);
  const cli = { cwd: dir };
  await drawings(join(dir, 'photos'), 10);
  await photographs(join(dir, 'photos'), ['meal_1.jpg', 'meal_2.jpg', 'other_2.jpg']);
  const labels = KINDS.flatMap((kind) => [0, 1, 2, 3, 4].map((i) => `${kind}-${i}.jpg,${kind}`));
  writeFileSync(join(dir, 'labels.csv'), `file,class\n${labels.join('\n')}\n`);
  await runJson(['add', 'photos'], cli);
  await runJson(['import', 'csv', 'labels.csv', '--as', 'human'], cli);
  await runJson(['teach', 'rounds'], cli);
  // With a threshold of its own, nothing depends on what the whole pile says.
  await runJson(['detect', '--threshold', '0.3'], cli);
  const pack = ['edge', 'pack', '--classifier', 'class', '--model', 'centernet', '--threshold', '0.3', '--to'];
  const packed = await runJson<{ byteSize: number; models: { kind: string; float16Difference: number }[] }>(
    [...pack, 'line.tar.gz', '--carry'],
    cli,
  );
  assert.deepEqual(
    packed.models.map(({ kind }) => kind),
    ['classifier', 'detector'],
  );
  assert.ok(packed.models.every(({ float16Difference }) => float16Difference < 0.02));
  assert.equal((await runCli([...pack, 'line.tar.gz'], cli)).code, 1, 'an archive that is there stays');

  // Where nothing but Node is.
  const device = join(dir, 'device');
  mkdirSync(device);
  execFileSync('tar', ['xzf', join(dir, 'line.tar.gz'), '-C', device]);
  const checked = onDevice(device, '--check');
  assert.match(checked, /class@\w+: float32, .* provider cpu, .* golden outputs ok/);
  t.diagnostic(
    `the pack has ${(packed.byteSize / 1e6).toFixed(1)} MB with Node’s packages; ${checked.trim().split('\n').at(-1)}`,
  );
  const seen = join(dir, 'seen');
  cpSync(join(dir, 'photos'), seen, { recursive: true });
  writeFileSync(join(seen, 'cut.jpg'), readFileSync(join(seen, 'disc-0.jpg')).subarray(0, 500));
  assert.match(onDevice(device, seen, '--to', join(dir, 'results')), /23 labelled, 0 known before, .*1 not readable/);
  await runJson(['export', 'jsonl', 'workspace.jsonl'], cli);
  const [there, here] = [rowsOf(join(dir, 'results/results.jsonl')), rowsOf(join(dir, 'workspace.jsonl'))];
  for (const [id, row] of here) {
    const found = there.get(id);
    assert.ok(found, id);
    assert.deepEqual(found.regions.map((one) => one.id).sort(), row.regions.map((one) => one.id).sort());
  }
  const regionsThere = comparedRegions(there, here);
  assert.ok(
    regionsThere.regions > 0 && regionsThere.confidence <= 1e-4 && regionsThere.corner <= 1e-3,
    JSON.stringify(regionsThere),
  );
  // What the classifier says of every image, sure or not.
  const { predictions } = await runJson<{ predictions: Predicted[] }>(['teach', 'predict', 'photos'], cli);
  assert.equal(predictions.length, 23);
  const classes = comparedClasses(there, predictions, join(dir, 'photos'));
  assert.ok(classes.images === 23 && classes.confidence <= 1e-4, JSON.stringify(classes));
  // Again, and after a line that the power cut: nothing is doubled.
  writeFileSync(join(dir, 'results/results.jsonl'), '{"file":"ha', { flag: 'a' });
  assert.match(onDevice(device, seen, '--to', join(dir, 'results')), /0 labelled, 23 known before/);

  // Wrong usage is refused before a model is opened.
  const wrong = spawnSync(process.execPath, ['run.mjs', seen, '--precision', 'fp16'], {
    cwd: device,
    encoding: 'utf8',
  });
  assert.ok(wrong.status === 2 && /float32 or float16, not "fp16"/.test(wrong.stderr), wrong.stderr);
  assert.match(onDevice(device, '--help'), /--every TIME/);

  // A golden file that is not what it was is told before anything is labelled.
  const golden = join(device, 'golden/class.probabilities.bin');
  const bytes = readFileSync(golden);
  writeFileSync(golden, Buffer.from(new Float32Array([0.5, 0.5]).buffer));
  const refused = spawnSync(process.execPath, ['run.mjs', seen, '--to', join(dir, 'none')], {
    cwd: device,
    env: {},
    encoding: 'utf8',
  });
  assert.ok(refused.status === 1 && /does not give its golden outputs/.test(refused.stderr), refused.stderr);
  writeFileSync(golden, bytes);

  // What an engine gives is compared with them.
  const verify = ['edge', 'verify', 'line.tar.gz', join(device, 'golden'), '--model'];
  const raw = join(dir, 'raw');
  mkdirSync(raw);
  for (const name of ['probabilities', 'embedding'])
    cpSync(join(device, `golden/class.${name}.bin`), join(raw, `${name}.bin`));
  const same = await runJson<{ isSame: boolean }>(['edge', 'verify', 'line.tar.gz', 'raw', '--model', 'class'], cli);
  assert.equal(same.isSame, true);
  writeFileSync(join(raw, 'probabilities.bin'), Buffer.from(new Float32Array([0.4, 0.6]).buffer));
  assert.equal((await runCli([...verify.slice(0, 3), 'raw', '--model', 'class'], cli)).code, 1);
  assert.equal((await runCli(verify.slice(0, 4), cli)).code, 2, 'of several models one is named');

  // Into another workspace, where a person has spoken: twice, with nothing doubled, and people win.
  const other = { cwd: join(dir, 'other') };
  mkdirSync(other.cwd);
  await runJson(['add', '../seen'], other);
  writeFileSync(join(other.cwd, 'people.csv'), 'file,class\ndisc-9.jpg,stripes\n');
  await runJson(['import', 'csv', 'people.csv', '--as', 'human'], other);
  for (let times = 0; times < 2; times++) await runJson(['import', 'edge', '../results'], other);
  await runJson(['export', 'jsonl', 'all.jsonl'], other);
  const taken = rowsOf(join(other.cwd, 'all.jsonl'));
  const regions = (rows: ReadonlyMap<string, Row>) =>
    [...rows.values()].flatMap((row) => row.regions.map(({ id }) => id)).sort();
  assert.deepEqual(regions(taken), regions(there));
  const people = [...taken.values()].flatMap(({ labels }) => labels.filter(({ origin }) => origin === 'human'));
  assert.deepEqual(
    people.map((one) => one.class),
    ['stripes'],
  );
  const status = await runJson<{ images: number; labels: Record<string, number> }>(['status'], other);
  assert.equal(status.images, 23);

  await t.test('over ssh', { skip: withoutSshd }, () => overSsh(dir));
});

/** The machine is this one; its systemd is a program of the test that writes down what it was asked. */
async function overSsh(dir: string): Promise<void> {
  const [programs, config, place] = ['programs', 'config', 'opt'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [programs, config, place]) mkdirSync(folder);
  writeFileSync(join(programs, 'systemctl'), `#!/bin/sh\necho "$@" >> ${join(config, 'asked')}\n`);
  chmodSync(join(programs, 'systemctl'), 0o755);
  const server = await startSftp({
    PATH: `${programs}:${dirname(process.execPath)}:/usr/bin:/bin`,
    XDG_CONFIG_HOME: config,
  });
  try {
    const cli = { cwd: dir, env: server.env };
    const target = `${server.url}${place}`;
    const push = (...more: string[]) =>
      runJson<{ check: string[]; unit: string | null }>(['edge', 'push', 'line.tar.gz', target, ...more], cli);
    const first = await push();
    assert.ok(first.unit === null && first.check.some((line) => line.includes('golden outputs ok')));
    assert.ok(existsSync(join(place, 'line/run.mjs')) && !existsSync(join(config, 'asked')));
    const second = await push('--source', '/dev/video0');
    assert.equal(second.unit, 'labelsmith-line');
    assert.deepEqual(readFileSync(join(config, 'asked'), 'utf8').trim().split('\n'), [
      '--user daemon-reload',
      '--user enable labelsmith-line',
      '--user restart labelsmith-line',
    ]);
    const unit = readFileSync(join(config, 'systemd/user/labelsmith-line.service'), 'utf8');
    assert.ok(unit.includes(`${place}/line/run.mjs \${LABELSMITH_SOURCE} --follow --to ${place}/line-results`), unit);
    assert.equal(readFileSync(join(place, 'line.env'), 'utf8'), 'LABELSMITH_SOURCE=/dev/video0\n');
    assert.equal(statSync(join(place, 'line.env')).mode & 0o077, 0);
    // A pack that is broken on the way there changes nothing.
    writeFileSync(join(place, 'line/mark'), '');
    const broken = join(dir, 'broken');
    mkdirSync(broken);
    execFileSync('tar', ['xzf', join(dir, 'line.tar.gz'), '-C', broken]);
    rmSync(join(broken, 'class.onnx'));
    mkdirSync(join(dir, 'bad'));
    execFileSync('tar', ['-I', 'gzip -1', '-cf', join(dir, 'bad/line.tar.gz'), '-C', broken, ...readdirSync(broken)]);
    const refused = await runCli(['edge', 'push', 'bad/line.tar.gz', target], cli);
    assert.equal(refused.code, 1);
    assert.ok(existsSync(join(place, 'line/mark')), 'what ran there is as it was');
    const secret = await runCli(
      ['edge', 'push', 'line.tar.gz', target, '--source', 'rtsp://user:topsecret@cam/x'],
      cli,
    );
    assert.ok(secret.code === 2 && !secret.stderr.includes('topsecret'), secret.stderr);
  } finally {
    await server.close();
  }
}
