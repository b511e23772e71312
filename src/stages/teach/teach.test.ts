import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from '../../../test/properties.ts';
import { type Label, NONE_OF_THESE } from '../../core/labels.ts';
import { seededRandom } from '../../core/random.ts';
import { LabelsmithError } from '../../errors.ts';
import { argMaxRows } from '../../math/calibration.ts';
import { headLogits } from '../../math/heads/head.ts';
import { gatherRows, matrix, newSharedMatrix, normalisedRows } from '../../math/matrix.ts';
import { InferencePool } from '../../onnx/pool.ts';
import type { SpaceMean } from '../embed/recipe.ts';
import { backboneNames, simplestGood } from './backbones.ts';
import { groupFolds } from './folds.ts';
import { hasAuditAnswers, labelledTaskOf, type TaskItems } from './items.ts';
import { withGroupAnswers } from './label-rest.ts';
import { learnRounds } from './learn-rounds.ts';
import { aligned, METHOD_NAMES } from './methods.ts';
import { labelledSet, type Problem, subsample, withAugmentations, withLabels } from './problem.ts';
import { type Annotation, annotationOf } from './said.ts';
import { selectItems } from './select.ts';

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 2 });
});
after(() => pool.close());

test('folds keep groups whole and spread every class, whatever the groups', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(3), fc.nat(30)), { minLength: 10, maxLength: 80 }),
      fc.integer({ min: 2, max: 5 }),
      (items, folds) => {
        const labels = items.map(([label]) => label);
        const groups = items.map(([, group]) => group);
        const fold = groupFolds({ labels, groups }, folds, 1);
        for (const [i, group] of groups.entries()) assert.equal(fold[i], fold[groups.indexOf(group)]);
        assert.deepEqual(fold, groupFolds({ labels, groups }, folds, 1));
      },
    ),
  );
  const labels = Array.from({ length: 60 }, (_, i) => i % 3);
  const fold = groupFolds({ labels, groups: labels.map((_, i) => i) }, 5, 0);
  for (let f = 0; f < 5; f++) {
    for (let c = 0; c < 3; c++) assert.equal(labels.filter((label, i) => label === c && fold[i] === f).length, 4);
  }
});

let sequence = 0;
function label(className: string, more: Partial<Label> = {}): Label {
  sequence++;
  return {
    itemId: 'a',
    task: 'class',
    className,
    present: true,
    origin: 'human',
    confidence: 1,
    runId: 'r1',
    sequence,
    ...more,
  };
}

test('what people said of an item', () => {
  assert.deepEqual(annotationOf([]), { kind: 'nothing' });
  assert.deepEqual(annotationOf([label('cat', { origin: 'model' })]), { kind: 'nothing' });
  assert.deepEqual(annotationOf([label('cat')]), { kind: 'class', className: 'cat', origin: 'human' });
  const imported = label('dog', { origin: 'imported', runId: 'r2' });
  assert.deepEqual(annotationOf([label('cat'), imported]), { kind: 'class', className: 'cat', origin: 'human' });
  assert.deepEqual(annotationOf([label('cat'), label('dog')]), { kind: 'contradiction', classNames: ['dog', 'cat'] });
  // A later correction is no contradiction.
  assert.deepEqual(annotationOf([label('cat'), label('dog', { runId: 'r3' })]), {
    kind: 'class',
    className: 'dog',
    origin: 'human',
  });
  assert.deepEqual(annotationOf([label(NONE_OF_THESE)]), { kind: 'none' });
  assert.deepEqual(annotationOf([label('cat', { present: false })]), { kind: 'not', classNames: ['cat'] });
});

function itemsOf(
  annotations: readonly Annotation[],
  audit: readonly string[] = [],
  groups?: readonly string[],
): TaskItems {
  const ids = annotations.map((_, i) => String(i).padStart(64, '0'));
  const mean: SpaceMean = { count: 0, values: new Float32Array(2), key: '', subset: false };
  return {
    task: { name: 'class', rule: 'single', items: 'images' },
    recipe: { version: 1, items: 'images', model: 'm', modelKey: 'm@1', space: 's', blocks: [], margin: null },
    mean,
    ids,
    features: newSharedMatrix(annotations.length, 2),
    groups: groups ?? ids,
    annotations,
    audit: new Set(audit),
    randomAudit: new Set(audit),
    otherTasks: [],
  };
}

const is = (className: string): Annotation => ({ kind: 'class', className, origin: 'human' });

