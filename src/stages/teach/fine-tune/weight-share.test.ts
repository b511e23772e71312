import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { frozenProblem, request, STEP } from '../../../../test/fixtures/small-fine-tuning.ts';
import { fitTemperature, meanCrossEntropy } from '../../../math/calibration.ts';
import { InferencePool } from '../../../onnx/pool.ts';
import { foldsOf } from '../cross-validation.ts';
import { crossValidateMethod } from '../learn-rounds.ts';
import type { Problem } from '../problem.ts';
import { tuneFolds } from './fine-tune.ts';

let pool: InferencePool;
before(async () => {
  pool = await InferencePool.create({ threads: 2 });
});
after(() => pool.close());

/** Some labels are wrong, so that none of the shares is without loss. */
function doubtful(): Problem {
  const problem = frozenProblem();
  return { ...problem, labels: problem.labels.map((label, i) => (i % 7 === 3 ? 1 - label : label)) };
}

test('the share is the one with whose vectors the teacher has the least loss on held-out labels', async () => {
  const teacher = { ...request().teacher, method: 'naive' } as const;
  const problem = doubtful();
  const shares = [0.2, 0.5, 1];
  const losses = { naive: [] as number[], base: [] as number[] };
  for (const share of shares) {
    const { judged } = await tuneFolds(pool, request({ teacher, problem, step: { ...STEP, shares: [share] } }));
    for (const method of ['naive', 'base'] as const) {
      const how = { ...teacher, method };
      const { logits } = await crossValidateMethod(pool, judged, foldsOf(judged, 2, 0), how, { seed: 0 });
      losses[method].push(meanCrossEntropy(logits, judged.labels, fitTemperature(logits, judged.labels)));
    }
  }
  const leastBy = (method: 'naive' | 'base') => shares[losses[method].indexOf(Math.min(...losses[method]))];
  const folds = await tuneFolds(pool, request({ teacher, problem, step: { ...STEP, shares } }));
  const { share } = await folds.finish();
  assert.equal(share, leastBy('naive'));
  assert.notEqual(share, leastBy('base'), 'else nothing is said of whose loss it is');
});
