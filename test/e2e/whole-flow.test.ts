/**
 * The whole flow from one `labelsmith.yaml`: a camera’s stream, captured, pushed to a cloud, added from there, searched for
 * objects, given classes, exported to the cloud; packed for a device, labelled by the device, and what it found taken back.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli, runJson, scratch } from '../cli.ts';
import { startHttpCamera } from '../fixtures/http-camera.ts';
import { startS3 } from '../fixtures/s3-server.ts';
import { statusIn } from '../workspace.ts';

const FRAMES = 24;

const FLOW = `
cameras:
  line: { source: '\${CAMERA}', every: 0.1s, count: ${FRAMES} }
capture: { to: ./frames }
targets:
  cloud: s3://bucket/line-1
thresholds: { objects: 0.3 }
models: { detector: centernet, quality: fast }
schedules:
  send:
    every: 1m
    run:
      - { stage: push, to: cloud/frames, delete-after-verified: true }
  label:
    at: '02:00'
    run:
      - { stage: add, from: cloud/frames }
      - { stage: detect }
      - { stage: discover, k: 2 }
      - { stage: export, format: csv, to: cloud/labels.csv, task: class }
      - { stage: export, format: jsonl, to: cloud/all.jsonl }
      - { stage: report, to: cloud/report.html }
  device:
    at: '03:00'
    run:
      - { stage: edge-pack, to: ./device.tar.gz, carry: true }
      - { stage: import-edge, from: ./results }
`;

interface State {
  readonly schedules: readonly {
    readonly name: string;
    readonly lastError: string | null;
    readonly counts: readonly { readonly stage: string; readonly counts: Readonly<Record<string, number>> }[];
  }[];
}

test('from the camera to the labels and to the device and back, from one file', { timeout: 600_000 }, async (t) => {
  const dir = await scratch(t);
  const [camera, server] = [await startHttpCamera(), await startS3()];
  t.after(() => Promise.all([camera.close(), server.close()]));
  const cli = { cwd: dir, env: { ...server.env, CAMERA: `${camera.url}/mjpg` } };
  writeFileSync(join(dir, 'labelsmith.yaml'), FLOW);
  const { schedules } = await runJson<State>(['run', '--once'], cli);
  const countsOf = (schedule: string, stage: string, state = schedules) =>
    state.find(({ name }) => name === schedule)?.counts.find((one) => one.stage === stage)?.counts ?? {};
  assert.deepEqual(
    schedules.map(({ lastError }) => lastError),
    [null, null, null],
  );
  const { pushed, deleted } = countsOf('send', 'push');
  assert.deepEqual(
    [pushed, countsOf('label', 'add').files, countsOf('label', 'detect').images],
    [FRAMES, FRAMES, FRAMES],
  );
  assert.equal(deleted, FRAMES);
  const file = async (key: string) => (await fetch(`${server.url}/bucket/line-1/${key}`)).text();
  assert.equal((await file('labels.csv')).trim().split('\n').length, FRAMES + 1);
  assert.equal((await file('all.jsonl')).trim().split('\n').length, FRAMES);
  assert.match(await file('report.html'), /<html/);

  // On the device, where nothing but Node is, with pictures that nobody here has seen.
  const [device, seen] = [join(dir, 'device'), join(dir, 'seen')];
  for (const folder of [device, seen]) mkdirSync(folder);
  execFileSync('tar', ['xzf', join(dir, 'device.tar.gz'), '-C', device]);
  for (let i = 0; i < 3; i++) {
    const { username, password, origin } = new URL(camera.url);
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const picture = await fetch(`${origin}/jpg`, { headers: { authorization } });
    writeFileSync(join(seen, `${i}.jpg`), Buffer.from(await picture.arrayBuffer()));
  }
  const ran = spawnSync(process.execPath, ['run.mjs', seen, '--to', join(dir, 'results')], {
    cwd: device,
    env: {},
    encoding: 'utf8',
  });
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stdout, /3 labelled/);

  // Again: what is done is done, and what the device found comes in.
  const unsure = readdirSync(join(dir, 'results/unsure')).length;
  const before = await statusIn(dir);
  await runCli(['add', 'seen'], cli);
  writeFileSync(
    join(dir, 'later.yaml'),
    FLOW.slice(FLOW.indexOf('targets:')).replace(/ {2}send:.*? {2}label:/s, '  label:'),
  );
  const again = await runJson<State>(['run', 'later.yaml', '--once'], cli);
  assert.ok((countsOf('device', 'import-edge', again.schedules).matched ?? 0) === 3, JSON.stringify(again));
  const after = await statusIn(dir);
  assert.ok(after.images >= before.images + Math.max(3, unsure) && after.integrity === 'ok');
  assert.ok(!readFileSync(join(dir, '.labelsmith/flow.json'), 'utf8').includes('cam-secret'));
});
