/** `labelsmith run` as a service: it goes, is read again on SIGHUP, says how it is, and stops on SIGTERM with all written. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCli, runJson, scratch, startCli } from '../cli.ts';
import { CAMERA_SECRET, startHttpCamera } from '../fixtures/http-camera.ts';
import { statusIn } from '../workspace.ts';

const flow = (pushEvery: string) => `
cameras:
  gate: { source: '\${CAMERA}', every: 200ms }
capture: { to: ./frames, silence: 20s }
targets: { archive: ./archive }
classes: { reject: { synonyms: [scrap], parent: part } }
schedules:
  send: { every: ${pushEvery}, run: [{ stage: push, to: archive }] }
  often:
    every: 2s
    run:
      - { stage: add }
      - { stage: export, format: csv, to: './labels-{date}.csv', empty: true }
  broken: { every: 1d, run: [{ stage: add, from: ./nowhere }, { stage: embed }] }
`;

interface Page {
  readonly life: string;
  readonly reloadError: string | null;
  readonly cameras: readonly {
    readonly name: string;
    readonly state: string;
    readonly written: number;
    readonly source: string;
  }[];
  readonly schedules: readonly {
    readonly name: string;
    readonly times: string;
    readonly runs: number;
    readonly lastError: string | null;
  }[];
  readonly targets: readonly { readonly pushed: readonly { readonly files: number }[] }[];
}

test('a flow goes on as a service until it is told to stop', { timeout: 120_000 }, async (t) => {
  const dir = await scratch(t);
  const camera = await startHttpCamera();
  t.after(() => camera.close());
  const cli = { cwd: dir, env: { CAMERA: `${camera.url}/mjpg` } };
  const file = join(dir, 'labelsmith.yaml');
  writeFileSync(file, flow('1s').replace('200ms', '0.2s'));
  mkdirSync(join(dir, 'archive'));
  const checked = await runCli(['run', '--check'], cli);
  assert.ok(checked.code === 0 && /send every 1s: push/.test(checked.stdout), checked.stderr);

  const service = startCli(['run'], cli);
  t.after(() => service.kill('SIGKILL'));
  let told = '';
  service.stderr?.on('data', (text) => (told += text));
  const ended = once(service, 'exit');
  const page = async () => JSON.parse((await runCli(['status', '--flow', '--json'], cli)).stdout) as Page;
  const until = async (what: string, isSo: (page: Page) => boolean): Promise<Page> => {
    for (let attempt = 0; ; attempt++) {
      const file = readFileSync(join(dir, '.labelsmith/flow.json'), 'utf8');
      if (isSo(JSON.parse(file) as Page)) return page();
      assert.ok(attempt < 600, `${what}\n${file}\n${told}`);
      await sleep(100);
    }
  };
  const schedule = ({ schedules }: Page, name: string) => schedules.find((one) => one.name === name);
  for (let attempt = 0; !told.includes('runs as process'); attempt++) {
    assert.ok(attempt < 600 && service.exitCode === null, told);
    await sleep(100);
  }
  const busy = await runCli(['run'], cli);
  assert.ok(busy.code === 1 && /runs already, as process \d+/.test(busy.stderr), busy.stderr);
  const going = await until('all parts go', (now) => {
    return (
      (now.cameras[0]?.written ?? 0) > 3 &&
      (schedule(now, 'send')?.runs ?? 0) > 2 &&
      (schedule(now, 'often')?.runs ?? 0) > 1
    );
  });
  assert.equal(going.life, 'running');
  assert.match(schedule(going, 'broken')?.lastError ?? '', /^add: .*nowhere/);
  assert.ok((going.targets[0]?.pushed[0]?.files ?? 0) > 0);

  // A file that is wrong changes nothing; one that is right changes what it says, and the camera goes on.
  writeFileSync(file, flow('soon'));
  service.kill('SIGHUP');
  const wrong = await until('the mistake is told', ({ reloadError }) => reloadError !== null);
  assert.match(wrong.reloadError ?? '', /labelsmith\.yaml:3:\d+: .*\n.*:8:18: schedules\.send\.every: expected a time/);
  writeFileSync(file, flow('7s').replace('200ms', '0.2s'));
  service.kill('SIGHUP');
  const again = await until('it is read again', (now) => schedule(now, 'send')?.times === 'every 7s');
  assert.equal(camera.connections, 1, 'the camera was left alone');
  assert.equal(again.cameras[0]?.state, 'live');

  service.kill('SIGTERM');
  assert.deepEqual(await ended, [130, null], told);
  const stopped = await runCli(['status', '--flow'], cli);
  assert.ok(stopped.code === 1 && /stopped .* ago/.test(stopped.stdout), stopped.stdout);
  const frames = readdirSync(join(dir, 'frames'), { recursive: true, encoding: 'utf8' }).filter((one) =>
    one.endsWith('.jpg'),
  );
  assert.ok(frames.length >= (again.cameras[0]?.written ?? 0));
  assert.ok(!frames.some((one) => one.includes('.tmp')));
  const { classes, emptyClasses } = await runJson<{ classes: number; emptyClasses: number }>(['status'], cli);
  assert.equal(classes + emptyClasses, 2, 'reject, and its parent');
  assert.equal((await statusIn(dir)).integrity, 'ok');
  assert.ok(!(told + readFileSync(join(dir, '.labelsmith/flow.json'), 'utf8')).includes(CAMERA_SECRET));

  const killed = startCli(['run'], cli);
  await until('it runs again', ({ cameras, life }) => life === undefined && cameras[0]?.state === 'live');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  assert.equal((await page()).life, 'killed');
});

test('a folder below a target that is there is made; a target that is not there is none', async (t) => {
  const dir = await scratch(t);
  mkdirSync(join(dir, 'in'));
  writeFileSync(join(dir, 'in', 'a.jpg'), 'a');
  writeFileSync(
    join(dir, 'labelsmith.yaml'),
    'targets: { disk: ./disk }\nschedules:\n  send: { every: 5m, run: [{ stage: push, folder: ./in, to: disk/line/frames }] }\n',
  );
  const away = await runCli(['run', '--once'], { cwd: dir });
  assert.ok(away.code === 1 && /the folder .*frames is not there/.test(away.stderr), away.stderr);
  assert.ok(!readdirSync(dir).includes('disk'));
  mkdirSync(join(dir, 'disk'));
  const there = await runCli(['run', '--once'], { cwd: dir });
  assert.equal(there.code, 0, there.stderr);
  assert.equal(readFileSync(join(dir, 'disk', 'line', 'frames', 'a.jpg'), 'utf8'), 'a');
});
