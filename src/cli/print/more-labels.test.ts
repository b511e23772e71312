/** What is advised beside more labels. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moreLabelsText } from './more-labels.ts';

test('what a run has tried is not advised', () => {
  const curve = { goal: 0.9, more: null, moreInterval: null, limit: 0.8 };
  assert.match(moreLabelsText(curve) ?? '', /Other features: --search wide \(.*\), --fine-tune auto\.$/);
  assert.doesNotMatch(moreLabelsText(curve, { fineTune: true }) ?? '', /--fine-tune/);
  assert.match(
    moreLabelsText(curve, { search: true }) ?? '',
    /Other features: better embedders \(.*\), --fine-tune auto\.$/,
  );
});
