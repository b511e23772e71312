import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accuracySentences } from '../../core/label-accuracy.ts';
import type { Origin, Task } from '../../core/labels.ts';
import type { AuditItem, AuditRecord, LabelCount, RunRecord } from '../../store/store.ts';
import { accuracyRows } from './accuracy-text.ts';
import { estimateAudit } from './estimate.ts';
import { knownAccuracy } from './known-accuracy.ts';
import { lastAudit } from './last.ts';

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
function audited(
  atMs: number,
  answered: number,
  right: number,
  { id = 1, population = 200 } = {},
): { record: AuditRecord; items: AuditItem[] } {
  const design = {
    origin: null,
    population,
    strata: [{ low: 0, high: 1, population, drawn: answered }],
    classes: { a: [population] },
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
  const record = { id, task: 'class', atMs, seed: 0, design: JSON.stringify(design), items: answered, answered };
  return { record, items };
}

const CLASS: Task = { name: 'class', rule: 'single', items: 'images' };

/** Labels of one class of the task `class`, by origin and run. */
type Labels = readonly Pick<LabelCount, 'origin' | 'runId' | 'images'>[];

function storeOf(runs: RunRecord[], labels: Labels, ...audits: ReturnType<typeof audited>[]) {
  const origins: Partial<Record<Origin, number>> = {};
  for (const { origin, images } of labels) origins[origin] = (origins[origin] ?? 0) + images;
  const count = labels.reduce((sum, { images }) => sum + images, 0);
  const counts = [{ task: 'class', items: 'images' as const, count, meanConfidence: 1, origins }];
  const bare = { synonyms: [], parent: null, description: null, synset: null };
  return {
    runs: async ({ stage }: { stage?: string } = {}) =>
      runs.filter((run) => stage === undefined || run.stage === stage),
    audits: async () => audits.map(({ record }) => record),
    auditItems: async (id: number) => audits.find(({ record }) => record.id === id)?.items ?? [],
    tasks: async () => [CLASS],
    classes: async () => (count === 0 ? [] : [{ name: 'a', ...bare, counts }]),
    labelCounts: async () => labels.map((one) => ({ className: 'a', task: 'class', regions: 0, ...one })),
  };
}

const by = (origin: Origin, runId: string | null, images = 50) => ({ origin, runId, images });
/** A run that labels, of no interest but for its start. */
const run = (startedAtMs: number, stage = 'match'): RunRecord => ({ ...taught(startedAtMs, null), stage, metrics: {} });

type Expected = readonly [measuredOn: string, accuracy: number, measured: number];

test('one figure, the newest that was measured of labels that stand', async () => {
  const early = audited(2, 20, 15);
  const cases: readonly (readonly [string, ReturnType<typeof storeOf>, Expected | null])[] = [
    ['nothing', storeOf([], [by('model', null)]), null],
    ['teach gave no labels', storeOf([taught(1, null)], [by('cluster', null)]), null],
    ['teach of another task', storeOf([taught(1, FIGURES, 'parts')], [by('model', '1')]), null],
    ['teach', storeOf([taught(1, FIGURES)], [by('model', '1')]), ['cross-validation', 0.9, 50]],
    ['an audit since', storeOf([taught(1, FIGURES)], [by('model', '1')], early), ['audit', 0.75, 50]],
    ['an audit before', storeOf([taught(3, FIGURES)], [by('model', '3')], early), ['cross-validation', 0.9, 50]],
    ['few answers', storeOf([taught(1, FIGURES)], [by('model', '1')], audited(2, 9, 9)), ['cross-validation', 0.9, 50]],
    ['an audit alone', storeOf([run(1)], [by('reference', '1')], early), ['audit', 0.75, 50]],
    ['labels of another run since', storeOf([run(1), run(3)], [by('reference', '3')], early), null],
    [
      'some labels of another run since',
      storeOf([run(1), run(3)], [by('reference', '1', 30), by('reference', '3', 20)], early),
      ['audit', 0.75, 30],
    ],
    ['labels that teach gave are gone', storeOf([taught(1, FIGURES)], [by('reference', '1')]), null],
    [
      'an audit that nobody answered since',
      storeOf([], [by('model', null)], audited(4, 0, 0, { id: 2 }), early),
      ['audit', 0.75, 50],
    ],
  ];
  for (const [name, store, expected] of cases) {
    const [known] = (await knownAccuracy(store, 'class'))?.figures ?? [];
    assert.deepEqual(known ? [known.measuredOn, known.accuracy, known.labels.measured] : null, expected, name);
  }
});

test('labels are counted by run only where a run since the audit may have given some', async () => {
  const audit = audited(2, 20, 15);
  const labels = [by('reference', '1', 30), by('imported', null, 7)];
  const measured = async (runs: RunRecord[]) => {
    let counted = 0;
    const store = storeOf(runs, labels, audit);
    const labelCounts = () => {
      counted++;
      return store.labelCounts();
    };
    const [known] = (await knownAccuracy({ ...store, labelCounts }, 'class'))?.figures ?? [];
    return [known?.labels.measured, counted];
  };
  assert.deepEqual(await measured([run(1)]), [30, 0]);
  assert.deepEqual(await measured([run(1), run(3, 'embed')]), [30, 0]);
  assert.deepEqual(await measured([run(1), run(3, 'discover')]), [30, 1]);
});

test('what an audit says of the labels that nobody answered: the right ones in all are those and the answered ones', async () => {
  for (const right of [20, 14, 0]) {
    const audit = audited(2, 20, right, { population: 37 });
    const [known] = (await knownAccuracy(storeOf([run(1)], [by('reference', '1', 17)], audit), 'class'))?.figures ?? [];
    const all = estimateAudit(audit.record, audit.items).accuracy;
    assert.ok(known && all);
    for (const [rest, whole] of [
      [known.accuracy, all.estimate],
      [known.interval[0], all.low],
      [known.interval[1], all.high],
    ]) {
      // No label is less than wrong, and none more than right.
      const possible = Math.min(right + 17, Math.max(right, whole * 37));
      assert.ok(Math.abs(right + rest * 17 - possible) < 1e-9, `${right}: ${rest} of the rest, ${whole} of all`);
    }
  }
});

test('a figure of labels that were all given anew is told of, and not stated', async () => {
  const store = storeOf([run(1), run(3)], [by('reference', '3')], audited(2, 20, 15));
  const known = await knownAccuracy(store, 'class');
  assert.deepEqual(known?.outdated, { measuredBy: 'audit', atMs: 2 });
  assert.match(accuracyRows(known).join(), /not known: those that were measured on 1970-01-01 were given anew since/);
  const audit = await lastAudit(store, 'class');
  assert.deepEqual([audit.stands, audit.accuracy, audit.known, audit.right], [false, null, null, 15]);
  assert.equal(audit.classes[0]?.accuracy, null);
});

test('an audit after which there was a training gives the figure of the training', async () => {
  const store = storeOf([taught(3, FIGURES)], [by('model', '3')], audited(2, 20, 15));
  const audit = await lastAudit(store, 'class');
  assert.deepEqual([audit.stands, audit.accuracy, audit.known?.accuracy], [false, null, 0.9]);
  const newer = await lastAudit(storeOf([taught(1, FIGURES)], [by('model', '1')], audited(2, 20, 15)), 'class');
  assert.deepEqual([newer.stands, newer.accuracy?.estimate, newer.known?.accuracy], [true, 0.75, 0.75]);
});

test('people, imports and machines are told apart; an audit of imports is of these', async () => {
  const labels = [by('human', null, 7), by('imported', null, 5), by('model', '1', 40)];
  const imports = audited(2, 20, 10);
  const design = { ...JSON.parse(imports.record.design), origin: 'imported' };
  const ofImports = { ...imports, record: { ...imports.record, design: JSON.stringify(design) } };
  const known = await knownAccuracy(storeOf([taught(1, FIGURES)], labels, ofImports), 'class');
  assert.deepEqual(
    known?.figures.map(({ whose, accuracy, labels: of }) => [whose, accuracy, of]),
    [
      ['machines', 0.9, { measured: 40, machine: 40, imported: 5, people: 7 }],
      ['imports', 0.5, { measured: 5, machine: 40, imported: 5, people: 7 }],
    ],
  );
});

test('in words', async () => {
  const labels = [by('model', '1', 40), by('human', null, 7)];
  const store = storeOf([taught(1, { ...FIGURES, measuredBefore: true })], labels);
  const [known] = (await knownAccuracy(store, 'class'))?.figures ?? [];
  assert.ok(known);
  assert.deepEqual(accuracySentences(known), [
    "Accuracy of 40 labels by machines (task class): 90.0 % (95 %: 80.0 % to 95.0 %), on 40 picked labels by cross-validation, measured before the audit's answers were learned from too; 7 by people are apart.",
  ]);
});
