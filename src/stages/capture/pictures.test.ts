/** Pictures out of a stream, and what is written into them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { inTemporaryFolder } from '../../../test/contracts/source.ts';
import { cameraFactsOf } from '../../images/exif.ts';
import { cameraSpecs, withoutCredentials, withoutSecrets } from './camera-spec.ts';
import { stamped } from './exif-stamp.ts';
import { FrameSlot } from './frame-slot.ts';
import { jpegFrames } from './jpeg-frames.ts';

/** Noise, so that the compressed data has every byte. */
function picture(seed: number, progressive = false): Promise<Buffer> {
  const pixels = Buffer.from(Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * i * (seed + 7) * 2654435761) >>> 24));
  const image = sharp(pixels, { raw: { width: 64, height: 48, channels: 3 } });
  return image.jpeg({ quality: 95, progressive }).toBuffer();
}

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function framesIn(bytes: Buffer, size: number, counts = { broken: 0 }): Promise<Buffer[]> {
  const frames: Buffer[] = [];
  for await (const frame of jpegFrames(cut(bytes, size), counts)) frames.push(frame);
  return frames;
}

test('pictures are found whole, however the stream is cut and whatever lies between', async () => {
  const pictures = await Promise.all([picture(1), picture(2, true), picture(3)]);
  // A thumbnail is a whole JPEG within the head of another.
  const thumbnail = await picture(4);
  const app = Buffer.concat([Buffer.from([0xff, 0xe2, 0, 0]), thumbnail]);
  app.writeUInt16BE(thumbnail.length + 2, 2);
  const withThumbnail = Buffer.concat([pictures[0]!.subarray(0, 2), app, pictures[0]!.subarray(2)]);
  const between = Buffer.from('\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n');
  const all = [...pictures, withThumbnail];
  const stream = Buffer.concat(all.flatMap((one) => [between, one]));
  for (const size of [1, 2, 3, 7, 100, 4096, stream.length]) {
    const frames = await framesIn(stream, size);
    assert.deepEqual(
      frames.map((frame, i) => frame.equals(all[i]!)),
      [true, true, true, true],
      `pieces of ${size}`,
    );
  }
});

test('a picture that is cut off is left out and counted, and the next is whole', async () => {
  const [a, b] = await Promise.all([picture(1), picture(2)]);
  for (const size of [5, 100_000]) {
    const counts = { broken: 0 };
    const frames = await framesIn(Buffer.concat([a.subarray(0, a.length / 2), b, a.subarray(0, 300)]), size, counts);
    assert.deepEqual([frames.length, counts.broken], [1, 2]);
    assert.ok(frames[0]?.equals(b));
  }
  // Cut off in its head, where the length of a segment leads into the next picture.
  for (const cut of [100, 200, 400]) {
    const counts = { broken: 0 };
    const frames = await framesIn(Buffer.concat([a.subarray(0, cut), b, a, b]), 1000, counts);
    assert.ok(frames.length >= 2 && counts.broken >= 1, `${frames.length} frames after a cut at ${cut}`);
    for (const frame of frames) assert.ok(frame.equals(a) || frame.equals(b));
  }
  assert.deepEqual(await framesIn(Buffer.from('no picture at all'), 4), []);
});

test('time, camera and number are in the picture, as ExifTool and our own reader read them', async (t) => {
  const capturedAtMs = Date.UTC(2026, 10, 26, 19, 30, 15, 123);
  const jpeg = stamped(await picture(1), { capturedAtMs, camera: 'gate', sequence: 42 });
  const { exif } = await sharp(jpeg).metadata();
  assert.deepEqual(cameraFactsOf(exif), { capturedAtMs, camera: 'gate' });
  assert.equal(stamped(jpeg, { capturedAtMs: 0, camera: 'other', sequence: 1 }), jpeg, 'a camera’s own EXIF stays');
  const { error } = spawnSync('exiftool', ['-ver']);
  if (error) return t.diagnostic('ExifTool is not here');
  await inTemporaryFolder(async (folder) => {
    const file = join(folder, 'a.jpg');
    writeFileSync(file, jpeg);
    const tags = ['-SubSecDateTimeOriginal', '-Model', '-ImageNumber', '-Warning', '-ImageWidth'];
    const { stdout } = spawnSync('exiftool', ['-validate', '-warning', '-j', ...tags, file], { encoding: 'utf8' });
    const [read] = JSON.parse(stdout) as [Record<string, unknown>];
    assert.equal(read.SubSecDateTimeOriginal, '2026:11:26 19:30:15.123+00:00');
    assert.deepEqual([read.Model, read.ImageNumber, read.ImageWidth], ['gate', 42, 64]);
  });
});

test('of two frames that wait the newer one stays, and the other is counted', async () => {
  const slot = new FrameSlot<number>();
  const first = slot.take();
  slot.offer(1);
  assert.equal(await first, 1);
  for (const frame of [2, 3, 4]) slot.offer(frame);
  assert.deepEqual([await slot.take(), slot.dropped], [4, 2]);
  slot.offer(5);
  slot.close();
  assert.deepEqual([await slot.take(), await slot.take()], [5, undefined]);
});

test('neither what is shown of an address nor what others say of it holds a credential', () => {
  const address = 'rtsp://admin:p%40ss%2Fword@10.0.0.7:554/live?token=abc123&x=1';
  const shown = withoutCredentials(address);
  assert.equal(shown, 'rtsp://10.0.0.7:554/live?token=…&x=…');
  const camera = { name: 'a', kind: 'rtsp', address, shown, isLive: true } as const;
  for (const said of [
    `${address}: refused`,
    'user admin with p@ss/word',
    'at rtsp://admin:p%40ss%2Fword@10.0.0.7',
    '?token=abc123&x=1',
  ]) {
    const clean = withoutSecrets(said, camera);
    assert.doesNotMatch(clean, /admin|p@ss|p%40ss|abc123/, clean);
  }
});

test('the number of a camera of this machine is no secret that is looked for in other words', async () => {
  const [camera] = await cameraSpecs(['usb:9'], '/');
  assert.ok(camera);
  assert.equal(withoutSecrets('/dev/video9: No such file', camera), '/dev/video9: No such file');
});

test('an empty address is refused, and is not the current folder', async () => {
  for (const spec of ['', ' ']) await assert.rejects(cameraSpecs([spec], '/'), /empty address/);
});
