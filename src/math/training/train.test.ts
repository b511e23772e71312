/** Least squares, whose answer is known: y = 2 a − 3 b + 1. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addGradients } from '../../onnx/gradients/gradients.ts';
import { Graph } from '../../onnx/ops.ts';
import { InferencePool } from '../../onnx/pool.ts';
import { float32 } from '../../onnx/tensor.ts';
import type { Value } from '../../onnx/value.ts';
import { sharedFloats } from '../matrix.ts';
import type { Parameter } from './optimiser.ts';
import { type MicroBatch, type TrainingState, type TrainOptions, train } from './train.ts';
import { packState, unpackState } from './training-state.ts';

let one: InferencePool;
let three: InferencePool;
before(async () => {
  one = await InferencePool.create({ threads: 1 });
  three = await InferencePool.create({ threads: 3 });
});
after(async () => {
  await one.close();
  await three.close();
});

const ROWS = 8;
const gradientOf = (name: string) => `d:${name}`;

function squares(): Uint8Array {
  const g = new Graph('least-squares');
  const x = g.input('x', 'float32', [ROWS, 2]);
  const [w, b] = [g.input('w', 'float32', [2, 1]), g.input('b', 'float32', [1])];
  const rest = g.sub(g.add(g.matmul(x, w), b), g.input('y', 'float32', [ROWS, 1]));
  const loss = g.reduceSum(g.mul(rest, rest), [0, 1], { keepDims: false });
  const { of } = addGradients(g, loss, [w, b]);
  g.output(loss, 'loss');
  for (const { name } of [w, b]) g.output(of.get(name) as Value, gradientOf(name));
  return g.toModel();
}

const numberAt = (i: number) => ((i * 0.6180339887) % 1) * 2 - 1;

/** Two runs a step, of rows that depend on the step. @param spoiled the step in which a number is none */
function batchOf(step: number, spoiled?: number): MicroBatch[] {
  return [0, 1].map((half) => {
    const at = (i: number) => numberAt(1 + i + 2 * ROWS * (2 * step + half));
    const x = Float32Array.from({ length: 2 * ROWS }, (_, i) => at(i));
    const y = Float32Array.from({ length: ROWS }, (_, i) => 2 * at(2 * i) - 3 * at(2 * i + 1) + 1);
    if (step === spoiled) y[3] = Number.NaN;
    return { feeds: { x: float32(x, [ROWS, 2]), y: float32(y, [ROWS, 1]) }, weight: ROWS };
  });
}

function start(): Parameter[] {
  return [
    { name: 'w', dims: [2, 1], data: sharedFloats(2) },
    { name: 'b', dims: [1], data: sharedFloats(1) },
  ];
}

const OPTIONS: TrainOptions = {
  optimiser: { kind: 'adamw', weightDecay: 0 },
  schedule: 'one-cycle',
  learningRate: 0.2,
  steps: 300,
};

interface Trained {
  readonly numbers: readonly number[];
  readonly losses: readonly number[];
  readonly stopped: string | null;
}

async function trained(
  pool: InferencePool,
  changes: Partial<TrainOptions> = {},
  from?: TrainingState,
  spoiled?: number,
): Promise<Trained> {
  const parameters = start();
  const model = await pool.load(squares(), { key: 'least-squares' });
  const step = { model, gradientOf };
  const result = await train(pool, step, parameters, (i) => batchOf(i, spoiled), { ...OPTIONS, ...changes }, from);
  return { ...result, numbers: parameters.flatMap(({ data }) => [...data]) };
}

const copyOf = (state: TrainingState): TrainingState => unpackState(packState(state));

test('the answer is found, by either optimiser', async () => {
  for (const changes of [
    {},
    { optimiser: { kind: 'sgd' as const, weightDecay: 0 }, schedule: 'cosine' as const, learningRate: 0.1 },
  ]) {
    const { numbers, losses, stopped } = await trained(three, changes);
    assert.equal(stopped, null);
    assert.equal(losses.length, OPTIONS.steps);
    for (const [i, expected] of [2, -3, 1].entries()) {
      assert.ok(Math.abs((numbers[i] ?? 0) - expected) < 0.1, `${JSON.stringify(changes)}: ${numbers}`);
    }
  }
});

test('the same bytes with any number of threads', async () => {
  assert.deepEqual(await trained(one), await trained(three));
});

