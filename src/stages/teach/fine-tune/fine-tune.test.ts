/** Fine-tuning on made-up images, with a small network of random weights. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  frozenProblem,
  IMAGES,
  LABELLED,
  request,
  SIDE,
  STEP,
  smallEmbedder,
  stripes,
} from '../../../../test/fixtures/small-fine-tuning.ts';
import { softmaxRows } from '../../../math/calibration.ts';
import { headLogits } from '../../../math/heads/head.ts';
import { newSharedMatrix } from '../../../math/matrix.ts';
import { InferencePool } from '../../../onnx/pool.ts';
import { Session } from '../../../onnx/session.ts';
import { uint8 } from '../../../onnx/tensor.ts';
import { type ClassifierInfo, classifierModel } from '../../classify/classifier-file.ts';
import { pixelsFor } from '../../item-pixels.ts';
import { crossValidate, foldsOf } from '../cross-validation.ts';
import { compareMethods, finishRounds, learnRounds, type RoundsResult } from '../learn-rounds.ts';
import { ImagesVanished } from './embed-rows.ts';
import {
  type EndedTraining,
  type FineTuneRequest,
  fineTune,
  type KnownOfTask,
  learnsFromBeliefs,
  tuneFolds,
} from './fine-tune.ts';
import { cutFor, type TuningStep } from './steps.ts';
import { OutOfTime } from './time-plan.ts';
import { wholeImage } from './tuning-image.ts';
import { tuningRecordIn } from './tuning-record.ts';

let one: InferencePool;
let two: InferencePool;
before(async () => {
  one = await InferencePool.create({ threads: 1 });
  two = await InferencePool.create({ threads: 2 });
});
after(async () => {
  await one.close();
  await two.close();
});

test('the trained network tells apart what the frozen vectors did not, on labels that it had not seen', async () => {
  const progress: number[] = [];
  const tuned = await fineTune(
    two,
    request({ onProgress: ({ trained, steps, ofSteps }) => steps === ofSteps && progress.push(trained) }),
  );
  assert.deepEqual(progress, [1, 2, 3]);
  assert.equal(tuned.problem.features.rows, IMAGES);
  assert.equal(tuned.sample.foldFeatures?.length, 2);
  const options = { seed: 0, methods: [], folds: 2 };
  const frozen = await learnRounds(two, frozenProblem(), options);
  const learned = await learnRounds(two, tuned.problem, { ...options, sample: tuned.sample });
  assert.ok(learned.heldOut.accuracy > frozen.heldOut.accuracy, `${learned.heldOut.accuracy}`);
  assert.ok(learned.heldOut.accuracy > 0.85, `${learned.heldOut.accuracy}`);
});

test('the folds say by themselves what they say beside the training on all labels, which is not done unless asked for', async () => {
  const trained: number[] = [];
  const onProgress: FineTuneRequest['onProgress'] = ({ steps, ofSteps, trained: of }) => {
    if (steps === ofSteps) trained.push(of);
  };
  const asked = request({ step: { ...STEP, samples: 96 }, onProgress });
  const { judged, finish } = await tuneFolds(two, asked);
  assert.deepEqual(trained, [1, 2]);
  const options = { seed: 0, methods: ['metric'], folds: 2 } as const;
  const compared = await compareMethods(two, judged, options);
  const { problem, sample } = await finish();
  assert.deepEqual(trained, [1, 2, 3]);
  const whole = await learnRounds(two, problem, { ...options, sample });
  const halves = await finishRounds(two, { problem: sample, whole: problem }, compared);
  const untimed = (one: RoundsResult) => ({ ...one, steps: one.steps.map((step) => ({ ...step, elapsedMs: 0 })) });
  assert.deepEqual(untimed(halves), untimed(whole));
});

test('the classifier that is made of it says in one file what was said of the images', async () => {
  const { problem, sample, embedder, mean } = await fineTune(two, request({ step: { ...STEP, samples: 96 } }));
  const options = { seed: 0, methods: [], folds: 2, sample };
  const { head, temperature } = await learnRounds(two, problem, options);
  const { key, input, model } = embedder;
  const info: ClassifierInfo = {
    version: 1,
    task: 'class',
    items: 'images',
    classNames: ['standing', 'lying'],
    margin: null,
    threshold: 0.8,
    input,
    embedder: key,
    space: key,
    temperature,
    training: { fineTuned: 'all' },
  };
  const file = classifierModel({ info, recipe: { blocks: [{ columns: 8, weight: 1 }] }, mean, head, embedder: model });
  const expected = softmaxRows(await headLogits(two, head, problem.features), temperature);
  const session = await Session.create(file);
  for (const image of [0, 7, 40]) {
    const pixels = await pixelsFor(await stripes(image), input);
    const { probabilities } = await session.run({ pixels: uint8(pixels, [1, SIDE, SIDE, 3]) });
    for (const i of [0, 1]) {
      const difference = Number(probabilities?.data[i]) - (expected.data[2 * image + i] ?? 0);
      assert.ok(Math.abs(difference) < 1e-4, `image ${image}: ${difference}`);
    }
  }
  await session.close();
});

test('an image that vanishes amid it ends it: no vector of zeros is learned from or judged', async () => {
  const open = async (row: number) => (row === 3 || row === 40 ? undefined : wholeImage(await stripes(row)));
  await assert.rejects(fineTune(two, request({ open, step: { ...STEP, samples: 96 } })), (error: unknown) => {
    assert.ok(error instanceof ImagesVanished);
    assert.match(error.message, /^2 images that could be read at the start/);
    return true;
  });
});

test('the same bytes with any number of threads', async () => {
  const step = { ...STEP, samples: 96 };
  const [a, b] = [await fineTune(one, request({ step })), await fineTune(two, request({ step }))];
  assert.deepEqual(a, b);
  assert.ok(a.problem.features.data.every(Number.isFinite));
});

test('no more images are trained on than fit into the memory; how many labelled ones were not is told', async () => {
  const imageBytes = SIDE * SIDE * 3;
  const trainedOn = async (viewBytes?: number) => {
    const opened = new Set<number>();
    // The first thing that asks for every image is the preparation; what comes later opens them for their vectors.
    const stop = new Error('prepared');
    const open = async (row: number) => {
      opened.add(row);
      return wholeImage(await stripes(row));
    };
    const known: KnownOfTask = { augment: { mirror: false, rotate: false }, beliefs: new Map() };
    const onProgress = () => {
      throw stop;
    };
    await assert.rejects(fineTune(two, request({ open, known, onProgress, viewBytes })), stop);
    return [...opened].sort((a, b) => a - b);
  };
  const every = Array.from({ length: IMAGES }, (_, row) => row);
  assert.deepEqual(await trainedOn(), every);
  const some = await trainedOn(40 * imageBytes);
  assert.deepEqual(some.slice(0, LABELLED), every.slice(0, LABELLED), 'labelled ones first');
  assert.equal(some.length, 40);
  const few = await trainedOn(20 * imageBytes + 1);
  assert.ok(few.length === 20 && few.every((row) => row < LABELLED), `${few}`);
  const step = { ...STEP, samples: 96 };
  const { untaught, problem } = await fineTune(two, request({ step, viewBytes: 20 * imageBytes }));
  assert.deepEqual([untaught, problem.features.rows], [LABELLED - 20, IMAGES]);
  assert.equal((await fineTune(two, request({ step }))).untaught, 0);
});

test('one that is broken off at any moment goes on from its record and ends with the same bytes', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fine-tune-'));
  t.after(() => rm(folder, { recursive: true }));
  const parts = {
    mixing: 'cutmix',
    smoothing: 0.1,
    averageDecay: 0.9,
    patience: 2,
    strongViews: 1,
    pseudoLabels: 'mean-of-methods',
  } as const;
  const step: TuningStep = { ...STEP, ...parts, samples: 360, shares: [0.5, 1] };
  const whole = await fineTune(one, request({ step }));
  const stopAt = async (stopped: number): Promise<number> => {
    const record = tuningRecordIn(join(folder, `${stopped}`));
    const controller = new AbortController();
    let seen = 0;
    const onProgress = () => {
      if (++seen === stopped) controller.abort();
    };
    const first = request({ step, record, onProgress, signal: controller.signal });
    await assert.rejects(fineTune(two, first), { name: 'AbortError' });
    let again = 0;
    const second = await fineTune(one, request({ step, record, onProgress: () => again++ }));
    assert.deepEqual(second, whole, `stopped after ${stopped} steps`);
    await record.clear();
    return again;
  };
  const steps: number[] = [];
  for (const moment of [1, 13, 27]) steps.push(await stopAt(moment));
  // Three trainings of 23, 23 and 12 steps or so, of which what was kept is not done again.
  const [begun = 0, amid = 0, later = 0] = steps;
  assert.ok(begun > amid && amid > later, `${steps}`);
});

test('with a patience, the last training ends where those of the folds did best on labels that they had not seen', async () => {
  const seen: number[][] = [];
  const onProgress: FineTuneRequest['onProgress'] = ({ trained, steps, ofSteps }) => {
    const training = steps === ofSteps ? trained - 1 : trained;
    seen[training] = [steps, ofSteps];
  };
  // At such a rate the network is soon spoiled, so no fold is best at its end.
  const step = { ...STEP, learningRate: 2, patience: 1 };
  const ended: EndedTraining[] = [];
  const onTrained = (one: EndedTraining) => ended.push(one);
  const { spoiled } = await fineTune(two, request({ step, onProgress, onTrained }));
  const [first = [], second = [], [last = 0, all = 0] = []] = seen;
  for (const [steps = 0, ofSteps = 0] of [first, second]) assert.ok(steps < ofSteps, `${seen}`);
  assert.deepEqual(spoiled, []);
  assert.deepEqual(
    ended.map(({ training, of }) => [training, of]),
    [
      [1, 3],
      [2, 3],
      [3, 3],
    ],
  );
  assert.equal(ended[2]?.losses.length, last);
  assert.ok(last < 0.9 * all, `${seen}`);
});

test('what was kept under other names of classes, whose pictures were seen otherwise, is not gone on with', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fine-tune-'));
  t.after(() => rm(folder, { recursive: true }));
  const step = { ...STEP, samples: 150 };
  const names = { classNames: ['lying', 'standing'] };
  const whole = await fineTune(two, request({ step, ...names }));
  const record = tuningRecordIn(folder);
  await fineTune(two, request({ step, record, classNames: ['left', 'right'] }));
  assert.deepEqual(await fineTune(two, request({ step, record, ...names })), whole);
});

test('what depths have in common is found out once, and changes nothing of what comes out', async () => {
  const steps: TuningStep[] = [
    { ...STEP, samples: 96 },
    { ...STEP, samples: 96, trains: 'bias' },
    { ...STEP, samples: 96, pseudoLabels: 'mean-of-methods' },
  ];
  const known: KnownOfTask = { beliefs: new Map() };
  const embedder = smallEmbedder();
  let opened = 0;
  const open = async (row: number) => {
    opened++;
    return wholeImage(await stripes(row));
  };
  const counts: number[] = [];
  for (const step of steps) {
    opened = 0;
    assert.deepEqual(
      await fineTune(two, request({ step, embedder, known, open })),
      await fineTune(two, request({ step })),
    );
    counts.push(opened);
  }
  const [first = 0, second = 0] = counts;
  assert.equal(
    first - second,
    LABELLED + IMAGES,
    'whether views may be mirrored and turned is asked of the labelled images once, and the views of all are made once',
  );
  assert.equal(known.beliefs.size, 2 * 3, 'two folds and all labels, by two ways to pseudo-labels');
});

test('with too little time for a training worth the name it says so; with enough nothing is made shorter', async () => {
  await assert.rejects(fineTune(one, request({ endMs: performance.now() + 1 })), OutOfTime);
  const step = { ...STEP, samples: 150 };
  const timed = await fineTune(one, request({ step, endMs: performance.now() + 600_000 }));
  assert.deepEqual(timed, await fineTune(one, request({ step })));
});

test('cross-validation looks at the vectors of its fold', async () => {
  const problem = frozenProblem();
  const folds = foldsOf(problem, 3, 0);
  const foldFeatures = [0, 1, 2].map(() => newSharedMatrix(IMAGES, 4));
  const seen: boolean[] = [];
  await crossValidate({ ...problem, foldFeatures }, folds, async (training, rows, fold) => {
    seen[fold] = training.features === foldFeatures[fold];
    return newSharedMatrix(rows.length, 2);
  });
  assert.deepEqual(seen, [true, true, true]);
});

test('a step begins at the pixels, or with the last part that has its share of the weights', () => {
  const { network } = smallEmbedder();
  assert.equal(cutFor(network, { from: 'pixels' }).value, 'input');
  assert.equal(cutFor(network, { from: { share: 0.5 } }).trainables.length, 2);
  assert.equal(cutFor(network, { from: { share: 0.9 } }).trainables.length, 4);
});

test('there are further rounds only where images without a label are trained on', () => {
  const { features } = frozenProblem();
  const labels = (count: number) => Int32Array.from({ length: count }, (_, row) => row);
  assert.ok(learnsFromBeliefs({ features, labelled: labels(IMAGES - 1) }));
  assert.ok(!learnsFromBeliefs({ features, labelled: labels(IMAGES) }));
  const many = newSharedMatrix(2000, 1);
  assert.ok(!learnsFromBeliefs({ features: many, labelled: labels(1000) }), 'as many as are trained on have one');
});

test('a further round is of the folds of the round before', async () => {
  const features = newSharedMatrix(IMAGES, 8);
  const believedBy = { ...frozenProblem(), features, foldFeatures: [features] };
  await assert.rejects(fineTune(one, request({ believedBy })), /a round of 1 folds, not of 2/);
});
