import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Box } from '../../core/boxes.ts';
import type { ImportedImage, ImportedRegion } from '../../core/dataset.ts';
import { Reckoning } from '../../formats/reckoning.ts';
import { type DisagreementRule, mergedVotes, orderedVotes } from './votes.ts';

const label = (className: string, annotator?: string) => ({
  className,
  annotator,
  confidence: null,
  origin: null,
  task: null,
});

function region(box: Box, className: string, annotator?: string): ImportedRegion {
  const shapes = { mask: null, polygons: null, keypoints: null, crowd: false };
  return { box, unit: 'pixels', score: null, labels: [label(className, annotator)], ...shapes };
}

function votes(regions: readonly ImportedRegion[], rule: DisagreementRule = 'newest') {
  const reckoning = new Reckoning();
  const entry: ImportedImage = { file: 'a', width: null, height: null, labels: [], regions, where: 'x:1', split: null };
  const merged = mergedVotes(entry, { rule, reckoning });
  return {
    merged: merged.map(({ box, labels, details }) => [
      box,
      labels.map(({ className, annotator }) => `${className} ${annotator}`),
      details?.attributes?.disagreement,
    ]),
    reasons: reckoning.report().problems.map(({ reason, count }) => `${reason} ${count}`),
  };
}

it('makes boxes of two annotators of one thing one region with two votes', () => {
  const { merged, reasons } = votes([region([0, 0, 10, 10], 'cat', '1'), region([1, 0, 11, 10], 'cat', '2')]);
  assert.deepEqual(merged, [[[1, 0, 11, 10], ['cat 1', 'cat 2'], undefined]]);
  assert.deepEqual(reasons, ['votes-merged 1']);
});

it('leaves boxes of one annotator, of nobody, and of other places', () => {
  const apart = [
    region([0, 0, 10, 10], 'cat', '1'),
    region([1, 0, 11, 10], 'cat', '1'),
    region([50, 0, 60, 10], 'cat', '2'),
  ];
  assert.equal(votes(apart).merged.length, 3);
  assert.equal(votes([region([0, 0, 10, 10], 'cat'), region([0, 0, 10, 10], 'cat')]).merged.length, 2);
  assert.equal(votes([region([0, 0, 10, 10], 'cat', '1'), region([4, 0, 14, 10], 'dog', '2')]).merged.length, 2);
});

it('lets a rule decide where they disagree, and keeps what did not win', () => {
  const three = [
    region([0, 0, 10, 10], 'cat', '1'),
    region([0, 0, 10, 12], 'cat', '2'),
    region([0, 0, 10, 11], 'dog', '3'),
  ];
  assert.deepEqual(votes(three).merged, [[[0, 0, 10, 11], ['dog 3'], 'cat (1), cat (2)']]);
  assert.deepEqual(votes(three, 'majority').merged, [[[0, 0, 10, 11], ['cat 1', 'cat 2'], 'dog (3)']]);
  const review = votes(three, 'review');
  assert.deepEqual(review.merged, [[[0, 0, 10, 11], ['cat 1', 'cat 2', 'dog 3'], undefined]]);
  assert.deepEqual(review.reasons, ['votes-merged 2', 'annotators-disagree 1']);
});

it('puts the class of the majority last, where it holds', () => {
  const labels = [label('cat', '1'), label('cat', '2'), label('dog', '3')];
  const entry: ImportedImage = { file: 'a', width: null, height: null, labels, regions: [], where: 'x:1', split: null };
  const order = (rule: DisagreementRule) =>
    orderedVotes(entry, { rule, reckoning: new Reckoning() }).map(({ className }) => className);
  assert.deepEqual(order('newest'), ['cat', 'cat', 'dog']);
  assert.deepEqual(order('majority'), ['dog', 'cat', 'cat']);
});