test('a training that goes on from any checkpoint ends with the same bytes', async () => {
  const changes = { clipNorm: 1, steps: 12, averageDecay: 0.9 };
  const states: TrainingState[] = [];
  const save = async (state: TrainingState) => {
    states.push(copyOf(state));
  };
  const whole = await trained(one, { ...changes, checkpoint: { every: 1, save } });
  assert.equal(states.length, 12);
  for (const state of states) {
    const { numbers, losses } = await trained(three, changes, state);
    assert.deepEqual([numbers, losses], [whole.numbers, whole.losses]);
  }
});

// Parameters of each step are those of shorter trainings at a constant rate; the mean of them by hand.
test('what comes out with a running mean is the mean of what the steps came to', async () => {
  const changes = { schedule: 'constant' as const, learningRate: 0.05 };
  const after = async (steps: number) => (await trained(one, { ...changes, steps })).numbers;
  const [first, second, third] = [await after(1), await after(2), await after(3)];
  const expected = first.map((_, i) => {
    let mean = 0;
    for (const [at, numbers] of [first, second, third].entries()) {
      const memory = Math.min(0.2, (2 + at) / (11 + at));
      mean = memory * mean + (1 - memory) * (numbers[i] ?? 0);
    }
    return mean;
  });
  const { numbers } = await trained(one, { ...changes, steps: 3, averageDecay: 0.2 });
  for (const [i, one] of expected.entries()) assert.ok(Math.abs((numbers[i] ?? 0) - one) < 1e-6, `${numbers}`);
});

test('a loss that is not a number ends it with what the last checkpoint holds', async () => {
  let saved: TrainingState | undefined;
  const save = async (state: TrainingState) => {
    saved = copyOf(state);
  };
  const { numbers, losses, stopped } = await trained(one, { checkpoint: { every: 10, save } }, undefined, 25);
  assert.deepEqual([stopped, losses.length], ['loss not a number', 25]);
  assert.deepEqual(
    numbers,
    saved?.parameters.flatMap((data) => [...data]),
  );
  assert.equal(saved?.optimiser.steps, 20);
});

// Held-out losses are given, so which look is the best and when it ends can be counted: the fourth of them, and after the sixth.
test('it ends once the held-out loss has not fallen for so many looks, with what did best, from any checkpoint on', async () => {
  const given = [5, 3, 4, 2, Number.NaN, 2.5, 1];
  const changes = { steps: 40, schedule: 'constant' as const, learningRate: 0.05 };
  const watched = (from = 0): Partial<TrainOptions> => {
    let looks = from;
    return { ...changes, watch: { every: 2, patience: 2, lossOf: async () => given[looks++] ?? 9 } };
  };
  const states: TrainingState[] = [];
  const save = async (state: TrainingState) => {
    states.push(copyOf(state));
  };
  const whole = await trained(one, { ...watched(), checkpoint: { every: 1, save } });
  assert.deepEqual([whole.stopped, whole.losses.length], ['no longer falls', 12]);
  const best = await trained(one, { ...changes, endAfter: 8 });
  assert.equal(best.losses.length, 8);
  assert.deepEqual(whole.numbers, best.numbers);
  for (const [i, state] of states.entries()) {
    assert.deepEqual(await trained(three, watched(Math.floor((i + 1) / 2)), state), whole, `from step ${i + 1}`);
  }
});

test('a state that was cut short or spoiled on the disk is refused', () => {
  const optimiser = { steps: 3, first: [Float32Array.of(1)], second: [] };
  const curve = { losses: [2, 1, 0.5], accuracies: [Number.NaN, Number.NaN, Number.NaN] };
  const average = [Float32Array.of(3, 4)];
  const watched = { losses: [0.7, Number.NaN], best: [Float32Array.of(5, 6)] };
  const state: TrainingState = { parameters: [Float32Array.of(1, 2)], optimiser, average, watched, curve };
  const bytes = packState(state);
  assert.deepEqual(unpackState(bytes), state);
  assert.throws(() => unpackState(bytes.subarray(0, -1)), RangeError);
  bytes[bytes.length - 2] = 77;
  assert.throws(() => unpackState(bytes), RangeError);
});

test('it stops when it is told to', async () => {
  const controller = new AbortController();
  const onStep = ({ step }: { readonly step: number }) => {
    if (step === 3) controller.abort();
  };
  await assert.rejects(trained(one, { signal: controller.signal, onStep }), { name: 'AbortError' });
});
