/** `capture` against cameras of the tests (HTTP), ffmpeg's own pattern, and videos that ffmpeg makes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { inTemporaryFolder, isError } from '../../../test/contracts/source.ts';
import { CAMERA_SECRET, type HttpCamera, startHttpCamera } from '../../../test/fixtures/http-camera.ts';
import { folderSink } from '../../sources/folder-sink.ts';
import { push } from '../push/push.ts';
import { cameraSpecs } from './camera-spec.ts';
import { type CaptureOptions, type CaptureResult, capture } from './capture.ts';
import { knownElsewhere } from './elsewhere.ts';
import { ffmpegArguments } from './ffmpeg.ts';
import { Rotation } from './rotation.ts';

const withoutFfmpeg = spawnSync('ffmpeg', ['-version']).error ? 'no ffmpeg here (apt-get install ffmpeg)' : false;

const QUICK = { silenceMs: 400, backoff: { baseMs: 20, maxMs: 100 } };

function framesIn(to: string): string[] {
  return readdirSync(to, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jpg'))
    .sort();
}

async function captured(
  specs: readonly string[],
  options: Omit<CaptureOptions, 'rule'> & Partial<Pick<CaptureOptions, 'rule'>>,
): Promise<CaptureResult> {
  return capture(await cameraSpecs(specs, '/'), { ...QUICK, rule: {}, ...options });
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo(); waited++) {
    assert.ok(waited < 1000, `waited for ${what}`);
    await sleep(10);
  }
}

describe('a camera over HTTP', { concurrency: false }, () => {
  let camera: HttpCamera;
  before(async () => {
    camera = await startHttpCamera();
  });
  after(() => camera.close());

  test('a stream is saved as the camera sent it, under names that sort by time; --count ends it', () =>
    inTemporaryFolder(async (to) => {
      const { cameras } = await captured([`gate=${camera.url}/mjpg`], { to, count: 5 });
      const names = framesIn(to);
      assert.equal(names.length, 5);
      for (const [i, name] of names.entries()) {
        assert.match(name, /^gate\/\d{4}-\d\d-\d\d\/gate-\d{8}T\d{6}\.\d{3}Z-\d{6}\.jpg$/);
        assert.ok(name.endsWith(`-${String(i + 1).padStart(6, '0')}.jpg`), name);
        assert.equal((await sharp(join(to, name)).stats()).channels.length, 3);
      }
      assert.deepEqual([cameras[0]?.written, cameras[0]?.reconnects], [5, 0]);
      await captured([`gate=${camera.url}/mjpg`], { to, count: 2 });
      assert.ok(framesIn(to)[6]?.endsWith('-000007.jpg'), 'numbers go on');
    }));

  test('single pictures are asked for again; --every holds for both', () =>
    inTemporaryFolder(async (to) => {
      await captured([`one=${camera.url}/jpg`], { to, count: 3, rule: { everyMs: 50 } });
      assert.equal(framesIn(to).length, 3);
      const startedAt = performance.now();
      await captured([`two=${camera.url}/mjpg`], { to, count: 4, rule: { everyMs: 200 } });
      const tookMs = performance.now() - startedAt;
      assert.ok(tookMs >= 3 * 180, `four frames 200 ms apart took ${tookMs} ms`);
    }));

  test('a camera that freezes, breaks pictures, goes away or changes its size is used again when it is well', () =>
    inTemporaryFolder(async (to) => {
      const notices: string[] = [];
      const stop = new AbortController();
      const health = join(to, '.health.json');
      const running = captured([`gate=${camera.url}/mjpg`], {
        to,
        signal: stop.signal,
        health,
        onNotice: (text: string) => notices.push(text),
      });
      const count = () => framesIn(to).length;
      const more = async (mode: string) => {
        const before = count();
        await until(`frames after ${mode}`, () => count() > before + 2);
      };
      await more('the start');
      camera.mode = 'frozen';
      const { connections } = camera;
      await until('a new connection', () => camera.connections > connections);
      camera.mode = 'good';
      await more('it froze');
      camera.mode = 'broken';
      await sleep(200);
      camera.mode = 'good';
      await more('broken pictures');
      camera.mode = 'gone';
      await until('the notice', () => notices.length >= 3);
      camera.mode = 'good';
      await more('it was away');
      camera.size = [80, 60];
      await more('another size');
      camera.size = [64, 48];
      stop.abort();
      const { cameras, interrupted } = await running;
      assert.ok(interrupted);
      assert.ok(cameras[0]!.reconnects >= 2 && cameras[0]!.broken >= 2, JSON.stringify(cameras[0]));
      for (const name of framesIn(to)) await sharp(join(to, name)).stats();
      const written = readFileSync(health, 'utf8');
      assert.equal(JSON.parse(written).cameras[0].written, framesIn(to).length);
      for (const text of [written, ...notices, JSON.stringify(cameras), ...framesIn(to)]) {
        assert.ok(!text.includes(CAMERA_SECRET) && !text.includes('user:'), text);
      }
    }));

  test('wrong credentials end it at once, and the message has none', () =>
    inTemporaryFolder(async (to) => {
      const wrong = camera.url.replace(CAMERA_SECRET, 'not-it-at-all');
      await assert.rejects(captured([`${wrong}/mjpg`], { to }), (error: Error) => {
        assert.ok(!error.message.includes('not-it-at-all'), error.message);
        return /user and password/.test(error.message);
      });
    }));

  test('only what changed is kept; two cameras run side by side', () =>
    inTemporaryFolder(async (to) => {
      const still = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#888' } })
        .jpeg()
        .toBuffer();
      const from = join(to, 'from');
      mkdirSync(from);
      for (let i = 0; i < 5; i++) writeFileSync(join(from, `${i}.jpg`), still);
      const { cameras } = await captured([`still=${from}`, `moving=${camera.url}/mjpg`], {
        to: join(to, 'to'),
        forMs: 2500,
        rule: { changedBits: 4 },
      });
      const [first, second] = cameras;
      assert.deepEqual([first?.written, first?.unchanged], [1, 4]);
      assert.ok(second!.written > 3, JSON.stringify(second));
    }));
});

test('the arguments for each kind of camera', () => {
  const of = (kind: 'device' | 'rtsp', address: string, platform: NodeJS.Platform, version = 501) =>
    ffmpegArguments({ kind, address }, { everyMs: 1000 }, { version, silenceMs: 10_000, platform }).join(' ');
  assert.match(
    of('device', '0?video_size=1280x720&input_format=mjpeg', 'linux'),
    /-f v4l2 -video_size 1280x720 -input_format mjpeg -i \/dev\/video0 /,
  );
  assert.match(of('device', '/dev/video2', 'linux'), /-f v4l2 -i \/dev\/video2 /);
  assert.match(of('device', '0', 'darwin'), /-f avfoundation -i 0 /);
  assert.match(of('device', 'USB Camera', 'win32'), /-f dshow -i video=USB Camera /);
  assert.match(
    of('rtsp', 'rtsp://x/y', 'linux'),
    /-rtsp_transport tcp -timeout 10000000 .*-i rtsp:\/\/x\/y .*-fps_mode passthrough/,
  );
  assert.match(of('rtsp', 'rtsp://x/y', 'linux', 404), /-stimeout 10000000 .*-vsync passthrough/);
});

describe('through ffmpeg', { skip: withoutFfmpeg }, () => {
  /** A video of `seconds` with a cut each second, made by ffmpeg. */
  function video(path: string, seconds: number): void {
    const colours = Array.from({ length: seconds }, (_, i) => (i % 2 === 0 ? 'black' : 'white'));
    const inputs = colours.flatMap((colour) => ['-f', 'lavfi', '-i', `color=${colour}:s=160x120:r=10:d=1`]);
    const filter = `${colours.map((_, i) => `[${i}:v]`).join('')}concat=n=${seconds}:v=1[v]`;
    const made = spawnSync('ffmpeg', [
      '-y',
      ...inputs,
      '-filter_complex',
      filter,
      '-map',
      '[v]',
      '-c:v',
      'mpeg4',
      path,
    ]);
    assert.equal(made.status, 0, made.stderr.toString());
  }

  test('a video by interval and by scene: every frame that is wanted, with its own time', () =>
    inTemporaryFolder(async (folder) => {
      const file = join(folder, 'line.avi');
      video(file, 4);
      const at = Date.UTC(2026, 0, 2, 3, 4, 5) / 1000;
      utimesSync(file, at, at);
      const to = join(folder, 'to');
      const { cameras } = await captured([file], { to, rule: { everyMs: 500 } });
      assert.equal(cameras[0]?.written, 8);
      assert.equal(framesIn(to)[1], 'line/2026-01-02/line-20260102T030405.500Z-000002.jpg');
      const scenes = await captured([`cuts=${file}`], { to, rule: { scene: 0.2 } });
      assert.equal(scenes.cameras[0]?.written, 4);
      const all = await captured([`all=${file}`], { to });
      assert.equal(all.cameras[0]?.written, 40, 'a video waits for the disk, and loses nothing');
    }));

  test('a live source at 10 frames a second: none is lost, and one that ends is begun again', () =>
    inTemporaryFolder(async (to) => {
      const { cameras } = await captured(['lavfi:testsrc=size=320x240:rate=10:duration=2'], {
        to,
        count: 25,
        rule: { everyMs: 100 },
        silenceMs: 10_000,
      });
      const [camera] = cameras;
      assert.deepEqual([camera?.written, camera?.dropped], [25, 0]);
      assert.ok(camera!.reconnects >= 1);
      const device = ffmpegArguments(
        { kind: 'device', address: '0' },
        { everyMs: 100 },
        { version: 501, silenceMs: 1 },
      );
      const pattern = device.map((word, i) =>
        device[i - 1] === '-i' ? 'testsrc=rate=10:d=1' : word === 'v4l2' ? 'lavfi' : word,
      );
      const run = spawnSync('ffmpeg', pattern);
      assert.equal(run.status, 0, 'the arguments of a device are good ones');
    }));

  test('what is no video, and what is not there', () =>
    inTemporaryFolder(async (folder) => {
      writeFileSync(join(folder, 'a.mp4'), 'no video');
      await assert.rejects(captured([join(folder, 'a.mp4')], { to: folder }), isError('REFUSED'));
      await assert.rejects(captured([join(folder, 'b.mp4')], { to: folder }), isError('NOT_FOUND'));
    }));
});

