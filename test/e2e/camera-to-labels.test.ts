/** The whole flow as a user runs it: a camera's frames, pushed to a cloud, added from there, labelled, and exported to it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DATA, runCli, runJson, scratch, without } from '../cli.ts';
import { startS3 } from '../fixtures/s3-server.ts';

const withoutFfmpeg = spawnSync('ffmpeg', ['-version']).error ? 'no ffmpeg here (apt-get install ffmpeg)' : false;

const KINDS = ['accordion', 'leopards'];
const EACH = 12;
const FRAMES = KINDS.length * EACH;

test('from the camera to the labels: capture, push, add, detect, discover, export, report', {
  skip: withoutFfmpeg || without('caltech-30'),
}, async (t) => {
  const dir = await scratch(t);
  const server = await startS3();
  t.after(() => server.close());
  const cli = { cwd: dir, env: server.env };
  // What the camera sees: photographs of two kinds, one a second.
  mkdirSync(join(dir, 'seen'));
  for (const [k, kind] of KINDS.entries()) {
    for (const [i, name] of readdirSync(join(DATA, 'caltech-30', kind))
      .sort()
      .slice(0, EACH)
      .entries()) {
      cpSync(join(DATA, 'caltech-30', kind, name), join(dir, 'seen', `${String(2 * i + k).padStart(3, '0')}.jpg`));
    }
  }
  const video = spawnSync('ffmpeg', [
    ...['-y', '-framerate', '1', '-i', join(dir, 'seen/%03d.jpg'), '-vf', 'scale=300:200,setsar=1', '-r', '5'],
    ...['-c:v', 'mjpeg', '-q:v', '2', join(dir, 'line.avi')],
  ]);
  assert.equal(video.status, 0, video.stderr.toString());

  const captured = await runJson<{ cameras: { written: number }[] }>(
    ['capture', 'gate=line.avi', '--to', 'frames', '--every', '1s'],
    cli,
  );
  assert.equal(captured.cameras[0]?.written, FRAMES);
  const target = 's3://bucket/line-1';
  const pushed = await runJson<{ counts: Record<string, number> }>(
    ['push', 'frames', target, '--delete-after-verified'],
    cli,
  );
  assert.deepEqual([pushed.counts.pushed, pushed.counts.deleted], [FRAMES, FRAMES]);
  const [where] = (await runJson<{ targets: { files: number; deleted: number }[] }>(['push', 'frames'], cli)).targets;
  assert.deepEqual([where?.files, where?.deleted], [FRAMES, FRAMES]);

  const added = await runJson<Record<string, number>>(['add', target], cli);
  assert.deepEqual([added.images, added.quarantined], [FRAMES, 0]);
  const gets = () => server.log.filter(({ method, url }) => method === 'GET' && url.includes('.jpg')).length;
  const before = gets();
  await runJson(['detect'], cli);
  await runJson(['embed'], cli);
  await runJson(['discover', '--k', '2'], cli);
  assert.equal(gets(), before, 'later stages read from the cache');
  rmSync(join(dir, '.labelsmith/cache'), { recursive: true });
  const out = 's3://bucket/labels';
  const exported = await runJson<Record<string, unknown>>(
    ['export', 'coco', out, '--images', 'copy', '--unlabelled'],
    cli,
  );
  assert.deepEqual([exported.out, exported.images], [out, FRAMES]);
  assert.ok(gets() > before, 'without the cache from the store');
  const file = async (key: string) => {
    const response = await fetch(`${server.url}/bucket/${key}`);
    assert.equal(response.status, 200, key);
    return Buffer.from(await response.arrayBuffer());
  };
  const coco = JSON.parse((await file('labels/annotations.json')).toString()) as { images: { file_name: string }[] };
  assert.equal(coco.images.length, FRAMES);
  const { file_name } = coco.images[0]!;
  assert.equal((await file(`labels/images/${encodeURI(file_name)}`)).readUInt16BE(0), 0xffd8);
  await runJson(['export', 'csv', 's3://bucket/labels.csv', '--task', 'class'], cli);
  assert.equal((await file('labels.csv')).toString().trim().split('\n').length, FRAMES + 1);
  await runJson(['report', 's3://bucket/report.html'], cli);
  assert.match((await file('report.html')).toString(), /<html/);

  // The same again goes on, and does nothing; what is elsewhere there is left alone.
  await runJson(['export', 'coco', out, '--images', 'copy', '--unlabelled'], cli);
  const other = await runCli(['export', 'yolo', out], cli);
  assert.ok(other.code === 1 && /is not empty/.test(other.stderr), other.stderr);
  const synced = await runJson<Record<string, number>>(['add', target, '--sync'], cli);
  assert.deepEqual([synced.unchanged, synced.missing], [FRAMES, 0]);
  // No credential is in the workspace, and nothing is left beside it.
  for (const entry of readdirSync(join(dir, '.labelsmith'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = readFileSync(join(entry.parentPath, entry.name));
    assert.ok(!bytes.includes(server.env.AWS_SECRET_ACCESS_KEY!), entry.name);
  }
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.includes('outgoing')),
    [],
  );
  assert.ok(existsSync(join(dir, 'frames')));
});

test('of two cameras, one that gives nothing is named at the end, and the command fails', {
  skip: withoutFfmpeg,
}, async (t) => {
  const dir = await scratch(t);
  const args = ['capture', 'gate=lavfi:testsrc=rate=5', 'yard=lavfi:nonsense', '--to', 'frames', '--for', '8s'];
  const { code, stdout, stderr } = await runCli(args, { cwd: dir });
  assert.equal(code, 1, stderr);
  assert.match(stdout, /^gate \(lavfi:testsrc=rate=5\): \d+ of \d+ frames written/m);
  assert.match(stderr, /yard gave no frame: .*nonsense/);
  assert.ok(readdirSync(join(dir, 'frames/gate')).length > 0);
});