test('an audit that nobody answered yet adds nothing in the end', () => {
  const annotations = [is('a'), is('a'), is('b'), is('b'), is('b'), { kind: 'nothing' } as const];
  const adds = (...audit: readonly number[]) => {
    const items = itemsOf(
      annotations,
      audit.map((i) => String(i).padStart(64, '0')),
    );
    return hasAuditAnswers(items, labelledTaskOf(items));
  };
  assert.deepEqual([adds(), adds(5), adds(4), adds(4, 5)], [false, false, true, true]);
});

test('labels that nothing can be learned from are refused with what is wrong and what to do', () => {
  const refusal = (items: TaskItems, message: RegExp) =>
    assert.throws(
      () => labelledTaskOf(items),
      (error) => error instanceof LabelsmithError && message.test(error.message) && error.hint !== undefined,
    );
  refusal(itemsOf([{ kind: 'nothing' }]), /Nobody has labelled anything/);
  assert.throws(
    () => labelledTaskOf({ ...itemsOf([{ kind: 'nothing' }]), otherTasks: ['labels'] }),
    (error) =>
      error instanceof LabelsmithError &&
      /other tasks \(labels\).*export folders DIR --task labels/.test(error.hint ?? ''),
  );
  refusal(itemsOf([is('cat'), is('cat')]), /All 2 labels .* are of one class, "cat"/);
  refusal(itemsOf([{ kind: 'contradiction', classNames: ['a', 'b'] }]), /two classes at once/);
  const both = itemsOf([is('cat'), is('dog')]);
  refusal({ ...both, audit: new Set(both.ids) }, /All 2 labelled items .* are in the audit set/);
});

test('audit items, and their groups, are never taught; a lone example and a contradiction are told', () => {
  const said = [
    is('cat'),
    is('dog'),
    is('cat'),
    is('dog'),
    is('héron "gris"\n'),
    { kind: 'contradiction', classNames: ['a', 'b'] },
  ] as const;
  const groups = ['g0', 'g1', 'g2', 'g0', 'g4', 'g5'];
  const items = itemsOf(said, [], groups);
  const teaching = labelledTaskOf({ ...items, audit: new Set([items.ids[0]]) });
  assert.deepEqual([...teaching.problem.labelled], [1, 2, 4]);
  assert.deepEqual(teaching.classNames, ['cat', 'dog', 'héron "gris"\n']);
  assert.equal(teaching.counts.audit, 2);
  assert.match(
    teaching.warnings.join('\n'),
    /1 item has two classes.*\n.*one example, or copies of one, is all there is of "cat", "dog"/,
  );
});

test('an answer counts half for what is nearly the same picture, unless answers differ', () => {
  const said: Annotation[] = [
    is('cat'),
    { kind: 'nothing' },
    { kind: 'nothing' },
    is('cat'),
    is('dog'),
    { kind: 'nothing' },
  ];
  const groups = ['a', 'a', 'alone', 'b', 'b', 'b'];
  const given = matrix(Float32Array.of(1, 0, 0.2, 0.8, 0.2, 0.8, 1, 0, 0, 1, 0.2, 0.8), 6, 2);
  const { data } = withGroupAnswers(given, { annotations: said, groups }, ['cat', 'dog']);
  const expected = [1, 0, 0.6, 0.4, 0.2, 0.8, 1, 0, 0, 1, 0.2, 0.8];
  for (const [i, p] of expected.entries()) assert.ok(Math.abs(data[i] - p) < 1e-6, `${i}`);
});

/** Three bands that wind through the plane of two numbers among ten: near neighbours are of one class. */
function bands(perClass: number, labelledPerClass: number): { problem: Problem; truth: Int32Array } {
  const random = seededRandom(5, 'bands');
  const n = 3 * perClass;
  const features = newSharedMatrix(n, 10);
  const truth = Int32Array.from({ length: n }, (_, i) => i % 3);
  for (let i = 0; i < n; i++) {
    const along = random();
    const angle = 3 * along + (2 * Math.PI * (i % 3)) / 3;
    const radius = 0.4 + along;
    features.data.set([radius * Math.cos(angle), radius * Math.sin(angle), 0.5], i * 10);
    for (let j = 3; j < 10; j++) features.data[i * 10 + j] = 0.1 * (random() - 0.5);
  }
  const labelled = Int32Array.from({ length: 3 * labelledPerClass }, (_, i) => i);
  return {
    truth,
    problem: {
      features: normalisedRows(features),
      groups: Array.from({ length: n }, (_, i) => String(i)),
      labelled,
      labels: truth.slice(0, labelled.length),
      classes: 3,
    },
  };
}

