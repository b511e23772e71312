import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accuracyText } from '../../core/label-accuracy.ts';
import type { AuditItem, AuditRecord, RunRecord } from '../../store/store.ts';
import { knownAccuracy } from './known-accuracy.ts';

const FIGURES = { accuracy: 0.9, interval: [0.8, 0.95], measuredOn: 'cross-validation', count: 40, picked: true };

function taught(startedAtMs: number, labels: object | null, task = 'class'): RunRecord {
  return {
    id: `${startedAtMs}`,
    stage: 'teach rounds',
    settings: { task },
    modelKey: null,
    seed: 0,
    threads: 1,
    versions: {},
    startedAtMs,
    endedAtMs: startedAtMs,
    status: 'done',
    counts: {},
    metrics: { accuracy: { newImages: null, labels } },
  };
}

/** All labels in one stratum, the first `right` of the answers yes. */
function audited(atMs: number, answered: number, right: number): { record: AuditRecord; items: AuditItem[] } {
  const design = {
    origin: null,
    population: 200,
    strata: [{ low: 0, high: 1, population: 200, drawn: answered }],
    classes: { a: [200] },
  };
  const items = Array.from(
    { length: answered },
    (_, i): AuditItem => ({
      itemId: `${i}`,
      imageId: `${i}`,
      className: 'a',
      origin: 'model',
      confidence: 0.9,
      stratum: 0,
      answer: { right: i < right, trueClass: null },
    }),
  );
  const record = { id: 1, task: 'class', atMs, seed: 0, design: JSON.stringify(design), items: answered, answered };
  return { record, items };
}

const storeOf = (runs: RunRecord[], audit?: ReturnType<typeof audited>) => ({
  runs: async () => runs,
  audits: async () => (audit ? [audit.record] : []),
  auditItems: async () => audit?.items ?? [],
});

test('one figure, of what was measured last', async () => {
  const cases: [string, ReturnType<typeof storeOf>, readonly [string, number] | null][] = [
    ['nothing', storeOf([]), null],
    ['teach gave no labels', storeOf([taught(1, null)]), null],
    ['teach of another task', storeOf([taught(1, FIGURES, 'parts')]), null],
    ['teach', storeOf([taught(1, FIGURES)]), ['cross-validation', 0.9]],
    ['an audit since', storeOf([taught(1, FIGURES)], audited(2, 20, 15)), ['audit', 0.75]],
    ['an audit before', storeOf([taught(3, FIGURES)], audited(2, 20, 15)), ['cross-validation', 0.9]],
    ['an audit with few answers', storeOf([taught(1, FIGURES)], audited(2, 9, 9)), ['cross-validation', 0.9]],
    ['an audit alone', storeOf([], audited(2, 20, 15)), ['audit', 0.75]],
  ];
  for (const [name, store, expected] of cases) {
    const known = await knownAccuracy(store, 'class');
    assert.deepEqual(known && [known.measuredOn, known.accuracy], expected, name);
  }
});

test('in words', async () => {
  const known = await knownAccuracy(storeOf([taught(1, { ...FIGURES, measuredBefore: true })]), 'class');
  assert.ok(known);
  assert.equal(
    accuracyText(known),
    "90.0 % (95 %: 80.0 % to 95.0 %), on 40 picked labels by cross-validation, measured before the audit's answers were learned from too",
  );
});
