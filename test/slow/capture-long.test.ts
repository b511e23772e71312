/**
 * Ten minutes of a camera at 10 frames a second: no frame is lost that the rule wants, and memory stays flat.
 * LABELSMITH_CAPTURE_MINUTES makes it shorter or longer.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import sharp from 'sharp';
import { scratch, startCli } from '../cli.ts';
import { startHttpCamera } from '../fixtures/http-camera.ts';

const MINUTES = Number(process.env.LABELSMITH_CAPTURE_MINUTES ?? 10);
const FRAMES_PER_SECOND = 10;
const SAMPLES = 60;

test(`capture at ${FRAMES_PER_SECOND} frames a second for ${MINUTES} minutes`, async (t) => {
  const dir = await scratch(t);
  const camera = await startHttpCamera(1000 / FRAMES_PER_SECOND);
  t.after(() => camera.close());
  camera.size = [640, 480];
  const seconds = Math.round(MINUTES * 60);
  const args = ['capture', `gate=${camera.url}/mjpg`, '--to', 'frames', '--every', '0.001s', '--for', `${seconds}s`];
  const child = startCli([...args, '--json'], { cwd: dir });
  const residentBytes: number[] = [];
  const sampling = setInterval(() => residentBytes.push(residentOf(child.pid ?? 0)), (seconds * 1000) / SAMPLES);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')]);
  clearInterval(sampling);
  assert.equal(code, 0, stderr);
  const { cameras } = JSON.parse(stdout) as { cameras: readonly Record<string, number>[] };
  const [{ frames = 0, written = 0, dropped, broken, reconnects } = {}] = cameras;
  t.diagnostic(`${camera.sent} frames sent, ${frames} came, ${written} written`);
  const third = Math.floor(residentBytes.length / 3);
  const [early, late] = [residentBytes.slice(third, 2 * third), residentBytes.slice(2 * third)].map(median);
  t.diagnostic(`memory: ${mib(early)} MiB in the second third, ${mib(late)} MiB in the last`);
  assert.deepEqual([dropped, broken, reconnects], [0, 0, 0]);
  assert.equal(written, frames);
  // On a loaded machine some are on their way when time is up.
  assert.ok(camera.sent - frames <= 10 * FRAMES_PER_SECOND, `${camera.sent - frames} frames were lost`);
  // A loaded machine makes the camera of the tests itself slow.
  assert.ok(camera.sent >= seconds * FRAMES_PER_SECOND * 0.8, `only ${camera.sent} frames were sent`);
  const files = readdirSync(join(dir, 'frames'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.jpg'),
  );
  const numbers = files.map((name) => Number(/-(\d{6,})\.jpg$/.exec(name)?.[1])).sort((a, b) => a - b);
  assert.deepEqual(
    numbers,
    Array.from({ length: written }, (_, i) => i + 1),
  );
  for (const name of files.filter((_, i) => i % 100 === 0)) await sharp(join(dir, 'frames', name)).stats();

  assert.ok(late! <= early! * 1.1 + 8 * 2 ** 20, `memory grew from ${mib(early)} to ${mib(late)} MiB`);
});

function residentOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function mib(bytes = 0): number {
  return Math.round(bytes / 2 ** 20);
}