test('rounds: steps are measured on labels alone, the same bytes come with any number of threads', async () => {
  const { problem, truth } = bands(60, 8);
  const result = await learnRounds(pool, problem, { seed: 1 });
  assert.deepEqual(
    result.steps.map(({ method }) => method),
    ['base', 'naive', 'metric'],
  );
  assert.equal(result.trials[0]?.folds, result.folds.count);
  const best = argMaxRows(result.probabilities);
  const right = truth.filter((label, i) => best[i] === label).length / truth.length;
  assert.ok(right > 0.7, `${right} right; chance is a third`);
  for (let row = 0; row < truth.length; row++) {
    const sum = result.probabilities.data.subarray(row * 3, row * 3 + 3).reduce((total, p) => total + p, 0);
    assert.ok(Math.abs(sum - 1) < 1e-5);
  }
  const one = await InferencePool.create({ threads: 1 });
  try {
    const again = await learnRounds(one, problem, { seed: 1 });
    assert.deepEqual(again.head, result.head);
    assert.deepEqual(again.probabilities, result.probabilities);
  } finally {
    await one.close();
  }
});

test('every method is better than chance by far, and none is told the labels that are held out', async () => {
  const { problem, truth } = bands(40, 8);
  for (const method of METHOD_NAMES) {
    const { head, heldOut } = await learnRounds(pool, problem, { seed: 1, methods: [method], folds: 3 });
    const best = argMaxRows(await headLogits(pool, head, problem.features));
    const right = truth.filter((label, i) => best[i] === label).length / truth.length;
    assert.ok(right > 0.65 && heldOut.accuracy > 0.5, `${method}: ${right}, held out ${heldOut.accuracy}`);
  }
  const random = seededRandom(4);
  const labels = problem.labels.map(() => Math.floor(random() * 3));
  for (const method of ['thresholds', 'agreement', 'spreading'] as const) {
    const { heldOut } = await learnRounds(pool, { ...problem, labels }, { seed: 1, methods: [method], folds: 3 });
    assert.ok(heldOut.accuracy < 0.67, `${method}: ${heldOut.accuracy} of random labels`);
  }
});

test('labels that cannot be told from the features are not claimed to be: accuracy near chance', async () => {
  const { problem } = bands(40, 30);
  const random = seededRandom(2);
  const labels = problem.labels.map(() => Math.floor(random() * 3));
  const { heldOut } = await learnRounds(pool, { ...problem, labels }, { seed: 1 });
  assert.ok(heldOut.accuracy < 0.55, `${heldOut.accuracy} of random labels`);
});

test('a budget that is used up leaves the base, and says what was left out', async () => {
  const { problem } = bands(20, 5);
  const { method, skipped } = await learnRounds(pool, problem, { seed: 1, budgetMs: 0 });
  assert.deepEqual([method, skipped], ['base', ['naive', 'metric']]);
});

test('a wide search tries perceptrons and views; the best has seen all folds', async () => {
  const { problem } = bands(20, 6);
  const of = Int32Array.from([...problem.labelled, ...problem.labelled]);
  const augmentations = { features: gatherRows(problem.features, of), of };
  const result = await learnRounds(
    pool,
    { ...problem, augmentations },
    { seed: 1, methods: [], search: 'wide', folds: 3 },
  );
  const tried = new Set(result.trials.map(({ head, augment }) => `${head} ${augment}`));
  assert.deepEqual([...tried].sort(), ['linear false', 'linear true', 'mlp false', 'mlp true']);
  assert.equal(result.trials[0]?.folds, 3);
  assert.equal(result.head.kind, result.settings.head);
});

test('of embedders the first that is within one standard error of the best is taken', () => {
  const trial = (model: string, correct: readonly number[], loss = 1) => ({
    model,
    accuracy: correct.reduce((sum, one) => sum + one, 0) / correct.length,
    loss,
    correct: Uint8Array.from(correct),
  });
  const repeated = (right: readonly number[]) => Array.from({ length: 20 }, () => right).flat();
  const good = trial('good', repeated([1, 1, 1, 0]));
  // One item of 80 more says nothing; a quarter of them more does.
  const hardlyBetter = trial('hardly', [1, 1, 1, 1, ...repeated([1, 1, 1, 0]).slice(4)]);
  const better = trial('better', repeated([1, 1, 1, 1]));
  assert.equal(simplestGood([good, hardlyBetter]).model, 'good');
  assert.equal(simplestGood([good, better]).model, 'better');
  assert.equal(simplestGood([better, good]).model, 'better');
  assert.equal(simplestGood([good, { ...better, model: 'also' }, better]).model, 'also');
  assert.deepEqual(backboneNames(['a', 'b', 'c']), ['a', 'b', 'c', 'a+b', 'a+c', 'b+c']);
});

