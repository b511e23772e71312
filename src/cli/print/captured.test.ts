import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CaptureResult } from '../../stages/capture/capture.ts';
import { createOutput } from '../output.ts';
import { printCaptured } from './captured.ts';

type Camera = CaptureResult['cameras'][number];

const GATE: Camera = {
  name: 'gate',
  source: 'rtsp://10.0.0.7/stream',
  state: 'ended',
  frames: 1200,
  written: 3,
  bytesWritten: 30_000,
  dropped: 1,
  unchanged: 1196,
  broken: 0,
  reconnects: 2,
  lastFrameAtMs: 5,
  lastError: null,
};
const YARD: Camera = {
  ...GATE,
  name: 'yard',
  source: 'lavfi:nonsense',
  frames: 0,
  written: 0,
  bytesWritten: 0,
  dropped: 0,
  unchanged: 0,
  reconnects: 1,
  lastFrameAtMs: null,
  lastError: 'Invalid argument',
};

function printed(result: Partial<CaptureResult>): string {
  const lines: string[] = [];
  const stdout = { isTTY: false, columns: 200, write: (text: string) => lines.push(text) };
  printCaptured(createOutput({ json: false, quiet: false }, stdout, stdout), {
    to: '/frames',
    cameras: [GATE, YARD],
    deleted: 0,
    held: 0,
    interrupted: false,
    ...result,
  });
  return lines.join('');
}

test('of each camera, where its frames went; one that gave none is named with the reason', () => {
  const text = printed({});
  const gate =
    'gate (rtsp://10.0.0.7/stream): 3 of 1,200 frames written (30.0 kB), 1,196 unchanged, 1 dropped, 2 reconnects.';
  assert.ok(text.includes(gate), text);
  assert.ok(text.includes('yard (lavfi:nonsense): 0 of 0 frames written (0 B), 1 reconnect.'), text);
  assert.match(text, /yard gave no frame: Invalid argument/);
  assert.doesNotMatch(text, /gate gave no frame/);
});

test('cameras that were interrupted before their first frame are not blamed', () => {
  assert.doesNotMatch(printed({ interrupted: true }), /gave no frame/);
});
