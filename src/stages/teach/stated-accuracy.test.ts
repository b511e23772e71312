/** Which known items each figure rests on; how it is computed from them is tested at `pileAccuracy`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newSharedMatrix } from '../../math/matrix.ts';
import type { Annotation } from './said.ts';
import { type AccuracyQuestion, measuredBefore, taughtAccuracy } from './stated-accuracy.ts';

const CLASSES = ['a', 'b'];

/** The model says class `a` of every item, with these confidences. */
function question(
  items: readonly { readonly confidence: number; readonly said: Annotation; readonly audit?: 'random' | 'checked' }[],
  more: Partial<AccuracyQuestion> = {},
): AccuracyQuestion {
  const ids = items.map((_, i) => `${i}`);
  const probabilities = newSharedMatrix(items.length, CLASSES.length);
  for (const [row, { confidence }] of items.entries()) probabilities.data.set([confidence, 1 - confidence], row * 2);
  const labelled = items.flatMap(({ said, audit }, row) => (said.kind === 'class' && !audit ? [row] : []));
  const classOf = (row: number) => {
    const { said } = items[row];
    return CLASSES.indexOf(said.kind === 'class' ? said.className : '');
  };
  return {
    items: {
      ids,
      annotations: items.map(({ said }) => said),
      audit: new Set(ids.filter((_, i) => items[i].audit)),
      randomAudit: new Set(ids.filter((_, i) => items[i].audit === 'random')),
    },
    labelledTask: {
      classNames: CLASSES,
      problem: { labelled: Int32Array.from(labelled), labels: Int32Array.from(labelled, classOf) },
    },
    probabilities,
    threshold: 0.8,
    labelRest: true,
    picked: false,
    ...more,
  };
}

const is = (className: string): Annotation => ({ kind: 'class', className, origin: 'human' });
const NOTHING: Annotation = { kind: 'nothing' };
const many = <T>(count: number, item: T) => Array<T>(count).fill(item);

const OPEN = many(40, { confidence: 0.9, said: NOTHING });
const TAUGHT = many(20, { confidence: 0.85, said: is('a') });

test('from the labels, where nothing was audited; picked ones are told', () => {
  const { newImages, labels } = taughtAccuracy(question([...OPEN, ...TAUGHT]));
  assert.deepEqual([newImages?.measuredOn, newImages?.count, newImages?.picked], ['cross-validation', 20, false]);
  assert.deepEqual(
    [labels?.measuredOn, labels?.count, labels?.machine, labels?.people],
    ['cross-validation', 20, 40, 20],
  );
  const picked = taughtAccuracy(question([...OPEN, ...TAUGHT], { picked: true }));
  assert.equal(picked.newImages?.picked, true);
  assert.ok((picked.newImages?.interval[0] ?? 1) < (newImages?.interval[0] ?? 0));
});

test('where each class has one example, nothing is stated but what an audit measured', () => {
  const lone = (items: Parameters<typeof question>[0]) => {
    const asked = question(items);
    return taughtAccuracy({ ...asked, labelledTask: { ...asked.labelledTask, isMeasurable: false } });
  };
  assert.deepEqual(lone([...OPEN, ...many(2, { confidence: 0.85, said: is('a') })]), { newImages: null, labels: null });
  const audited = many(12, { confidence: 0.85, said: is('a'), audit: 'random' as const });
  const { newImages, labels } = lone([...OPEN, ...audited]);
  assert.deepEqual([newImages?.count, labels?.count, labels?.measuredOn], [12, 12, 'audit']);
});

test('whose the other labels are is counted as the record has them', () => {
  const said: readonly Annotation[] = [
    { kind: 'class', className: 'b', origin: 'imported' },
    { kind: 'contradiction', classNames: ['a', 'b'] },
    { kind: 'none' },
  ];
  const others = said.map((one) => ({ confidence: 0.5, said: one }));
  const { labels } = taughtAccuracy(question([...OPEN, ...TAUGHT, ...others]));
  assert.deepEqual([labels?.machine, labels?.people, labels?.imported], [40, 21, 1]);
});

test('labelled items that look unlike their class count as they would without their label', () => {
  const asked = question([...OPEN, ...TAUGHT], { knownHeldOut: new Float64Array(20).fill(0.5) });
  const { newImages, labels } = taughtAccuracy(asked);
  assert.equal(newImages?.count, 20);
  assert.equal(labels?.count, 0, 'none of them would have got a label');
  assert.ok(labels && labels.interval[1] - labels.interval[0] > 0.2, 'confidences alone say little');
});

test('items that look like nothing taught: labels drawn by chance leave both answers in the interval, picked ones do not', () => {
  const known = new Float64Array(60).fill(1);
  known.fill(0.6 / 0.9, 0, 20);
  // As they are scaled.
  const items = [
    ...many(20, { confidence: 0.6, said: NOTHING }),
    ...many(20, { confidence: 0.9, said: NOTHING }),
    ...TAUGHT,
  ];
  const of = (more: Partial<AccuracyQuestion>) => taughtAccuracy(question(items, more)).newImages;
  const [doubted, trusted] = [of({}), taughtAccuracy(question([...OPEN, ...TAUGHT])).newImages];
  const both = of({ known });
  assert.ok(doubted && trusted && both);
  assert.deepEqual(both.interval, [doubted.interval[0], trusted.interval[1]]);
  assert.ok(Math.abs(both.accuracy - (doubted.accuracy + trusted.accuracy) / 2) < 1e-6);
  assert.deepEqual(of({ known, picked: true }), of({ picked: true }));
});

test('ten answers of the random audit or more measure both; fewer measure nothing', () => {
  const audited = (count: number) =>
    taughtAccuracy(
      question([...OPEN, ...TAUGHT, ...many(count, { confidence: 0.9, said: is('b'), audit: 'random' as const })]),
    );
  const { newImages, labels } = audited(10);
  assert.deepEqual([newImages?.measuredOn, newImages?.count, newImages?.picked], ['audit', 10, false]);
  assert.deepEqual([labels?.measuredOn, labels?.count], ['audit', 10]);
  assert.ok((newImages?.accuracy ?? 1) < 0.5, 'all of them are wrong');
  assert.equal(audited(9).newImages?.measuredOn, 'cross-validation');
});

test('labels that an audit checked measure labels, and not new images; what was refused is wrong', () => {
  const checked = [
    ...many(20, { confidence: 0.9, said: is('a'), audit: 'checked' as const }),
    ...many(5, { confidence: 0.9, said: { kind: 'not', classNames: ['a'] } as Annotation, audit: 'checked' as const }),
    ...many(5, { confidence: 0.9, said: { kind: 'none' } as Annotation, audit: 'checked' as const }),
  ];
  const { newImages, labels } = taughtAccuracy(question([...OPEN, ...TAUGHT, ...checked], { picked: true }));
  assert.deepEqual([newImages?.measuredOn, newImages?.count], ['cross-validation', 20]);
  assert.deepEqual([labels?.measuredOn, labels?.count, labels?.picked], ['audit', 30, false]);
  assert.ok(labels && labels.accuracy < 0.85, `${labels?.accuracy}`);
});

test('a figure of before says so, and is of the labels of now', () => {
  const { newImages, labels } = measuredBefore(taughtAccuracy(question([...OPEN, ...TAUGHT])), 7);
  assert.deepEqual([newImages?.measuredBefore, labels?.measuredBefore, labels?.machine], [true, true, 7]);
});