describe('rotation', () => {
  function frames(to: string, count: number): string[] {
    const day = join(to, 'gate/2026-11-20');
    mkdirSync(day, { recursive: true });
    return Array.from({ length: count }, (_, i) => {
      const path = join(day, `gate-20261120T00000${i}.000Z-00000${i + 1}.jpg`);
      writeFileSync(path, Buffer.alloc(1000, i));
      const at = Date.UTC(2026, 10, 20, 0, 0, i) / 1000;
      utimesSync(path, at, at);
      return path;
    });
  }

  test('the oldest go that are pushed; what is nowhere else stays, and what is not ours too', () =>
    inTemporaryFolder(async (folder) => {
      const [to, target] = [join(folder, 'frames'), join(folder, 'target')];
      mkdirSync(target);
      const files = frames(to, 4);
      await push(to, await folderSink(target));
      const [last] = frames(to, 6).slice(5);
      writeFileSync(join(to, 'gate/2026-11-20/mine.jpg'), 'mine');
      // frames() wrote the first four again: they have their old times and sizes, and are the pushed ones.
      const rotation = new Rotation({ to, limits: { maxBytes: 3000 }, areSafe: knownElsewhere(to, undefined) });
      assert.deepEqual(await rotation.turn(), { deleted: 3, held: 0 });
      assert.deepEqual(
        files.map((file) => existsSync(file)),
        [false, false, false, true],
      );
      const tight = new Rotation({ to, limits: { maxBytes: 100 }, areSafe: knownElsewhere(to, undefined) });
      assert.deepEqual(await tight.turn(), { deleted: 1, held: 2 });
      assert.ok(existsSync(last!) && existsSync(join(to, 'gate/2026-11-20/mine.jpg')));
    }));

  test('by age, whatever the size', () =>
    inTemporaryFolder(async (to) => {
      const files = frames(to, 4);
      const now = () => statSync(files[2]!).mtimeMs + 60_000 - 500;
      const rotation = new Rotation({
        to,
        limits: { maxAgeMs: 60_000 },
        areSafe: async (of) => of.map(() => true),
        now,
      });
      assert.deepEqual(await rotation.turn(), { deleted: 2, held: 0 });
      assert.equal(framesIn(to).length, 2);
    }));
});

