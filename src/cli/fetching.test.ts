/** What is said of downloads: each file once when it begins, and now and then how far a long one is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchOptionsFor } from './fetching.ts';

test('files that come at once are told once each, and a long one every ten seconds', () => {
  const told: string[] = [];
  let now = 0;
  const { onProgress } = fetchOptionsFor({ note: (text) => void told.push(text) }, undefined, () => now);
  const come = (what: string, receivedBytes: number, totalBytes: number | null = 4_000_000) => {
    onProgress?.({ what, receivedBytes, totalBytes });
  };
  for (let second = 0; second < 25; second++) {
    now = 1000 * second;
    come('large.onnx', 100_000 * (second + 1));
    come('other.onnx', 1000 * (second + 1), null);
  }
  assert.deepEqual(told, [
    'Fetching large.onnx (4.0 MB)…',
    'Fetching other.onnx…',
    'Fetching large.onnx: 1.1 MB of 4.0 MB…',
    'Fetching other.onnx: 11.0 kB…',
    'Fetching large.onnx: 2.1 MB of 4.0 MB…',
    'Fetching other.onnx: 21.0 kB…',
  ]);
});

test('a file of the same name that comes later is another one', () => {
  const told: string[] = [];
  let now = 0;
  const { onProgress } = fetchOptionsFor({ note: (text) => void told.push(text) }, undefined, () => now);
  for (const totalBytes of [22, 30]) {
    for (const receivedBytes of [10, totalBytes]) onProgress?.({ what: 'config.json', receivedBytes, totalBytes });
    now += 100;
  }
  assert.deepEqual(told, ['Fetching config.json (22 B)…', 'Fetching config.json (30 B)…']);
});
