/** Expected values: scikit-learn 1.2.1 on numbers drawn as `s ← 16807·s mod (2³¹ − 1)`, and published intervals. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  accuracy,
  accuracyOfAll,
  calibrationErrorByChance,
  classScores,
  confusionMatrix,
  coverage,
  expectedCalibrationError,
  macroF1,
  reliability,
  wilsonInterval,
} from './classification.ts';

function close(actual: number | null, expected: number, tolerance = 1e-12): void {
  assert.ok(actual !== null && Math.abs(actual - expected) < tolerance, `expected ${expected}, got ${actual}`);
}

function fixture() {
  let state = 9;
  const draw = (n: number) => {
    state = (state * 16807) % 2147483647;
    return state % n;
  };
  const truth: number[] = [];
  const predicted: number[] = [];
  const confidences: number[] = [];
  for (let i = 0; i < 120; i++) {
    const a = draw(5);
    truth.push(a);
    predicted.push(draw(4) ? a : draw(6));
    confidences.push((1 + draw(1000)) / 1000);
  }
  return { truth, predicted, confidences };
}

test('accuracy, macro F1 and scores a class as scikit-learn', () => {
  const judged = fixture();
  close(accuracy(judged), 0.825);
  close(macroF1(judged), 0.8492118488488725);
  const scores = classScores(judged);
  assert.deepEqual(
    scores.map((s) => s.groundTruth),
    [18, 21, 18, 28, 35],
  );
  const expected = [
    [0.88888889, 0.88888889, 0.88888889],
    [0.88235294, 0.71428571, 0.78947368],
    [0.88235294, 0.83333333, 0.85714286],
    [0.83333333, 0.89285714, 0.86206897],
    [0.90322581, 0.8, 0.84848485],
  ];
  for (const [i, [precision, recall, f1]] of expected.entries()) {
    close(scores[i].precision, precision, 1e-8);
    close(scores[i].recall, recall, 1e-8);
    close(scores[i].f1, f1, 1e-8);
  }
});

test('the confusion matrix as scikit-learn', () => {
  assert.deepEqual(
    [...confusionMatrix(fixture(), 6)],
    [
      [16, 0, 1, 0, 0, 1],
      [0, 15, 1, 2, 0, 3],
      [1, 0, 15, 1, 1, 0],
      [0, 0, 0, 25, 2, 1],
      [1, 2, 0, 2, 28, 2],
      [0, 0, 0, 0, 0, 0],
    ].flat(),
  );
});

test('items without a label: coverage falls, accuracy is among the rest, no label is wrong when forced', () => {
  const judged = { truth: [0, 0, 1, 2], predicted: [0, -1, 2, -1] };
  close(coverage(judged), 0.5);
  close(accuracy(judged), 0.5);
  close(accuracyOfAll(judged), 0.25);
  assert.deepEqual(
    classScores(judged).map((s) => s.classIndex),
    [0, 1],
  );
  const nothing = { truth: [0], predicted: [-1] };
  assert.equal(accuracy(nothing), null);
  assert.equal(macroF1(nothing), null);
  assert.equal(coverage({ truth: [], predicted: [] }), null);
});

test('calibration error: numpy over (lo, hi] bins, and by hand at the edges', () => {
  const { truth, predicted, confidences } = fixture();
  const right = truth.map((t, i) => Number(t === predicted[i]));
  close(expectedCalibrationError(confidences, right), 0.3823416666666667);
  // One bin holds .9 and 14/15's other side another: |1 − .9| / 2 + |0 − .95| / 2.
  close(expectedCalibrationError([0.9, 0.95], [1, 0]), 0.05 + 0.475);
  close(expectedCalibrationError([0, 1], [0, 1]), 0);
  assert.equal(expectedCalibrationError([], []), null);
});

test('a reliability diagram has the bins whose distances from the diagonal are the calibration error', () => {
  assert.deepEqual(reliability([0.9, 0.93, 0.95, 0.2], [1, 0, 1, 0]), [
    { count: 1, confidence: 0.2, accuracy: 0 },
    { count: 2, confidence: (0.9 + 0.93) / 2, accuracy: 0.5 },
    { count: 1, confidence: 0.95, accuracy: 1 },
  ]);
  const { truth, predicted, confidences } = fixture();
  const right = truth.map((label, i) => Number(label === predicted[i]));
  const bins = reliability(confidences, right);
  const sum = bins.reduce((total, bin) => total + bin.count * Math.abs(bin.accuracy - bin.confidence), 0);
  close(expectedCalibrationError(confidences, right), sum / truth.length);
  assert.deepEqual(reliability([], []), []);
});

test('calibration error by chance: in one bin it is the mean deviation of a binomial, by de Moivre', () => {
  // E|X − np| = 2 m C(n, m) pᵐ qⁿ⁻ᵐ⁺¹ with m = ⌊np⌋ + 1 (Diaconis and Zabell, Statistical Science 6, 1991).
  const [n, p, m, choose] = [20, 0.85, 18, 190];
  const expected = (2 * m * choose * p ** m * (1 - p) ** (n - m + 1)) / n;
  const measured = calibrationErrorByChance(new Float64Array(n).fill(p)) as number;
  assert.ok(Math.abs(measured - expected) < 0.01, `${measured}, by the formula ${expected}`);
  assert.equal(calibrationErrorByChance([1, 1, 0]), 0, 'what is certain leaves nothing to chance');
  assert.equal(calibrationErrorByChance([]), null);
});

test('Wilson intervals of Newcombe (Statistics in Medicine 17, 1998), table I, method 3', () => {
  const published: [number, number, number, number][] = [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ];
  for (const [right, n, low, high] of published) {
    const interval = wilsonInterval(right, n);
    close(interval[0], low, 5e-5);
    close(interval[1], high, 5e-5);
  }
  assert.deepEqual(wilsonInterval(0, 0), [0, 1]);
});

test('the lower end of the Wilson interval is that of R 4 `prop.test(x, n, correct = FALSE)`', () => {
  // prop.test(8, 10): 0.4901625; prop.test(30, 30): 0.8864859; prop.test(0, 5): 0
  assert.ok(Math.abs(wilsonInterval(8, 10)[0] - 0.4901625) < 1e-4);
  assert.ok(Math.abs(wilsonInterval(30, 30)[0] - 0.8864859) < 1e-4);
  assert.equal(wilsonInterval(0, 5)[0], 0);
});
