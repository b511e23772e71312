/** What the page says of a model is what its run recorded, of this version and of those before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reviewApi } from '../../test/fixtures/review-api.ts';

const CONFUSION = { truth: 'cat', predicted: 'dog', count: 3 };
const SCORES = { className: 'cat', precision: 1, recall: 0.7 };
const MEASURED = {
  measuredOn: 'audit',
  count: 10,
  curve: [{ threshold: 0, coverage: 1, accuracy: 0.7 }],
  classes: [{ ...SCORES, groundTruth: 10 }],
  learningCurve: null,
} as const;

test('the newest run of the task counts; runs of before have fewer figures, under another name', async (t) => {
  const { store, api } = await reviewApi(t, 0);
  const asked = async () => JSON.parse(await (await api.request('/api/quality?task=class')).text()).quality;
  const taught = async (stage: string, task: string, metrics: Record<string, unknown>) => {
    const run = { stage, settings: { task }, modelKey: null, seed: 0, threads: 1, versions: {} };
    await store.finishRun(await store.startRun(run), { status: 'done', counts: {}, metrics });
  };
  assert.equal(await asked(), null);

  await taught('teach train', 'class', {
    account: { ...MEASURED, classes: [{ ...SCORES, truths: 10 }], confusions: [CONFUSION] },
  });
  assert.deepEqual(await asked(), { ...MEASURED, reliability: [], confusions: [{ ...CONFUSION, examples: [] }] });

  const reliability = [{ count: 10, confidence: 0.75, accuracy: 0.7 }];
  const confusions = [{ ...CONFUSION, examples: ['a'.repeat(64)] }];
  await taught('teach rounds', 'class', { evaluation: { ...MEASURED, reliability, confusions, ece: 0.05 } });
  await taught('teach rounds', 'other', { evaluation: { ...MEASURED, count: 99, reliability, confusions } });
  await taught('discover', 'class', { clusters: 3 });
  assert.deepEqual(await asked(), { ...MEASURED, reliability, confusions });
});
