import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newOptimiserState, type OptimiserOptions, optimiserStep, type Parameter } from './optimiser.ts';
import { rateAt } from './schedule.ts';

/** Five steps down Σ (cᵢ wᵢ − 1)² from the same start, as in the PyTorch that made the expected values. */
function fiveSteps(options: OptimiserOptions, learningRate: number): number[] {
  const factors = [1, 2, 0.5];
  const parameter: Parameter = { name: 'w', dims: [3], data: Float32Array.of(0.5, -1, 2), decays: true };
  const state = newOptimiserState(options, [parameter]);
  for (let step = 0; step < 5; step++) {
    const gradient = parameter.data.map((w, i) => 2 * (factors[i] ?? 0) * ((factors[i] ?? 0) * w - 1));
    optimiserStep(options, state, [parameter], [gradient], learningRate);
  }
  return [...parameter.data];
}

function assertNear(found: readonly number[], expected: readonly number[], tolerance: number): void {
  assert.equal(found.length, expected.length);
  for (const [i, value] of expected.entries()) assert.ok(Math.abs((found[i] ?? 0) - value) < tolerance, `${found}`);
}

// PyTorch 2.15: torch.optim.AdamW(lr=.1, weight_decay=.05); SGD(lr=.05, momentum=.9, nesterov=True, weight_decay=.01).
test('the steps are those of PyTorch', () => {
  assertNear(fiveSteps({ kind: 'adamw', weightDecay: 0.05 }, 0.1), [0.95663998, -0.4848392, 1.95435088], 1e-6);
  assertNear(fiveSteps({ kind: 'sgd', weightDecay: 0.01 }, 0.05), [1.04833699, 0.74559974, 1.98484405], 1e-6);
});

test('what does not decay is not drawn to zero, and a rate of 0 moves nothing', () => {
  const options: OptimiserOptions = { kind: 'adamw', weightDecay: 0.5 };
  const still = (parameter: Parameter) => {
    optimiserStep(options, newOptimiserState(options, [parameter]), [parameter], [new Float32Array(1)], 0.1);
    return parameter.data[0];
  };
  assert.equal(still({ name: 'bias', dims: [1], data: Float32Array.of(1) }), 1);
  assert.equal(still({ name: 'weight', dims: [1], data: Float32Array.of(1), decays: true }), Math.fround(0.95));
  assert.equal(still({ name: 'frozen', dims: [1], data: Float32Array.of(1), decays: true, rate: 0 }), 1);
});

// PyTorch 2.15: torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=20).
test('one cycle is that of PyTorch', () => {
  const expected = [
    ...[0.04, 0.13167184, 0.37167184, 0.66832816, 0.90832816, 1, 0.98746401, 0.95048463, 0.89091618, 0.81174565],
    ...[0.716943, 0.61126202, 0.500002, 0.38874198, 0.283061, 0.18825835, 0.10908782, 0.04951937, 0.01253999, 4e-6],
  ];
  assertNear(
    expected.map((_, step) => rateAt('one-cycle', step, 20)),
    expected,
    1e-6,
  );
});

test('a cosine rises for a twentieth, then falls towards nothing; a constant stays', () => {
  const rates = Array.from({ length: 100 }, (_, step) => rateAt('cosine', step, 100));
  assertNear(rates.slice(0, 6), [0.2, 0.4, 0.6, 0.8, 1, 1], 1e-9);
  for (let step = 6; step < 100; step++) assert.ok((rates[step] ?? 0) < (rates[step - 1] ?? 0));
  assert.ok((rates[99] ?? 1) < 1e-3);
  assert.equal(rateAt('constant', 7, 10), 1);
  for (const schedule of ['one-cycle', 'cosine'] as const) assert.ok(Number.isFinite(rateAt(schedule, 0, 1)));
});