test('frames are not written into the folder that they are taken from', () =>
  inTemporaryFolder(async (folder) => {
    const options = { forMs: 2000 };
    for (const to of [folder, join(folder, 'frames')]) {
      await assert.rejects(captured([folder], { ...options, to }), isError('REFUSED'), to);
    }
    assert.deepEqual(readdirSync(folder), []);
  }));

test('--count at a folder with fewer frames ends when all are taken, and says so', () =>
  inTemporaryFolder(async (folder) => {
    const from = join(folder, 'from');
    mkdirSync(from);
    const jpeg = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer();
    for (const [i, name] of ['a.jpg', 'b.jpg'].entries()) {
      writeFileSync(join(from, name), jpeg);
      utimesSync(join(from, name), 1000 + 60 * i, 1000 + 60 * i);
    }
    const notices: string[] = [];
    const onNotice = (text: string) => notices.push(text);
    const { cameras } = await captured([from], { to: join(folder, 'to'), count: 5, onNotice });
    assert.deepEqual([cameras[0]?.written, cameras[0]?.state], [2, 'ended']);
    assert.match(notices.join('\n'), /2 of the 5 frames that were asked for/);
    const one = await captured([from], { to: join(folder, 'one'), count: 1, onNotice });
    assert.deepEqual([one.cameras[0]?.written, notices.length], [1, 1]);
  }));
