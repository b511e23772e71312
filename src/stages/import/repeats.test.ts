import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import { Reckoning } from '../../formats/reckoning.ts';
import { withoutRepeats } from './repeats.ts';

const region = (rest: Partial<ImportedRegion> = {}): ImportedRegion => ({
  box: [1, 2, 4, 6],
  unit: 'pixels',
  score: null,
  labels: [{ className: 'cat', confidence: null, origin: null, task: null }],
  mask: null,
  polygons: null,
  keypoints: null,
  crowd: false,
  ...rest,
});

// Ultralytics (data/utils.py `verify_image_label`) drops rows of a label file that are equal, with a warning.
it('keeps an object that is said twice once, and tells; what differs in anything stays', () => {
  const entry: ImportedImage = {
    file: 'a.jpg',
    width: null,
    height: null,
    labels: [],
    regions: [],
    where: 'a',
    split: null,
  };
  const [dog] = [{ className: 'dog', confidence: null, origin: null, task: null }];
  const different = [
    region(),
    region({ box: [1, 2, 4, 7] }),
    region({ labels: [dog] }),
    region({ keypoints: [[1, 2, 2]] }),
    region({ details: { difficult: true } }),
    region({ labels: [{ className: 'cat', confidence: null, origin: null, task: null, annotator: 'ann' }] }),
  ];
  const reckoning = new Reckoning();
  assert.deepEqual(withoutRepeats(entry, [...different, region({ where: 'a:7' })], reckoning), different);
  assert.deepEqual(
    reckoning.report().problems.map(({ reason, examples }) => [reason, examples[0].where]),
    [['object-twice', 'a:7']],
  );
  const own = [region(), region()];
  assert.deepEqual(withoutRepeats({ ...entry, ownExport: true }, own, reckoning), own);
});
