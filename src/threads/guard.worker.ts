/**
 * Ends its process when that takes too much memory, or when the process that started it is gone. It runs in a thread of
 * its own, so that it does so while the main thread is busy in native code.
 */
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { OUT_OF_MEMORY } from './limited-process.ts';

const LOOK_MS = 50;
const maxBytes = workerData as number;
const parent = process.ppid;

look();
setInterval(look, LOOK_MS);
parentPort?.postMessage('looking');

function look(): void {
  const tooMuch = process.memoryUsage.rss() > maxBytes;
  if (!tooMuch && process.ppid === parent) return;
  if (tooMuch) writeSync(1, OUT_OF_MEMORY);
  process.kill(process.pid, 'SIGKILL');
}
