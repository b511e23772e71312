/** Faults of the machine under `capture` and what is read from a cloud: a disk that is full, a clock that jumps. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { inTemporaryFolder } from '../../../test/contracts/source.ts';
import { startHttpCamera } from '../../../test/fixtures/http-camera.ts';
import { jpegScene } from '../../../test/fixtures/images.ts';
import { ObjectCache } from '../../sources/cloud/object-cache.ts';
import { cameraSpecs } from './camera-spec.ts';
import { capture } from './capture.ts';
import { FrameFiles } from './frame-files.ts';

/** A disk of 128 kB at a path, while `work` goes on. */
async function withSmallDisk(t: TestContext, path: string, work: () => Promise<void>): Promise<void> {
  mkdirSync(path);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', path], { encoding: 'utf8' });
  if (mounted.status !== 0) {
    return t.skip(`no small disk can be mounted here (${mounted.stderr ?? mounted.error?.message})`);
  }
  try {
    await work();
  } finally {
    spawnSync('umount', [path]);
  }
}

test('a disk that is full: frames are dropped and counted, and with room again they are written', (t) =>
  inTemporaryFolder(async (folder) => {
    const to = join(folder, 'frames');
    const camera = await startHttpCamera(20);
    t.after(() => camera.close());
    await withSmallDisk(t, to, async () => {
      const [stop, notices] = [new AbortController(), [] as string[]];
      const specs = await cameraSpecs([`gate=${camera.url}/mjpg`], '/');
      const onNotice = (text: string) => notices.push(text);
      const running = capture(specs, { to, rule: {}, signal: stop.signal, onNotice });
      const frames = () =>
        readdirSync(to, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jpg'));
      const until = async (isSo: () => boolean) => {
        for (let waited = 0; !isSo(); waited++) {
          assert.ok(waited < 3000, notices.join('\n'));
          await sleep(10);
        }
      };
      await until(() => notices.some((text) => /the disk is full/.test(text)));
      const before = frames().length;
      assert.equal(spawnSync('mount', ['-o', 'remount,size=8m', to]).status, 0);
      await until(() => frames().length >= before + 5);
      stop.abort();
      const { cameras } = await running;
      assert.ok(cameras[0]!.dropped >= 1);
      assert.equal(frames().length, cameras[0]?.written);
      for (const name of frames()) await sharp(join(to, name)).stats();
      const left = readdirSync(to, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.tmp'));
      assert.deepEqual(left, []);
    });
  }));

test('a cache of objects on a full disk gives what it has whole, and fails nobody', (t) =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, 'objects');
    await withSmallDisk(t, path, async () => {
      const cache = new ObjectCache({ folder: path });
      const bytes = (i: number) => Buffer.alloc(30_000, i);
      for (let i = 0; i < 8; i++) await cache.put(`s3://b/${i}`, bytes(i));
      const there = await Promise.all(Array.from({ length: 8 }, (_, i) => cache.get(`s3://b/${i}`)));
      const whole = there.filter((found, i) => found !== undefined && bytes(i).equals(found));
      assert.equal(whole.length, there.filter((found) => found !== undefined).length);
      assert.ok(whole.length >= 1 && whole.length < 8, `${whole.length} of 8`);
    });
  }));

test('a clock that is set back, or forward: names still differ, and the numbers go on', () =>
  inTemporaryFolder(async (to) => {
    const [bytes, now] = [await jpegScene(16, 16), Date.UTC(2026, 10, 27, 2)];
    const files = await FrameFiles.in(to, 'gate');
    for (const jumpMs of [0, -3_600_000, -3_600_000, 86_400_000, 0])
      await files.write({ bytes, capturedAtMs: now + jumpMs });
    const again = await FrameFiles.in(to, 'gate');
    const { path } = await again.write({ bytes, capturedAtMs: now - 86_400_000 });
    assert.match(path, /-000006\.jpg$/);
    const names = readdirSync(to, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jpg'));
    assert.equal(new Set(names).size, 6);
  }));
