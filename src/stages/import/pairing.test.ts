import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Box } from '../../core/boxes.ts';
import type { ImportedRegion } from '../../core/dataset.ts';
import { formatNamed } from '../../formats/table.ts';
import type { ShownRegion } from '../export/shown.ts';
import { paired } from './pairing.ts';
import type { PlannedEntry } from './plan.ts';

const A: Box = [10, 10, 40, 50];
const B: Box = [100, 10, 130, 50];

function given(box: Box, ...classes: string[]): ImportedRegion {
  const labels = classes.map((className) => ({ className, confidence: null, origin: null, task: null }));
  return { box, unit: 'pixels', score: null, labels, mask: null, polygons: null, keypoints: null, crowd: false };
}

function shown(id: string, box: Box, ...classes: string[]): ShownRegion {
  return { id, box, classes, task: 'objects', shapes: '' };
}

/** `r1: cat dog` for each pair, `new` for what the export did not show. */
function pairsOf(regions: readonly ImportedRegion[], before: readonly ShownRegion[]): string[] {
  const image = { width: 200, height: 100 } as PlannedEntry['image'];
  const entry = { file: 'a.jpg', where: '', width: null, height: null, labels: [], split: null, image, regions };
  return paired(entry, before, formatNamed('coco').keeps)
    .map(
      ({ given: { labels }, before: was }) =>
        `${was?.id ?? 'new'}: ${labels.map((label) => label.className).join(' ')}`,
    )
    .sort();
}

describe('regions of a file and of the export that it is a copy of', () => {
  const two = [shown('r1', A, 'cat'), shown('r2', A, 'dog')];
  const one = [shown('r1', A, 'cat', 'dog')];

  it('keeps two things in one box apart, and a region of two classes together', () => {
    const both = [given(A, 'cat'), given(A, 'dog')];
    assert.deepEqual(pairsOf(both, two), ['r1: cat', 'r2: dog']);
    assert.deepEqual(pairsOf(both, one), ['r1: cat dog']);
    const moved: Box = [14, 10, 44, 50];
    assert.deepEqual(pairsOf([given(moved, 'cat'), given(moved, 'dog')], two), ['r1: cat', 'r2: dog']);
    assert.deepEqual(pairsOf([given(moved, 'cat'), given(moved, 'dog')], one), ['r1: cat dog']);
  });

  it('takes a class that is another as that of the region that is left', () => {
    assert.deepEqual(pairsOf([given(A, 'cat'), given(A, 'fox')], two), ['r1: cat', 'r2: fox']);
    assert.deepEqual(pairsOf([given(A, 'cat'), given(A, 'fox')], [shown('r1', A, 'cat')]), ['r1: cat fox']);
    assert.deepEqual(pairsOf([given(A, 'dog')], two), ['r2: dog']);
  });

  it('leaves what is elsewhere new', () => {
    assert.deepEqual(pairsOf([given(A, 'cat'), given(B, 'dog')], two), ['new: dog', 'r1: cat']);
    assert.deepEqual(pairsOf([given(B, 'cat'), given(B, 'dog')], []), ['new: cat dog']);
  });
});
