import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Box, Detections } from '../../core/boxes.ts';
import { mergeTiles, placed, type TileView } from './tiles.ts';

const IMAGE = { width: 1000, height: 500 };

type Seen = readonly [box: Box, score: number, label: number];

function detections(...found: readonly Seen[]): Detections {
  return {
    count: found.length,
    boxes: Float32Array.from(found.flatMap(([box]) => box)),
    scores: Float32Array.from(found, ([, score]) => score),
    classes: Int32Array.from(found, ([, , label]) => label),
  };
}

const whole = (...found: readonly Seen[]): TileView => ({
  tile: [0, 0, 1000, 500],
  detections: detections(...found),
});
const left = (...found: readonly Seen[]) => placed(detections(...found), 0, 0, { width: 600, height: 500 });
const right = (...found: readonly Seen[]) => placed(detections(...found), 400, 0, { width: 600, height: 500 });

function merged(...views: readonly TileView[]): string[] {
  const { count, boxes, classes } = mergeTiles(views, IMAGE);
  return Array.from({ length: count }, (_, i) => `${classes[i]}: ${[...boxes.subarray(4 * i, 4 * i + 4)].join(' ')}`);
}

test('boxes of a tile stand where they are in the image; the same thing seen twice is there once', () => {
  const seen = left([[420, 100, 500, 200], 0.6, 1]);
  const again = right([[21, 101, 101, 199], 0.8, 1]);
  assert.deepEqual(merged(whole(), seen, again), ['1: 421 101 501 199']);
  const other = right([[21, 101, 101, 199], 0.8, 2]);
  assert.deepEqual(merged(whole(), seen, other).sort(), ['1: 420 100 500 200', '2: 421 101 501 199'], 'two classes');
});

test('what a border inside the image cuts does not count; at the edge of the image it does', () => {
  assert.deepEqual(merged(whole(), left([[550, 0, 600, 100], 0.9, 1])), []);
  assert.deepEqual(merged(whole(), right([[550, 0, 600, 100], 0.9, 1])), ['1: 950 0 1000 100']);
});

test('a part of what another tile shows whole goes, a small thing on a large one in the same tile stays', () => {
  const car = whole([[100, 100, 500, 400], 0.9, 1]);
  assert.deepEqual(merged(car, left([[110, 110, 250, 300], 0.5, 1])), ['1: 100 100 500 400']);
  const both = whole([[100, 100, 500, 400], 0.9, 1], [[110, 110, 250, 300], 0.5, 1]);
  assert.equal(merged(both, left()).length, 2);
  assert.equal(merged(whole([[100, 100, 500, 400], 0.9, 1], [[105, 100, 500, 400], 0.5, 1]), left()).length, 1);
});

test('an image with no tiles is as the model saw it', () => {
  const twice = whole([[100, 100, 500, 400], 0.9, 1], [[105, 100, 500, 400], 0.5, 1]);
  assert.deepEqual(mergeTiles([twice], IMAGE), twice.detections);
});
