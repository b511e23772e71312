import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Box, draftOf, isBox } from './drag.ts';

const IMAGE = { width: 100, height: 80 };
const BOX: Box = [10, 20, 40, 60];

test('a box is drawn from any corner, moved within the image, and resized by any corner', () => {
  assert.deepEqual(draftOf({ kind: 'draw', from: { x: 30, y: 40 } }, { x: 5, y: 70 }, IMAGE), { box: [5, 40, 30, 70] });
  const move = { kind: 'move', from: { x: 15, y: 25 }, box: BOX } as const;
  assert.deepEqual(draftOf(move, { x: 20, y: 27 }, IMAGE), { box: [15, 22, 45, 62] });
  assert.deepEqual(draftOf(move, { x: 99, y: 79 }, IMAGE), { box: [70, 40, 100, 80] });
  const corners = [
    [
      [0, 1],
      [12, 22, 40, 60],
    ],
    [
      [2, 1],
      [10, 22, 12, 60],
    ],
    [
      [0, 3],
      [12, 20, 40, 22],
    ],
    [
      [2, 3],
      [10, 20, 12, 22],
    ],
  ] as const;
  for (const [corner, box] of corners) {
    assert.deepEqual(draftOf({ kind: 'resize', corner, box: BOX }, { x: 12, y: 22 }, IMAGE), { box }, String(corner));
  }
});

test('one keypoint is put elsewhere and seen there, the others stay', () => {
  const drag = {
    kind: 'keypoint',
    place: 1,
    keypoints: [
      [1, 2, 2],
      [0, 0, 0],
      [5, 6, 1],
    ],
  } as const;
  const keypoints = drag.keypoints.map(([x, y, seen]): [number, number, 0 | 1 | 2] => [x, y, seen]);
  assert.deepEqual(draftOf({ ...drag, keypoints }, { x: 30, y: 31 }, IMAGE), {
    keypoints: [
      [1, 2, 2],
      [30, 31, 2],
      [5, 6, 1],
    ],
  });
});

test('what is a few pixels large is a click', () => {
  assert.ok(isBox([0, 0, 3, 3]) && !isBox([0, 0, 2, 30]) && !isBox([5, 5, 5, 5]));
});
