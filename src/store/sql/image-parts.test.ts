import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inParts, type KeyRange } from './image-parts.ts';

/** Of writes that take this long for a range of all ids. */
async function partsOf(allMs: number) {
  const ranges: KeyRange[] = [];
  const waits: number[] = [];
  let longestMs = 0;
  let nowMs = 0;
  const number = (bytes: Uint8Array | null) => (bytes === null ? 2 ** 32 : Buffer.from(bytes).readUInt32BE());
  const write = async (range: KeyRange) => {
    ranges.push(range);
    const tookMs = ((number(range.to) - number(range.from)) / 2 ** 32) * allMs;
    longestMs = Math.max(longestMs, tookMs);
    nowMs += tookMs;
  };
  await inParts(write, {
    now: () => nowMs,
    pause: async (ms) => {
      waits.push(ms);
    },
  });
  return {
    ranges,
    waits,
    longestMs,
    ends: ranges.map(({ to }) => number(to)),
    starts: ranges.map(({ from }) => number(from)),
  };
}

test('ranges follow each other from the first id to the last', async () => {
  for (const allMs of [0, 1, 300, 60_000]) {
    const { starts, ends } = await partsOf(allMs);
    assert.equal(starts[0], 0);
    assert.equal(ends.at(-1), 2 ** 32);
    assert.deepEqual(starts.slice(1), ends.slice(0, -1));
  }
});

test('what is little takes few parts and no pause', async () => {
  const { ranges, waits } = await partsOf(20);
  assert.ok(ranges.length <= 3, String(ranges.length));
  assert.deepEqual(waits, []);
});

test('what is much keeps others waiting for a fifth of a second at a time, and pauses between', async () => {
  const { ranges, waits, longestMs } = await partsOf(12_000);
  assert.ok(longestMs < 201, String(longestMs));
  assert.ok(ranges.length >= 60 && ranges.length < 66, String(ranges.length));
  assert.equal(waits.length, ranges.length - 2, 'after all but the first, which was short, and the last');
});