test('views count with their item as one, and not at all where its label is held out', () => {
  const { problem } = bands(4, 2);
  const of = Int32Array.of(0, 0, 3, 5);
  const viewed = { ...problem, augmentations: { features: gatherRows(problem.features, of), of } };
  const taught = withLabels(viewed, [0, 1, 2, 3]);
  const trainingSet = withAugmentations(taught, labelledSet(taught, taught.features, 'even'), 'even');
  const third = 1 / 3;
  for (const [i, weight] of [third, 1, 1, 0.5, third, third, 0.5].entries()) {
    assert.ok(Math.abs(trainingSet.weights[i] - weight) < 1e-6, `row ${i}`);
  }
  assert.deepEqual(trainingSet.features.rows, 7);
  assert.deepEqual([...trainingSet.targets.data.subarray(12, 21)], [1, 0, 0, 1, 0, 0, 1, 0, 0]);
});

test('of many items some unlabelled ones are left out, labels keep their places', () => {
  const { problem } = bands(30, 4);
  const labelled = problem.labelled.map((row) => row + 50);
  const { features } = problem;
  const less = subsample({ ...problem, labelled }, 40, 0);
  assert.equal(less.features.rows, 40);
  for (const [place, row] of labelled.entries()) {
    const at = less.labelled[place];
    assert.deepEqual(
      less.features.data.subarray(at * 10, at * 10 + 10),
      features.data.subarray(row * 10, row * 10 + 10),
    );
    assert.equal(less.groups[at], problem.groups[row]);
  }
  assert.equal(subsample(problem, 90, 0), problem);
});

test('select meets every kind before it asks for a second of any, one of a group, and nothing excluded', async () => {
  const random = seededRandom(9);
  const kinds = 6;
  const per = 25;
  const features = newSharedMatrix(kinds * per, 12);
  for (let i = 0; i < kinds * per; i++) {
    for (let j = 0; j < 12; j++) features.data[i * 12 + j] = (j === i % kinds ? 1 : 0) + 0.15 * (random() - 0.5);
  }
  const groups = Array.from({ length: kinds * per }, (_, i) => (i % kinds === 0 ? 'all the same' : String(i)));
  const given = {
    features: normalisedRows(features),
    groups,
    labelled: new Set([1]),
    excluded: new Set([2, 8]),
    classes: 1,
    probabilities: null,
  };
  const chosen = await selectItems(pool, given, { count: kinds - 1, seed: 0 });
  assert.deepEqual(chosen.map(({ row }) => row % kinds).sort(), [0, 2, 3, 4, 5]);
  assert.ok(chosen.every(({ row, why }) => row !== 2 && row !== 8 && why === 'typical'));
  const everything = await selectItems(pool, given, { count: 1000, seed: 0 });
  assert.equal(everything.filter(({ row }) => row % kinds === 0).length, 1);
  assert.equal(new Set(everything.map(({ row }) => row)).size, everything.length);
});

test('with a model, select asks what it is unsure of', async () => {
  const { problem } = bands(40, 10);
  const probabilities = newSharedMatrix(120, 3);
  for (let row = 0; row < 120; row++)
    probabilities.data.set(row >= 60 && row < 80 ? [0.4, 0.35, 0.25] : [0.98, 0.01, 0.01], row * 3);
  const given = {
    features: problem.features,
    groups: problem.groups,
    labelled: new Set(problem.labelled),
    excluded: new Set<number>(),
    classes: 3,
    probabilities,
  };
  const chosen = await selectItems(pool, given, { count: 5, seed: 0 });
  assert.equal(chosen.length, 5);
  assert.ok(chosen.every(({ row, why }) => row >= 60 && row < 80 && why === 'unsure'));
});

test('alignment at full strength moves the shares towards those that are wanted, and keeps rows at sum 1', () => {
  const given = matrix(Float32Array.of(0.9, 0.1, 0.8, 0.2, 0.6, 0.4), 3, 2);
  const even = aligned(given, Float64Array.of(0.5, 0.5), 1);
  const share = (m: typeof given) => m.data.reduce((sum, p, i) => sum + (i % 2 === 0 ? p : 0), 0) / 3;
  assert.ok(share(even) < share(given) && share(even) > 0.45);
  assert.deepEqual(aligned(given, Float64Array.of(0.5, 0.5), 0).data.length, 6);
});
