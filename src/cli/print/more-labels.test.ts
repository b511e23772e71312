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

test('what so few labels do not tell is not said as if they did', () => {
  const curve = { goal: 0.9, more: null, limit: 0.88 };
  assert.match(
    moreLabelsText({ ...curve, moreInterval: null }) ?? '',
    /^90 % is out of reach .*: about 88 % if all were labelled\./,
  );
  assert.match(
    moreLabelsText({ ...curve, moreInterval: [14, null] }) ?? '',
    /^90 % is perhaps out of reach .*: about 88 % if all were labelled, though 14 more labels may be enough \(95 %\)\./,
  );
  assert.match(
    moreLabelsText({ ...curve, moreInterval: [0, null] }) ?? '',
    /, though these labels may be enough \(95 %\)\./,
  );
});
